/** What missing cells of numbers and dates are filled with. */

import { Random } from "../../lib/base/random.ts";
import type { ColumnStatistics } from "../../lib/data/scaler.ts";
import type { MissingPolicy } from "../../lib/data/table.ts";
import { countOf } from "./name_counts.ts";

/** Values of a column that are kept for its median: of more, a random sample of as many. */
const SAMPLE = 65_536;

/** Finds the fill value of a column, value by value, and counts the cells that it fills. */
export class FillValue {
  /** Training rows without a value. */
  missingRows = 0;
  /** Validation and test rows without a value. */
  missingOthers = 0;
  readonly #missing: MissingPolicy;
  readonly #sample: number[] = [];
  readonly #random: Random;
  #count = 0;

  constructor(name: string, missing: MissingPolicy, seed: number) {
    this.#missing = missing;
    this.#random = new Random(seed, `median of ${name}`);
  }

  /** Adds the value of a training row. */
  add(value: number): void {
    if (this.#missing !== "median") return;
    // Each of the values so far is in the sample with the same chance (Vitter, "Random sampling with a reservoir", 1985).
    const index = this.#count++;
    const place = index < SAMPLE ? index : Math.floor(this.#random.uniform(0, index + 1));
    if (place < SAMPLE) this.#sample[place] = value;
  }

  /** The fill value, where missing cells are filled. */
  result(mean: number): number | undefined {
    if (!isFilling(this.#missing)) return undefined;
    return this.#missing === "median" ? medianOf(this.#sample) : mean;
  }

  /** A sentence if cells are filled; `shown` is the fill value for people. */
  note(column: string, shown: string): string[] {
    const count = this.missingRows + this.missingOthers;
    if (count === 0 || !isFilling(this.#missing)) return [];
    return [`${filledCells(column, count)} filled with the ${this.#missing === "median" ? "median" : "mean"} ${shown}`];
  }

  /** Statistics of a column with its missing cells filled: two groups of values put together. */
  filled(statistics: ColumnStatistics, count: number, fill: number): ColumnStatistics {
    const total = count + this.missingRows;
    const apart = fill - statistics.mean;
    const share = this.missingRows / total;
    const variance = statistics.deviation ** 2 * (count / total) + apart ** 2 * share * (count / total);
    return { ...statistics, mean: statistics.mean + apart * share, deviation: Math.sqrt(variance) };
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

function medianOf(values: number[]): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
