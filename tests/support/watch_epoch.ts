/** Training that is looked at before every step, for tests of what steps make. */

import type { ReadTensor } from "../../lib/training/look.ts";
import type { Trainer } from "../../lib/training/trainer.ts";
import type { EpochResult } from "../../lib/training/trainer_options.ts";

/** A step's tensors by name; `x` and `y` of its batch are the first. */
export type StepTensors = Readonly<Record<string, Float32Array>>;

/**
 * Trains one epoch, or what is left of the one under way, and shows each step's tensors, in order. A throw of `onStep` ends
 * the epoch. Gives its result, or nothing where `steps` ended it.
 */
export async function watchEpoch(
  trainer: Trainer,
  onStep: (tensors: StepTensors, step: number, read: readonly ReadTensor[]) => Promise<void> | void,
  steps = Infinity,
): Promise<EpochResult<undefined> | undefined> {
  const last = trainer.step + steps;
  let hasFailed = false;
  let told = Promise.resolve();
  const between = (done: number) => {
    if (hasFailed || done >= last) return 0;
    const before = told;
    const look = trainer.readAhead();
    told = Promise.allSettled([before, look]).then(async () => {
      await before;
      const read = await look;
      await onStep(Object.fromEntries(read.map(({ name, data }) => [name, data as Float32Array])), done + 1, read);
    });
    told.catch(() => hasFailed = true); // it is awaited below
    return 1;
  };
  try {
    return (await Array.fromAsync(trainer.epochs(1, { between })))[0];
  } finally {
    await told;
  }
}
