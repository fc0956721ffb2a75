/**
 * A look at how the layers of a network fare: norms of weights and of their gradients over a sample, and units that are
 * dead. All of it is worked out on the GPU and read in one wait; training goes on as if nobody had looked.
 *
 * @module
 */
import type { Loss } from "../core/losses.ts";
import type { Model } from "../core/model.ts";
import type { Recording } from "../gpu/recording.ts";
import { max } from "../core/reductions.ts";
import { readAll, Tensor } from "../core/tensor.ts";
import { measure, toStatistics } from "../training/tensor_statistics.ts";

/** How layers fare. */
export interface LayerNorms {
  /** L2 norm of each parameter, by name. */
  readonly weights: Readonly<Record<string, number>>;
  /** L2 norm of the gradient of the sample's loss by each parameter. */
  readonly gradients: Readonly<Record<string, number>>;
  /** Share of units that are 0 on all rows of the sample, of each ReLU layer: `a1` ... */
  readonly dead: Readonly<Record<string, number>>;
}

/** Looks at one model, as often as asked. */
export class LayerLook implements Disposable {
  readonly #model: Model;
  readonly #recording: Recording;
  /** The gradients of the last step, while those of the sample are in their place. */
  readonly #kept: Tensor;
  readonly #names: string[] = [];
  readonly #peaks: Tensor[] = [];
  #records!: Tensor;

  /** Records the look; nothing runs yet. */
  constructor(model: Model, loss: Loss, x: Tensor, y: Tensor) {
    this.#model = model;
    this.#kept = Tensor.zeros(model.device, model.gradients.shape);
    this.#recording = model.device.record(() => this.#look(loss, x, y), { fuse: true });
  }

  /**
   * Looks at the model of this moment, whatever is put on the queue behind it.
   *
   * @throws {DeviceError} If the GPU reported a fault.
   */
  async take(): Promise<LayerNorms> {
    const { device, gradients, parameters } = this.#model;
    device.copy(gradients, this.#kept);
    this.#recording.replay();
    device.copy(this.#kept, gradients);
    const [records, ...peaks] = await readAll([this.#records, ...this.#peaks]);
    const norms = toStatistics(records, this.#measured).map(({ norm, notFinite }) => notFinite > 0 ? NaN : norm);
    const byName = (from: number) => Object.fromEntries(parameters.map(({ name }, i) => [name, norms[from + i]]));
    const dead = peaks.map((peak, i) => [this.#names[i], peak.filter((v) => v === 0).length / peak.length]);
    return { weights: byName(0), gradients: byName(parameters.length), dead: Object.fromEntries(dead) };
  }

  /** Frees what it keeps. */
  dispose(): void {
    this.#recording.dispose();
    this.#kept.dispose();
  }

  /** The same as {@linkcode LayerLook.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  get #measured(): Tensor[] {
    const parameters = this.#model.parameters.map(({ parameter }) => parameter);
    return [...parameters.map(({ value }) => value), ...parameters.map(({ grad }) => grad)];
  }

  #look(loss: Loss, x: Tensor, y: Tensor): void {
    const { layers } = this.#model;
    let layer = 0;
    const observe = (name: string, tensor: Tensor): void => {
      if (layers[layer++].kind !== "ReLU") return;
      this.#names.push(name);
      this.#peaks.push(max(tensor, 0));
    };
    const prediction = this.#model.forward(x, { observe });
    this.#model.backward(loss.forwardBackward(prediction, y).dPrediction);
    this.#records = measure(this.#measured);
  }
}
