import { assert, assertEquals, assertRejects } from "@std/assert";
import { ALONE } from "../../lib/ranks/communicator.ts";
import { isToldToAll, RankFault, shareText, together } from "../../lib/ranks/together.ts";
import { checkSame } from "../../tasks/mpi/ranks.ts";
import { asRanks } from "../support/rank_group.ts";

Deno.test("together() gives each rank its own result, and lets none go on where one failed", async () => {
  for (const size of [2, 3, 4]) {
    const tens = await asRanks(size, (ranks) => together(ranks, () => 10 * ranks.rank));
    assertEquals(tens, [0, 10, 20, 30].slice(0, size));
    for (let bad = 0; bad < size; bad++) {
      // The lowest of those that fail is told of; at another rank its error is known by its message.
      const fail = (rank: number) => {
        if (rank >= bad) throw new RangeError(`bäd at ${rank}`);
      };
      const errors = await asRanks(size, async (ranks) => {
        return await assertRejects(() => together(ranks, () => fail(ranks.rank))) as Error;
      });
      assertEquals(errors.map(({ message }) => message), Array(size).fill(`bäd at ${bad}`));
      errors.forEach((error, rank) => assert(error instanceof (rank === bad ? RangeError : RankFault)));
      assertEquals(errors.map(isToldToAll), Array(size).fill(true));
      const kinds = errors.map((error) => error instanceof RankFault ? error.kind : "own");
      assertEquals(kinds, Array(size).fill("RangeError").with(bad, "own"));
      assertEquals(await asRanks(size, (ranks) => together(ranks, () => 1)), Array(size).fill(1));
    }
  }
});

Deno.test("together() alone does the work, and throws what it throws", async () => {
  assertEquals(await together(ALONE, () => Promise.resolve(3)), 3);
  const error = await assertRejects(() => together(ALONE, () => Promise.reject(new TypeError("no"))), TypeError, "no");
  assertEquals(isToldToAll(error), false);
});

Deno.test("shareText() gives all ranks the same", async () => {
  const texts = await asRanks(3, (ranks) => shareText(ranks, ["\ufeffä🦉", "other", ""][ranks.rank]));
  assertEquals(texts, Array(3).fill("\ufeffä🦉"));
});

Deno.test("checkSame() refuses ranks that want something else than rank 0", async () => {
  const facts = (rank: number): Record<string, string> =>
    rank === 2 ? { SEED: "2", DATA: "a.csv" } : { SEED: "1", SPLIT: "1,0,0", DATA: "a.csv" };
  await asRanks(3, (ranks) => checkSame(ranks, facts(0)));
  await asRanks(3, async (ranks) => {
    const { message } = await assertRejects(() => checkSame(ranks, facts(ranks.rank))) as Error;
    assertEquals(message.split("\n"), [
      'SEED is "2" on rank 2, and "1" on rank 0: all ranks need the same',
      'SPLIT is none on rank 2, and "1,0,0" on rank 0: all ranks need the same',
    ]);
  });
});
