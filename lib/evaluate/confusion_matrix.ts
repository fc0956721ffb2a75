/**
 * The confusion matrix of a classification, in one block of memory.
 *
 * @module
 */

/** Rows of one class that were predicted as another. Classes are counted from 0. */
export interface Confusion {
  /** The class that the rows are of. */
  readonly actual: number;
  /** The class that they were predicted as. */
  readonly predicted: number;
  /** How many rows. */
  readonly rows: number;
}

/**
 * How many rows of each class were predicted as which: eight bytes for each pair of classes.
 *
 * @example
 * ```ts
 * import { classificationMetrics, ConfusionMatrix } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const { confusion } = classificationMetrics([0, 1, 1, 1], [0, 1, 1, 0], ["no", "yes"]);
 * assertEquals(confusion.at(0, 1), 1);
 * assertEquals(confusion.largest(10), [{ actual: 0, predicted: 1, rows: 1 }]);
 * assertEquals(JSON.stringify(confusion), "[[1,1],[0,2]]");
 * assertEquals(new ConfusionMatrix(2, [1, 1, 0, 2]), confusion);
 * ```
 */
export class ConfusionMatrix {
  /** Number of classes. */
  readonly classes: number;
  /** Rows of class i that were predicted as class j, at `i * classes + j`. */
  readonly counts: Float64Array;

  /**
   * Takes a copy of the counts, row by row, [classes, classes].
   *
   * @throws {TypeError} If their number does not fit.
   */
  constructor(classes: number, counts: ArrayLike<number>) {
    if (counts.length !== classes * classes) {
      throw new TypeError(`Cannot make a confusion matrix of ${classes} classes from ${counts.length} counts`);
    }
    this.classes = classes;
    this.counts = new Float64Array(counts);
  }

  /** Rows of class `actual` that were predicted as class `predicted`. */
  at(actual: number, predicted: number): number {
    return this.counts[actual * this.classes + predicted];
  }

  /** How the rows of a class were predicted, [classes]. */
  row(actual: number): Float64Array {
    return this.counts.subarray(actual * this.classes, (actual + 1) * this.classes);
  }

  /** Pairs of classes of which at least one row was predicted wrong. */
  get confusedPairs(): number {
    return this.#wrong().length;
  }

  /** The wrong predictions with the most rows, at most so many. Of equal ones the first classes come first. */
  largest(most: number): Confusion[] {
    const { counts, classes } = this;
    const places = this.#wrong().sort((a, b) => counts[b] - counts[a] || a - b).slice(0, most);
    return Array.from(
      places,
      (place) => ({ actual: Math.floor(place / classes), predicted: place % classes, rows: counts[place] }),
    );
  }

  /** Row by row, as JSON has it. */
  toJSON(): number[][] {
    return Array.from({ length: this.classes }, (_, actual) => Array.from(this.row(actual)));
  }

  /** Places off the diagonal that hold rows. */
  #wrong(): Uint32Array {
    const { counts, classes } = this;
    const isWrong = (place: number) => counts[place] > 0 && place % (classes + 1) !== 0;
    let count = 0;
    for (let place = 0; place < counts.length; place++) count += Number(isWrong(place));
    const places = new Uint32Array(count);
    for (let place = 0, next = 0; place < counts.length; place++) if (isWrong(place)) places[next++] = place;
    return places;
  }
}
