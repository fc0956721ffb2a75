import { assertEquals, assertMatch } from "@std/assert";
import { runAsRanks } from "../../support/data_ranks.ts";
import { Workplace } from "../../support/run_task_process.ts";

Deno.test("genData() on ranks writes the bytes of one process", async () => {
  const cases: [string, string[]][] = [
    // A whole round of turns of 16 blocks for 3 ranks, and a turn and a bit more.
    ["cubic", ["--num-dataset", `${3 * 16 * 4096}`, "--noise", "2"]],
    ["linear", ["--recipe", "linear", "--num-dataset", `${17 * 4096 + 11}`]],
    ["xor", ["--recipe", "xor"]],
  ];
  for (const [recipe, args] of cases) {
    await using folder = await Workplace.create();
    for (const { ranks, faults } of await runAsRanks("gen-data", folder, "1,2,3,4", args)) {
      assertEquals(faults, Array(ranks).fill(null));
    }
    const digests = await folder.digests("data");
    const expected = digests[`${recipe}.csv.1`];
    assertMatch(expected, /^[0-9a-f]{64}$/);
    for (const ranks of [2, 3, 4]) {
      assertEquals(digests[`${recipe}.csv.${ranks}`], expected, `${recipe}, ${ranks} ranks`);
    }
    assertEquals(Object.keys(digests).length, 5); // and the note beside them
  }
});

Deno.test("genData() on ranks ends at all of them where one cannot write", async () => {
  await using folder = await Workplace.create({
    "data/cubic.csv.json.partial/in the way": "",
    "data/cubic.csv": "kept",
  });
  for (const { ranks, faults } of await runAsRanks("gen-data", folder, "1,3", ["--num-dataset", "10"])) {
    assertEquals(faults.length, ranks);
    for (const fault of faults) assertMatch(fault?.[1] ?? "nothing", /directory/i);
  }
  assertEquals(Object.keys(await folder.digests("data")).filter((name) => name.endsWith("csv.partial")), []);
});
