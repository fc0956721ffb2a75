/**
 * Scaling of columns: statistics gathered row by row, and the transform that they define, in both directions.
 *
 * @module
 */

import { showJson } from "../base/printable.ts";

/** How columns are scaled: to mean 0 and deviation 1, to the range 0 to 1, or not at all. */
export type ScalingMethod = "standardize" | "minmax" | "none";

/** The methods by name. */
export const SCALING_METHODS: readonly ScalingMethod[] = ["standardize", "minmax", "none"];

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
}

/** A scaler as JSON. */
export interface ScalerJson {
  /** The method. */
  method: ScalingMethod;
  /** One entry per column, in order. */
  columns: ColumnStatistics[];
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
 * Scales rows of columns, v -> (v - shift) / factor in float64: under "standardize" shift and factor are the column's mean
 * and standard deviation, under "minmax" its minimum and range, under "none" 0 and 1.
 *
 * @example
 * ```ts
 * import { max, mean, min, Scaler } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * const scaler = new Scaler("minmax", [{ name: "x", min: -2, max: 2, mean: 0, deviation: 1 }]);
 * assertEquals(scaler.transform([-2, 0, 3]), Float64Array.of(0, 0.5, 1.25));
 * assertEquals(scaler.inverse([0.5]), Float64Array.of(0));
 * ```
 */
export class Scaler {
  /** The method. */
  readonly method: ScalingMethod;
  /** One entry per column, in order. */
  readonly columns: readonly ColumnStatistics[];
  readonly #shift: Float64Array;
  readonly #factor: Float64Array;

  /**
   * Works out shift and factor of each column.
   *
   * @param method The method.
   * @param columns Statistics of the columns, usually of the training rows alone.
   * @throws {RangeError} If a column cannot be scaled so: all its values are the same, too small or too large.
   */
  constructor(method: ScalingMethod, columns: readonly ColumnStatistics[]) {
    this.method = method;
    this.columns = columns.map((column) => ({ ...column }));
    this.#shift = Float64Array.from(columns, (column) => SHIFTS[method](column));
    this.#factor = Float64Array.from(columns, (column) => checkedFactor(method, column));
  }

  /** Shift and factor of each column, in order: scaled = (raw - shift) / factor. */
  get scalings(): { shift: number; factor: number }[] {
    return this.columns.map((_, column) => ({ shift: this.#shift[column], factor: this.#factor[column] }));
  }

  /**
   * Scales rows.
   *
   * @param rows Row-major values [n, columns] in raw units.
   * @returns The scaled values, same shape.
   * @throws {TypeError} If the length is not a multiple of the number of columns.
   */
  transform(rows: ArrayLike<number>): Float64Array<ArrayBuffer> {
    const width = this.#checkedWidth("scale", rows);
    const scaled = new Float64Array(rows.length);
    for (let i = 0, column = 0; i < rows.length; i++) {
      scaled[i] = (rows[i] - this.#shift[column]) / this.#factor[column];
      column = column + 1 === width ? 0 : column + 1;
    }
    return scaled;
  }

  /**
   * Takes scaled rows back to raw units.
   *
   * @param rows Row-major scaled values [n, columns].
   * @returns The values in raw units, same shape.
   * @throws {TypeError} If the length is not a multiple of the number of columns.
   */
  inverse(rows: ArrayLike<number>): Float64Array<ArrayBuffer> {
    const width = this.#checkedWidth("unscale", rows);
    const raw = new Float64Array(rows.length);
    for (let i = 0, column = 0; i < rows.length; i++) {
      raw[i] = rows[i] * this.#factor[column] + this.#shift[column];
      column = column + 1 === width ? 0 : column + 1;
    }
    return raw;
  }

  /**
   * The scaler as JSON; `JSON.stringify` calls it.
   *
   * @returns A plain object that {@linkcode Scaler.fromJSON} reads back.
   */
  toJSON(): ScalerJson {
    return { method: this.method, columns: this.columns.map((column) => ({ ...column })) };
  }

  /**
   * Makes a scaler from what {@linkcode Scaler.toJSON} gave.
   *
   * @param value The parsed JSON.
   * @returns The scaler.
   * @throws {SyntaxError} If it is something else.
   * @throws {RangeError} If a column cannot be scaled so.
   */
  static fromJSON(value: unknown): Scaler {
    const { method, columns } = (value ?? {}) as Partial<ScalerJson>;
    if (!SCALING_METHODS.includes(method as ScalingMethod)) {
      throw new SyntaxError(`Cannot read a scaler: its method is ${showJson(method)}`);
    }
    if (!Array.isArray(columns) || !columns.every(isStatistics)) {
      throw new SyntaxError("Cannot read a scaler: each column needs a name and finite min, max, mean and deviation");
    }
    return new Scaler(
      method!,
      columns.map(({ name, min, max, mean, deviation }) => ({ name, min, max, mean, deviation })),
    );
  }

  #checkedWidth(action: string, rows: ArrayLike<number>): number {
    const width = this.columns.length;
    if (width === 0 ? rows.length > 0 : rows.length % width !== 0) {
      throw new TypeError(`Cannot ${action} ${rows.length} values: rows have ${width} columns`);
    }
    return width;
  }
}

const SHIFTS: Record<ScalingMethod, (column: ColumnStatistics) => number> = {
  standardize: (column) => column.mean,
  minmax: (column) => column.min,
  none: () => 0,
};

const FACTORS: Record<ScalingMethod, (column: ColumnStatistics) => number> = {
  standardize: (column) => column.deviation,
  minmax: (column) => column.max - column.min,
  none: () => 1,
};

function checkedFactor(method: ScalingMethod, column: ColumnStatistics): number {
  const factor = FACTORS[method](column);
  if (method !== "none" && column.min === column.max) {
    throw new RangeError(
      `Cannot scale column ${showJson(column.name)} by ${method}: all its values are ${column.min}; ` +
        `leave the column out, give it values that differ, or use scaling method none`,
    );
  }
  if (!(factor > 0 && factor < Infinity)) {
    throw new RangeError(
      `Cannot scale column ${showJson(column.name)} by ${method}: its values, ${column.min} to ${column.max}, ` +
        `are too ${factor === 0 ? "small; multiply" : "large; divide"} them first`,
    );
  }
  return factor;
}

function isStatistics(value: unknown): value is ColumnStatistics {
  const column = (value ?? {}) as Record<string, unknown>;
  return typeof column.name === "string" &&
    ["min", "max", "mean", "deviation"].every((key) => Number.isFinite(column[key]));
}
