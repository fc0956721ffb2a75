/**
 * How well probabilities tell two classes apart, and where to draw the line between them. Definitions are those of
 * scikit-learn (roc_auc_score, average_precision_score, brier_score_loss, roc_curve), equal probabilities included.
 *
 * @module
 */

/** The most points of a curve that is kept: one for each hundredth of its way. */
const POINTS = 100;

/** What happens at one threshold: rows whose probability is at least as large count as the second class. */
export interface CurvePoint {
  /** The threshold, a probability. */
  readonly threshold: number;
  /** Share of the rows of the first class that count as the second. */
  readonly falsePositiveRate: number;
  /** Share of the rows of the second class that count as it. */
  readonly recall: number;
  /** Share of the rows that count as the second class and are of it. */
  readonly precision: number;
}

/** Measures of the probabilities of the second of two classes. */
export interface TwoClassMetrics {
  /**
   * Area under the ROC curve: how often a row of the second class has a larger probability than one of the first, where equal
   * ones count half. NaN if a class has no rows.
   */
  readonly rocAuc: number;
  /** Mean of the precision over the recall that each threshold adds; 0 if the second class has no rows. */
  readonly averagePrecision: number;
  /** Mean of the squared distance of the probability from 1 for rows of the second class, from 0 for others. */
  readonly brier: number;
  /** ROC and precision-recall curve in one, from the highest threshold to the lowest; of a long one some points. */
  readonly curve: readonly CurvePoint[];
}

/** How a threshold is chosen: for the highest F1 of the second class, or so that a missed row of it costs so many false alarms. */
export type ThresholdRule = "best-f1" | { readonly cost: number };

/** How many rows of each class have at least a probability. */
interface Step {
  threshold: number;
  first: number;
  second: number;
}

/** Keeps the probabilities of rows that come block by block, eight bytes a row: see {@linkcode twoClassMetrics}. */
export class RunningTwoClasses {
  /** Probabilities of the rows of the first and of the second class. */
  readonly #kept = [new Growing(), new Growing()];
  #squares = 0;

  /** Adds a block, as {@linkcode twoClassMetrics} takes it. */
  add(probability: ArrayLike<number>, label: ArrayLike<number>): void {
    if (probability.length !== label.length) {
      throw new TypeError(`Cannot compare ${probability.length} probabilities with ${label.length} classes`);
    }
    for (let i = 0; i < label.length; i++) {
      if (label[i] !== 0 && label[i] !== 1) throw new RangeError(`Cannot measure: row ${i} is of class ${label[i]}`);
      this.#kept[label[i]].push(probability[i]);
      this.#squares += (probability[i] - label[i]) ** 2;
    }
  }

  /** Probabilities of the rows of the first and of the second class, in the order in which they came. */
  get rows(): [first: Float64Array, second: Float64Array] {
    return [this.#kept[0].values, this.#kept[1].values];
  }

  /**
   * The measures of all blocks so far; all NaN where a probability is.
   *
   * @throws {RangeError} If there were no rows.
   */
  result(): TwoClassMetrics {
    const [negatives, positives] = this.rows.map(({ length }) => length);
    const rows = negatives + positives;
    if (rows === 0) throw new RangeError("Cannot measure probabilities: there are no rows");
    const brier = this.#squares / rows;
    if (Number.isNaN(brier)) return { rocAuc: NaN, averagePrecision: NaN, brier, curve: [] };
    let area = 0;
    let precisions = 0;
    let before: Step = { threshold: Infinity, first: 0, second: 0 };
    const points = new Map<number, CurvePoint>();
    for (const step of this.#steps()) {
      const { threshold, first, second } = step;
      area += (first - before.first) * (second + before.second) / 2;
      const precision = second / (first + second);
      precisions += (second - before.second) * precision;
      const falsePositiveRate = share(first, negatives);
      const recall = share(second, positives);
      // The last point of each stretch stays.
      points.set(Math.ceil((falsePositiveRate + recall) / 2 * POINTS), {
        threshold,
        falsePositiveRate,
        recall,
        precision,
      });
      before = step;
    }
    return {
      rocAuc: area / (negatives * positives),
      averagePrecision: share(precisions, positives),
      brier,
      curve: [...points.values()],
    };
  }

  /** The measures of one probability for all these rows. */
  ofConstant(probability: number): TwoClassMetrics {
    const [negatives, positives] = this.rows.map(({ length }) => length);
    const rows = negatives + positives;
    return {
      rocAuc: negatives > 0 && positives > 0 ? 0.5 : NaN,
      averagePrecision: positives / rows,
      brier: (negatives * probability ** 2 + positives * (1 - probability) ** 2) / rows,
      curve: [],
    };
  }

  /**
   * The threshold that a rule chooses on these rows. It lies halfway between two probabilities; of equally good ones the highest
   * is taken.
   *
   * @throws {RangeError} If a class has no rows, or a probability is NaN.
   */
  choose(rule: ThresholdRule): number {
    const [negatives, positives] = this.rows.map(({ length }) => length);
    if (negatives === 0 || positives === 0 || Number.isNaN(this.#squares)) {
      const found = `${negatives} rows of the first class and ${positives} of the second`;
      throw new RangeError(
        `Cannot choose a threshold: it takes probabilities for rows of both classes, found ${found}`,
      );
    }
    const goodness = ({ first, second }: Step) =>
      rule === "best-f1" ? 2 * second / (first + second + positives) : -(rule.cost * (positives - second) + first);
    let best: Step = { threshold: 1, first: 0, second: 0 };
    let low = NaN;
    let last = best;
    for (const step of this.#steps()) {
      if (last === best) low = step.threshold;
      if (goodness(step) > goodness(best)) best = step;
      last = step;
    }
    if (last === best) low = 0;
    return (best.threshold + low) / 2;
  }

  /** From the highest probability to the lowest, each different one once. */
  *#steps(): Generator<Step> {
    const sorted = this.rows.map((values) => values.slice().sort());
    const left = sorted.map(({ length }) => length);
    while (left[0] + left[1] > 0) {
      const threshold = Math.max(...sorted.map((values, i) => left[i] > 0 ? values[left[i] - 1] : -Infinity));
      sorted.forEach((values, i) => {
        while (left[i] > 0 && values[left[i] - 1] === threshold) left[i]--;
      });
      yield { threshold, first: sorted[0].length - left[0], second: sorted[1].length - left[1] };
    }
  }
}

/**
 * Measures probabilities of the second of two classes. Rows that come block by block go through
 * {@linkcode RunningTwoClasses}, which also chooses a threshold.
 *
 * @param probability Probability of the second class of each row, [n].
 * @param label The class of each row, 0 or 1, [n].
 * @throws {TypeError} If the lengths differ.
 * @throws {RangeError} If there are no rows, or a label is neither.
 *
 * @example
 * ```ts
 * import { RunningTwoClasses, twoClassMetrics } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const { rocAuc, averagePrecision, curve } = twoClassMetrics([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]);
 * assertEquals([rocAuc, averagePrecision], [0.75, 1 / 2 + 1 / 3]);
 * assertEquals(curve[0], { threshold: 0.8, falsePositiveRate: 0, recall: 0.5, precision: 1 });
 *
 * const running = new RunningTwoClasses();
 * running.add([0.1, 0.4], [0, 0]);
 * running.add([0.375, 0.8], [1, 1]);
 * assertEquals(running.result().rocAuc, rocAuc);
 * assertEquals(running.choose("best-f1"), (0.375 + 0.1) / 2);
 * assertEquals(running.choose({ cost: 0.5 }), (0.8 + 0.4) / 2);
 * ```
 */
export function twoClassMetrics(probability: ArrayLike<number>, label: ArrayLike<number>): TwoClassMetrics {
  const running = new RunningTwoClasses();
  running.add(probability, label);
  return running.result();
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Numbers in one block of memory that doubles when it is full. */
class Growing {
  #block = new Float64Array(64);
  #length = 0;

  get values(): Float64Array {
    return this.#block.subarray(0, this.#length);
  }

  push(value: number): void {
    if (this.#length === this.#block.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#block);
      this.#block = larger;
    }
    this.#block[this.#length++] = value;
  }
}
