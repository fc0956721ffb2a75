/** What is learned from the training rows of a table: fill values, categories, classes and statistics. */

import { isMissing, numberOf } from "../../lib/data/cells.ts";
import { CONSTANT_TARGET_FIX } from "../../lib/inspect/diagnosis.ts";
import { Random } from "../../lib/base/random.ts";
import { type ColumnStatistics, RunningStatistics } from "../../lib/data/scaler.ts";
import { type InputColumn, MISSING_CATEGORY, type MissingPolicy, type Target } from "../../lib/data/table.ts";
import { ownText, sortValues } from "../../lib/data/table_profile.ts";

/** Values of a column that are kept for its median: of more, a random sample of as many. */
const SAMPLE = 65_536;

/** A fitted column: what it is, and the statistics of the numbers that it is encoded as. */
interface FittedColumn {
  column: InputColumn;
  statistics: ColumnStatistics[];
}

/** Gathers one column, cell by cell. */
export interface ColumnFit {
  add(cell: string): void;
  result(): FittedColumn;
}

/** A column of numbers. Its statistics are those of the filled column. */
export class NumericFit implements ColumnFit {
  readonly #name: string;
  readonly #missing: MissingPolicy;
  readonly #statistics: RunningStatistics;
  /** Values kept for the median. */
  readonly #sample: number[] = [];
  readonly #random: Random;
  #missingCells = 0;

  constructor(name: string, missing: MissingPolicy, seed: number) {
    this.#name = name;
    this.#missing = missing;
    this.#statistics = new RunningStatistics([name]);
    this.#random = new Random(seed, `median of ${name}`);
  }

  add(cell: string): void {
    const value = numberOf(cell);
    if (Number.isNaN(value)) { // it is missing: texts were refused before
      this.#missingCells++;
      return;
    }
    this.#statistics.add([value]);
    if (this.#missing !== "median") return;
    // Each of the values so far is in the sample with the same chance (Vitter, "Random sampling with a reservoir", 1985).
    const index = this.#statistics.count - 1;
    const place = index < SAMPLE ? index : Math.floor(this.#random.uniform(0, index + 1));
    if (place < SAMPLE) this.#sample[place] = value;
  }

  result(): FittedColumn {
    const column = { kind: "numeric", name: this.#name } as const;
    const isFilled = this.#missing === "mean" || this.#missing === "median" || this.#missing === "category";
    if (this.#statistics.count === 0) {
      throw new RangeError(`column ${JSON.stringify(this.#name)} holds nothing in the training rows: leave it out`);
    }
    const [statistics] = this.#statistics.result();
    if (!isFilled) return { column, statistics: [statistics] };
    const fill = this.#missing === "median" ? medianOf(this.#sample) : statistics.mean;
    return { column: { ...column, fill }, statistics: [this.#filled(statistics, fill)] };
  }

  /** Statistics with the missing cells filled: two groups of values put together. */
  #filled(statistics: ColumnStatistics, fill: number): ColumnStatistics {
    const count = this.#statistics.count;
    const total = count + this.#missingCells;
    const apart = fill - statistics.mean;
    const share = this.#missingCells / total;
    const variance = statistics.deviation ** 2 * (count / total) + apart ** 2 * share * (count / total);
    return { ...statistics, mean: statistics.mean + apart * share, deviation: Math.sqrt(variance) };
  }
}

/** A column of categories. */
export class CategoricalFit implements ColumnFit {
  readonly #name: string;
  readonly #missing: MissingPolicy;
  readonly #counts = new Map<string, number>();

  constructor(name: string, missing: MissingPolicy) {
    this.#name = name;
    this.#missing = missing;
  }

  add(cell: string): void {
    const isFilled = isMissing(cell);
    if (isFilled && this.#missing !== "category") return;
    const text = isFilled ? MISSING_CATEGORY : cell.trim();
    const count = this.#counts.get(text);
    this.#counts.set(count === undefined ? ownText(text) : text, (count ?? 0) + 1);
  }

  result(): FittedColumn {
    const categories = sortValues([...this.#counts.keys()]);
    if (categories.length === 0) {
      throw new RangeError(`column ${JSON.stringify(this.#name)} holds nothing in the training rows: leave it out`);
    }
    const column = { kind: "categorical", name: this.#name, categories } as const;
    const statistics = [...categories, "(unseen)"].map((category) => oneHotStatistics(`${this.#name}=${category}`));
    if (this.#missing === "error" || this.#missing === "drop") return { column, statistics };
    const most = Math.max(...this.#counts.values());
    const fill = this.#missing === "category"
      ? MISSING_CATEGORY
      : categories.find((category) => this.#counts.get(category) === most)!;
    return { column: { ...column, fill }, statistics };
  }
}

/** The targets of the training rows. */
export class TargetFit {
  readonly #names: readonly string[];
  readonly #statistics: RunningStatistics;
  readonly #counts: Map<string, number> | undefined;

  constructor(names: readonly string[], kind: Target["kind"]) {
    this.#names = names;
    this.#statistics = new RunningStatistics(names);
    this.#counts = kind === "classes" ? new Map() : undefined;
  }

  /** Adds a row's cells. */
  add(cells: readonly string[]): void {
    if (this.#counts) {
      const text = cells[0].trim();
      this.#counts.set(text, (this.#counts.get(text) ?? 0) + 1);
    } else {
      this.#statistics.add(cells.map(numberOf));
    }
  }

  /** The target, and under numbers its statistics; under classes there are two at least. */
  result(): { target: Target; statistics: ColumnStatistics[]; counts: ReadonlyMap<string, number> } {
    if (!this.#counts) {
      return {
        target: { kind: "numeric", names: this.#names },
        statistics: this.#statistics.result(),
        counts: new Map(),
      };
    }
    const [name] = this.#names;
    const classes = sortValues([...this.#counts.keys()]);
    if (classes.length < 2) {
      throw new RangeError(
        `the training rows have the one class ${
          classes[0]
        } of ${name}: there is nothing to learn; ${CONSTANT_TARGET_FIX}`,
      );
    }
    return { target: { kind: "classes", name, classes }, statistics: [], counts: this.#counts };
  }
}

/** Statistics under which no scaling method changes a column of zeros and ones. */
export function oneHotStatistics(name: string): ColumnStatistics {
  return { name, min: 0, max: 1, mean: 0, deviation: 1 };
}

function medianOf(values: number[]): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
