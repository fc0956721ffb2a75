/** Which rows train, which validate and which test, in constant memory. */

import { Random } from "../lib/random.ts";

/** The parts, in the order in which a split names them. */
export const PARTS = ["train", "validation", "test"] as const;

/** Name of a part. */
export type PartName = typeof PARTS[number];

/** Rows that are split at a time; a dataset up to this size is split wholly at random. */
export const SPLIT_BLOCK = 4096;

/**
 * Splits rows block by block: a random split stratified by position. After n rows the parts hold together exactly the
 * rounded shares of n, so each block gets what is still missing, and within the block every assignment with these counts
 * is equally likely. Each row falls into exactly one part.
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
  #rows = 0;

  /**
   * @param shares Shares of the parts; they add up to 1.
   * @param seed The seed; one seed gives one split.
   */
  constructor(shares: readonly [number, number, number], seed: number) {
    this.#shares = shares;
    this.#random = new Random(seed, "split");
  }

  /** Rows of each part so far. */
  get counts(): [number, number, number] {
    const [train, validation] = this.#shares;
    const trainEnd = Math.round(train * this.#rows);
    const validationEnd = Math.round((train + validation) * this.#rows);
    return [trainEnd, validationEnd - trainEnd, this.#rows - validationEnd];
  }

  /**
   * Splits the next rows.
   *
   * @param count How many rows, usually 4,096 until the last block.
   * @returns For each row the index of its part in {@linkcode PARTS}.
   */
  assign(count: number): Uint8Array {
    const before = this.counts;
    this.#rows += count;
    const quotas = this.counts.map((rows, part) => rows - before[part]);
    const order = this.#random.permutation(count);
    const parts = new Uint8Array(count);
    let taken = 0;
    for (let part = 0; part < PARTS.length; part++) {
      for (let i = 0; i < quotas[part]; i++) parts[order[taken++]] = part;
    }
    return parts;
  }
}
