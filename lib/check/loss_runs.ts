/**
 * Runs a loss again and again, each time with one entry of one tensor moved, and reads all losses in one wait.
 *
 * @module
 */
import { formatShape } from "../base/shape.ts";
import { Tensor } from "../core/tensor.ts";
import type { Device } from "../gpu/device.ts";
import type { Recording } from "../gpu/recording.ts";
import { append } from "../training/recorded_rows.ts";

/** An entry of a tensor, and what it holds meanwhile. */
export interface Nudge {
  readonly tensor: Tensor;
  readonly entry: number;
  /** What the entry holds before and afterwards. */
  readonly before: number;
  readonly value: number;
}

/** A function that computes a loss from tensors. */
export class LossRuns {
  readonly #device: Device;
  readonly #loss: () => Tensor;

  /**
   * Runs the loss once, to see that it can be used.
   *
   * @throws {TypeError} If it is not a tensor of one element.
   */
  constructor(device: Device, loss: () => Tensor) {
    this.#device = device;
    this.#loss = loss;
    device.tidy(() => void this.#compute());
  }

  /**
   * The loss under each nudge, and without any.
   *
   * @throws {RangeError} If the loss is not finite without a nudge, or another at the end than at the beginning.
   */
  async run(nudges: readonly Nudge[]): Promise<{ before: number; losses: Float32Array }> {
    using history = Tensor.zeros(this.#device, [nudges.length + 2]);
    using cursor = Tensor.zeros(this.#device, [1], "u32");
    const step = () => append(this.#compute(), history, cursor);
    using recording = this.#record(step);
    const once = () => recording ? recording.replay() : this.#device.tidy(step);
    once();
    for (const { tensor, entry, before, value } of nudges) {
      const place = tensor.view(entry, [1]);
      place.write([value]);
      try {
        once();
      } finally {
        place.write([before]);
      }
    }
    once();
    const all = await history.read();
    const first = all[0];
    const last = all[all.length - 1];
    if (!Number.isFinite(first)) {
      throw new RangeError(`Cannot check gradients: the loss is ${first}; scale the data, or use smaller weights`);
    }
    if (first !== last) {
      throw new RangeError(
        `Cannot check gradients: the loss was ${first} and then ${last}, though nothing had changed; ` +
          "it must not update a tensor or draw random numbers",
      );
    }
    return { before: first, losses: all.subarray(1, -1) };
  }

  /** A recording replays much faster than a function runs; not every function can be recorded, such as one that writes. */
  #record(step: () => void): Recording | undefined {
    try {
      return this.#device.record(step);
    } catch {
      return undefined; // if the fault is the loss's own, it comes again
    }
  }

  #compute(): Tensor {
    const loss: unknown = this.#loss();
    if (!(loss instanceof Tensor)) {
      if (loss instanceof Promise) loss.catch(() => {}); // the one error is enough
      const found = loss instanceof Promise ? "a promise: it must not be async" : `${loss}`;
      throw new TypeError(`Cannot check gradients: the loss function must return a tensor, and returned ${found}`);
    }
    if (loss.size !== 1) {
      throw new TypeError(
        `Cannot check gradients: the loss is a tensor ${formatShape(loss.shape)}, and must be one number; ` +
          "take mean() or sum() of it",
      );
    }
    return loss;
  }
}
