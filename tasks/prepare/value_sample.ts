/** A sample of the values of a column, and the quantiles of it. */

import { Random } from "../../lib/base/random.ts";
import { QUANTILE_PARTS } from "../../lib/data/statistics.ts";

/** Most values of a column that are kept: of more, a random sample of as many. */
const MOST = 65_536;

/** Most values that the samples of all columns of a table hold together: 128 MiB. */
const ROOM = 1 << 24;

/** Values of a column for which there is always room. */
const LEAST = 1_024;

/** How many values the sample of each column may hold in a table of so many columns. */
export function sampleSize(columns: number): number {
  return Math.min(MOST, Math.max(LEAST, Math.floor(ROOM / columns)));
}

/** Keeps values of a column as they come: all of them, or a random sample that the seed fixes. */
export class ValueSample {
  readonly #size: number;
  readonly #random: Random;
  readonly #values: number[] = [];
  #count = 0;

  /** Begins without values; of how many it keeps see {@linkcode sampleSize}. */
  constructor(column: string, seed: number, size = MOST) {
    this.#size = size;
    // "median", as the sample once was for that alone: the same seed gives the same medians.
    this.#random = new Random(seed, `median of ${column}`);
  }

  /** Adds a value. */
  add(value: number): void {
    // Each of the values so far is in the sample with the same chance (Vitter, "Random sampling with a reservoir", 1985).
    const index = this.#count++;
    const place = index < this.#size ? index : Math.floor(this.#random.uniform(0, index + 1));
    if (place < this.#size) this.#values[place] = value;
  }

  /** The middle value, or the mean of the two in the middle; NaN of no values. */
  get median(): number {
    return quantile(Float64Array.from(this.#values).sort(), 1 / 2);
  }

  /**
   * The k/16 quantiles, k = 0 to 16, with linear interpolation between neighbours.
   *
   * @param map What is made of each value first.
   * @param fill The value of rows that have none, mapped already.
   * @param filled How many rows have it.
   */
  quantiles(map: (value: number) => number = (value) => value, fill = 0, filled = 0): number[] {
    // As many as stand for the filled rows in a sample.
    const some = Math.round(filled * this.#values.length / this.#count);
    const values = new Float64Array(this.#values.length + some).fill(fill);
    this.#values.forEach((value, i) => values[i] = map(value));
    values.sort();
    return Array.from({ length: QUANTILE_PARTS + 1 }, (_, k) => quantile(values, k / QUANTILE_PARTS));
  }
}

/** A quantile of values in order: between neighbours that are the same it is exactly they. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const low = sorted[Math.floor(place)];
  const high = sorted[Math.ceil(place)];
  return Math.min(high, low + (high - low) * (place - Math.floor(place)));
}
