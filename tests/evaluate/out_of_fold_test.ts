import { assertEquals } from "@std/assert";
import { Folds } from "../../lib/base/folds.ts";
import { combineMembers } from "../../lib/evaluate/combine.ts";
import { heldOutOutput, outOfFold } from "../../lib/evaluate/out_of_fold.ts";

Deno.test("outOfFold() takes of each row the members that held it out, block by block", async () => {
  // Four members: member m says 100 m + row in the first column, and its negative in the second.
  const folds = new Folds(Uint8Array.of(0, 1, 1, 0, 1), 2, 4);
  async function* blocks() {
    for (const rows of [[0, 1, 2], [3, 4]]) {
      const own = [0, 1, 2, 3].flatMap((member) => rows.flatMap((row) => [100 * member + row, -100 * member - row]));
      const y = Float32Array.from(rows.flatMap((row) => [row, -row]));
      yield await Promise.resolve({ output: new Float32Array(y.length), own: Float32Array.from(own), y });
    }
  }
  const taken = await Array.fromAsync(outOfFold(blocks(), folds, 2, "mse"));
  // Fold 0 is held out by members 0 and 2, fold 1 by 1 and 3: their means are 100 and 200.
  assertEquals(taken.map(({ output }) => [...output]), [[100, -100, 201, -201, 202, -202], [103, -103, 204, -204]]);
  assertEquals(taken.map(({ own }) => own), taken.map(({ output }) => output));
  assertEquals([...taken[1].y], [3, -3, 4, -4]);
});

Deno.test("heldOutOutput() combines the two members of a fold by the loss, of rows that come again", () => {
  const folds = new Folds(Uint8Array.of(0, 1, 0), 2, 4);
  // Row 1, then row 2, and both again; members 1 and 3 held the first out, members 0 and 2 the second.
  const logits = Array.from({ length: 4 }, (_, member) => [0, 1, 2, 3].flatMap((row) => [member + row, -member * row]));
  for (const kind of ["softmax", "bce", "mse"]) {
    const output = heldOutOutput(Float32Array.from(logits.flat()), { folds, rows: [1, 2] }, 2, kind);
    const expected = [[1, 3], [0, 2], [1, 3], [0, 2]].flatMap((
      members,
      row,
    ) => [...combineMembers(members.flatMap((member) => logits[member].slice(2 * row, 2 * row + 2)), 2, 2, kind)]);
    assertEquals(output, Float32Array.from(expected), kind);
  }
});
