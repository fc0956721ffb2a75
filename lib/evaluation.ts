/**
 * From what a network puts out to what its user asked for: raw units or probabilities, and how good they are.
 *
 * @module
 */
import type { Loss } from "./losses.ts";
import { countRight, type RegressionMetrics, RunningMetrics } from "./metrics.ts";
import { Matrix, sigmoid, softmax } from "./reference.ts";
import type { Scaler } from "./scaler.ts";

/** How good predictions are: the loss in the units of training, the rest in raw units. */
export interface Evaluation extends RegressionMetrics {
  /** Rows it was measured on. */
  readonly rows: number;
  /** The loss that training makes small, in float64. */
  readonly loss: number;
  /**
   * Under binary cross-entropy the share of targets on the right side of 0.5, under softmax cross-entropy that of rows whose
   * largest prediction is the target's largest; not there under other losses.
   */
  readonly accuracy?: number;
}

/**
 * Predictions in raw units: probabilities under binary and softmax cross-entropy, else the scaler's inverse.
 *
 * @param output What the network put out [rows, targets], row by row.
 * @param loss The loss it was trained with.
 * @param scaler The scaler of the targets; under softmax cross-entropy its columns are the classes.
 * @returns As many values, float64; under softmax cross-entropy each row sums to 1.
 * @throws {TypeError} If the length is no multiple of the scaler's columns.
 *
 * @example
 * ```ts
 * import { bceWithLogits, Scaler, toRaw } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const scaler = new Scaler("none", [{ name: "y", min: 0, max: 1, mean: 0.5, deviation: 0.5 }]);
 * assertEquals([...toRaw([0], bceWithLogits, scaler)], [0.5]);
 * ```
 */
export function toRaw(output: ArrayLike<number>, loss: Loss, scaler: Scaler): Float64Array {
  if (loss.kind === "bce") return sigmoid(new Matrix(1, output.length, output)).data;
  if (loss.kind !== "softmax") return scaler.inverse(output);
  const classes = scaler.columns.length;
  if (output.length % classes !== 0) throw new TypeError(`Cannot cut ${output.length} values into rows of ${classes}`);
  return softmax(new Matrix(output.length / classes, classes, output)).data;
}

/**
 * Measures predictions.
 *
 * @param output What the network put out [rows, targets], row by row.
 * @param y The targets as it was trained on them, in the same order.
 * @param loss The loss it was trained with.
 * @param scaler The scaler of the targets.
 * @returns The measures.
 * @throws {TypeError} If the lengths differ.
 * @throws {RangeError} If there are no rows.
 *
 * @example
 * ```ts
 * import { evaluate, mse, Scaler } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const scaler = new Scaler("minmax", [{ name: "y", min: 0, max: 10, mean: 5, deviation: 2 }]);
 * const { loss, mae } = evaluate([0.5, 1], [0.5, 0.5], mse, scaler);
 * assertEquals([loss, mae], [0.125, 2.5]); // scaled units, raw units
 * ```
 */
export function evaluate(
  output: ArrayLike<number>,
  y: ArrayLike<number>,
  loss: Loss,
  scaler: Scaler,
): Evaluation {
  const evaluator = new Evaluator(loss, scaler);
  evaluator.add(output, y);
  return evaluator.result();
}

/**
 * Measures predictions that come block by block, in constant memory.
 *
 * @example
 * ```ts
 * import { Evaluator, mse, Scaler } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const scaler = new Scaler("minmax", [{ name: "y", min: 0, max: 10, mean: 5, deviation: 2 }]);
 * const evaluator = new Evaluator(mse, scaler);
 * evaluator.add([0.5], [0.5]);
 * evaluator.add([1], [0.5]);
 * const { rows, loss, mae } = evaluator.result();
 * assertEquals([rows, loss, mae], [2, 0.125, 2.5]);
 * ```
 */
export class Evaluator {
  readonly #lossFunction: Loss;
  readonly #scaler: Scaler;
  readonly #metrics = new RunningMetrics();
  #values = 0;
  #loss = 0;
  #right = 0;

  /**
   * Begins with no rows.
   *
   * @param loss The loss the predictions were trained with.
   * @param scaler The scaler of the targets.
   */
  constructor(loss: Loss, scaler: Scaler) {
    this.#lossFunction = loss;
    this.#scaler = scaler;
  }

  /**
   * Adds a block.
   *
   * @param output What the network put out [rows, targets], row by row.
   * @param y The targets as it was trained on them, in the same order.
   * @throws {TypeError} If the lengths differ.
   */
  add(output: ArrayLike<number>, y: ArrayLike<number>): void {
    const loss = this.#lossFunction, n = y.length, columns = this.#scaler.columns.length, rows = n / columns;
    const actual = this.#scaler.inverse(y), predicted = toRaw(output, loss, this.#scaler);
    this.#metrics.add(predicted, actual);
    if (n === 0) return;
    this.#values += n;
    const mean = loss.reference.forward(new Matrix(rows, columns, output), new Matrix(rows, columns, y));
    this.#loss += (mean - this.#loss) * (n / this.#values);
    if (loss.kind === "bce") this.#right += countRight(predicted, actual, 1) / columns;
    if (loss.kind === "softmax") this.#right += countRight(predicted, actual, columns);
  }

  /**
   * The measures of all blocks so far.
   *
   * @returns The measures.
   * @throws {RangeError} If there were no rows.
   */
  result(): Evaluation {
    const rows = this.#values / this.#scaler.columns.length;
    const measures = { rows, loss: this.#loss, ...this.#metrics.result() };
    const hasClasses = ["bce", "softmax"].includes(this.#lossFunction.kind);
    return hasClasses ? { ...measures, accuracy: this.#right / rows } : measures;
  }
}
