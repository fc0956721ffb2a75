import { assertEquals } from "@std/assert";
import { Folds } from "../../lib/base/folds.ts";
import { averagingShares, outOfFold } from "../../lib/evaluate/out_of_fold.ts";

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

Deno.test("averagingShares() is how much closer a mean comes than those who differ", () => {
  // Two folds of two members each: those of fold 0 say 2, those of fold 1 say 4; the truth is 0 in the first column.
  const own = [1, 1, 3, 3, 3, 3, 5, 5]; // members 0 and 2 have the mean 2, members 1 and 3 the mean 4; one row
  const outputs = { own, output: [2, 2], y: [0, 2] };
  const folds = { count: 2, members: 4 };
  // R^2 = 4 and S^2 = 1 in the first; nothing is off in the second.
  assertEquals(averagingShares(outputs, folds, 2), [Math.sqrt(3 / 4), 1]);
  // Members that differ more than they are off cannot gain more than as many independent ones.
  assertEquals(averagingShares({ ...outputs, y: [1.5, 2] }, folds, 2)[0], Math.sqrt(1 / 2));
});
