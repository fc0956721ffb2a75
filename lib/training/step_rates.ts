/**
 * Learning rates for steps that are recorded once: those of a whole window lie on the GPU, and each step takes its own.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { Tensor } from "../core/tensor.ts";

/** The rates of the steps on a window. */
export class StepRates implements Disposable {
  readonly #rates: Tensor;
  readonly #rateAt: (step: number) => number;

  /** Makes room for the rates. */
  constructor({ device, shape }: Tensor, rateAt: (step: number) => number) {
    this.#rates = Tensor.zeros(device, shape);
    this.#rateAt = rateAt;
  }

  /**
   * Puts the rates of some steps in place, behind all that is on the queue.
   *
   * @throws {RangeError} If a rate is not a finite number from 0 on.
   */
  write(first: number, count: number): void {
    const rates = Float32Array.from({ length: count }, (_, i) => {
      const rate = this.#rateAt(first + i);
      if (rate >= 0 && Number.isFinite(Math.fround(rate))) return rate;
      throw new RangeError(
        `Cannot use a learning rate of ${rate} in step ${first + i}: it must be a finite number from 0 on`,
      );
    });
    this.#rates.view(0, [count]).write(rates);
  }

  /** Puts the rate of the step that the counter names where the optimizer reads it. */
  take(cursor: Tensor, rate: Tensor): void {
    rate.device.run(kernels.rateOfStep, { buffers: [this.#rates, cursor, rate], invocations: 1 });
  }

  /** Frees them. */
  dispose(): void {
    this.#rates.dispose();
  }

  /** The same as {@linkcode StepRates.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
