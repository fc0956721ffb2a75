/**
 * The watch over what a training keeps from step to step: weights, gradients and the optimizer's state. A value there that
 * is NaN or infinite never heals, so that one look at the end of many steps misses none; it costs nothing in between.
 *
 * Losses tell most faults, and at the very step. But not all: where a second moment has overflowed, a weight stays as it is
 * for ever, and no loss is NaN.
 *
 * @module
 */
import { NotFiniteError } from "../base/errors.ts";
import type { Model } from "../core/model.ts";
import { flagNotFinite } from "./not_finite.ts";
import type { Optimizer } from "../core/optimizers.ts";
import type { Recording } from "../gpu/recording.ts";
import { readAll, Tensor } from "../core/tensor.ts";

/** Steps whose losses are read. */
interface Steps {
  /** The first of them on its window, from 0. */
  readonly start: number;
  readonly steps: number;
  /** The first of them over all epochs, from 1. */
  readonly firstStep: number;
  /** Whether to look behind them at what the training keeps. */
  readonly isWatched: boolean;
  /** Makes losses of some of the rows those of all, and what a look found what any rank's did. */
  readonly merge?: (losses: Float32Array<ArrayBuffer>, flags?: Float32Array<ArrayBuffer>) => Promise<void>;
}

/** What is known of the health of a training. */
export class Watch implements Disposable {
  /** Loss of each step on the window in place [steps]. */
  readonly #losses: Tensor;
  /** A flag for each tensor that is watched, as the last look left them [tensors]. */
  readonly #flags: Tensor;
  readonly #names: readonly string[];
  readonly #look: Recording;
  /** The last step, over all epochs, behind which all was known to be finite. */
  #good = 0;

  /** Records the look. */
  constructor({ device, values, gradients }: Model, { state }: Optimizer, losses: Tensor) {
    this.#losses = losses;
    const kept = Object.entries(state).filter(([_, { dtype }]) => dtype === "f32");
    // In the order in which a step makes them: the first that is bad is the closest to the cause.
    const tensors = [gradients, ...kept.map(([_, tensor]) => tensor), values];
    this.#names = ["gradients", ...kept.map(([name]) => `optimizer's ${name}`), "weights"];
    this.#flags = Tensor.zeros(device, [tensors.length], "u32");
    this.#look = device.record(() => tensors.forEach((tensor, place) => flagNotFinite(tensor, this.#flags, place)));
  }

  /**
   * Reads the losses of steps that are on the queue, and where asked what a look behind them finds, in one wait.
   *
   * @throws {NotFiniteError} If a loss is not finite, or a value that the look finds.
   */
  async readLosses({ start, steps, firstStep, isWatched, merge }: Steps): Promise<Float32Array> {
    if (isWatched) this.queueLook();
    const places = [this.#losses.view(start, [steps]), ...isWatched ? [this.#flags] : []];
    const [losses, found] = await readAll(places);
    const flags = found && Float32Array.from(found);
    await merge?.(losses as Float32Array<ArrayBuffer>, flags);
    const bad = losses.findIndex((loss) => !Number.isFinite(loss));
    const badStep = firstStep + bad;
    if (bad >= 0) throw new NotFiniteError("loss", losses[bad], badStep, Math.min(this.#good, badStep - 1));
    if (flags) this.#judge(flags, firstStep + steps - 1);
    return losses as Float32Array;
  }

  /**
   * Looks at what the training keeps, behind all that is on the queue.
   *
   * @throws {NotFiniteError} If a value is not finite.
   */
  async look(step: number): Promise<void> {
    this.queueLook();
    this.#judge(await this.#flags.read(), step);
  }

  /** Begins anew. */
  restart(step: number): void {
    this.#good = step;
  }

  /** Puts a look on the queue: the flags tell behind it what it found. */
  queueLook(): void {
    this.#flags.write(new Uint32Array(this.#names.length));
    this.#look.replay();
  }

  #judge(flags: ArrayLike<number>, step: number): void {
    const bad = this.#names.find((_, place) => flags[place] !== 0);
    if (bad !== undefined) throw new NotFiniteError(bad, undefined, step, Math.min(this.#good, step - 1));
    this.#good = Math.max(this.#good, step);
  }

  /** Frees the flags. */
  dispose(): void {
    this.#look.dispose();
    this.#flags.dispose();
  }

  /** The same as {@linkcode Watch.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
