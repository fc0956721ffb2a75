/** deno task train, run as a user runs it: its files, its stages, its runs. */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { readSafetensors, readSafetensorsHeader } from "../../../lib/safetensors/reader.ts";
import { numericTable } from "../../../lib/data/table.ts";
import { stagesOf, warningsOf, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

/** A run that takes a moment. */
const SHORT = ["--num-dataset", "500", "--num-epochs", "2", "--hidden-size", "8"];

const KEYS = (
  "RECIPE GENERATE_DATASET NUM_DATASET NOISE SCALING_METHOD HIDDEN_SIZE INIT LOSS OPTIMIZER LEARNING_RATE " +
  "BATCH_SIZE NUM_EPOCHS SPLIT SEED RUN_NAME DEBUG_TENSORS ACTIVATION DROPOUT INIT_FROM CLASS_WEIGHTS " +
  "SCHEDULE THRESHOLD WARMUP WEIGHT_DECAY CLIP_NORM PATIENCE PLAIN CHECKPOINT_EVERY KEEP_CHECKPOINTS ON_NAN REPORT " +
  "SELF_TEST TRACE NUMERIC_EMBEDDING MEMBERS COLUMN_DROPOUT CALIBRATE CLIP_TARGETS FOLDS"
).split(" ");

const run = "data/runs/default_run";

permitted("train learns the cubic with its defaults, and keeps all that the run was", async (t) => {
  await using place = await Workplace.create();
  const outcome = await place.succeed("train", [], { REPORT: "true", SELF_TEST: "true" });
  const { stdout, stderr } = outcome;
  assertEquals(warningsOf(outcome), []);
  const files = Object.keys(await place.digests(run)).sort();
  assertMatch(files.filter((name) => name.startsWith("checkpoints/")).at(-1)!, /^checkpoints\/step-0000080000.safe/);
  assertEquals(
    files.filter((name) => !name.startsWith("checkpoints/")).join(" "),
    "config.json layers.jsonl metrics.jsonl model.safetensors model_card.md origin.json report.html summary.json",
  );
  assertMatch(stdout, /^device: .*; \d+ checks of \d+ kernels passed$/m);
  const summary = JSON.parse(await place.read(`${run}/summary.json`));

  await t.step("summary.json: a test r2 of at least 0.995, in raw units", () => {
    assertEquals([summary.recipe, summary.steps], ["cubic", 80_000]);
    assertEquals(Math.round(summary.steps / summary.seconds / summary.stepsPerSecond * 1e6), 1e6);
    assertEquals([summary.train.rows, summary.validation.rows, summary.test.rows], [80_000, 10_000, 10_000]);
    for (const part of ["train", "validation", "test"]) {
      const { loss, mse, rmse, mae, r2, accuracy } = summary[part];
      assert(r2 >= 0.995 && r2 <= 1, `r2 of ${part}: ${r2}`);
      assert(Math.abs(rmse - Math.sqrt(mse)) < 1e-6 * rmse && mae > 0 && mae <= rmse, `errors of ${part}`);
      // y spreads over some 3,900 raw units, and the loss is in the network's: 1 for that spread.
      assert(Math.abs(mse / loss / 3900 ** 2 - 1) < 0.05, `mse ${mse} is not in raw units, loss ${loss}`);
      assertEquals(accuracy, undefined);
      const { baseline } = summary[part];
      assert(Math.abs(baseline.loss - 1) < 0.05 && Math.abs(baseline.r2) < 0.01, `the mean on ${part}`);
    }
  });
  await t.step("metrics.jsonl: a line per epoch", async () => {
    const lines = await place.readLines(`${run}/metrics.jsonl`);
    const places = Array.from({ length: 10 }, (_, i) => [i + 1, 8000 * (i + 1)]);
    assertEquals(lines.map(({ epoch, step }) => [epoch, step]), places);
    for (const line of lines) {
      assertEquals(Object.keys(line), ["epoch", "step", "trainLoss", "valLoss", "learningRate"]);
      assertEquals(line.learningRate, 0.01);
    }
    assert(lines[9].trainLoss < lines[0].trainLoss / 50, "the loss did not fall");
    const best = Math.min(...lines.map(({ valLoss }) => valLoss));
    assertAlmostEquals(best / summary.validation.loss, 1, 1e-5); // the best weights, by the GPU and in float64
  });
  await t.step("config.json: every setting", async () => {
    const config = JSON.parse(await place.read(`${run}/config.json`));
    assertEquals(Object.keys(config).sort(), KEYS.toSorted());
    assertEquals([config.RECIPE, config.NUM_DATASET, config.BATCH_SIZE, config.SEED], ["cubic", "100000", "10", "42"]);
  });
  await t.step("model.safetensors: weights, scaler, columns and settings", async () => {
    const { shapes, metadata } = await readSafetensorsHeader(place.at(`${run}/model.safetensors`));
    const expected = { "0.weight": [1, 64], "0.bias": [64], "2.weight": [64, 1], "2.bias": [1] };
    assertEquals(Object.fromEntries(shapes), expected);
    assertEquals(JSON.parse(metadata.table), numericTable(["x"], ["y"]));
    assertEquals([metadata.seed, JSON.parse(metadata.versions).deno], ["42", Deno.version.deno]);
    assertEquals(JSON.parse(metadata.baseline), [JSON.parse(metadata.scaler).targets.columns[0].mean]);
    assertEquals(JSON.parse(metadata.settings), JSON.parse(await place.read(`${run}/config.json`)));
    const { inputs, targets } = JSON.parse(metadata.scaler);
    assert(Math.abs(inputs.columns[0].deviation - 200 / Math.sqrt(12)) < 0.5, "x spreads as a uniform one does");
    assertEquals(targets.method, "standardize");
  });
  await t.step("what it prints: device, a line per epoch, a summary, no escape codes", () => {
    assertStringIncludes(stdout, `device: ${summary.device}`);
    assertEquals(stdout.match(/^epoch .*train loss .*validation loss .*$/gm)?.length, 10);
    assertStringIncludes(stdout, "in raw units");
    assertMatch(stdout, /^test .*\n {2}mean /m);
    assertEquals((stdout + stderr).includes("\x1b"), false);
    assertEquals((stdout + stderr).includes("\r"), false);
  });
});

permitted("train keeps earlier runs aside, and redoes exactly the stages that a setting concerns", async (t) => {
  await using place = await Workplace.inSeries("train");
  await using elsewhere = await Workplace.create();
  const [first] = await Promise.all([place.succeed("train", SHORT), elsewhere.succeed("train", SHORT)]);
  assertEquals(stagesOf(first), { "gen-data": "wrote", scale: "wrote" });
  const earlier = await place.digests(run);
  const digest = async (name: string) => (await place.digests("data"))[name];

  await t.step("the same seed: the same weights, bit for bit", async () => {
    assertEquals((await elsewhere.digests(run))["model.safetensors"], earlier["model.safetensors"]);
    assertEquals((await elsewhere.digests("data"))["cubic.csv"], await digest("cubic.csv"));
    const second = await place.succeed("train", SHORT);
    assertEquals(stagesOf(second), { "gen-data": "skipped", scale: "skipped" });
    assertStringIncludes(second.stdout, `run: moved the earlier ${run} to ${run}.1`);
    assertEquals(await place.digests(`${run}.1`), earlier);
    assertEquals((await place.digests(run))["model.safetensors"], earlier["model.safetensors"]);
  });

  const flags = [...SHORT];
  let stdout = "";
  const stages = async (env: Record<string, string>, ...more: string[]) => {
    const csv = await digest("cubic.csv");
    const scaled = await digest("cubic.scaled.safetensors");
    const outcome = await place.succeed("train", [...flags, ...more], env);
    stdout = outcome.stdout;
    const said = stagesOf(outcome);
    const isNew = [await digest("cubic.csv") !== csv, await digest("cubic.scaled.safetensors") !== scaled];
    return { said: [said["gen-data"], said.scale], isNew };
  };
  const both = { said: ["wrote", "wrote"], isNew: [true, true] };
  const scale = { said: ["skipped", "wrote"], isNew: [false, true] };
  const none = { said: ["skipped", "skipped"], isNew: [false, false] };
  await t.step("SEED: another run next to those", async () => {
    const before = await place.digests("data/runs");
    assertEquals(await stages({ SEED: "7" }, "--run-name=other"), both);
    const after = await place.digests("data/runs");
    assertNotEquals(after["other/model.safetensors"], earlier["model.safetensors"]);
    for (const [path, digest] of Object.entries(before)) assertEquals(after[path], digest, path);
  });
  flags.push("--seed=7");
  await t.step("NOISE: the second earlier run is kept, too", async () => {
    const second = await place.digests(run);
    assertEquals(await stages({}, "--noise", "5"), both);
    assertStringIncludes(stdout, `run: moved the earlier ${run} to ${run}.2`);
    assertEquals([await place.digests(`${run}.1`), await place.digests(`${run}.2`)], [earlier, second]);
  });
  flags.push("--noise=5");
  await t.step("NUM_DATASET", async () => {
    assertEquals(await stages({}, "--num-dataset", "300"), both);
    assertEquals((await place.read("data/cubic.csv")).trim().split("\n").length, 301);
  });
  flags.push("--num-dataset=300");
  const scaled = place.at("data/cubic.scaled.safetensors");
  await t.step("SCALING_METHOD", async () => {
    assertEquals(await stages({}, "--scaling-method", "minmax"), scale);
    const { data } = (await readSafetensors(scaled)).tensors.get("train.x")!;
    assertEquals([Math.min(...data), Math.max(...data)], [0, 1]);
  });
  flags.push("--scaling-method=minmax");
  await t.step("SPLIT", async () => {
    assertEquals(await stages({ SPLIT: "0.5,0.25,0.25" }), scale);
    const { shapes } = await readSafetensorsHeader(scaled);
    assertEquals(["train.y", "validation.y", "test.y"].map((name) => shapes.get(name)), [[150, 1], [75, 1], [75, 1]]);
  });
  flags.push("--split=0.5,0.25,0.25");
  await t.step("settings of training alone", async () => {
    const training = ["--hidden-size=3", "--init=xavier", "--optimizer=adam", "--learning-rate=0.1", "--batch-size=7"];
    assertEquals(await stages({ NUM_EPOCHS: "1" }, ...training), none);
  });
  await t.step("GENERATE_DATASET makes the same bytes again", async () => {
    const again = await stages({}, "--generate-dataset");
    assertEquals([again.said[0], again.isNew[0]], ["wrote", false]);
  });
  await t.step("a scaled file that was cut short", async () => {
    await Deno.truncate(scaled, (await Deno.stat(scaled)).size - 4);
    assertEquals(await stages({}), scale);
  });
});

permitted("train uses a dataset made by hand, and nothing writes over it unasked", async () => {
  const xs = Array.from({ length: 40 }, (_, i) => i / 4 - 3);
  // As Windows writes it, with columns in another order and one more.
  const csv = "\ufeffy,note,x\r\n" + xs.map((x) => `${3 * x - 1},"a, b",${x}\r\n`).join("");
  await using place = await Workplace.inSeries("train", { "data/cubic.csv": csv });
  const flags = ["--batch-size", "4", "--num-epochs", "30", "--split", "1,0,0"];
  const { stdout } = await place.succeed("train", flags);
  assertMatch(stdout, /^gen-data: skipped, .*cubic\.csv was not made by gen-data.*used as it is$/m);
  const { tensors, metadata } = await readSafetensors(place.at("data/cubic.scaled.safetensors"));
  assertEquals(tensors.get("train.x")!.shape, [40, 1]);
  assertEquals(JSON.parse(metadata.scaler).targets.columns[0].max, 3 * xs[39] - 1);
  const { train } = JSON.parse(await place.read(`${run}/summary.json`));
  assert(train.r2 > 0.99, `the line of the hand-made rows is learned: r2 ${train.r2}`);

  await place.succeed("train", [...flags, "--seed", "3"]);
  await place.refuse(1, ["data/cubic.csv is there and was not made by gen-data"], "gen-data");
  assertEquals(await place.read("data/cubic.csv"), csv);

  await place.succeed("train", [...flags, "--num-dataset", "50", "--generate-dataset"]);
  await place.write("data/cubic.csv", (await place.read("data/cubic.csv")) + "1,2\r\n");
  const edited = await place.read("data/cubic.csv");
  const { stdout: said } = await place.succeed("train", flags);
  assertStringIncludes(said, "was changed since: it is used as it is");
  assertEquals(await place.read("data/cubic.csv"), edited);
});
