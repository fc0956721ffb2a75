import { assert, assertEquals, assertThrows } from "@std/assert";
import { learningRateAt, type LearningRateSettings } from "../../lib/training/learning_rates.ts";
import { assertClose } from "../support/assert_close.ts";

const SCHEDULES = ["constant", "step", "exponential", "cosine", "one-cycle"] as const;

/** Rates at chosen steps. */
function ratesAt(settings: LearningRateSettings, totalSteps: number, steps: number[]): number[] {
  return steps.map((step) => learningRateAt(settings, step, totalSteps));
}

Deno.test("learningRateAt() agrees with values worked out by hand", () => {
  const even = { schedule: "one-cycle", rise: 0.5 } as const;
  const cases: [Partial<LearningRateSettings>, number, [step: number, rate: number][]][] = [
    [{ schedule: "constant" }, 10, [[0, 2], [9, 2], [99, 2]]],
    [{ schedule: "step", every: 4, factor: 0.5 }, 10, [[0, 2], [3, 2], [4, 1], [7, 1], [8, 0.5], [12, 0.25]]],
    // A tenth after each third.
    [{ schedule: "step" }, 9, [[2, 2], [3, 0.2], [6, 0.02], [8, 0.02]]],
    [{ schedule: "step" }, 1, [[0, 2]]],
    [{ schedule: "exponential", every: 4, factor: 0.25 }, 10, [[0, 2], [2, 1], [4, 0.5], [6, 0.25]]],
    [{ schedule: "exponential", every: 1, factor: 0.5 }, 10, [[0, 2], [1, 1], [9, 2 / 512]]],
    [{ schedule: "cosine" }, 12, [[0, 2], [3, 1 + Math.SQRT1_2], [4, 1.5], [6, 1], [8, 0.5], [12, 0], [20, 0]]],
    [{ schedule: "cosine", minimum: 1 }, 12, [[0, 2], [6, 1.5], [12, 1]]],
    // Up in steps 0 to 2, down in steps 2 to 8.
    [{ schedule: "one-cycle", rise: 1 / 3 }, 9, [[0, 0.08], [1, 1.04], [2, 2], [5, 1 + 4e-6], [8, 8e-6], [20, 8e-6]]],
    // Up in 2 of 10 steps by default; two sevenths of the way down, 1 + cos(2 pi / 7) and what the end adds.
    [{ schedule: "one-cycle" }, 10, [[0, 0.08], [1, 1.04], [2, 2], [4, 1.6234913079], [9, 8e-6]]],
    [{ ...even, startDivisor: 4, endDivisor: 2 }, 10, [[0, 0.5], [2, 1.25], [4, 2], [9, 0.25]]],
    [{ schedule: "one-cycle", rise: 0 }, 3, [[0, 2], [1, 1 + 4e-6], [2, 8e-6]]],
    [{ schedule: "one-cycle", rise: 1 }, 3, [[0, 0.08], [1, 1.04], [2, 2]]],
    [{ schedule: "one-cycle" }, 1, [[0, 2]]],
    // Fifths up to the first rate, then the formula over what is left.
    [{ schedule: "constant", warmup: 4 }, 10, [[0, 0.4], [1, 0.8], [3, 1.6], [4, 2], [9, 2]]],
    [{ schedule: "cosine", warmup: 4 }, 16, [[0, 0.4], [3, 1.6], [4, 2], [10, 1], [16, 0]]],
    [{ schedule: "step", every: 2, warmup: 1 }, 9, [[0, 1], [1, 2], [2, 2], [3, 0.2]]],
    [{ schedule: "one-cycle", warmup: 1, rise: 1 / 3 }, 10, [[0, 0.04], [1, 0.08], [2, 1.04], [3, 2], [9, 8e-6]]],
  ];
  for (const [settings, totalSteps, expected] of cases) {
    const complete: LearningRateSettings = { schedule: "constant", learningRate: 2, ...settings };
    const steps = expected.map(([step]) => step);
    const rates = expected.map(([_, rate]) => rate);
    assertClose(ratesAt(complete, totalSteps, steps), rates, { rtol: 1e-8, atol: 1e-15 });
  }
});

Deno.test("learningRateAt() rises all through the warm-up, and goes without jumps, over its end too, but for step", () => {
  for (const schedule of SCHEDULES) {
    for (const warmup of [0, 1, 5, 100]) {
      const rates = ratesAt({ schedule, learningRate: 3, warmup }, 1_000, Array.from({ length: 1_000 }, (_, i) => i));
      assert(rates.every((rate) => rate > 0 && rate <= 3), "rates are over 0 and never beyond the highest");
      const rising = Array.from({ length: warmup + 1 }, (_, i) => rates[warmup] * (i + 1) / (warmup + 1));
      assertClose(rates.slice(0, warmup + 1), rising, { rtol: 1e-12, atol: 0 });
      const jumps = rates.slice(1).flatMap((rate, i) => {
        const rise = warmup > i ? rates[warmup] / warmup : 0;
        return Math.abs(rate - rates[i]) <= Math.max(0.03, rise) ? [] : [i + 1];
      });
      const third = (1_000 - warmup) / 3;
      const expected = schedule === "step" ? [warmup + Math.ceil(third), warmup + Math.ceil(2 * third)] : [];
      assertEquals([schedule, warmup, jumps], [schedule, warmup, expected]);
    }
  }
});

Deno.test("learningRateAt() refuses settings out of range", () => {
  const cases: [Partial<LearningRateSettings>, string][] = [
    [{ learningRate: 0 }, "Cannot give learning rates for 10 steps with learningRate 0: it must be a finite number"],
    [{ learningRate: NaN }, "with learningRate NaN: it must be a finite number over 0"],
    [{ warmup: -1 }, "with warmup -1"],
    [{ warmup: 1.5 }, "with warmup 1.5"],
    [{ warmup: 10 }, "it must be a whole number from 0 to below the number of steps"],
    [{ every: 0 }, "with every 0"],
    [{ factor: 0 }, "with factor 0"],
    [{ factor: Infinity }, "with factor Infinity"],
    [{ minimum: -0.1 }, "with minimum -0.1"],
    [{ minimum: 3 }, "it must be from 0 to the learning rate"],
    [{ rise: 1.1 }, "with rise 1.1"],
    [{ startDivisor: 0.5 }, "with startDivisor 0.5"],
    [{ endDivisor: NaN }, "with endDivisor NaN"],
  ];
  for (const [settings, text] of cases) {
    const complete: LearningRateSettings = { schedule: "constant", learningRate: 2, ...settings };
    assertThrows(() => learningRateAt(complete, 0, 10), RangeError, text);
  }
  const constant = { schedule: "constant", learningRate: 2 } as const;
  for (const [step, total] of [[-1, 10], [0.5, 10], [0, 0], [0, NaN]]) {
    const text = `Cannot give the learning rate of step ${step} of ${total}: need whole numbers from 0 and 1`;
    assertThrows(() => learningRateAt(constant, step, total), RangeError, text);
  }
});
