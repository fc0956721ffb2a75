/**
 * How often a classifier is right, class by class. Definitions and the value 0 where a denominator is 0 are those of
 * scikit-learn (confusion_matrix, precision_recall_fscore_support with zero_division 0).
 *
 * @module
 */

import { ConfusionMatrix } from "./confusion_matrix.ts";

/** How one class fares. */
export interface ClassMetrics {
  /** The class. */
  readonly class: string;
  /** Share of the rows predicted as this class that are of it; 0 where none was. */
  readonly precision: number;
  /** Share of the rows of this class that were predicted as it; 0 where there are none. */
  readonly recall: number;
  /** Harmonic mean of both; 0 where both are. */
  readonly f1: number;
  /** Rows of this class. */
  readonly rows: number;
}

/** Measures of a classification. */
export interface ClassificationMetrics {
  /** Share of rows that are right. */
  readonly accuracy: number;
  /** Mean of the F1 of all classes that occur, in truth or as predictions. */
  readonly macroF1: number;
  /** How many rows of each class were predicted as which. */
  readonly confusion: ConfusionMatrix;
  /** Each class, in order. */
  readonly perClass: readonly ClassMetrics[];
}

/** Counts a classification that comes block by block: see {@linkcode classificationMetrics}. */
export class RunningClassification {
  readonly #classes: readonly string[];
  /** Rows of class i predicted as class j, at `i * classes + j`. */
  readonly #counts: Float64Array;
  /** Rows of each class, those without a prediction included. */
  readonly #rows: Float64Array;

  /** Begins with no rows. */
  constructor(classes: readonly string[]) {
    this.#classes = [...classes];
    this.#counts = new Float64Array(classes.length * classes.length);
    this.#rows = new Float64Array(classes.length);
  }

  /** Adds a block, as {@linkcode classificationMetrics} takes it. */
  add(predicted: ArrayLike<number>, actual: ArrayLike<number>): void {
    if (predicted.length !== actual.length) {
      throw new TypeError(`Cannot compare ${predicted.length} predictions with ${actual.length} true classes`);
    }
    const classes = this.#classes.length;
    const isClass = (index: number) => Number.isInteger(index) && index >= 0 && index < classes;
    for (let i = 0; i < actual.length; i++) {
      if (!isClass(actual[i]) || !(isClass(predicted[i]) || Number.isNaN(predicted[i]))) {
        const found = `row ${i} is of class ${actual[i]} and predicted as ${predicted[i]}`;
        throw new RangeError(`Cannot count classes: ${found}, and there are ${classes}`);
      }
      this.#rows[actual[i]]++;
      if (!Number.isNaN(predicted[i])) this.#counts[actual[i] * classes + predicted[i]]++;
    }
  }

  /**
   * The measures of all blocks so far.
   *
   * @throws {RangeError} If there were no rows.
   */
  result(): ClassificationMetrics {
    const classes = this.#classes.length;
    const rows = this.#rows.reduce((sum, count) => sum + count, 0);
    if (rows === 0) throw new RangeError("Cannot measure classes: there are no rows");
    const confusion = new ConfusionMatrix(classes, this.#counts);
    const predictedAs = new Float64Array(classes);
    confusion.counts.forEach((count, place) => predictedAs[place % classes] += count);
    const perClass = this.#classes.map((name, i): ClassMetrics => {
      const right = confusion.at(i, i);
      return {
        class: name,
        precision: share(right, predictedAs[i]),
        recall: share(right, this.#rows[i]),
        f1: share(2 * right, predictedAs[i] + this.#rows[i]),
        rows: this.#rows[i],
      };
    });
    const occurring = perClass.filter((_, i) => predictedAs[i] + this.#rows[i] > 0);
    const right = perClass.reduce((sum, _, i) => sum + confusion.at(i, i), 0);
    return {
      accuracy: right / rows,
      macroF1: occurring.reduce((sum, { f1 }) => sum + f1, 0) / occurring.length,
      confusion,
      perClass,
    };
  }
}

/**
 * Measures a classification. Rows that come block by block go through {@linkcode RunningClassification}.
 *
 * @param predicted Index of the predicted class of each row, [n]; NaN is no class, and never right.
 * @param actual Index of the true class of each row, [n].
 * @param classes Names of the classes.
 * @throws {TypeError} If the lengths differ.
 * @throws {RangeError} If there are no rows, or there is no such class.
 *
 * @example
 * ```ts
 * import { classificationMetrics, RunningClassification } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const { accuracy, macroF1 } = classificationMetrics([0, 1, 1, 1], [0, 1, 1, 0], ["no", "yes"]);
 * assertEquals([accuracy, macroF1], [0.75, (2 / 3 + 4 / 5) / 2]);
 *
 * const running = new RunningClassification(["no", "yes"]);
 * running.add([1, 0], [1, 1]);
 * running.add([0, 1], [0, 0]);
 * const { confusion, perClass } = running.result();
 * assertEquals(confusion.toJSON(), [[1, 1], [1, 1]]);
 * assertEquals(perClass[1], { class: "yes", precision: 0.5, recall: 0.5, f1: 0.5, rows: 2 });
 * ```
 */
export function classificationMetrics(
  predicted: ArrayLike<number>,
  actual: ArrayLike<number>,
  classes: readonly string[],
): ClassificationMetrics {
  const running = new RunningClassification(classes);
  running.add(predicted, actual);
  return running.result();
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
