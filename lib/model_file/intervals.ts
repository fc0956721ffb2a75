/**
 * Intervals and sets of classes of a model's predictions, and how often they hold the truth.
 *
 * @module
 */
import { conformalClasses, type ConformalScores, conformalScores, conformalWidth } from "../evaluate/conformal.ts";
import { memberSpread } from "../evaluate/conformal.ts";
import { classIndices } from "../evaluate/metrics.ts";
import { scoredColumns } from "./output_rule.ts";
import type { ModelDescription } from "./saved_model.ts";

/** What intervals need to know of a model. */
type Described = Pick<ModelDescription, "table" | "targets" | "scalers" | "loss" | "output">;

/** Rows of predictions. */
export interface Predicted {
  /** Predictions [rows, targets] in raw units, or probabilities. */
  readonly predicted: ArrayLike<number>;
  /** What each member put out [members * rows, targets]. */
  readonly own: ArrayLike<number>;
}

/** How often intervals of one target hold the truth, and how wide they are. */
export interface Coverage {
  /** The target's name. */
  readonly target: string;
  /** Share of the rows whose truth lies within. */
  readonly coverage: number;
  /** Mean width of the intervals in raw units; of classes, mean number of classes in a set. */
  readonly width: number;
}

/** Makes intervals of one level, or sets of classes. */
export class Intervals {
  /** The share of new rows that shall lie within. */
  readonly level: number;
  readonly #model: Described;
  readonly #members: number;
  readonly #scores: readonly ConformalScores[];
  readonly #widths: readonly number[];

  /**
   * Looks the widths up.
   *
   * @param model What is predicted.
   * @param members How many networks it has.
   * @param level The share of new rows that shall lie within, over 0 and under 1.
   * @throws {RangeError} If the level is out of range, or too high for the rows that the model was scored on; or if it has no
   * scores.
   */
  constructor(model: Described, members: number, level: number) {
    const { output, table: { target }, loss } = model;
    if (scoredColumns(target, loss.kind) === 0) {
      throw new RangeError("Cannot give intervals: the model predicts probabilities of targets that are no classes");
    }
    if (!output?.conformal) {
      throw new RangeError(
        "Cannot give intervals: the model was not scored on validation rows; train it with some, as by --split 0.8,0.1,0.1",
      );
    }
    this.level = level;
    this.#model = model;
    this.#members = members;
    this.#scores = output.conformal;
    this.#widths = output.conformal.map((scores) => conformalWidth(scores, level));
  }

  /** Whether there are sets of classes instead of intervals. */
  get isOfClasses(): boolean {
    return this.#model.table.target.kind === "classes";
  }

  /** Lower and upper ends [rows, targets] in raw units. */
  bounds({ predicted, own }: Predicted): { lower: Float64Array; upper: Float64Array } {
    const spreads = this.#scores.some(({ spread }) => spread !== undefined)
      ? memberSpread(own, this.#members, factorsOf(this.#model))
      : undefined;
    const columns = this.#widths.length;
    const half = Float64Array.from(predicted, (_, at) => {
      const { spread } = this.#scores[at % columns];
      return this.#widths[at % columns] * (spread === undefined ? 1 : spreads![at] + spread);
    });
    return { lower: half.map((half, at) => predicted[at] - half), upper: half.map((half, at) => predicted[at] + half) };
  }

  /** Of each row the numbers of the classes in its set, the most probable one first. */
  sets({ predicted }: Predicted): number[][] {
    const columns = this.#model.targets.length;
    return Array.from({ length: predicted.length / columns }, (_, row) => {
      const shares = Array.from({ length: columns }, (_, i) => predicted[row * columns + i]);
      return conformalClasses(columns === 1 ? [1 - shares[0], shares[0]] : shares, this.#widths[0]);
    });
  }
}

/** Measures intervals on rows whose truth is known, block by block. */
export class RunningCoverage {
  readonly #intervals: Intervals;
  readonly #names: readonly string[];
  readonly #columns: number;
  readonly #held: number[];
  readonly #widths: number[];
  #rows = 0;

  /** Begins with no rows. */
  constructor(intervals: Intervals, { table: { target }, targets }: Described) {
    this.#intervals = intervals;
    this.#names = target.kind === "classes" ? [target.name] : targets;
    this.#columns = targets.length;
    this.#held = this.#names.map(() => 0);
    this.#widths = this.#names.map(() => 0);
  }

  /** The share of the rows that shall lie within. */
  get level(): number {
    return this.#intervals.level;
  }

  /** Whether there are sets of classes instead of intervals. */
  get isOfClasses(): boolean {
    return this.#intervals.isOfClasses;
  }

  /** Adds rows with their truth [rows, targets]: in raw units, of classes one-hot or the second one's 0 or 1. */
  add(rows: Predicted, actual: ArrayLike<number>): void {
    this.#rows += actual.length / this.#columns;
    if (this.#intervals.isOfClasses) {
      const labels = classIndices(actual, this.#columns);
      this.#intervals.sets(rows).forEach((set, row) => {
        this.#held[0] += Number(set.includes(labels[row]));
        this.#widths[0] += set.length;
      });
      return;
    }
    const { lower, upper } = this.#intervals.bounds(rows);
    for (let at = 0; at < actual.length; at++) {
      const column = at % this.#columns;
      this.#held[column] += Number(lower[at] <= actual[at] && actual[at] <= upper[at]);
      this.#widths[column] += upper[at] - lower[at];
    }
  }

  /** Each target's; NaN where there were no rows. */
  result(): Coverage[] {
    return this.#names.map((target, i) => ({
      target,
      coverage: this.#held[i] / this.#rows,
      width: this.#widths[i] / this.#rows,
    }));
  }
}

/**
 * Scores predictions on rows that no step of training used, for a model's rule; undefined where its predictions have no intervals.
 *
 * @param rows Predictions as the model gives them, with temperature and clipping.
 * @param actual Their truth, as {@linkcode RunningCoverage.add} takes it.
 * @throws {RangeError} If there are no rows, or a prediction is not finite.
 */
export function scorePredictions(
  { predicted, own }: Predicted,
  actual: ArrayLike<number>,
  model: Described,
): ConformalScores[] | undefined {
  const { table: { target }, loss, targets } = model;
  if (scoredColumns(target, loss.kind) === 0) return undefined;
  const columns = targets.length;
  const rows = actual.length / columns;
  if (target.kind === "classes") {
    const labels = classIndices(actual, columns);
    const ofTruth = (row: number) => {
      if (columns > 1) return predicted[row * columns + labels[row]];
      return labels[row] === 1 ? predicted[row] : 1 - predicted[row];
    };
    return [conformalScores(Float64Array.from({ length: rows }, (_, row) => 1 - ofTruth(row)))];
  }
  const members = own.length / actual.length;
  const spreads = members > 1 ? memberSpread(own, members, factorsOf(model)) : undefined;
  const columnOf = (values: ArrayLike<number>, column: number) =>
    Float64Array.from({ length: rows }, (_, row) => values[row * columns + column]);
  const residuals = Float64Array.from(actual, (value, at) => Math.abs(value - predicted[at]));
  return targets.map((_, column) => conformalScores(columnOf(residuals, column), spreads && columnOf(spreads, column)));
}

function factorsOf({ scalers }: Described): number[] {
  return scalers.targets.scalings.map(({ factor }) => factor);
}
