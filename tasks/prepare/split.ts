/** Which rows train, which validate and which test, in constant memory. */

import { Random } from "../../lib/base/random.ts";

/** The parts, in the order in which a split names them. */
export const PARTS = ["train", "validation", "test"] as const;

/** Name of a part. */
export type PartName = typeof PARTS[number];

/** Rows that are split at a time; a dataset up to this size is split wholly at random. */
export const SPLIT_BLOCK = 4096;

/**
 * Splits rows block by block: a random split stratified by position. Each row of a block goes to the part that lags most
 * behind its share of all rows so far (the largest remainder method, with what is missing carried on), and within the
 * block every assignment with these counts is equally likely. Each row falls into exactly one part; where the shares come
 * out in whole rows the parts get exactly these, otherwise the nearest possible.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const splitter = new Splitter([0.5, 0.25, 0.25], 42);
 * assertEquals(splitter.assign(8).toSorted(), Uint8Array.of(0, 0, 0, 0, 1, 1, 2, 2));
 * assertEquals(splitter.counts, [4, 2, 2]);
 * ```
 */
export class Splitter {
  readonly #shares: readonly [number, number, number];
  readonly #random: Random;
  readonly #counts: [number, number, number] = [0, 0, 0];

  constructor(shares: readonly [number, number, number], seed: number, purpose = "split") {
    this.#shares = shares;
    this.#random = new Random(seed, purpose);
  }

  /** How many rows each part gets in the end, without splitting any. */
  static countsOf(shares: readonly [number, number, number], rows: number): [number, number, number] {
    const splitter = new Splitter(shares, 0);
    for (let done = 0; done < rows; done += SPLIT_BLOCK) splitter.#takeQuotas(Math.min(SPLIT_BLOCK, rows - done));
    return splitter.counts;
  }

  /** Rows of each part so far. */
  get counts(): [number, number, number] {
    return [...this.#counts];
  }

  /** Splits the next rows. */
  assign(count: number): Uint8Array {
    const quotas = this.#takeQuotas(count);
    const order = this.#random.permutation(count);
    const parts = new Uint8Array(count);
    let taken = 0;
    for (const [part, quota] of quotas.entries()) {
      for (let i = 0; i < quota; i++) parts[order[taken++]] = part;
    }
    return parts;
  }

  /** Rows of each part in the next block; adds them to the counts. */
  #takeQuotas(count: number): [number, number, number] {
    const total = this.#counts[0] + this.#counts[1] + this.#counts[2] + count;
    const quotas: [number, number, number] = [0, 0, 0];
    // Whoever lags by two rows or more is served in any case; only the last rows need to be weighed one by one.
    for (let part = 0; part < 3; part++) {
      quotas[part] = Math.max(0, Math.floor(this.#shares[part] * total - this.#counts[part]) - 1);
      this.#counts[part] += quotas[part];
    }
    for (let row = quotas[0] + quotas[1] + quotas[2]; row < count; row++) {
      const lags = this.#shares.map((share, part) => share * total - this.#counts[part]);
      const part = lags.indexOf(Math.max(...lags));
      this.#counts[part]++;
      quotas[part]++;
    }
    return quotas;
  }
}

/** Splits the rows of a file of which only some are read, all the same as if all were. */
export class RangeSplitter {
  readonly #splitter: Splitter;
  readonly #rows: number | undefined;
  /** The parts of the block that was drawn last, and the row behind it. */
  #parts: Uint8Array = new Uint8Array();
  #end = 0;

  constructor(splitter: Splitter, rows?: number) {
    this.#splitter = splitter;
    this.#rows = rows;
  }

  /** Splits some rows. */
  assign(firstRow: number, count: number): Uint8Array {
    // Blocks of others are drawn too: a stream of random numbers cannot be entered in its midst.
    while (this.#end <= firstRow) {
      this.#parts = this.#splitter.assign(Math.min(SPLIT_BLOCK, (this.#rows ?? firstRow + count) - this.#end));
      this.#end += this.#parts.length;
    }
    const begin = firstRow - (this.#end - this.#parts.length);
    return this.#parts.subarray(begin, begin + count);
  }
}
