/** Comparison of numbers within a tolerance, for whole arrays at once. */
import { AssertionError } from "@std/assert";

/** How far numbers may lie apart: `|actual - expected| <= atol + rtol * |expected|`. */
export interface Tolerance {
  readonly rtol?: number;
  readonly atol?: number;
}

/**
 * Asserts that every number is close to the expected one. NaN is close to NaN alone, an infinity to itself alone. The error
 * says how many differ, and the worst index with both values.
 */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol = 1e-5, atol = 1e-6 }: Tolerance = {},
): void {
  if (actual.length !== expected.length) {
    throw new AssertionError(`Found ${actual.length} numbers, expected ${expected.length}`);
  }
  let differing = 0;
  let worst = 0;
  let worstExcess = -1;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i]) || actual[i] === expected[i]) continue;
    const difference = Math.abs(actual[i] - expected[i]);
    const allowed = Number.isFinite(expected[i]) ? atol + rtol * Math.abs(expected[i]) : 0;
    if (difference <= allowed) continue;
    differing++;
    const excess = Number.isNaN(difference) ? Infinity : difference - allowed;
    if (excess > worstExcess) {
      worst = i;
      worstExcess = excess;
    }
  }
  if (differing === 0) return;
  throw new AssertionError(
    `${differing} of ${expected.length} numbers differ by more than rtol ${rtol} and atol ${atol}; worst at index ${worst}: ` +
      `found ${actual[worst]}, expected ${expected[worst]}`,
  );
}
