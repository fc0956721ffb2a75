/**
 * What a model with folds says of rows that it was trained on: of each row, only what the members say that held it out.
 *
 * @module
 */
import type { Folds } from "../base/folds.ts";
import { combineMembers } from "./combine.ts";
import type { PredictedRows } from "./predictor.ts";

/** Predicted rows with their targets. */
type Block = PredictedRows & { readonly y: Float32Array };

/**
 * Leaves of each row the outputs of the members that held it out.
 *
 * @param blocks All rows that were cut into folds, in order, block by block.
 * @param folds Who held out which.
 * @param columns Values in a row of the output.
 * @param kind The kind of the loss, by which members are combined.
 * @returns The same blocks, as if of one member: `output` and `own` are both what those members say together.
 *
 * @example
 * ```ts
 * import { Folds, outOfFold } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * async function* blocks() {
 *   const own = Float32Array.of(1, 2, 5, 6); // of two members, two rows each
 *   yield { output: Float32Array.of(3, 4), own, y: Float32Array.of(0, 0) };
 * }
 * const folds = new Folds(Uint8Array.of(1, 0), 2, 2); // the second member held out the first row
 * const [{ output }] = await Array.fromAsync(outOfFold(blocks(), folds, 1, "mse"));
 * assertEquals(output, Float32Array.of(5, 2));
 * ```
 */
export async function* outOfFold(
  blocks: AsyncIterable<Block>,
  folds: Folds,
  columns: number,
  kind: string,
): AsyncGenerator<Block, void> {
  const each = folds.members / folds.count;
  let first = 0;
  for await (const { own: all, y } of blocks) {
    const size = all.length / folds.members;
    const own = new Float32Array(each * size);
    for (let row = 0; row < size / columns; row++) {
      const at = row * columns;
      folds.membersOf(first + row).forEach((member, place) => {
        own.set(all.subarray(member * size + at, member * size + at + columns), place * size + at);
      });
    }
    first += size / columns;
    const output = Float32Array.from(combineMembers(own, each, columns, kind));
    yield { output, own: output, y };
  }
}

/** Outputs of the same rows. */
interface FoldOutputs {
  /** What all members put out [members * rows, columns], one after the other. */
  readonly own: ArrayLike<number>;
  /** What those say that held the row out [rows, columns]. */
  readonly output: ArrayLike<number>;
  /** The targets [rows, columns]. */
  readonly y: ArrayLike<number>;
}

/**
 * How far off the mean of all members will be on new rows, as a share of how far off those are that held a row out. The squared
 * error of a mean is the mean squared error less the variance between the members (Krogh and Vedelsby 1995, "Neural network
 * ensembles, cross validation, and active learning"): `sqrt(1 - S^2 / R^2)`, with `R` the deviation from the targets, `S` that
 * between the folds' members. Most members were trained on these rows, so that they differ less than on new ones: it promises
 * rather too little.
 *
 * @param outputs Outputs of rows that were cut into folds, of numbers.
 * @param folds Who held out which.
 * @param columns Values in a row.
 * @returns The share of each column, from sqrt(1 / folds) to 1.
 */
export function averagingShares(
  { own, output, y }: FoldOutputs,
  { count, members }: Pick<Folds, "count" | "members">,
  columns: number,
): number[] {
  const size = y.length;
  const between = new Float64Array(columns);
  const off = new Float64Array(columns);
  for (let at = 0; at < size; at++) {
    const means = new Float64Array(count);
    for (let member = 0; member < members; member++) means[member % count] += own[member * size + at] * count / members;
    const mean = means.reduce((sum, value) => sum + value, 0) / count;
    between[at % columns] += means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
    off[at % columns] += (y[at] - output[at]) ** 2;
  }
  return Array.from(off, (off, column) => off === 0 ? 1 : Math.sqrt(Math.max(1 / count, 1 - between[column] / off)));
}
