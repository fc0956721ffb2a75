/**
 * Looks at a network in training over a sample of rows: one forward and one backward pass, read in one wait. Training
 * continues as if nobody had looked, for they are looks of lib/training/look.ts, and no dropout draws a mask.
 *
 * @module
 */
import type { NetworkFacts, SeenMatrix, SeenWeights } from "./diagnosis.ts";
import type { Loss } from "../core/losses.ts";
import type { Model, Observer } from "../core/model.ts";
import { max } from "../arithmetic/min_max_norm.ts";
import { ELEMENT_BYTES, Tensor, type TensorData } from "../core/tensor.ts";
import { Look, type SeenTensor } from "../training/look.ts";
import { gatherRows } from "../training/recorded_rows.ts";
import { measure, toStatistics } from "../training/tensor_statistics.ts";

/**
 * Looks at a model. All work is on the queue before the promise is returned: what is seen is the model of that moment.
 */
export async function examine(
  model: Model,
  loss: Loss,
  x: Tensor,
  y: Tensor,
): Promise<Required<Pick<NetworkFacts, "relus" | "weights">>> {
  const tensorsOf = (seen: readonly SeenTensor[]) => relusOf(model, seen).map(({ tensor }) => tensor);
  using look = new Look(model, passesOver(model, loss, x, y), (seen) => {
    return [model.values, model.gradients, ...tensorsOf(seen)];
  }, { fuse: true }); // as the norms are looked at: other forms of the products would take long to compile
  const [values, gradients, ...outputs] = await look.take();
  const relus = relusOf(model, look.seen).map(({ name, tensor: { shape: [rows, columns] } }, i) => {
    return { name, rows, columns, data: outputs[i] };
  });
  return { relus, weights: weightsOf(model, values, gradients) };
}

/** How layers fare. */
export interface LayerNorms {
  /** L2 norm of each parameter, by name. */
  readonly weights: Readonly<Record<string, number>>;
  /** L2 norm of the gradient of the sample's loss by each parameter. */
  readonly gradients: Readonly<Record<string, number>>;
  /** Share of units that are 0 on all rows of the sample, of each ReLU layer: `a1` ... */
  readonly dead: Readonly<Record<string, number>>;
}

/** Measures the layers of one model on the GPU, as often as asked. */
export class NormsLook implements Disposable {
  readonly #model: Model;
  readonly #look: Look;

  /** Records the look; nothing runs yet. */
  constructor(model: Model, loss: Loss, x: Tensor, y: Tensor) {
    this.#model = model;
    const parameters = model.parameters.map(({ parameter }) => parameter);
    const measured = [...parameters.map(({ value }) => value), ...parameters.map(({ grad }) => grad)];
    this.#look = new Look(model, passesOver(model, loss, x, y), (seen) => {
      const peaks = relusOf(model, seen).map(({ tensor }) => max(tensor, 0));
      return [measure(measured), ...peaks];
    }, { fuse: true });
  }

  /** Measures the model of this moment. */
  async take(): Promise<LayerNorms> {
    const { parameters } = this.#model;
    const [records, ...peaks] = await this.#look.take();
    const sizes = parameters.map(({ parameter: { value } }) => value);
    const norms = toStatistics(records, [...sizes, ...sizes]).map(({ norm, notFinite }) => notFinite > 0 ? NaN : norm);
    const byName = (from: number) => Object.fromEntries(parameters.map(({ name }, i) => [name, norms[from + i]]));
    const dead = relusOf(this.#model, this.#look.seen).map(({ name }, i) => {
      return [name, peaks[i].filter((v) => v === 0).length / peaks[i].length];
    });
    return { weights: byName(0), gradients: byName(parameters.length), dead: Object.fromEntries(dead) };
  }

  [Symbol.dispose](): void {
    this.#look[Symbol.dispose]();
  }
}

/** One forward pass, observed, and one backward pass. */
function passesOver(model: Model, loss: Loss, x: Tensor, y: Tensor): (observe: Observer) => void {
  const { device, members } = model;
  return (observe) => {
    const rows = Tensor.constant(device, Uint32Array.from({ length: x.shape[0] }, (_, i) => i));
    const [ownX, ownY] = members === 1 ? [x, y] : [x, y].map((table) => gatherRows(table, rows, { copies: members }));
    const prediction = model.forward(ownX, { observe });
    model.backward(loss.forwardBackward(prediction, ownY, members).dPrediction);
  };
}

/** The outputs of ReLU layers; a forward pass gives one of each layer, in order. */
function relusOf({ layers }: Model, seen: readonly SeenTensor[]): SeenTensor[] {
  return seen.filter((_, i) => layers[i].kind === "ReLU");
}

/** The layers that have weight and bias, as parts of the flat arrays. */
function weightsOf({ parameters, values: { byteOffset } }: Model, values: TensorData, gradients: TensorData) {
  const placed = new Map(parameters.map(({ name, parameter: { shape, value } }) => {
    const start = (value.byteOffset - byteOffset) / ELEMENT_BYTES;
    return [name, { shape, start, end: start + value.size }];
  }));
  return [...placed].filter(([_, { shape }]) => shape.length === 2).flatMap(([name, { shape, start, end }]) => {
    const bias = placed.get(name.replace(/weight$/, "bias"));
    if (!bias || bias.shape.length !== 1) return [];
    const matrix = (flat: TensorData): SeenMatrix => {
      return { name, rows: shape[0], columns: shape[1], data: flat.subarray(start, end) };
    };
    const vector = (flat: TensorData) => flat.subarray(bias.start, bias.end);
    const weights: SeenWeights = {
      name,
      weight: matrix(values),
      weightGradient: matrix(gradients),
      bias: vector(values),
      biasGradient: vector(gradients),
    };
    return [weights];
  });
}
