/**
 * Scaling of columns by their statistics, in both directions.
 *
 * @module
 */

import { showJson } from "../base/printable.ts";
import { type ColumnStatistics, isSame, parseStatistics, QUANTILE_PARTS } from "./statistics.ts";

/**
 * How columns are scaled: to mean 0 and deviation 1; to the range 0 to 1; to median 0 and a distance of 1 between the
 * quartiles, with far values bent towards ±3; or not at all.
 */
export type ScalingMethod = "standardize" | "minmax" | "robust" | "none";

/** The methods by name. */
export const SCALING_METHODS: readonly ScalingMethod[] = ["standardize", "minmax", "robust", "none"];

/** What no scaled value exceeds under "robust" (Holzmueller et al., "Better by default", 2024). */
const CLIP = 3;

/** How a column is scaled: v = (raw - shift) / factor, and with a clip v / sqrt(1 + (v / clip)^2) after it. */
export interface ColumnScaling {
  /** Subtracted first. */
  shift: number;
  /** Divides the rest. */
  factor: number;
  /** What no scaled value exceeds; without it values are not bent. */
  clip?: number;
}

/** A scaler as JSON. */
export interface ScalerJson {
  /** The method. */
  method: ScalingMethod;
  /** One entry per column, in order. */
  columns: ColumnStatistics[];
}

/**
 * Scales rows of columns, v -> (v - shift) / factor in float64. Shift and factor are the column's mean and standard
 * deviation under "standardize", its minimum and range under "minmax", and 0 and 1 under "none". Under "robust" they are the
 * median and the distance of the quartiles, or half the range where the quartiles are the same; the result v becomes
 * v / sqrt(1 + (v / 3)^2). A column of category numbers stays as it is.
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
  readonly #scalings: readonly ColumnScaling[];

  /**
   * Works out how each column is scaled.
   *
   * @param method The method.
   * @param columns Statistics of the columns, usually of the training rows alone.
   * @throws {RangeError} If a column cannot be scaled so: all its values are the same, too small or too large, or method
   * "robust" lacks its quantiles.
   */
  constructor(method: ScalingMethod, columns: readonly ColumnStatistics[]) {
    this.method = method;
    this.columns = columns.map((column) => ({ ...column }));
    this.#scalings = columns.map((column) => scalingOf(method, column));
  }

  /** How each column is scaled, in order. */
  get scalings(): ColumnScaling[] {
    return this.#scalings.map((scaling) => ({ ...scaling }));
  }

  /**
   * Scales rows.
   *
   * @param rows Row-major values [n, columns] in raw units.
   * @returns The scaled values, same shape.
   * @throws {TypeError} If the length is not a multiple of the number of columns.
   */
  transform(rows: ArrayLike<number>): Float64Array<ArrayBuffer> {
    return this.#map("scale", rows, (value, { shift, factor, clip }) => {
      const scaled = (value - shift) / factor;
      // The same as scaled / sqrt(1 + (scaled / clip)^2), and finite where that is Infinity / Infinity.
      return clip === undefined ? scaled : clip * Math.sign(scaled) / Math.sqrt(1 + (clip / scaled) ** 2);
    });
  }

  /**
   * Takes scaled rows back to raw units.
   *
   * @param rows Row-major scaled values [n, columns].
   * @returns The values in raw units, same shape. Under "robust", a value at or beyond ±3 comes from infinity.
   * @throws {TypeError} If the length is not a multiple of the number of columns.
   */
  inverse(rows: ArrayLike<number>): Float64Array<ArrayBuffer> {
    return this.#map("unscale", rows, (value, { shift, factor, clip }) => {
      if (clip === undefined) return value * factor + shift;
      const share = Math.min(1, Math.abs(value) / clip);
      return value / Math.sqrt((1 - share) * (1 + share)) * factor + shift;
    });
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
    if (!Array.isArray(columns)) throw new SyntaxError("Cannot read a scaler: it has no columns");
    return new Scaler(method!, columns.map(parseStatistics));
  }

  #map(
    action: string,
    rows: ArrayLike<number>,
    map: (value: number, scaling: ColumnScaling) => number,
  ): Float64Array<ArrayBuffer> {
    const width = this.columns.length;
    if (width === 0 ? rows.length > 0 : rows.length % width !== 0) {
      throw new TypeError(`Cannot ${action} ${rows.length} values: rows have ${width} columns`);
    }
    const mapped = new Float64Array(rows.length);
    for (let i = 0, column = 0; i < rows.length; i++) {
      mapped[i] = map(rows[i], this.#scalings[column]);
      column = column + 1 === width ? 0 : column + 1;
    }
    return mapped;
  }
}

const SCALINGS: Record<ScalingMethod, (column: ColumnStatistics) => ColumnScaling> = {
  standardize: ({ mean, deviation }) => ({ shift: mean, factor: deviation }),
  minmax: ({ min, max }) => ({ shift: min, factor: max - min }),
  robust: ({ name, min, max, quantiles }) => {
    if (!quantiles) throw new RangeError(`Cannot scale column ${showJson(name)} by robust: its quantiles are missing`);
    const [low, median, high] = [1, 2, 3].map((quarter) => quantiles[quarter * QUANTILE_PARTS / 4]);
    const factor = isSame({ min: low, max: high }) ? (max - min) / 2 : high - low;
    return { shift: median, factor, clip: CLIP };
  },
  none: () => ({ shift: 0, factor: 1 }),
};

function scalingOf(method: ScalingMethod, column: ColumnStatistics): ColumnScaling {
  const { name, min, max, names } = column;
  if (names !== undefined || method === "none") return SCALINGS.none(column);
  if (min === max) {
    throw new RangeError(
      `Cannot scale column ${showJson(name)} by ${method}: all its values are ${min}; ` +
        `leave the column out, give it values that differ, or use scaling method none`,
    );
  }
  const scaling = SCALINGS[method](column);
  if (!(scaling.factor > 0 && scaling.factor < Infinity)) {
    throw new RangeError(
      `Cannot scale column ${showJson(name)} by ${method}: its values, ${min} to ${max}, ` +
        `are too ${scaling.factor === 0 ? "small; multiply" : "large; divide"} them first`,
    );
  }
  return scaling;
}
