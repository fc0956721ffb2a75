/** What missing cells of numbers and dates are filled with, and the statistics of the filled column. */

import type { ColumnStatistics } from "../../lib/data/statistics.ts";
import type { MissingPolicy } from "../../lib/data/table.ts";
import { countOf } from "./name_counts.ts";
import type { ValueSample } from "./value_sample.ts";

/** Finds the fill value of a column, value by value, and counts the cells that it fills. */
export class FillValue {
  /** Training rows without a value. */
  missingRows = 0;
  /** Validation and test rows without a value. */
  missingOthers = 0;
  readonly #missing: MissingPolicy;
  readonly #sample: ValueSample;

  constructor(missing: MissingPolicy, sample: ValueSample) {
    this.#missing = missing;
    this.#sample = sample;
  }

  /** Adds the value of a training row. */
  add(value: number): void {
    this.#sample.add(value);
  }

  /** The fill value, where missing cells are filled. */
  result(mean: number): number | undefined {
    if (!isFilling(this.#missing)) return undefined;
    return this.#missing === "median" ? this.#sample.median : mean;
  }

  /** A sentence if cells are filled; `shown` is the fill value for people. */
  note(column: string, shown: string): string[] {
    const count = this.missingRows + this.missingOthers;
    if (count === 0 || !isFilling(this.#missing)) return [];
    return [`${filledCells(column, count)} filled with the ${this.#missing === "median" ? "median" : "mean"} ${shown}`];
  }

  /**
   * Statistics of a column with its missing cells filled, and its quantiles.
   *
   * @param found The statistics of the rows that have a value.
   * @param count How many rows these are.
   * @param fill The fill value, encoded; undefined if cells are not filled.
   * @param encode What a value is encoded as.
   */
  filled(
    found: ColumnStatistics,
    count: number,
    fill: number | undefined,
    encode?: (value: number) => number,
  ): ColumnStatistics {
    const rows = fill === undefined ? 0 : this.missingRows;
    const value = rows === 0 ? found.mean : fill!;
    const total = count + rows;
    // Two groups of values put together.
    const apart = value - found.mean;
    const share = rows / total;
    const variance = found.deviation ** 2 * (count / total) + apart ** 2 * share * (count / total);
    return {
      ...found,
      min: Math.min(found.min, value),
      max: Math.max(found.max, value),
      mean: found.mean + apart * share,
      deviation: Math.sqrt(variance),
      quantiles: this.#sample.quantiles(encode, value, rows),
    };
  }
}

/** Whether missing cells get a value, and their rows stay. */
export function isFilling(missing: MissingPolicy): boolean {
  return missing !== "error" && missing !== "drop";
}

/** The start of a sentence about missing cells. */
export function filledCells(column: string, count: number): string {
  return `${column}: ${countOf(count, "missing cell")} ${count === 1 ? "is" : "are"}`;
}
