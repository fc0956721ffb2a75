/**
 * The watch over what a training keeps from step to step: weights, gradients and the optimizer's state. A value there that
 * is NaN or infinite never heals, so that one look at the end of many steps misses none; it costs nothing in between.
 *
 * Losses tell most faults, and at the very step. But not all: where a second moment has overflowed, a weight stays as it is
 * for ever, and no loss is NaN.
 *
 * @module
 */
import { NotFiniteError } from "./errors.ts";
import type { Model } from "./model.ts";
import { flagNotFinite } from "./not_finite.ts";
import type { Optimizer } from "./optimizers.ts";
import type { Recording } from "./recording.ts";
import { Tensor } from "./tensor.ts";

/** What is known of the health of a training. */
export class Watch implements Disposable {
  /** A flag for each tensor that is watched, as the last look left them [tensors]. */
  readonly flags: Tensor;
  readonly #names: readonly string[];
  readonly #look: Recording;
  #good = 0;

  /**
   * Records the look.
   *
   * @param model Its weights and gradients.
   * @param optimizer Its state.
   */
  constructor({ device, values, gradients }: Model, { state }: Optimizer) {
    const kept = Object.entries(state).filter(([, { dtype }]) => dtype === "f32");
    // In the order in which a step makes them: the first that is bad is the closest to the cause.
    const tensors = [gradients, ...kept.map(([, tensor]) => tensor), values];
    this.#names = ["gradients", ...kept.map(([name]) => `optimizer's ${name}`), "weights"];
    this.flags = Tensor.zeros(device, [tensors.length], "u32");
    this.#look = device.record(() => tensors.forEach((tensor, place) => flagNotFinite(tensor, this.flags, place)));
  }

  /** The last step, over all epochs, behind which all was known to be finite. */
  get good(): number {
    return this.#good;
  }

  /** Puts a look on the queue: flags that are read behind it tell. */
  look(): void {
    this.flags.write(new Uint32Array(this.#names.length));
    this.#look.replay();
  }

  /**
   * Takes note of what a look found.
   *
   * @param flags What was read.
   * @param step The step, over all epochs, behind which it looked.
   * @throws {NotFiniteError} If it found a value that is not finite.
   */
  judge(flags: ArrayLike<number>, step: number): void {
    const bad = this.#names.find((_, place) => flags[place] !== 0);
    if (bad === undefined) this.#good = Math.max(this.#good, step);
    else throw new NotFiniteError(bad, undefined, step, Math.min(this.#good, step - 1));
  }

  /**
   * Begins anew.
   *
   * @param step The step behind which all is said to be finite.
   */
  restart(step: number): void {
    this.#good = step;
  }

  /** Frees the flags. */
  dispose(): void {
    this.#look.dispose();
    this.flags.dispose();
  }

  /** The same as {@linkcode Watch.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
