/** Values that are not finite: what a run says of them, where it goes back to, and how it continues. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readSafetensors, writeSafetensors } from "../../../lib/safetensors/reader.ts";
import { seal } from "../../../tasks/prepare/seal.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const run = "data/runs/r";
const metrics = `${run}/metrics.jsonl`;
const RUN = ["--num-dataset", "600", "--run-name", "r", "--num-epochs", "3", "--checkpoint-every", "10"];

permitted("a run that diverges says why, and --on-nan halve-lr continues from its last checkpoint", async () => {
  await using place = await Workplace.inSeries("train");
  await using whole = await Workplace.create();
  const diverged = await place.run("train", [...RUN, "--learning-rate", "2"]);
  assertEquals(diverged.code, 1);
  assertMatch(
    diverged.stderr,
    new RegExp(
      "^error: output z2 of layer 2 \\(Linear\\) is -?Infinity at step \\d+ of epoch 1, in training row \\d+, column 0\n" +
        "batch: training rows (\\d+, ){8}... \\(10 rows\\)\n" +
        "likely cause: the loss grew from .* over \\d+ steps: a learning rate of 2 is too large\n" +
        "what to do: LEARNING_RATE=0.2, .*\n" +
        "the last checkpoint is at step 0: `deno task train --resume r --on-nan halve-lr` continues from there\n$",
      "m",
    ),
  );
  const files = Object.keys(await place.digests(run)).sort();
  assertEquals(files, ["checkpoints/step-0000000000.safetensors", "config.json", "origin.json"]);

  // Resumed with half the rate, it ends with the same bytes as one that halves it from the start.
  const { stderr } = await place.succeed("train", ["--resume", "r", "--on-nan", "halve-lr"]);
  const notes = [...stderr.matchAll(/^warning: back at step 0, with (0\.\d+) of the learning rate from here$/gm)];
  assertEquals(notes.map(([_, factor]) => factor), ["0.5", "0.25", "0.125"].slice(0, notes.length));
  assert(notes.length > 0);
  const lines = await place.readLines(metrics);
  const halved = lines.map(({ epoch, learningRate }) => [epoch, learningRate]);
  assertEquals(halved, [1, 2, 3].map((e) => [e, 2 / 2 ** notes.length]));
  await whole.succeed("train", [...RUN, "--learning-rate", "2", "--on-nan", "halve-lr"]);
  for (const name of ["metrics.jsonl", "model.safetensors"]) {
    assertEquals((await place.digests(run))[name], (await whole.digests(run))[name], name);
  }
  // What was halved stays so.
  await place.succeed("train", ["--resume", "r", "--num-epochs", "4"]);
  const last = (await place.readLines(metrics)).at(-1);
  assertEquals([last.epoch, last.learningRate], [4, 2 / 2 ** notes.length]);
  const other = ["--num-epochs", "5", "--learning-rate", "0.1", "--force"];
  const { stderr: warned } = await place.succeed("train", ["--resume", "r", ...other]);
  const factor = 2 ** -notes.length;
  const told = `${factor} of it, ${Number((0.1 * factor).toPrecision(4))}: `;
  assertStringIncludes(warned, `warning: --learning-rate is "0.1", but r continues with ${told}`);
  assertStringIncludes(warned, `; LEARNING_RATE=${Number((0.1 / factor).toPrecision(4))} gives 0.1\n`);
});

permitted("--on-nan halve-lr goes by a schedule too, and ends where no learning rate helps", async () => {
  await using place = await Workplace.inSeries("train");
  const args = [...RUN, "--on-nan", "halve-lr"];
  await place.succeed("train", [...args, "--learning-rate", "4", "--schedule", "cosine"]);
  const [first] = await place.readLines(metrics);
  assert(first.learningRate < 2, `${first.learningRate} is not half of what it was`);

  const least = await place.run("train", [...args, "--learning-rate", "1e30"]);
  assertEquals([least.code, least.stderr.match(/^warning: back at step 0/gm)?.length], [1, 20]);
  assertMatch(least.stderr, /^the last checkpoint is at step 0: `deno task train --resume r` continues from there$/m);

  const path = place.at("data/cubic.scaled.safetensors");
  const { tensors, metadata } = await readSafetensors(path);
  tensors.get("train.x")!.data[123] = NaN;
  await writeSafetensors(path, Object.fromEntries(tensors), metadata);
  await seal(path); // as a program would that writes such rows
  const { code, stderr } = await place.run("train", RUN);
  assertEquals(code, 1);
  assertMatch(stderr, /^error: an input is NaN at step \d+ of epoch 1, in training row 123, column "x"$/m);
  assertStringIncludes(stderr, "\nwhat to do: correct or remove that row");
  assertMatch(stderr, /^the last checkpoint is at step \d+: `deno task train --resume r` continues from there$/m);
  const { stderr: same } = await place.run("train", args);
  assertStringIncludes(same, "\nwhat to do: correct or remove that row");
});

permitted("test rows that overflow are warned of, and take neither model nor summary away", async () => {
  await using place = await Workplace.inSeries("train");
  const rows = Array.from({ length: 40 }, (_, i) => `${i / 40},${(i * i) / 1600}`);
  await place.write("own.csv", ["x,y", ...rows].join("\n") + "\n");
  await place.write("far.csv", "x,y\n9e37,1\n");
  const flags = ["--data", "own.csv", "--target", "y", "--validation", "own.csv", "--test", "far.csv"];
  // Weights above 1, on a number that no scaling has bounded.
  const bare = ["--scaling-method", "standardize", "--numeric-embedding", "none", "--members", "1", "--dropout", "0"];
  const large = ["--init", "normal:2", "--hidden-size", "32,32", "--num-epochs", "3", ...bare];
  const { stderr } = await place.succeed("train", [...flags, ...large, "--run-name", "r"]);
  assertMatch(stderr, /^warning: the model is written, but cannot be measured on the test rows: The test loss is /m);
  const { train, validation, test } = JSON.parse(await place.read(`${run}/summary.json`));
  assertEquals([train.rows, validation.rows, test], [40, 40, undefined]);
  assertMatch((await place.succeed("predict", ["--run-name", "r", "0.5"])).stdout, /^0.5,/m);
});
