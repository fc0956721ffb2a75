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
