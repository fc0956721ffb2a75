/**
 * Refusals of numbers that somebody set.
 *
 * @module
 */

/** Refuses what is no finite number over 0 in float32, where 1e-50 is 0 and 1e39 infinite. */
export function checkPositive(name: string, value: number): number {
  if (Math.fround(value) > 0 && Number.isFinite(Math.fround(value))) return value;
  throw new RangeError(`Cannot use ${name} of ${value}: it must be a finite number over 0 in float32`);
}

/** Refuses a share that is not from 0 to below 1. */
export function checkShare(name: string, value: number): number {
  if (value >= 0 && value < 1) return value;
  throw new RangeError(`Cannot use a ${name} of ${value}: allowed is 0 up to, but not including, 1`);
}

/** Refuses a weight decay below 0 or beyond float32. */
export function checkWeightDecay(value = 0): number {
  if (value >= 0 && Number.isFinite(Math.fround(value))) return value;
  throw new RangeError(`Cannot use a weight decay of ${value}: it must be a finite number from 0 on`);
}
