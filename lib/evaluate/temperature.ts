/**
 * Probabilities that are as sure as they are right.
 *
 * @module
 */
import type { Loss } from "../core/losses.ts";
import { Matrix } from "../reference/mod.ts";

/** Least and largest temperature. */
export const TEMPERATURES = [0.05, 20] as const;

/** A gain of a smaller share of the loss is nothing that matters. */
const LEAST_GAIN = 1e-4;

/** How exactly the logarithm of a temperature is found. */
const PRECISION = 1e-5;

/** A temperature, and what it does to the loss of the rows that it was fitted on. */
export interface FittedTemperature {
  /** What logits are divided by, 0.05 to 20. */
  readonly temperature: number;
  /** The loss without it. */
  readonly before: number;
  /** The loss with it. */
  readonly after: number;
}

/**
 * Fits what logits are to be divided by, so that the loss of rows that no step of training used is least (Guo et al. 2017, "On
 * calibration of modern neural networks"): over 1 where a network is too sure, under 1 where it is not sure enough. Which class
 * is the most probable one stays as it is. `deno task train` keeps only temperatures over 1 that lower the loss of
 * the rows as they are.
 *
 * The rows count as if one more in them were of each class by equal shares, as in Platt's scaling (Platt 1999): else few rows
 * that are nearly all right would ask for too much certainty. The loss is convex in 1 / temperature, so a golden section finds
 * the least.
 *
 * @param logits What the network put out [rows, columns], row by row.
 * @param y The targets, as it was trained on them.
 * @param columns Values in a row.
 * @param loss Binary or softmax cross-entropy, with the weights of its classes.
 * @returns The temperature; undefined where it gains less than a ten-thousandth of the loss.
 * @throws {TypeError} If the lengths differ, or the loss is another one.
 *
 * @example
 * ```ts
 * import { bceWithLogits, fitTemperature, type FittedTemperature } from "@backhand/backhand";
 * import { assert } from "@std/assert";
 * // Nine rows of ten are right, and the network is sure of 99%.
 * const logits = Float64Array.from({ length: 1000 }, () => Math.log(99));
 * const y = logits.map((_, i) => i % 10 === 0 ? 0 : 1);
 * const fitted: FittedTemperature | undefined = fitTemperature(logits, y, 1, bceWithLogits);
 * assert(fitted !== undefined && Math.abs(fitted.temperature - Math.log(99) / Math.log(9)) < 0.01);
 * ```
 */
export function fitTemperature(
  logits: ArrayLike<number>,
  y: ArrayLike<number>,
  columns: number,
  { kind, reference }: Loss,
): FittedTemperature | undefined {
  const rows = y.length / columns;
  if (logits.length !== y.length || !Number.isInteger(rows)) {
    throw new TypeError(
      `Cannot fit a temperature: ${logits.length} logits for ${y.length} targets in rows of ${columns}`,
    );
  }
  if (kind !== "bce" && kind !== "softmax") throw new TypeError(`Cannot fit a temperature under the loss ${kind}`);
  if (rows === 0) return undefined;
  const share = kind === "softmax" ? 1 / columns : 0.5;
  const smooth = new Matrix(rows, columns, Float64Array.from(y, (value) => (rows * value + share) / (rows + 1)));
  const lossAt = (temperature: number, target: Matrix) =>
    reference.forward(new Matrix(rows, columns, Float64Array.from(logits, (logit) => logit / temperature)), target);
  const [least, most] = TEMPERATURES.map(Math.log);
  const found = Math.exp(leastBetween(least, most, (log) => lossAt(Math.exp(log), smooth)));
  const temperature = Number(found.toPrecision(4));
  const without = lossAt(1, smooth);
  if (!(without - lossAt(temperature, smooth) > LEAST_GAIN * without)) return undefined;
  const actual = new Matrix(rows, columns, y);
  return { temperature, before: lossAt(1, actual), after: lossAt(temperature, actual) };
}

/** Where a function with one valley is least, by golden section. */
function leastBetween(start: number, end: number, valueAt: (place: number) => number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let low = start;
  let high = end;
  let left = high - ratio * (high - low);
  let right = low + ratio * (high - low);
  let atLeft = valueAt(left);
  let atRight = valueAt(right);
  while (high - low > PRECISION) {
    if (atLeft <= atRight) {
      high = right;
      right = left;
      atRight = atLeft;
      left = high - ratio * (high - low);
      atLeft = valueAt(left);
    } else {
      low = left;
      left = right;
      atLeft = atRight;
      right = low + ratio * (high - low);
      atRight = valueAt(right);
    }
  }
  return (low + high) / 2;
}
