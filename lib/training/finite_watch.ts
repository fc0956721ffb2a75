/**
 * The watch over the tensors that a training keeps from step to step: weights, gradients and the optimizer's state. A value
 * there that is NaN or infinite never heals. So one look after many steps misses none, and it costs nothing in between.
 *
 * Losses show most faults, and at the very step. But not all: where a second moment has overflowed, a weight never changes
 * again, and no loss is NaN.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { NotFiniteError } from "../base/errors.ts";
import { checkType } from "../core/operation.ts";
import type { Model } from "../core/model.ts";
import type { Optimizer } from "../core/optimizers.ts";
import { partsOf } from "./tensor_statistics.ts";
import type { Recording } from "../gpu/recording.ts";
import { Tensor } from "../core/tensor.ts";

/** What is known of the health of a training. */
export class FiniteWatch implements Disposable {
  /** A flag for each watched tensor, as the last look left them [tensors]. */
  readonly flags: Tensor;
  readonly #names: readonly string[];
  readonly #look: Recording;
  /** The last step, over all epochs, after which all was known to be finite. */
  #good = 0;

  constructor({ device, values, gradients }: Model, { state }: Optimizer) {
    // Adam's two powers are no sums of anything: they stay finite.
    const states = Object.entries(state).filter(([_, { dtype, size }]) => dtype === "f32" && size > 2);
    // In the order in which a step makes them: the first that is bad is the closest to the cause.
    const tensors = [gradients, ...states.map(([_, tensor]) => tensor), values];
    this.#names = ["gradients", ...states.map(([name]) => `optimizer's ${name}`), "weights"];
    this.flags = Tensor.zeros(device, [tensors.length], "u32");
    this.#look = device.record(() => tensors.forEach((tensor, place) => flagNotFinite(tensor, this.flags, place)));
  }

  /** What is wrong with losses of steps, the first of which has this number. */
  faultOf(losses: Float32Array, firstStep: number): NotFiniteError | undefined {
    const bad = losses.findIndex((loss) => !Number.isFinite(loss));
    const badStep = firstStep + bad;
    if (bad < 0) return undefined;
    return new NotFiniteError("loss", losses[bad], badStep, Math.min(this.#good, badStep - 1));
  }

  /** What a look after a step has found; where nothing is wrong, all was finite up to there. */
  faultOfFlags(flags: ArrayLike<number>, step: number): NotFiniteError | undefined {
    const bad = this.#names.find((_, place) => flags[place] !== 0);
    if (bad !== undefined) return new NotFiniteError(bad, undefined, step, Math.min(this.#good, step - 1));
    this.#good = Math.max(this.#good, step);
  }

  /** Looks at the tensors that the training keeps, after all that is on the queue. */
  async look(step: number): Promise<void> {
    this.queueLook();
    const error = this.faultOfFlags(await this.flags.readU32(), step);
    if (error) throw error;
  }

  /** Begins anew, from a step after which all is finite. */
  restart(step: number): void {
    this.#good = step;
  }

  /** Puts a look on the queue; the flags hold what it found. */
  queueLook(): void {
    this.flags.write(new Uint32Array(this.#names.length));
    this.#look.replay();
  }

  [Symbol.dispose](): void {
    this.#look.dispose();
    this.flags.dispose();
  }
}

/** Sets a flag if a tensor has an element that is NaN or infinite; otherwise the flag stays as it is. */
export function flagNotFinite(x: Tensor, flags: Tensor, place: number): void {
  checkType("f32", [x]);
  checkType("u32", [flags]);
  if (!Number.isSafeInteger(place) || place < 0 || place >= flags.size) {
    throw new RangeError(`Cannot set flag ${place}: there are ${flags.size}`);
  }
  const { device, size } = x;
  const parts = partsOf(size);
  device.run(kernels.notFinite, { buffers: [x, flags], sizes: [size, parts, place], invocations: parts });
}
