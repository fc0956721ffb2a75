/**
 * Measures of many numbers in float64.
 *
 * @module
 */

/** What is known of a tensor's elements. Those that are not finite are only counted. */
export interface TensorStatistics {
  /** Smallest element; NaN where none is finite. */
  readonly min: number;
  /** Largest element; NaN where none is finite. */
  readonly max: number;
  /** Mean; NaN where none is finite. */
  readonly mean: number;
  /** L2 norm: the root of the sum of squares. */
  readonly norm: number;
  /** Share of elements that are 0. */
  readonly zeros: number;
  /** How many elements are NaN or infinite. */
  readonly notFinite: number;
}

/** Measures numbers. */
export function statistics(data: ArrayLike<number>): TensorStatistics {
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let squares = 0;
  let zeros = 0;
  let finite = 0;
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (!Number.isFinite(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    squares += value * value;
    zeros += Number(value === 0);
    finite++;
  }
  return {
    min: finite > 0 ? min : NaN,
    max: finite > 0 ? max : NaN,
    mean: sum / finite,
    norm: Math.sqrt(squares),
    zeros: zeros / data.length,
    notFinite: data.length - finite,
  };
}
