/**
 * How sure a measure is: the bootstrap (Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979) draws as many rows as
 * there are, with replacement, again and again, and looks at how much the measure varies.
 *
 * @module
 */

import { Random } from "../base/random.ts";

/** Fewest and most resamples, and how many rows are drawn in all at about. */
const FEWEST = 200;
const MOST = 1_000;
const DRAWS = 2_000_000;

/** Where a measure lies in most resamples. */
export interface BootstrapInterval {
  readonly low: number;
  readonly high: number;
  /** How many resamples there were. */
  readonly resamples: number;
}

/** A measure of rows of which each counts so many times, [n]; NaN where the rows have none. */
export type CountedMeasure = (counts: Uint32Array) => number;

/**
 * The percentile interval of measures: between the quantiles of their values over the resamples, which are the same for all.
 *
 * @param rows How many rows there are.
 * @param measures What is computed of the rows.
 * @param seed The same seed draws the same rows.
 * @param level The share of resamples that lie within; half of the others lie on each side.
 * @throws {RangeError} If there are no rows.
 */
export function bootstrapIntervals(
  rows: number,
  measures: readonly CountedMeasure[],
  seed: number,
  level: number = 0.95,
): BootstrapInterval[] {
  if (rows === 0) throw new RangeError("Cannot draw from no rows");
  const random = new Random(seed, "bootstrap");
  const resamples = Math.max(FEWEST, Math.min(MOST, Math.floor(DRAWS / rows)));
  const counts = new Uint32Array(rows);
  const values = measures.map(() => new Float64Array(resamples));
  for (let i = 0; i < resamples; i++) {
    counts.fill(0);
    for (let row = 0; row < rows; row++) counts[random.below(rows)]++;
    measures.forEach((measure, j) => values[j][i] = measure(counts));
  }
  return values.map((all) => {
    // A resample without rows of a class has no ROC-AUC.
    const sorted = all.filter((value) => !Number.isNaN(value)).sort();
    const at = (share: number) => sorted.length === 0 ? NaN : sorted[Math.round(share * (sorted.length - 1))];
    return { low: at((1 - level) / 2), high: at((1 + level) / 2), resamples };
  });
}

/** Root of the mean of squared errors [rows, targets], each row's counted as often as the row. */
export function countedRmse(predicted: ArrayLike<number>, actual: ArrayLike<number>, targets: number): CountedMeasure {
  const rows = actual.length / targets;
  const squares = new Float64Array(rows);
  for (let i = 0; i < actual.length; i++) squares[Math.floor(i / targets)] += (predicted[i] - actual[i]) ** 2 / targets;
  const mean = countedMean(squares);
  return (counts) => Math.sqrt(mean(counts));
}

/** The coefficient of determination of one target. */
export function countedR2(predicted: ArrayLike<number>, actual: ArrayLike<number>): CountedMeasure {
  const mean = countedMean(actual);
  return (counts) => {
    const center = mean(counts);
    let errors = 0;
    let squares = 0;
    for (let i = 0; i < counts.length; i++) {
      errors += counts[i] * (predicted[i] - actual[i]) ** 2;
      squares += counts[i] * (actual[i] - center) ** 2;
    }
    return 1 - errors / squares;
  };
}

/** The mean of a value over the rows. */
export function countedMean(values: ArrayLike<number>): CountedMeasure {
  return (counts) => {
    let sum = 0;
    let rows = 0;
    for (let i = 0; i < counts.length; i++) {
      sum += counts[i] * values[i];
      rows += counts[i];
    }
    return sum / rows;
  };
}

/** The area under the ROC curve of labels 0 and 1, as `twoClassMetrics` defines it. */
export function countedRocAuc(probabilities: ArrayLike<number>, labels: ArrayLike<number>): CountedMeasure {
  const order = Array.from(labels, (_, i) => i).sort((a, b) => probabilities[b] - probabilities[a]);
  return (counts) => {
    let first = 0;
    let second = 0;
    let area = 0;
    for (let i = 0; i < order.length;) {
      const probability = probabilities[order[i]];
      let firstHere = 0;
      let secondHere = 0;
      for (; i < order.length && probabilities[order[i]] === probability; i++) {
        if (labels[order[i]] === 1) secondHere += counts[order[i]];
        else firstHere += counts[order[i]];
      }
      area += firstHere * (second + secondHere / 2);
      first += firstHere;
      second += secondHere;
    }
    return area / (first * second);
  };
}
