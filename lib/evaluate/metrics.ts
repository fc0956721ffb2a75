/**
 * How far predictions lie from the truth, in float64.
 *
 * @module
 */

/** Measures of a regression, in the unit of the values (mse in its square). */
export interface RegressionMetrics {
  /** Mean of the squared errors. */
  mse: number;
  /** Square root of mse. */
  rmse: number;
  /** Mean of the absolute errors. */
  mae: number;
  /** Coefficient of determination: 1 is perfect, 0 no better than the mean. */
  r2: number;
}

/**
 * Compares predictions with the true values in one pass: mse = mean(e^2), mae = mean(|e|),
 * r2 = 1 - sum(e^2) / sum((actual - mean(actual))^2), the last sum by Welford's method. Where all true values are the
 * same, r2 is 1 if every prediction is right and 0 otherwise, as in scikit-learn's r2_score. NaN passes through.
 *
 * @param predicted Predictions, [n].
 * @param actual True values, [n], in the same unit.
 * @throws {TypeError} If the lengths differ.
 * @throws {RangeError} If there are no values.
 *
 * @example
 * ```ts
 * import { regressionMetrics, RunningMetrics } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const measures = regressionMetrics([1, 2, 5], [1, 3, 5]);
 * assertEquals(measures, { mse: 1 / 3, rmse: Math.sqrt(1 / 3), mae: 1 / 3, r2: 0.875 });
 *
 * const running = new RunningMetrics();
 * running.add([1, 2], [1, 3]);
 * running.add([5], [5]);
 * assertEquals(running.result(), measures);
 * ```
 */
export function regressionMetrics(predicted: ArrayLike<number>, actual: ArrayLike<number>): RegressionMetrics {
  const running = new RunningMetrics();
  running.add(predicted, actual);
  return running.result();
}

/** What {@linkcode regressionMetrics} computes, over values that come block by block; the blocks make no difference. */
export class RunningMetrics {
  #count = 0;
  #squares = 0;
  #absolutes = 0;
  #mean = 0;
  #spread = 0;

  /** Adds a block, as {@linkcode regressionMetrics} takes it. */
  add(predicted: ArrayLike<number>, actual: ArrayLike<number>): void {
    checkLengths("predictions", predicted, "true values", actual);
    for (let i = 0; i < actual.length; i++) {
      const error = predicted[i] - actual[i];
      this.#squares += error * error;
      this.#absolutes += Math.abs(error);
      const delta = actual[i] - this.#mean;
      this.#mean += delta / ++this.#count;
      this.#spread += delta * (actual[i] - this.#mean);
    }
  }

  /**
   * The measures of all blocks so far.
   *
   * @throws {RangeError} If there were no values.
   */
  result(): RegressionMetrics {
    checkSome("predictions", this.#count);
    const squares = this.#squares;
    const mse = squares / this.#count;
    // Times 0, so that NaN stays NaN.
    const r2 = this.#spread === 0 ? (squares === 0 ? 1 : squares * 0) : 1 - squares / this.#spread;
    return { mse, rmse: Math.sqrt(mse), mae: this.#absolutes / this.#count, r2 };
  }
}

/**
 * Share of rows whose probability falls on the side of 0.5 where the label lies; 0.5 itself counts as class 1. Of several
 * classes, share of rows whose largest probability is that of the label's largest; of equal ones the first counts.
 *
 * @param probability Probabilities of class 1, [n], or of each class, [n, classes], row by row.
 * @param label Labels, 0 or 1, [n], or probabilities, [n, classes].
 * @param classes Values in a row; 1 where there is the probability of class 1 alone.
 * @returns A number from 0 to 1. A row with NaN is never right.
 * @throws {TypeError} If the lengths differ, or are no multiple of `classes`.
 * @throws {RangeError} If there are no values.
 *
 * @example
 * ```ts
 * import { accuracy } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(accuracy([0.9, 0.2, 0.6, 0.4], [1, 0, 0, 0]), 0.75);
 * assertEquals(accuracy([0.5, 0.3, 0.2, 0.1, 0.8, 0.1], [1, 0, 0, 0, 0, 1], 3), 0.5);
 * ```
 */
export function accuracy(probability: ArrayLike<number>, label: ArrayLike<number>, classes: number = 1): number {
  checkLengths("probabilities", probability, "labels", label);
  const predicted = classIndices(probability, classes);
  const actual = classIndices(label, classes);
  checkSome("probabilities", label.length);
  const right = actual.reduce((sum, index, row) => sum + Number(index === predicted[row]), 0); // NaN equals nothing
  return right / actual.length;
}

/** The class of each row of probabilities: that of one class by the side of the threshold, of others by where the largest stands. */
export function classIndices(probabilities: ArrayLike<number>, classes: number, threshold = 0.5): Float64Array {
  const { length } = probabilities;
  if (length % classes !== 0) throw new TypeError(`Cannot cut ${length} labels into rows of ${classes}`);
  return Float64Array.from({ length: length / classes }, (_, row) => {
    const value = probabilities[row];
    if (classes === 1) return value >= threshold ? 1 : value < threshold ? 0 : NaN;
    return largestOf(probabilities, row * classes, classes);
  });
}

/** Where in a row the largest value stands; NaN where one is NaN. */
function largestOf(values: ArrayLike<number>, start: number, length: number): number {
  let largest = 0;
  for (let i = 0; i < length; i++) {
    if (Number.isNaN(values[start + i])) return NaN;
    if (values[start + i] > values[start + largest]) largest = i;
  }
  return largest;
}

function checkLengths(what: string, given: ArrayLike<number>, against: string, wanted: ArrayLike<number>): void {
  if (given.length !== wanted.length) {
    throw new TypeError(`Cannot compare ${given.length} ${what} with ${wanted.length} ${against}`);
  }
}

function checkSome(what: string, count: number): void {
  if (count === 0) throw new RangeError(`Cannot measure ${what}: there are none`);
}
