/**
 * Statistics of columns: those that scaling needs, and the range of values, of which an end may lie far from all others, as
 * -999 among temperatures does.
 *
 * @module
 */

import { showJson } from "../base/printable.ts";

/** Longest text that does not keep the block of a file, from which it was cut, in memory. */
const SHORT_TEXT = 12;

/** Values that differ by no more than so many roundings of a float64 are the same number, computed in two ways. */
const ROUNDINGS = 8;

/** Whether all values of a range are the same but for rounding. */
export function isSame({ min, max }: { readonly min: number; readonly max: number }): boolean {
  return max - min <= ROUNDINGS * Number.EPSILON * Math.max(Math.abs(min), Math.abs(max));
}

/** Most rows of weights of a categorical column: 65,536 categories, and the row that rare names share. */
const MAX_NAME_ROWS = 65_537;

/** Parts that the quantiles of a column cut its values into: there is one quantile more. */
export const QUANTILE_PARTS = 16;

/** Statistics of one column, in its raw unit. */
export interface ColumnStatistics {
  /** The column's name. */
  name: string;
  /** Smallest value. */
  min: number;
  /** Largest value. */
  max: number;
  /** Arithmetic mean. */
  mean: number;
  /** Standard deviation of the population: the squares are divided by n, not by n - 1. */
  deviation: number;
  /** The k/16 quantiles, k = 0 to 16; method "robust" needs them. */
  quantiles?: readonly number[];
  /**
   * Of a column that holds numbers of categories: how many rows of weights they have, 1 to 65,537. No method scales such a
   * column. The code `names` itself, one beyond the last row, is the mix of all.
   */
  names?: number;
}

/**
 * Gathers the statistics of columns one row at a time, in float64, by Welford's method ("Note on a method for calculating
 * corrected sums of squares and products", 1962), with a mean of twice the digits: far from zero nothing is rounded away.
 *
 * @example
 * ```ts
 * import { max, mean, min, RunningStatistics } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * const statistics = new RunningStatistics(["x"]);
 * for (const x of [1, 2, 3, 6]) statistics.add([x]);
 * assertEquals(statistics.result()[0], { name: "x", min: 1, max: 6, mean: 3, deviation: Math.sqrt(3.5) });
 * ```
 */
export class RunningStatistics {
  readonly #names: readonly string[];
  readonly #min: Float64Array<ArrayBuffer>;
  readonly #max: Float64Array<ArrayBuffer>;
  readonly #mean: Float64Array<ArrayBuffer>;
  /** What the mean is more than that. */
  readonly #rest: Float64Array<ArrayBuffer>;
  readonly #squares: Float64Array<ArrayBuffer>;
  #count = 0;

  /**
   * Begins with no rows.
   *
   * @param names Names of the columns.
   */
  constructor(names: readonly string[]) {
    this.#names = [...names];
    this.#min = new Float64Array(names.length).fill(Infinity);
    this.#max = new Float64Array(names.length).fill(-Infinity);
    this.#mean = new Float64Array(names.length);
    this.#rest = new Float64Array(names.length);
    this.#squares = new Float64Array(names.length);
  }

  /** How many rows were added. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds one row.
   *
   * @param values Holds the row, one value per column.
   * @param offset Where in values the row begins.
   */
  add(values: ArrayLike<number>, offset: number = 0): void {
    this.#count++;
    for (let column = 0; column < this.#names.length; column++) {
      const value = values[offset + column];
      const mean = this.#mean[column];
      const delta = value - mean - this.#rest[column];
      const step = delta / this.#count + this.#rest[column];
      const next = mean + step;
      const moved = next - mean;
      this.#rest[column] = (mean - (next - moved)) + (step - moved); // what rounding took from the sum
      this.#mean[column] = next;
      this.#squares[column] += delta * (value - next - this.#rest[column]);
      if (value < this.#min[column]) this.#min[column] = value;
      if (value > this.#max[column]) this.#max[column] = value;
    }
  }

  /**
   * The statistics of the rows added so far.
   *
   * @returns One entry per column.
   * @throws {RangeError} If no row was added.
   */
  result(): ColumnStatistics[] {
    if (this.#count === 0) throw new RangeError("Cannot give statistics of no rows");
    return this.#names.map((name, column) => ({
      name,
      min: this.#min[column],
      max: this.#max[column],
      mean: this.#mean[column] + this.#rest[column],
      deviation: Math.sqrt(this.#squares[column] / this.#count),
    }));
  }
}

/**
 * Makes the statistics of a column of parsed JSON.
 *
 * @param value The parsed JSON.
 * @returns The statistics, without anything that does not belong to them.
 * @throws {SyntaxError} If it is something else; the message says what.
 */
export function parseStatistics(value: unknown): ColumnStatistics {
  const { name, min, max, mean, deviation, quantiles, names } = (value ?? {}) as ColumnStatistics;
  if (typeof name !== "string" || ![min, max, mean, deviation].every(Number.isFinite)) {
    throw new SyntaxError("Cannot read a scaler: each column needs a name and finite min, max, mean and deviation");
  }
  const shown = `Cannot read a scaler: column ${showJson(name)}`;
  const isList = quantiles === undefined || (Array.isArray(quantiles) && quantiles.length === QUANTILE_PARTS + 1 &&
    quantiles.every((value, i) => Number.isFinite(value) && value >= (quantiles[i - 1] ?? min) && value <= max));
  if (!isList) {
    const need = `${QUANTILE_PARTS + 1} numbers from ${min} to ${max}, none smaller than the one before`;
    throw new SyntaxError(`${shown} has the quantiles ${showJson(quantiles)}, need ${need}`);
  }
  if (names !== undefined && !(Number.isInteger(names) && names >= 1 && names <= MAX_NAME_ROWS)) {
    throw new SyntaxError(`${shown} has ${showJson(names)} names, need a whole number from 1 to ${MAX_NAME_ROWS}`);
  }
  return {
    name,
    min,
    max,
    mean,
    deviation,
    ...(quantiles === undefined ? {} : { quantiles: [...quantiles] }),
    ...(names === undefined ? {} : { names }),
  };
}

/** An end of a range, far from all other values. */
export interface FarValue {
  /** The value. */
  readonly value: number;
  /** How it was first written; undefined if that is long. */
  readonly text: string | undefined;
  /** How often it was added. */
  readonly count: number;
  /** The smallest of all other values. */
  readonly from: number;
  /** The largest of them. */
  readonly to: number;
}

/**
 * The smallest and the largest of some values, and those next to them.
 *
 * @example
 * ```ts
 * import { ValueRange } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * const range = new ValueRange();
 * for (const text of ["12", "-999", "30", "-999"]) range.add(Number(text), text);
 * assertEquals([range.min, range.max], [-999, 30]);
 * assertEquals(range.far, [{ value: -999, text: "-999", count: 2, from: 12, to: 30 }]);
 * ```
 */
export class ValueRange {
  /** The smallest value; Infinity if there is none. */
  min: number = Infinity;
  /** The largest value; -Infinity if there is none. */
  max: number = -Infinity;
  /** The smallest but one, and the largest but one. */
  #second = Infinity;
  #secondLast = -Infinity;
  #minCount = 0;
  #maxCount = 0;
  #minText: string | undefined;
  #maxText: string | undefined;

  /** Adds a value. */
  add(value: number, text: string): void {
    if (value < this.min) {
      this.#second = this.min;
      this.min = value;
      this.#minText = shortText(text);
      this.#minCount = 1;
    } else if (value === this.min) this.#minCount++;
    else if (value < this.#second) this.#second = value;
    if (value > this.max) {
      this.#secondLast = this.max;
      this.max = value;
      this.#maxText = shortText(text);
      this.#maxCount = 1;
    } else if (value === this.max) this.#maxCount++;
    else if (value > this.#secondLast) this.#secondLast = value;
  }

  /** The ends that are farther from the next value than all others are from each other. */
  get far(): FarValue[] {
    const { min, max } = this;
    const low = { value: min, text: this.#minText, count: this.#minCount, from: this.#second, to: max };
    const high = { value: max, text: this.#maxText, count: this.#maxCount, from: min, to: this.#secondLast };
    return [low, high].filter(({ value, from, to }) => from < to && Math.max(from - value, value - to) > to - from);
  }
}

function shortText(text: string): string | undefined {
  return text.length > SHORT_TEXT ? undefined : text;
}
