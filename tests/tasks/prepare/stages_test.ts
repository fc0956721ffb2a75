/** What training has prepared for it: what is made, what is current, what is said. */

import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { prepareIn } from "../../support/prepare_dataset.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

permitted("prepareDataset() makes and scales what is missing, and leaves alone what is current", async () => {
  await using place = await Workplace.inSeries("train");
  const args = ["--num-dataset", "9000"];
  const first = await prepareIn(place, args);
  const { size } = await Deno.stat(place.at("data/cubic.csv"));
  assertEquals(first, {
    notes: [
      "gen-data: wrote data/cubic.csv, 9000 rows (it was missing)",
      "scale: wrote data/cubic.scaled.safetensors (it was missing)",
    ],
    told: first.told,
    jobs: { "generating data/cubic.csv": 9000, "scaling data/cubic.csv": 3 * size }, // three passes
    sha256: first.sha256,
  });
  assertEquals(await prepareIn(place, args), {
    notes: ["gen-data: skipped, data/cubic.csv is current", "scale: skipped, data/cubic.scaled.safetensors is current"],
    told: [],
    jobs: {},
    sha256: first.sha256,
  });
  const changed = await prepareIn(place, [...args, "--split", "0.5,0.5,0"]);
  assertEquals(changed.notes[1], "scale: wrote data/cubic.scaled.safetensors (another SPLIT)");
  assertEquals(Object.keys(await place.digests("data")).toSorted(), [
    "cubic.csv",
    "cubic.csv.json",
    "cubic.scaled.safetensors",
  ]);
});

permitted("prepareDataset() tells the notes on a table also when it is current", async () => {
  const table = `x,y\n${Array.from({ length: 40 }, (_, i) => `${i % 9 ? i : -999},${i}\n`).join("")}`;
  await using place = await Workplace.inSeries("train", { "t.csv": table });
  const note = '  x: -999 lies far from all others, 1 to 39; if it means missing, say --missing-texts "-999"';
  for (const scale of ["wrote", "skipped"]) {
    const { notes, told } = await prepareIn(place, ["--data", "t.csv", "--target", "y"]);
    assertStringIncludes(notes[0], `scale: ${scale}`);
    assertEquals(told.filter((line) => line === note), [note]);
  }
});

permitted("prepareDataset() that fails leaves no half of a file", async () => {
  const bad = `x,y\n${"1,2\n".repeat(50)}1,many\n`;
  await using place = await Workplace.inSeries("train", { "data/cubic.csv": bad, "t.csv": bad });
  for (const args of [[], ["--data", "t.csv", "--target", "y", "--task", "regression"]]) {
    const { fault } = await prepareIn(place, args);
    assertStringIncludes(fault ?? "nothing", '.csv:52, column "y": "many" is not a number');
  }
  assertEquals(Object.keys(await place.digests()).toSorted(), ["data/cubic.csv", "t.csv"]);
});

permitted("prepareDataset() sees what comes to a folder, goes or changes, and lets others be", async () => {
  const rows = (from: number) =>
    `x,y\n${Array.from({ length: 30 }, (_, i) => `${i + from},${(i * from) % 7}\n`).join("")}`;
  await using place = await Workplace.inSeries("train", { "t/a.csv": rows(1), "t/b.csv": rows(2), "t/c.csv": rows(3) });
  const scaled = "data/t.scaled.safetensors";
  const made = (why: string) => [`scale: wrote ${scaled} (${why})`];
  const current = [`scale: skipped, ${scaled} is current`];
  const steps: [() => Promise<void>, string[]][] = [
    [() => Promise.resolve(), made("it was missing")],
    [() => place.write("t/notes.txt", "other files do not count"), current],
    [() => place.write("t/d.csv", rows(4)), made("another dataset")],
    [() => Deno.remove(place.at("t/b.csv")), made("another dataset")],
    [() => Deno.rename(place.at("t/a.csv"), place.at("t/z.csv")), made("another dataset")],
    [() => place.write("t/c.csv", rows(5)), made("another dataset")],
    [() => Promise.resolve(), current],
    [() => Deno.utime(place.at("t/c.csv"), 1, 1), made("another dataset")],
  ];
  for (const [step, expected] of steps) {
    await step();
    const { notes } = await prepareIn(place, ["--data", "t/", "--target", "y", "--features", "x"]);
    assertEquals(notes, expected, `${step}`);
  }
});

permitted(
  "prepareDataset() makes rows anew that were damaged, cut or are of an earlier version, and says which",
  async () => {
    await using place = await Workplace.inSeries("train");
    const path = place.at("data/xor.scaled.safetensors");
    const args = ["--recipe", "xor"];
    const { sha256 } = await prepareIn(place, args);
    const whole = await Deno.readFile(path);
    const flipped = (at: number) => whole.with(at, whole[at] ^ 1);
    const replaced = (from: string, to: string) => {
      // Byte by byte: "latin1" is another code to a TextDecoder.
      const bytes = Array.from(whole, (byte) => String.fromCharCode(byte)).join("").replace(from, to);
      return Uint8Array.from(bytes, (letter) => letter.charCodeAt(0));
    };
    const hash = new TextDecoder("latin1").decode(whole).match(/"sha256":"(\w{64})"/)![1];
    const cases: [what: string, bytes: Uint8Array<ArrayBuffer>, why: string][] = [
      ["a value", flipped(whole.length - 2), "it was damaged"],
      ["a scaler", replaced('\\"method\\":\\"none', '\\"method\\":\\"nope'), "it was damaged"],
      ["a name", replaced('\\"x1\\"', '\\"x9\\"'), "it was damaged"],
      ["its hash", replaced(hash, "0".repeat(64)), "it was damaged"],
      ["cut rows", whole.slice(0, -4), "it was damaged"],
      ["cut header", whole.slice(0, 100), "it was damaged"],
      ["nothing", new Uint8Array(0), "it was damaged"],
      ["an earlier version", replaced("dataset 7", "dataset 6"), "another version of this program"],
    ];
    for (const [what, bytes, why] of cases) {
      assertNotEquals(bytes, whole, what);
      await Deno.writeFile(path, bytes);
      const again = await prepareIn(place, args);
      assertEquals([again.notes[1], again.sha256], [`scale: wrote data/xor.scaled.safetensors (${why})`, sha256], what);
      assertEquals(await Deno.readFile(path), whole, what);
    }
  },
);
