/** The search for settings, as its users run it. */

import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { readSafetensorsHeader } from "../../../lib/safetensors/reader.ts";
import { ConfigError, readConfig } from "../../../tasks/settings/config.ts";
import { planTrials, splitRanges } from "../../../tasks/tune/trials.ts";
import { isLonger, until, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const SEARCH = ["--num-dataset", "200", "--num-epochs", "3", "--learning-rate", "1e-4..1e-1:log", "--seed", "5"];

/** Of a table, instead of what takes most of a short trial's time. */
const NARROW = ["--hidden-size=4", "--members=1", "--folds=0", "--numeric-embedding=none"];

/** Cells of the table's rows, by their first. */
function rowsOf(stdout: string): string[][] {
  return stdout.split("\n").filter((line) => /^\S+-\d{3} {2}/.test(line)).map((line) => line.trim().split(/\s{2,}/));
}

permitted("tune trains a run per trial, sorts them by validation loss, and continues where it was", async () => {
  await using place = await Workplace.create();
  const args = [...SEARCH, "--hidden-size=4|8,4", "--run-name=a"];
  const first = await place.succeed("tune", [...args, "--trials=2"]);
  const before = await place.digests("data/runs");
  await Deno.remove(place.at("data/runs/a-002/summary.json"));
  const { stdout } = await place.succeed("tune", [...args, "--trials=3"]);
  const rows = rowsOf(stdout);
  const losses = rows.map((row) => Number(row[3]));
  assertEquals(rows.map(([run]) => run).sort(), ["a-001", "a-002", "a-003"]);
  assertEquals(losses, losses.toSorted((x, y) => x - y));
  assertMatch(stdout, new RegExp(`^best: data/runs/${rows[0][0]}$`, "m"));
  for (const [run, rate, widths, loss] of rows) {
    const settings = JSON.parse(await place.read(`data/runs/${run}/config.json`));
    assertEquals(settings.REPORT, "false", "a report takes as long as a short trial");
    assertEquals([settings.LEARNING_RATE, settings.HIDDEN_SIZE, settings.NUM_EPOCHS], [rate, widths, "3"]);
    assert(["4", "8,4"].includes(widths) && Number(rate) >= 1e-4 && Number(rate) <= 0.1);
    const { validation } = JSON.parse(await place.read(`data/runs/${run}/summary.json`));
    assertEquals(Number(loss), Number(validation.loss.toPrecision(6)));
  }
  // The finished run stays, the unfinished one is resumed.
  assertEquals(rows.filter(([run]) => run !== "a-003"), rowsOf(first.stdout));
  const after = await place.digests("data/runs");
  const of = (digests: Record<string, string>, start: string) =>
    Object.entries(digests).filter(([path]) => path.startsWith(start));
  assertEquals(of(after, "a-001/"), of(before, "a-001/"));
  const checkpoints = "a-002/checkpoints/step-";
  assertEquals(of(after, checkpoints), of(before, checkpoints), "the trial was begun anew");
  assertEquals(Object.keys(after).filter((path) => path.endsWith("summary.json")).length, 3);
  assert(!Object.keys(after).some((path) => path.includes(".1/")), "nothing is kept aside");
});

permitted("tune makes a trial anew whose rows, device or version are no longer those of now", async () => {
  const rows = (noise: number) => Array.from({ length: 60 }, (_, i) => `${i},${i * i + noise * (i % 7)}\n`).join("");
  await using place = await Workplace.create({ "t.csv": `x,y\n${rows(0)}` });
  const args = ["--data=t.csv", "--target=y", "--num-epochs=2", "--trials=1", "--dropout=0..0.5", ...NARROW];
  const first = await place.succeed("tune", args);
  const summary = "data/runs/default_run-001/summary.json";
  const written = await place.read(summary);
  assertEquals([rowsOf((await place.succeed("tune", args)).stdout), await place.read(summary)], [
    rowsOf(first.stdout),
    written,
  ]);

  const record = "data/runs/default_run-001/origin.json";
  await place.write(record, JSON.stringify({ ...JSON.parse(await place.read(record)), version: "0.0.1" }));
  await place.write("t.csv", `x,y\n${rows(3)}`);
  const other = await place.succeed("tune", args);
  const version = "it ran in version 0.0.1 of Backhand, and now runs in ";
  assertStringIncludes(other.stdout, `default_run-001 is made anew: its rows have changed, ${version}`);
  assertNotEquals(rowsOf(other.stdout), rowsOf(first.stdout));
  // The same under a trial that was begun and has not ended.
  await Deno.remove(place.at(summary));
  await place.write("t.csv", `x,y\n${rows(0)}`);
  const begun = await place.succeed("tune", args);
  assertStringIncludes(begun.stdout, "default_run-001 is made anew: its rows have changed\n");
  assertEquals(rowsOf(begun.stdout), rowsOf(first.stdout));
});

permitted("tune does not name a trial best whose rows changed during the search, and makes it anew", async () => {
  const rows = (noise: number) => Array.from({ length: 60 }, (_, i) => `${i},${i + noise * (i % 7) ** 2}\n`).join("");
  await using place = await Workplace.create({ "t.csv": `x,y\n${rows(0)}` });
  const long = ["--num-epochs=300", "--trials=2", "--learning-rate=1e-3..1e-2"];
  const args = ["--data=t.csv", "--target=y", ...long, ...NARROW];
  const run = "data/runs/default_run-001";
  await using search = await place.start("tune", args);
  await until(() => isLonger(place.at(`${run}/metrics.jsonl`), 0));
  await place.write("t.csv", `x,y\n${rows(50)}`);
  const texts = await Promise.all([search.stdout, search.stderr].map((stream) => new Response(stream).text()));
  const [stdout, stderr] = texts;
  assertEquals([(await search.status).code, rowsOf(stdout)[0][0]], [0, "default_run-001"], stderr);
  assertStringIncludes(stdout, "best: data/runs/default_run-002\n");
  const warning = "warning: default_run-001 differs from a trial of now: its rows have changed; ";
  assertStringIncludes(stderr, `${warning}the same command makes it anew\nwarning: best is the best of the others\n`);
  const again = await place.succeed("tune", args);
  assertStringIncludes(again.stdout, "default_run-001 is made anew: its rows have changed\n");
  assertEquals(again.stderr, "");

  // Nor those without a whole model: they are resumed, which restores that.
  const models = [1, 2].map((trial) => place.at(`data/runs/default_run-00${trial}/model.safetensors`));
  const whole = await Promise.all(models.map((model) => Deno.readFile(model)));
  await Deno.remove(models[0]);
  await Deno.truncate(models[1], whole[1].length - 1);
  const restored = await place.succeed("tune", args);
  assertEquals([rowsOf(restored.stdout), restored.stderr], [rowsOf(again.stdout), ""]);
  assertEquals(
    await Promise.all(models.map((model) => Deno.readFile(model))),
    whole,
    "the trials' models are restored",
  );
});

permitted("tune whose table goes during the search says so, and still names the best of the same rows", async () => {
  const rows = Array.from({ length: 60 }, (_, i) => `${i},${i}\n`).join("");
  await using place = await Workplace.create({ "t.csv": `x,y\n${rows}` });
  const long = ["--num-epochs=300", "--trials=1", "--learning-rate=1e-3..1e-2"];
  const args = ["--data=t.csv", "--target=y", ...long, ...NARROW];
  await using search = await place.start("tune", args);
  await until(() => isLonger(place.at("data/runs/default_run-001/metrics.jsonl"), 0));
  await Deno.remove(place.at("t.csv"));
  const texts = await Promise.all([search.stdout, search.stderr].map((stream) => new Response(stream).text()));
  const [stdout, stderr] = texts;
  assertEquals((await search.status).code, 0, stderr);
  assertStringIncludes(stdout, "best: data/runs/default_run-001\n");
  assertMatch(stderr, /^warning: default_run-001 differs from a trial of now: Cannot read \S*t\.csv: /m);
});

permitted("tune lists a trial that fails after the others, and fails where all do", async () => {
  await using place = await Workplace.create();
  const args = ["--num-dataset=200", "--scaling-method=none"];
  // The seed draws the large one first.
  const some = ["--trials=2", "--num-epochs=3", "--learning-rate=1e9|1e-12", "--seed=5"];
  const { stdout } = await place.succeed("tune", [...args, ...some]);
  assertEquals(rowsOf(stdout).map(([run, rate, loss]) => [run.slice(-3), rate, loss === "failed"]), [
    ["002", "1e-12", false],
    ["001", "1e9", true],
  ]);
  const all = await place.run("tune", [...args, "--trials=1", "--learning-rate=1e9|1e10"]);
  assertEquals([all.code, rowsOf(all.stdout).map((row) => row[2])], [1, ["failed"]]);
  assertMatch(all.stdout, / is -?(NaN|Infinity) at step \d+ of epoch 1/);
});

permitted("tune loses no trial to a column that is constant under its seed", async () => {
  // The flag is set in the last row alone, which trains under seed 1, and under seed 3 does not.
  const rows = Array.from({ length: 20 }, (_, i) => `${i},${i === 19 ? 1 : 0},${2 * i}\n`);
  await using place = await Workplace.create({ "t.csv": `a,flag,y\n${rows.join("")}` });
  const seeds = ["--trials=2", "--seed=1|3|3", ...NARROW];
  const { stdout } = await place.succeed("tune", ["--data=t.csv", "--target=y", "--num-epochs=1", ...seeds]);
  assertEquals(rowsOf(stdout).map((row) => [row[1], row.includes("failed")]).sort(), [["1", false], ["3", false]]);
  const features = new Map<string, number>();
  for (const [run, seed] of rowsOf(stdout)) {
    const { shapes } = await readSafetensorsHeader(place.at(`data/runs/${run}/model.safetensors`));
    features.set(seed, shapes.get("0.weight")![0]);
  }
  assertEquals([features.get("1"), features.get("3")], [2, 1]);
});

permitted("tune lists runs for numbers beside runs for classes, each with its measures", async () => {
  const rows = Array.from({ length: 40 }, (_, i) => `${i},${i % 2}\n`);
  await using place = await Workplace.create({ "bits.csv": `a,y\n${rows.join("")}` });
  const args = [
    "--data=bits.csv",
    "--target=y",
    "--num-epochs=1",
    "--trials=2",
    "--loss=mse|softmax",
    "--seed=1",
    ...NARROW,
  ];
  const { stdout } = await place.succeed("tune", args);
  assertMatch(stdout, /^run +loss +loss +r2 +accuracy +macroF1$/m);
  assertEquals(new Set(rowsOf(stdout).map((row) => `${row[1]} ${row.length}`)), new Set(["mse 4", "softmax 6"]));
});

permitted("tune that is ended leaves no trial behind: it ends with a checkpoint of its last step", async () => {
  await using place = await Workplace.create();
  const args = ["--num-dataset=200", "--num-epochs=1000000", "--checkpoint-every=1000000000", "--seed=1|2"];
  for (const signal of ["SIGHUP", "SIGTERM"] as const) {
    await using search = await place.start("tune", [...args, `--run-name=${signal}`]);
    const run = `data/runs/${signal}-001`;
    await until(() => isLonger(place.at(`${run}/metrics.jsonl`), 200));
    search.kill(signal);
    await Promise.all([search.status, search.stdout.cancel(), search.stderr.cancel()]);
    const deadline = performance.now() + 20_000;
    let written = "";
    const hasEnded = async () => {
      const before = written;
      await new Promise((resolve) => setTimeout(resolve, 500));
      written = await place.read(`${run}/metrics.jsonl`);
      return written === before;
    };
    assert(await until(hasEnded, () => performance.now() > deadline), `the trial goes on after ${signal}`);
    const { step } = (await place.readLines(`${run}/metrics.jsonl`)).at(-1)!;
    const names = await Array.fromAsync(Deno.readDir(place.at(`${run}/checkpoints`)), ({ name }) => name);
    const last = names.sort().at(-1)!;
    assert(step > 0 && Number(last.match(/\d+/)![0]) >= step, `${last} is all that is left of ${step} steps`);
  }
});

permitted("tune refuses a search that cannot be, before anything is trained", async () => {
  await using place = await Workplace.create();
  const args = ["--learning-rate", "0.1..0.01", "--split=1,0,0", "--trials", "2|3"];
  await place.refuse(2, ['"0.1..0.01" is no range', '--split is "1,0,0"', "--trials cannot be"], "tune", args);
  const cases: [args: string[], says: string][] = [
    [["--learning-rate", "0.1"], "there is no range to search"],
    [["--learning-rate", "0.1..0.01"], '--learning-rate: "0.1..0.01" is no range'],
    [["--dropout", "0..0.5:log"], "both numbers must be above 0"],
    [["--dropout", "0.5..2"], "--dropout is "],
    [["--split=1,0,0", "--dropout", "0..0.5"], '--split is "1,0,0": trials are compared by their validation loss'],
    [["--trials", "2|3", "--dropout", "0..0.5"], "--trials cannot be searched"],
    [["--trials", "0", "--dropout", "0..0.5"], "--trials is"],
  ];
  for (const [args, says] of cases) {
    const line = splitRanges(args);
    const plan = () => planTrials(readConfig("tune", line.plain, { env: () => undefined, dotenv: "" }), line);
    assertThrows(plan, ConfigError, says);
  }
});
