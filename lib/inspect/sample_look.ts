/**
 * Looks at a network in training over a sample of rows: one forward and one backward pass, read in one wait. Training
 * continues as if nobody had looked, for they are looks of lib/training/look.ts, and no dropout draws a mask.
 *
 * @module
 */
import type { NetworkFacts, SeenMatrix, SeenWeights } from "./diagnosis.ts";
import type { Loss } from "../core/losses.ts";
import type { Model, Observer } from "../core/model.ts";
import { sum } from "../core/reductions.ts";
import { ELEMENT_BYTES, Tensor, type TensorData } from "../core/tensor.ts";
import { Look, type SeenTensor } from "../training/look.ts";
import { gatherRows } from "../training/recorded_rows.ts";
import { measure, toStatistics } from "../training/tensor_statistics.ts";

/**
 * Looks at each member of a model. All work is on the queue before the promise is returned: what is seen is the model of that
 * moment.
 */
export async function examine(
  model: Model,
  loss: Loss,
  x: Tensor,
  y: Tensor,
): Promise<Required<Pick<NetworkFacts, "relus" | "weights">>[]> {
  const tensorsOf = (seen: readonly SeenTensor[]) => relusOf(model, seen).map(({ tensor }) => tensor);
  using look = new Look(model, passesOver(model, loss, x, y), (seen) => {
    return [model.values, model.gradients, ...tensorsOf(seen)];
  }, { fuse: true }); // as the norms are looked at: other forms of the products would take long to compile
  const [values, gradients, ...outputs] = await look.take();
  const seen = relusOf(model, look.seen);
  return Array.from({ length: model.members }, (_, m) => {
    const relus = seen.map(({ name, tensor: { shape: [all, columns] } }, i) => {
      const rows = all / model.members;
      return { name, rows, columns, data: ownOf(outputs[i], m, model) };
    });
    return { relus, weights: weightsOf(model, values, gradients, m) };
  });
}

/** What one member has of the values of all. */
function ownOf<T extends TensorData>(all: T, member: number, { members }: Model): T {
  const size = all.length / members;
  return all.subarray(member * size, (member + 1) * size) as T;
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
      // No output of a ReLU is below 0: where their sum is 0, all are. The training has compiled sums, but no maximum.
      const sums = relusOf(model, seen).flatMap(({ tensor }) => rowsOfMembers(tensor, model).map((own) => sum(own, 0)));
      return [...measure(measured), ...sums];
    }, { fuse: true });
  }

  /** Measures the model of this moment. */
  async take(): Promise<LayerNorms> {
    const { parameters, members } = this.#model;
    const read = await this.#look.take();
    const sizes = parameters.map(({ parameter: { value } }) => value);
    const sums = read.splice(2 * sizes.length);
    const norms = toStatistics(read, [...sizes, ...sizes]).map(({ norm, notFinite }) => notFinite > 0 ? NaN : norm);
    const byName = (from: number) => Object.fromEntries(parameters.map(({ name }, i) => [name, norms[from + i]]));
    const dead = relusOf(this.#model, this.#look.seen).map(({ name }, i) => {
      const own = sums.slice(i * members, (i + 1) * members).flatMap((sum) => [...sum]);
      return [name, own.filter((v) => v === 0).length / own.length];
    });
    return { weights: byName(0), gradients: byName(parameters.length), dead: Object.fromEntries(dead) };
  }

  [Symbol.dispose](): void {
    this.#look[Symbol.dispose]();
  }
}

/** The rows of each member. */
function rowsOfMembers(tensor: Tensor, { members }: Model): Tensor[] {
  const [rows, columns] = tensor.shape;
  const own = [rows / members, columns];
  return Array.from({ length: members }, (_, m) => tensor.view(m * own[0] * columns, own));
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

/** The layers that have weight and bias, as parts of the flat arrays, of one member. */
function weightsOf(model: Model, values: TensorData, gradients: TensorData, member: number) {
  const { parameters, members, values: { byteOffset } } = model;
  const placed = new Map(parameters.map(({ name, parameter: { shape, value } }) => {
    const start = (value.byteOffset - byteOffset) / ELEMENT_BYTES;
    return [name, { shape, start, end: start + value.size }];
  }));
  return [...placed].filter(([_, { shape }]) => shape.length === 2).flatMap(([name, { shape, start, end }]) => {
    const bias = placed.get(name.replace(/weight$/, "bias"));
    if (!bias || bias.shape.length !== 1) return [];
    const matrix = (flat: TensorData): SeenMatrix => {
      const data = ownOf(flat.subarray(start, end), member, model);
      return { name, rows: shape[0] / members, columns: shape[1], data };
    };
    const vector = (flat: TensorData) => ownOf(flat.subarray(bias.start, bias.end), member, model);
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
