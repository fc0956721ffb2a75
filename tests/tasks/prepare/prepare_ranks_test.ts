/** What training has prepared for it, by one process and by ranks: what is made, what is current, what all are told. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { openWritten } from "../../../tasks/mpi/ranks.ts";
import { type Prepared, runAsRanks } from "../../support/data_ranks.ts";
import { asRanks } from "../../support/rank_group.ts";
import { Workplace } from "../../support/run_task_process.ts";

/** First lines of what rank 0 notes when the only number of ranks has prepared. */
async function notesOf(place: Workplace, ranks: number, args: readonly string[]): Promise<string[]> {
  const [{ reports, faults }] = await runAsRanks("prepare", place, `${ranks}`, args);
  assertEquals(faults, Array(ranks).fill(null));
  const [{ notes, sha256 }] = reports as Prepared[];
  assertEquals((reports as Prepared[]).map((report) => report.sha256), Array(ranks).fill(sha256));
  return notes.map((note) => note.split("\n")[0]).filter((note) => !note.startsWith(" "));
}

Deno.test("prepareDataset() on ranks makes and scales what is missing, each rank its part", async () => {
  await using place = await Workplace.create();
  const args = ["--num-dataset", "9000"];
  const [first, second] = await runAsRanks("prepare", place, "3,2", args);
  assertEquals([first.faults, second.faults], [[null, null, null], [null, null]]);
  const reports = first.reports as Prepared[];
  const [{ notes }] = reports;
  assertEquals(notes.slice(0, 2), [
    "gen-data: wrote data/cubic.csv, 9000 rows (it was missing)",
    "scale: wrote data/cubic.scaled.safetensors (it was missing)",
  ]);
  const { size } = await Deno.stat(place.at("data/cubic.csv"));
  for (const { jobs } of reports) {
    assertEquals(jobs["generating data/cubic.csv"], 9000);
    const share = jobs["scaling data/cubic.csv"] / 2 / size; // two passes
    assert(Math.abs(share - 1 / 3) < 0.01, `${share} of the bytes`);
  }
  for (const { notes, jobs, sha256 } of second.reports as Prepared[]) {
    assertEquals([sha256, jobs], [reports[0].sha256, {}]);
    assertEquals(notes, [
      "gen-data: skipped, data/cubic.csv is current",
      "scale: skipped, data/cubic.scaled.safetensors is current",
    ]);
  }
  const alone = await notesOf(place, 1, args);
  const changed = await notesOf(place, 2, [...args, "--split", "0.5,0.5,0"]);
  assertEquals(alone, (second.reports as Prepared[])[0].notes);
  assertEquals(changed[1], "scale: wrote data/cubic.scaled.safetensors (another SPLIT)");
  assertEquals(Object.keys(await place.digests("data")).toSorted(), [
    "cubic.csv",
    "cubic.csv.json",
    "cubic.scaled.safetensors",
  ]);
});

Deno.test("prepareDataset() on ranks fails at all of them, and leaves the lock and no half of a file", async () => {
  const bad = `x,y\n${"1,2\n".repeat(50)}1,many\n`;
  await using place = await Workplace.create({ "data/cubic.csv": bad, "t.csv": bad });
  for (const args of [[], ["--data", "t.csv", "--target", "y", "--task", "regression"]]) {
    for (const { ranks, faults } of await runAsRanks("prepare", place, "2,1,3", args)) {
      assertEquals(faults.length, ranks);
      for (const fault of faults) {
        assertStringIncludes(fault?.[1] ?? "nothing", '.csv:52, column "y": "many" is not a number');
      }
    }
  }
  assertEquals(Object.keys(await place.digests()).toSorted(), ["data/cubic.csv", "t.csv"]);
});

Deno.test("prepareDataset() sees what comes to a folder, goes or changes, and lets others be", async () => {
  const rows = (from: number) =>
    `x,y\n${Array.from({ length: 30 }, (_, i) => `${i + from},${(i * from) % 7}\n`).join("")}`;
  await using place = await Workplace.create({ "t/a.csv": rows(1), "t/b.csv": rows(2), "t/c.csv": rows(3) });
  const scaled = "data/t.scaled.safetensors";
  const made = (why: string) => [`scale: wrote ${scaled} (${why})`];
  const prepare = async (ranks: number) =>
    await notesOf(place, ranks, ["--data", "t/", "--target", "y", "--features", "x"]);
  const current = [`scale: skipped, ${scaled} is current`];
  assertEquals(await prepare(1), made("it was missing"));
  await place.write("t/notes.txt", "other files do not count");
  assertEquals(await prepare(2), current);
  const steps: (() => Promise<void>)[] = [
    () => place.write("t/d.csv", rows(4)),
    () => Deno.remove(place.at("t/b.csv")),
    () => Deno.rename(place.at("t/a.csv"), place.at("t/z.csv")),
    () => place.write("t/c.csv", rows(5)),
  ];
  for (const [i, step] of steps.entries()) {
    await step();
    assertEquals(await prepare(1 + i % 2), made("another dataset"), `${step}`);
  }
  assertEquals(await prepare(1), current);
  await Deno.utime(place.at("t/c.csv"), 1, 1);
  assertEquals(await prepare(1), made("another dataset"));
});

Deno.test("openWritten() waits for a file that a rank sees late, and says what it means where it does not come", async () => {
  await using place = await Workplace.create();
  const path = place.at("late.txt");
  const read = (rank: number) => rank === 0 ? Promise.resolve("0") : Deno.readTextFile(path);
  const writing = new Promise((resolve) => setTimeout(resolve, 250)).then(() => Deno.writeTextFile(path, "it"));
  assertEquals(await asRanks(2, (ranks) => openWritten(ranks, () => read(ranks.rank))), ["0", "it"]);
  await writing;
  await Deno.remove(path);
  await asRanks(2, async (ranks) => {
    const { message } = await assertRejects(() => openWritten(ranks, () => read(ranks.rank), 50)) as Error;
    assertStringIncludes(message, path);
    const says =
      "; rank 0 has it, and this rank has not seen it for 0.05 s: all ranks need the same data folder, and " +
      "where a network file system shows files later still, start again";
    assert(message.endsWith(says), message);
  });
  // What rank 0 itself does not have, nobody waits for.
  await asRanks(
    1,
    (ranks) => assertRejects(() => openWritten(ranks, () => Deno.readTextFile(path)), Deno.errors.NotFound),
  );
});
