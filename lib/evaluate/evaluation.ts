/**
 * From what a network puts out to what its user asked for: raw units or probabilities, and how good they are.
 *
 * @module
 */
import { type ClassificationMetrics, RunningClassification } from "./classification_metrics.ts";
import type { Loss } from "../core/losses.ts";
import { accuracy, classIndices, type RegressionMetrics, RunningMetrics } from "./metrics.ts";
import { Matrix, sigmoid, softmax } from "../reference/mod.ts";
import type { Scaler } from "../data/scaler.ts";
import { RunningTwoClasses, type ThresholdRule, type TwoClassMetrics } from "./two_classes.ts";

/**
 * How good predictions are: the loss in the units of training, the rest in raw units, those of probabilities where the
 * loss gives them. Accuracy is there under binary and softmax cross-entropy; confusion matrix, macro F1 and measures per
 * class too, unless binary cross-entropy has several targets; of two classes also the measures of their probabilities.
 */
export interface Evaluation extends RegressionMetrics, Partial<ClassificationMetrics>, Partial<TwoClassMetrics> {
  /** Rows it was measured on. */
  readonly rows: number;
  /** The loss that training makes small, in float64. */
  readonly loss: number;
  /** The least probability that counts as the second class, where one was asked for. */
  readonly threshold?: number;
  /** How good the trivial prediction is on the same rows, where it is known. */
  readonly baseline?: Evaluation;
}

/** What an evaluation may be told. */
export interface EvaluationOptions {
  /** The trivial prediction: mean of each target over the training rows, in raw units; for classes their shares. */
  readonly baseline?: readonly number[];
  /** Names of the classes, where there are any; else those of the scaler's columns, "0" and "1" under binary cross-entropy. */
  readonly classes?: readonly string[];
  /** Of two classes: the least probability that counts as the second; or a rule, which chooses it on these rows. */
  readonly threshold?: number | ThresholdRule;
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

/** What a network would have to put out to predict the same for every row; certainty is a hair less, as its loss is infinite. */
function toOutput(raw: readonly number[], { kind }: Loss, scaler: Scaler): Float64Array {
  const { EPSILON } = Number;
  if (kind === "softmax") return Float64Array.from(raw, (p) => Math.log(Math.max(p, EPSILON)));
  if (kind !== "bce") return scaler.transform(raw);
  return Float64Array.from(raw, (p) => Math.log(Math.max(p, EPSILON) / Math.max(1 - p, EPSILON)));
}

/**
 * Measures predictions.
 *
 * @param output What the network put out [rows, targets], row by row.
 * @param y The targets as it was trained on them, in the same order.
 * @param loss The loss it was trained with.
 * @param scaler The scaler of the targets.
 * @param options Trivial prediction and names of classes.
 * @throws {TypeError} If the lengths differ.
 * @throws {RangeError} If there are no rows.
 *
 * @example
 * ```ts
 * import { evaluate, Evaluator, mse, Scaler } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const scaler = new Scaler("minmax", [{ name: "y", min: 0, max: 10, mean: 5, deviation: 2 }]);
 * const { loss, mae, baseline } = evaluate([0.5, 1], [0.5, 0.5], mse, scaler, { baseline: [5] });
 * assertEquals([loss, mae], [0.125, 2.5]); // scaled units, raw units
 * assertEquals(baseline?.mae, 0);
 *
 * const evaluator = new Evaluator(mse, scaler);
 * evaluator.add([0.5], [0.5]);
 * evaluator.add([1], [0.5]);
 * assertEquals(evaluator.result().loss, loss);
 * ```
 */
export function evaluate(
  output: ArrayLike<number>,
  y: ArrayLike<number>,
  loss: Loss,
  scaler: Scaler,
  options: EvaluationOptions = {},
): Evaluation {
  const evaluator = new Evaluator(loss, scaler, options);
  evaluator.add(output, y);
  return evaluator.result();
}

/**
 * Measures predictions that come block by block, in constant memory; of two classes eight bytes a row are kept. See
 * {@linkcode evaluate}.
 */
export class Evaluator {
  readonly #loss: Loss;
  readonly #scaler: Scaler;
  readonly #scores: Scores;
  readonly #twoClasses?: TwoClassScores;
  /** The trivial prediction of a row, as the network would put it out and in raw units. */
  readonly #baseline?: { scores: Scores; output: ArrayLike<number>; raw: readonly number[] };

  /**
   * Begins with no rows.
   *
   * @throws {TypeError} If there are more or fewer classes, or trivial predictions, than outputs have; or a threshold for
   * others than two classes.
   */
  constructor(loss: Loss, scaler: Scaler, { baseline, classes, threshold }: EvaluationOptions = {}) {
    const columns = scaler.columns.length;
    if (baseline && baseline.length !== columns) {
      throw new TypeError(`Cannot compare ${columns} targets with a baseline of ${baseline.length}`);
    }
    const own = classesOf(loss, scaler);
    const names = own && (classes ?? own);
    if (names?.length !== own?.length) {
      throw new TypeError(`Cannot measure ${names!.length} classes: the outputs are for ${own!.length}`);
    }
    if (threshold !== undefined && names?.length !== 2) {
      throw new TypeError(`Cannot use a threshold: it takes two classes, found ${names?.length ?? "numbers"}`);
    }
    this.#loss = loss;
    this.#scaler = scaler;
    this.#scores = new Scores(loss, columns, names);
    if (names?.length === 2) this.#twoClasses = new TwoClassScores(names, threshold);
    if (!baseline) return;
    const output = toOutput(baseline, loss, scaler);
    this.#baseline = { scores: new Scores(loss, columns, names), output, raw: baseline };
  }

  /** Adds a block, as {@linkcode evaluate} takes it. */
  add(output: ArrayLike<number>, y: ArrayLike<number>): void {
    const actual = this.#scaler.inverse(y);
    const columns = this.#scaler.columns.length;
    const predicted = toRaw(output, this.#loss, this.#scaler);
    this.#scores.add(output, predicted, y, actual);
    this.#twoClasses?.add(predicted, actual, columns);
    if (!this.#baseline) return;
    const { scores, output: trivial, raw } = this.#baseline;
    const repeated = (row: ArrayLike<number>) => actual.map((_, i) => row[i % columns]);
    scores.add(repeated(trivial), repeated(raw), y, actual);
  }

  /**
   * The measures of all blocks so far.
   *
   * @throws {RangeError} If there were no rows; or if a rule is to choose the threshold, and a class has no rows.
   */
  result(): Evaluation {
    const measures = { ...this.#scores.result(), ...this.#twoClasses?.result() };
    if (!this.#baseline) return measures;
    const { scores, raw } = this.#baseline;
    return { ...measures, baseline: { ...scores.result(), ...this.#twoClasses?.running.ofConstant(raw.at(-1)!) } };
  }
}

/** The probabilities of the second of two classes, and how the rows are classified where a threshold is given. */
class TwoClassScores {
  readonly running = new RunningTwoClasses();
  readonly #names: readonly string[];
  readonly #threshold?: number | ThresholdRule;

  constructor(names: readonly string[], threshold?: number | ThresholdRule) {
    this.#names = names;
    this.#threshold = threshold;
  }

  /** Adds rows of one column, or of two, of which the last is that of the second class. */
  add(predicted: Float64Array, actual: Float64Array, columns: number): void {
    const probabilities = predicted.filter((_, i) => i % columns === columns - 1);
    this.running.add(probabilities, classIndices(actual, columns));
  }

  result(): TwoClassMetrics & Partial<ClassificationMetrics> & { threshold?: number } {
    const measures = this.running.result();
    if (this.#threshold === undefined) return measures;
    const threshold = typeof this.#threshold === "number" ? this.#threshold : this.running.choose(this.#threshold);
    const counted = new RunningClassification(this.#names);
    this.running.rows.forEach((probabilities, label) => {
      counted.add(classIndices(probabilities, 1, threshold), new Float64Array(probabilities.length).fill(label));
    });
    return { ...measures, ...counted.result(), threshold };
  }
}

/** Names of the classes that outputs stand for; undefined where they stand for none. */
function classesOf({ kind }: Loss, { columns }: Scaler): string[] | undefined {
  if (kind === "softmax") return columns.map(({ name }) => name);
  return kind === "bce" && columns.length === 1 ? ["0", "1"] : undefined;
}

/** The measures of one series of predictions. */
class Scores {
  readonly #lossFunction: Loss;
  readonly #columns: number;
  readonly #metrics = new RunningMetrics();
  readonly #classification?: RunningClassification;
  #values = 0;
  #loss = 0;
  #right = 0;

  constructor(loss: Loss, columns: number, classes?: readonly string[]) {
    this.#lossFunction = loss;
    this.#columns = columns;
    if (classes) this.#classification = new RunningClassification(classes);
  }

  add(output: ArrayLike<number>, predicted: ArrayLike<number>, y: ArrayLike<number>, actual: ArrayLike<number>): void {
    const { kind, reference } = this.#lossFunction;
    const columns = this.#columns;
    const rows = y.length / columns;
    this.#metrics.add(predicted, actual);
    if (rows === 0) return;
    this.#values += y.length;
    const mean = reference.forward(new Matrix(rows, columns, output), new Matrix(rows, columns, y));
    this.#loss += (mean - this.#loss) * (y.length / this.#values);
    this.#classification?.add(classIndices(predicted, columns), classIndices(actual, columns));
    if (kind === "bce") this.#right += accuracy(predicted, actual) * rows;
  }

  result(): Evaluation {
    const rows = this.#values / this.#columns;
    const measures = { rows, loss: this.#loss, ...this.#metrics.result() };
    if (this.#classification) return { ...measures, ...this.#classification.result() };
    return this.#lossFunction.kind === "bce" ? { ...measures, accuracy: this.#right / rows } : measures;
  }
}
