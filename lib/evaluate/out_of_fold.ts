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
  let first = 0;
  for await (const { own, y } of blocks) {
    const rows = Array.from({ length: y.length / columns }, (_, row) => first + row);
    first += rows.length;
    const output = heldOutOutput(own, { folds, rows }, columns, kind);
    yield { output, own: output, y };
  }
}

/** Some of the rows that were cut into folds. */
export interface HeldOutRows {
  /** Who held out which. */
  readonly folds: Folds;
  /** The number of each row among all that were cut. */
  readonly rows: ArrayLike<number>;
}

/**
 * What those members say together that held a row out.
 *
 * @param all What each member puts out [members * n, columns], one member after the other; n is the number of the rows, or a
 * multiple of it: the same rows again, as they are or changed.
 * @param heldOut The rows.
 * @param columns Values in a row of the output.
 * @param kind The kind of the loss, by which members are combined.
 * @returns Outputs [n, columns].
 */
export function heldOutOutput(
  all: Float32Array,
  { folds, rows }: HeldOutRows,
  columns: number,
  kind: string,
): Float32Array<ArrayBuffer> {
  const each = folds.members / folds.count;
  const size = all.length / folds.members;
  const own = new Float32Array(each * size);
  for (let row = 0; row < size / columns; row++) {
    const at = row * columns;
    folds.membersOf(rows[row % rows.length]).forEach((member, place) => {
      own.set(all.subarray(member * size + at, member * size + at + columns), place * size + at);
    });
  }
  return Float32Array.from(combineMembers(own, each, columns, kind));
}
