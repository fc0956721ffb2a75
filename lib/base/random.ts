/**
 * Seeded random numbers: independent streams from one seed.
 *
 * @module
 */

import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";

/** The largest seed: 2^32 - 1. */
export const MAX_SEED = 0xffff_ffff;

/**
 * A stream of random numbers, fixed by a seed and a purpose. Two purposes under one seed give unrelated streams, so that
 * for instance another number of weights leaves the order of the rows alone. The generator is xoroshiro128+ (Blackman and
 * Vigna, "Scrambled Linear Pseudorandom Number Generators", 2018).
 *
 * @example
 * ```ts
 * import { Random } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * const first = new Random(42, "weights");
 * const second = new Random(42, "weights");
 * assertEquals(first.normal(), second.normal());
 * ```
 */
export class Random {
  readonly #generator: RandomGenerator;
  #spare = NaN;

  /**
   * Starts the stream.
   *
   * @param seed A whole number, 0 to 2^32 - 1.
   * @param purpose What the numbers are for, such as "weights" or "shuffle 3".
   * @throws {RangeError} If the seed is not such a number.
   */
  constructor(seed: number, purpose: string) {
    if (!Number.isInteger(seed) || seed < 0 || seed > MAX_SEED) {
      throw new RangeError(`Cannot seed with ${seed}: a seed is a whole number from 0 to ${MAX_SEED}`);
    }
    this.#generator = xoroshiro128plusFromState(stateOf(seed, purpose));
  }

  /**
   * A number drawn uniformly from [low, high); low itself where both are the same.
   *
   * @param low Lower end, included.
   * @param high Upper end, not included.
   * @returns The number, from 53 random bits.
   */
  uniform(low: number = 0, high: number = 1): number {
    const value = low + (high - low) * uniformFloat64(this.#generator);
    // The product may round up to the open end.
    return value < high ? value : low;
  }

  /**
   * A whole number from 0 to n - 1, from 32 random bits: no number's probability is off by more than 2^-32. Takes half the
   * time of {@linkcode Random.uniform}.
   *
   * @param n How many numbers there are, from 1 to 2^32.
   * @returns The number.
   * @throws {RangeError} If n is not in that range.
   */
  below(n: number): number {
    if (!(n >= 1 && n <= 2 ** 32)) throw new RangeError(`Cannot draw below ${n}: give a number from 1 to ${2 ** 32}`);
    return Math.floor((this.#generator.next() >>> 0) / 2 ** 32 * n);
  }

  /**
   * A number of the normal distribution, by Marsaglia's polar method ("A convenient method for generating normal
   * variables", 1964).
   *
   * @param mean The distribution's mean.
   * @param deviation The distribution's standard deviation.
   * @returns The number.
   */
  normal(mean: number = 0, deviation: number = 1): number {
    if (!Number.isNaN(this.#spare)) {
      const spare = this.#spare;
      this.#spare = NaN;
      return mean + deviation * spare;
    }
    let u;
    let v;
    let square;
    do {
      u = 2 * uniformFloat64(this.#generator) - 1;
      v = 2 * uniformFloat64(this.#generator) - 1;
      square = u * u + v * v;
    } while (square >= 1 || square === 0);
    const factor = Math.sqrt(-2 * Math.log(square) / square);
    this.#spare = v * factor;
    return mean + deviation * u * factor;
  }

  /**
   * The numbers 0 to n - 1 in random order, each order equally likely (Fisher and Yates).
   *
   * @param n How many, up to 2^32 - 1.
   * @returns The order, [n].
   * @throws {RangeError} If n is not a whole number in that range.
   *
   * @example
   * ```ts
   * import { Random } from "@backhand/backhand";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(new Random(1, "shuffle").permutation(4).toSorted(), Uint32Array.of(0, 1, 2, 3));
   * ```
   */
  permutation(n: number): Uint32Array<ArrayBuffer> {
    if (!Number.isInteger(n) || n < 0 || n > MAX_SEED) {
      throw new RangeError(`Cannot permute ${n} numbers: ask for a whole number from 0 to ${MAX_SEED}`);
    }
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = uniformInt(this.#generator, 0, i);
      const kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
    return order;
  }
}

/** Four state words, every bit of which depends on every bit of seed and purpose (MurmurHash3's mixer, Appleby 2011). */
function stateOf(seed: number, purpose: string): number[] {
  let hash = mix(seed ^ 0x9e37_79b9);
  for (let i = 0; i < purpose.length; i++) hash = mix(Math.imul(hash, 31) + purpose.charCodeAt(i) + 1);
  // The generator must never start from all zeros: adding 1 to a zero word is enough.
  return [1, 2, 3, 4].map((word) => mix(hash + Math.imul(word, 0x9e37_79b9)) || word);
}

/** MurmurHash3's mixer, of the low 32 bits; the result may be negative. */
export function mix(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85eb_ca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2_ae35);
  return word ^ (word >>> 16);
}
