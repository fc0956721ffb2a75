/**
 * Folds of cross-validation: rows are cut into as many parts, and each member of a model holds out one of them. So every row
 * is judged by members that were not trained on it, and every row trains the others.
 *
 * @module
 */
import { Random } from "./random.ts";

/** Which fold each row is in, and so which rows each member of a model trains on. */
export class Folds {
  /** How many folds there are. */
  readonly count: number;
  /** How many members: member m, from 0, holds out fold `m % count`. */
  readonly members: number;
  /** The fold of each row, from 0 [rows]. */
  readonly foldOf: Uint8Array;
  /** Rows of each fold [count]. */
  readonly sizes: readonly number[];
  /** The members that hold out each fold. */
  readonly #membersOf: readonly (readonly number[])[];

  /**
   * Takes rows that are cut already, as by {@linkcode stratifiedFolds}.
   *
   * @param foldOf The fold of each row, from 0.
   * @param count How many folds there are, 2 or more.
   * @param members How many members, a multiple of that.
   * @throws {RangeError} If a number is out of range, or the sizes of two folds differ by more than one row.
   *
   * @example
   * ```ts
   * import { Folds } from "@backhand/backhand";
   * import { assertEquals } from "@std/assert";
   * const folds = new Folds(Uint8Array.of(0, 1, 1, 0, 0), 2, 2);
   * assertEquals([folds.heldOut(1), folds.trained(1)], [Uint32Array.of(1, 2), Uint32Array.of(0, 3, 4)]);
   * assertEquals(folds.trainedRows, 2); // of an epoch: member 1 leaves one of its three rows out
   * ```
   */
  constructor(foldOf: Uint8Array, count: number, members: number) {
    const refuse = (why: string) => new RangeError(`Cannot hold out ${count} folds of ${foldOf.length} rows: ${why}`);
    if (!Number.isSafeInteger(count) || count < 2 || count > Math.min(255, foldOf.length)) {
      throw refuse("allowed is 2 to as many as there are rows, 255 at most");
    }
    if (!Number.isSafeInteger(members) || members < 1 || members % count !== 0) {
      throw refuse(`${members} members are no multiple of ${count}`);
    }
    const sizes = Array.from({ length: count }, () => 0);
    for (const fold of foldOf) {
      if (fold >= count) throw refuse(`a row is of fold ${fold}, and they count from 0`);
      sizes[fold]++;
    }
    if (Math.max(...sizes) - Math.min(...sizes) > 1) throw refuse(`they have ${sizes.join(", ")} rows`);
    this.count = count;
    this.members = members;
    this.foldOf = foldOf;
    this.sizes = sizes;
    this.#membersOf = sizes.map((_, fold) => Array.from({ length: members / count }, (_, i) => fold + i * count));
  }

  /** How many rows each member trains on in an epoch: as many as the one that has the fewest. */
  get trainedRows(): number {
    return this.foldOf.length - Math.max(...this.sizes);
  }

  /** The rows that a member is not trained on, in order. */
  heldOut(member: number): Uint32Array<ArrayBuffer> {
    return this.#rows((fold) => fold === member % this.count);
  }

  /** The rows that a member is trained on, in order. */
  trained(member: number): Uint32Array<ArrayBuffer> {
    return this.#rows((fold) => fold !== member % this.count);
  }

  /** The members that hold out a row. */
  membersOf(row: number): readonly number[] {
    return this.#membersOf[this.foldOf[row]];
  }

  #rows(isAsked: (fold: number) => boolean): Uint32Array<ArrayBuffer> {
    const rows = Uint32Array.from(this.foldOf, (_, row) => row);
    return rows.filter((row) => isAsked(this.foldOf[row]));
  }
}

/**
 * Cuts rows into folds so that each has its share of every group, such as a class or a tenth of the values to predict: as even
 * as whole rows can be. Within a group it is chance who comes where.
 *
 * @param groups The group of each row, any numbers [rows].
 * @param count How many folds, 2 to 255.
 * @param seed Fixes which rows come together.
 * @returns The fold of each row, from 0; the sizes of two folds differ by one row at most, over all and in each group.
 *
 * @example
 * ```ts
 * import { stratifiedFolds } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const folds = stratifiedFolds([7, 7, 8, 8, 7, 7], 2, 42);
 * assertEquals(folds.filter((fold, row) => fold === 0 && row !== 2 && row !== 3).length, 2); // of the four 7
 * assertEquals(folds[2] + folds[3], 1);
 * ```
 */
export function stratifiedFolds(groups: ArrayLike<number>, count: number, seed: number): Uint8Array<ArrayBuffer> {
  const order = Array.from(new Random(seed, "folds").permutation(groups.length));
  order.sort((a, b) => groups[a] - groups[b]); // stable: rows of one group stay shuffled
  const folds = new Uint8Array(groups.length);
  order.forEach((row, place) => folds[row] = place % count);
  return folds;
}
