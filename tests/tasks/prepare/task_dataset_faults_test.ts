/** What scale and train say of a dataset that they cannot use: file, line, column, exit code 1, nothing written over. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readSafetensorsHeader } from "../../../lib/safetensors/reader.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const csv = "data/cubic.csv";

/** A column x that counts, and y = 2 x; `change` replaces lines, counted from 1 as in the file. */
function lines(change: Record<number, string> = {}, count = 20): string {
  const all = ["x,y", ...Array.from({ length: count }, (_, i) => `${i},${2 * i}`)];
  return all.map((line, i) => (change[i + 1] ?? line) + "\n").join("");
}

/** A folder with a scaled dataset and a run, which no fault may touch. */
async function withRun(): Promise<Workplace> {
  const place = await Workplace.inSeries("train", { [csv]: lines() });
  await place.succeed("train", ["--num-epochs", "1", "--batch-size", "4"]);
  return place;
}

const FAULTS: [what: string, text: string | Uint8Array<ArrayBuffer>, says: string[]][] = [
  ["an empty file", "", [`${csv}: the file is empty`]],
  ["a file of blank lines", "\r\n\r\n", [`${csv}: the file is empty`]],
  ["a header alone", "x,y\n", [`${csv}: there are no rows after the header`]],
  ["rows without a header", "1,2\n3,4\n", [`${csv}:1: a header`]],
  ["a header without a column", "x,z\n1,2\n", [`${csv}:1: there is no column "y"; there are x, z`]],
  ["a column twice", "x,y,x\n1,2,3\n", [`${csv}:1: the header names column "x" twice`]],
  ["a short row", lines({ 7: "5" }), [`${csv}:7: this row has 1 cell, the header has 2`]],
  ["a long row", lines({ 3: "1,2,3" }), [`${csv}:3: this row has 3 cells, the header has 2`]],
  ["a blank cell", lines({ 5: "3," }), [`${csv}:5, column "y": the cell is blank`]],
  ["a cell of spaces", lines({ 5: "  ,6" }), [`${csv}:5, column "x": the cell is blank`]],
  ["a word", lines({ 21: "19,many" }), [`${csv}:21, column "y": "many" is not a number`]],
  ["a decimal comma", lines({ 2: '"0,5",1' }), [`${csv}:2, column "x": "0,5" is not a number`]],
  ["hexadecimal", lines({ 2: "0x10,1" }), [`${csv}:2, column "x": "0x10" is not a number`]],
  ["NaN", lines({ 9: "7,NaN" }), [`${csv}:9, column "y": "NaN" is not finite`]],
  ["nan", "x,y\n1,2\n3,nan\n", [`${csv}:3, column "y": "nan" is not finite`]],
  ["infinity", lines({ 9: "-Infinity,1" }), [`${csv}:9, column "x": "-Infinity" is not finite`]],
  ["a number that overflows", lines({ 4: "2,1e400" }), [`${csv}:4, column "y": "1e400" is beyond the range`]],
  ["a quote never closed", lines({ 6: '"4,8' }), [`${csv}:6: a quote is out of place or never closed`]],
  ["bytes that are no text", Uint8Array.of(0x78, 0x2c, 0x79, 0x0a, 0xff, 0xfe, 0x0a), [`${csv}:2: this is not UTF-8`]],
  ["a fault far down", lines({ 9000: "8998,?" }, 10_000), [`${csv}:9000, column "y": "?" is not a number`]],
];

permitted("scale and train name file, line and column of what they cannot read", async (t) => {
  await using place = await withRun();
  for (const [what, text, says] of FAULTS) {
    await t.step(what, async () => {
      await place.write(csv, text);
      await place.refuse(1, says, "scale");
      await place.refuse(1, says, "train");
    });
  }
});

permitted("scale refuses a column without variance under either scaling, and takes it unscaled", async () => {
  await using place = await withRun();
  const flat = { x: "x,y\n4,1\n4,2\n4,3\n", y: "x,y\n1,-7\n2,-7\n3,-7\n" };
  for (const [column, text] of Object.entries(flat)) {
    await place.write(csv, text);
    for (const method of ["standardize", "minmax"]) {
      const says = column === "x"
        ? [csv, 'column "x"', method, "all its values are 4"]
        : [csv, 'target "y" is -7 in every training row: there is nothing to learn; choose another target'];
      await place.refuse(1, says, "scale", ["--scaling-method", method]);
      await place.refuse(1, says, "train", ["--scaling-method", method]);
    }
    await place.succeed("scale", ["--scaling-method", "none"]);
  }
});

permitted("scale refuses what leaves nothing to train on, or does not fit the loss or float32", async () => {
  await using place = await withRun();
  await place.refuse(1, [csv, "no row is left for training"], "scale", ["--split", "0.01,0.99,0"]);
  const says = [`${csv}:3, column "y"`, "the target is 2", "loss bce needs targets from 0 to 1"];
  await place.refuse(1, says, "train", ["--loss", "bce"]);
  await place.write(csv, `\n${lines({ 7: "6,1e39" })}`);
  await place.refuse(1, [`${csv}:8, column "y"`, "beyond the range of float32"], "scale", ["--scaling-method", "none"]);
});

permitted("scale says that there is no dataset, and takes those of gen-data and of other programs", async () => {
  await using place = await Workplace.inSeries("train");
  await place.refuse(1, [`Cannot read ${csv}: there is no such file`, "deno task gen-data makes it"], "scale");
  await place.refuse(1, ["data/xor.csv"], "scale", ["--recipe", "xor"]);
  await place.succeed("gen-data", ["--num-dataset", "20"]);
  await place.succeed("scale");
  // What other programs write: a byte-order mark, CRLF, quotes, no last line end.
  const rows = ["1,2", '"3","-4.5e0"', " 5 , +6 ", ".5,7."];
  await place.write(csv, `\ufeff"x", y \r\n${rows.join("\r\n")}`);
  await place.succeed("scale", ["--split", "1,0,0"]);
  const { metadata, shapes } = await readSafetensorsHeader(place.at("data/cubic.scaled.safetensors"));
  const { inputs, targets } = JSON.parse(metadata.scaler);
  assertEquals(shapes.get("train.x"), [4, 1]);
  assertEquals([inputs.columns[0].min, inputs.columns[0].max], [0.5, 5]);
  assertEquals([targets.columns[0].min, targets.columns[0].max], [-4.5, 7]);
});

permitted("train refuses a batch larger than its rows, a loss that is not finite, a matrix too large", async () => {
  await using place = await withRun();
  // Of 20 rows 16 train.
  await place.refuse(2, ['--batch-size is "17"', "16 training rows"], "train", ["--batch-size", "17"]);
  const large = ["--hidden-size", "65536,65536", "--batch-size", "4"];
  const { stderr } = await place.refuse(2, ["--hidden-size", "bytes, and this device binds at most"], "train", large);
  const [needed, allowed] = [...stderr.matchAll(/(\d+) bytes/g)].map(([_, bytes]) => Number(bytes));
  assertEquals(needed >= 4 * 65536 ** 2 && needed > allowed, true, stderr);

  const run = await place.digests("data/runs/default_run");
  const train = async (name: string, ...flags: string[]) => {
    const args = ["--batch-size", "4", "--run-name", name, ...flags];
    const { code, stderr } = await place.run("train", args);
    assertEquals([code, stderr.match(/^error: /gm)?.length], [1, 1], stderr);
    assertEquals(Object.keys(await place.digests(`data/runs/${name}`)).includes("summary.json"), false);
    return stderr;
  };
  for (const scale of ["1e15", "1e30"]) {
    const first = await train(`first${scale}`, "--init", `normal:${scale}`);
    assertMatch(first, /^error: .* is (NaN|Infinity) at step 1 of epoch 1/);
    assertMatch(first, /^likely cause: the largest weight is /m);
  }
  const once = ["--batch-size", "full", "--num-epochs", "1", "--learning-rate", "1e30"];
  const validated = await train("last", ...once);
  assertStringIncludes(validated, "error: the validation loss is Infinity at step 1 of epoch 1\n");
  assertMatch(validated, /^likely cause: the largest weight grew from .*: a learning rate of 1e\+30 is too large$/m);
  const unvalidated = await train("last", ...once, "--split", "1,0,0");
  assertStringIncludes(unvalidated, "error: The train loss is Infinity at step 1:");
  const left = Object.keys(await place.digests("data/runs/last")).filter((name) => !name.startsWith("checkpoints/"));
  assertEquals(left.sort(), ["config.json", "layers.jsonl", "metrics.jsonl", "origin.json"]);
  const later = await train("default_run", "--learning-rate", "1e8", "--hidden-size", "8");
  const [_, step] = later.match(/^error: .* is (?:NaN|-?Infinity) at step (\d+) of epoch/) ?? [];
  assertEquals(Number(step) > 1 && Number(step) < 40, true, later);
  assertEquals(await place.digests("data/runs/default_run.1"), run);
});
