/**
 * Learning rates that change with the step. Each schedule is a formula of the step alone, so that a run that continues later
 * continues right. {@linkcode StepRates} puts the rates of a window on the GPU, where recorded steps read them.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { Tensor } from "../core/tensor.ts";

/** Names of the formulas, as settings give them. */
export type LearningRateSchedule = "constant" | "step" | "exponential" | "cosine" | "one-cycle";

/** What {@linkcode learningRateAt} goes by. */
export interface LearningRateSettings {
  /** The formula. */
  readonly schedule: LearningRateSchedule;
  /** The rate it starts from; in `one-cycle` the highest. Over 0. */
  readonly learningRate: number;
  /** Steps at the start over which the rate rises linearly to the formula's first; 0 by default. */
  readonly warmup?: number;
  /** For `step` and `exponential`: steps in which the rate is multiplied by `factor` once; a third of all by default. */
  readonly every?: number;
  /** For `step` and `exponential`: over 0; 0.1 by default. */
  readonly factor?: number;
  /** For `cosine`: the rate it falls towards, from 0 to the learning rate; 0 by default. */
  readonly minimum?: number;
  /** For `one-cycle`: the share of the steps in which the rate rises, from 0 to 1; 0.3 by default. */
  readonly rise?: number;
  /** For `one-cycle`: how many times lower the first rate is than the highest, from 1 on; 25 by default. */
  readonly startDivisor?: number;
  /** For `one-cycle`: how many times lower the last rate is than the first, from 1 on; 10,000 by default. */
  readonly endDivisor?: number;
}

type Complete = Required<LearningRateSettings>;

/**
 * The learning rate `r` of a step. With `t` for the steps since the warm-up ended and `T` for all steps after it:
 *
 * - `constant`: `r = learningRate`.
 * - `step`: `r = learningRate * factor^floor(t / every)`.
 * - `exponential`: `r = learningRate * factor^(t / every)`, the same without jumps.
 * - `cosine`: `r = minimum + (learningRate - minimum) * (1 + cos(pi * t / T)) / 2` (Loshchilov and Hutter 2017, without
 *   restarts).
 * - `one-cycle`: up from `learningRate / startDivisor` to `learningRate` at `rise` of the steps, then down to
 *   `learningRate / startDivisor / endDivisor` in the last step, either way along half a cosine (Smith and Topin 2018; cosines
 *   and defaults are those of PyTorch's `OneCycleLR`, which the momentum does not follow here).
 *
 * Within a warm-up of `w` steps `r` is `(step + 1) / (w + 1)` of the formula's first rate. A step from `totalSteps` on has the
 * rate that the formula ends with, but for `step` and `exponential`, which go on.
 *
 * @param settings The formula and what it needs.
 * @param step Which step, from 0.
 * @param totalSteps How many steps there will be, warm-up included.
 * @throws {RangeError} If a setting is out of range, or the warm-up leaves no steps.
 *
 * @example
 * ```ts
 * import { learningRateAt, type LearningRateSettings } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const settings: LearningRateSettings = { schedule: "cosine", learningRate: 0.5, warmup: 4 };
 * const rates = [0, 3, 4, 54, 104].map((step) => learningRateAt(settings, step, 104));
 * assertEquals(rates.map((rate) => rate.toFixed(3)), ["0.100", "0.400", "0.500", "0.250", "0.000"]);
 * ```
 */
export function learningRateAt(settings: LearningRateSettings, step: number, totalSteps: number): number {
  const complete = checkedSettings(settings, step, totalSteps);
  const { warmup } = complete;
  const rateAt = (t: number): number => FORMULAS[settings.schedule](complete, t, totalSteps - warmup);
  return step < warmup ? rateAt(0) * (step + 1) / (warmup + 1) : rateAt(step - warmup);
}

/** Each the rate of step t of so many. */
const FORMULAS: Record<LearningRateSchedule, (settings: Complete, t: number, steps: number) => number> = {
  constant: ({ learningRate }) => learningRate,
  step: ({ learningRate, factor, every }, t) => learningRate * factor ** Math.floor(t / every),
  exponential: ({ learningRate, factor, every }, t) => learningRate * factor ** (t / every),
  cosine: ({ learningRate, minimum }, t, steps) => alongCosine(learningRate, minimum, t / steps),
  "one-cycle": ({ learningRate, rise, startDivisor, endDivisor }, t, steps) => {
    const start = learningRate / startDivisor;
    const last = steps - 1;
    const peak = Math.max(0, rise * steps - 1);
    if (t < peak) return alongCosine(start, learningRate, t / peak);
    return alongCosine(learningRate, start / endDivisor, last > peak ? (t - peak) / (last - peak) : 0);
  },
};

/** From one rate to another along half a cosine; a share over 1 is the end. */
function alongCosine(from: number, to: number, share: number): number {
  return to + (from - to) * (1 + Math.cos(Math.PI * Math.min(1, share))) / 2;
}

/** What each setting may be, and how a message puts it. */
const ALLOWED: Record<
  Exclude<keyof Complete, "schedule">,
  [isAllowed: (value: number, settings: Complete, totalSteps: number) => boolean, text: string]
> = {
  learningRate: [(value) => value > 0 && Number.isFinite(value), "a finite number over 0"],
  warmup: [
    (value, _, totalSteps) => Number.isSafeInteger(value) && value >= 0 && value < totalSteps,
    "a whole number from 0 to below the number of steps",
  ],
  every: [(value) => value > 0, "a number over 0"],
  factor: [(value) => value > 0 && Number.isFinite(value), "a finite number over 0"],
  minimum: [(value, { learningRate }) => value >= 0 && value <= learningRate, "from 0 to the learning rate"],
  rise: [(value) => value >= 0 && value <= 1, "from 0 to 1"],
  startDivisor: [(value) => value >= 1 && Number.isFinite(value), "a finite number from 1 on"],
  endDivisor: [(value) => value >= 1 && Number.isFinite(value), "a finite number from 1 on"],
};

function checkedSettings(settings: LearningRateSettings, step: number, totalSteps: number): Complete {
  if (!Number.isSafeInteger(totalSteps) || totalSteps < 1 || !Number.isSafeInteger(step) || step < 0) {
    throw new RangeError(
      `Cannot give the learning rate of step ${step} of ${totalSteps}: need whole numbers from 0 and 1`,
    );
  }
  const { warmup = 0, every = Math.max(1, (totalSteps - warmup) / 3), factor = 0.1, minimum = 0 } = settings;
  const { schedule, learningRate, rise = 0.3, startDivisor = 25, endDivisor = 10_000 } = settings;
  const complete = { schedule, learningRate, warmup, every, factor, minimum, rise, startDivisor, endDivisor };
  // First of all what others are held to.
  for (const [name, [isAllowed, text]] of Object.entries(ALLOWED)) {
    const value = complete[name as keyof typeof ALLOWED];
    if (!isAllowed(value, complete, totalSteps)) {
      throw new RangeError(
        `Cannot give learning rates for ${totalSteps} steps with ${name} ${value}: it must be ${text}`,
      );
    }
  }
  return complete;
}

/** The learning rates of the steps on a window, for steps that are recorded once: each takes its own. */
export class StepRates implements Disposable {
  readonly #rates: Tensor;
  readonly #rateAt: (step: number) => number;

  constructor({ device, shape }: Tensor, rateAt: (step: number) => number) {
    this.#rates = Tensor.zeros(device, shape);
    this.#rateAt = rateAt;
  }

  /** Puts the rates of some steps in place, after all that is on the queue. */
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

  /** Puts the rate of the step that the counter names, times a factor, where the optimizer reads it. */
  take(cursor: Tensor, factor: Tensor, rate: Tensor): void {
    rate.device.run(kernels.rateOfStep, { buffers: [this.#rates, cursor, factor, rate], invocations: 1 });
  }

  [Symbol.dispose](): void {
    this.#rates.dispose();
  }
}
