/** Runs that end before their time, and what `--resume` makes of them: the same bytes as if nothing had happened. */

import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { Random } from "../../../lib/base/random.ts";
import { killRepeatedly, totalsOf, whenSaid } from "../../support/kill_runs.ts";
import { type Outcome, until, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const run = "data/runs/r";
const NAME = ["--run-name", "r"];
const SMALL = ["--num-dataset", "500", "--hidden-size", "8", ...NAME];

/** Names of the checkpoints, the earliest first. */
async function checkpointsOf(place: Workplace): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(place.at(`${run}/checkpoints`)), ({ name }) => name)).sort();
}

const stepOf = (name: string) => Number(name.match(/step-(\d+)/)![1]);

/** What a finished run leaves. */
const results = (place: Workplace) => totalsOf(place, run);

/** Starts training, sends a signal once it has said something, and awaits its end. */
async function stop(place: Workplace, args: readonly string[], word: string, signal: Deno.Signal): Promise<Outcome> {
  await using child = await place.start("train", args);
  return await whenSaid(child, word, () => child.kill(signal));
}

permitted("a run that is killed, or stopped, and resumed each time ends with the same bytes", async () => {
  const { kills, partials } = await killRepeatedly(4, 1, stopByEachSignal);
  assertEquals(kills, 4);
  assert(partials > 0, "no kill came while a checkpoint was written");
});

/** Ctrl-C, SIGTERM and SIGHUP save a run, and say how to resume it. */
async function stopByEachSignal(place: Workplace): Promise<void> {
  const stepsOf = async () => (await checkpointsOf(place)).map(stepOf);
  /** Resumes the run, and sends the signal once it has written a checkpoint of a later step. */
  const stopLater = async (signal: Deno.Signal) => {
    const before = Math.max(...await stepsOf());
    const hasMore = async () => Math.max(...await stepsOf()) > before;
    await using child = await place.start("train", ["--resume", "r"]);
    return await whenSaid(child, "resume: ", async () => {
      assert(await until(hasMore, endsAfter(60)), "it writes no checkpoint");
      child.kill(signal);
    });
  };
  const first = await stopLater("SIGINT");
  assertEquals([first.code, first.stderr.includes("error")], [130, false]);
  assertMatch(first.stdout, /^process: (\d+); `kill \1` ends it with a checkpoint$/m);
  const stopped = /^stopped: data\/runs\/r, checkpoint at step (\d+), \d+ of \d+ into epoch \d+$/m;
  const [_, step] = first.stdout.match(stopped)!;
  assert(Number(step) > 0);
  assertStringIncludes(first.stdout, "\ncontinue with: deno task train --resume r\n");
  assertEquals(Math.max(...await stepsOf()), Number(step));
  const second = await stopLater("SIGTERM");
  assertEquals(second.code, 143);
  assertStringIncludes(second.stdout, `resume: data/runs/r from step ${step}, `);
  const third = await stopLater("SIGHUP");
  assertEquals([third.code, third.stderr.includes("error")], [129, false]);
  assertMatch(third.stdout, stopped);
}

/** When so many seconds are over. */
function endsAfter(seconds: number): () => boolean {
  const deadline = performance.now() + 1000 * seconds;
  return () => performance.now() > deadline;
}

permitted("checkpoints are kept every so many steps; --resume passes over a damaged one, and needs none", async (t) => {
  await using place = await Workplace.inSeries("train");
  const args = [...SMALL, "--checkpoint-every=7", "--keep-checkpoints=3", "--num-epochs=1", "--learning-rate=0.1"];
  await place.succeed("train", args);
  const expected = await results(place);
  // 40 steps an epoch: its end is the only place with a validation loss, and the best.
  const names = await checkpointsOf(place);
  assertEquals(names.map(stepOf), [28, 35, 40]);

  await t.step("a damaged one: from the one before", async () => {
    const last = `${run}/checkpoints/${names.at(-1)}`;
    const bytes = await Deno.readFile(place.at(last));
    bytes[bytes.length - 9] ^= 4;
    await place.write(last, bytes);
    const { stderr, stdout } = await place.succeed("train", ["--resume", "r"]);
    assertStringIncludes(stderr, `warning: ${last}: it was damaged`);
    assertStringIncludes(stdout, "from step 35, ");
    assertEquals(await results(place), expected);
  });
  await t.step("none: from the start, and the earlier run is kept", async () => {
    await Deno.remove(place.at(`${run}/checkpoints`), { recursive: true });
    const { stdout, stderr } = await place.succeed("train", ["--resume", "r", "--quiet"]);
    assertEquals([stdout.includes("from step 0"), await results(place)], [false, expected]);
    assertStringIncludes(
      stderr,
      `no whole checkpoint is left: the run begins anew, and what there was is kept in ${run}.1`,
    );
    assertEquals(await totalsOf(place, `${run}.1`), expected);
  });
  await t.step("none, and other rows: refused, also of a run that has not ended", async () => {
    await Deno.remove(place.at(`${run}/summary.json`));
    await Deno.remove(place.at(`${run}/checkpoints`), { recursive: true });
    const text = await place.read("data/cubic.csv");
    await place.write("data/cubic.csv", text.replace(/\n[^\n]*\n$/, "\n1,1\n"));
    const before = await place.digests(run);
    const { code, stderr } = await place.run("train", ["--resume", "r", "--quiet"]);
    assertEquals([code, await place.digests(run)], [2, before]);
    assertStringIncludes(stderr, "its rows have changed: the result will differ");
    await place.write("data/cubic.csv", text);
    await place.succeed("train", ["--resume", "r"]);
  });
  await t.step("the last ones, and the best", async () => {
    await place.succeed("train", ["--resume", "r", "--num-epochs", "2", "--learning-rate", "1e-30", "--force"]);
    const steps = (await checkpointsOf(place)).map(stepOf);
    assertEquals(steps.slice(-3), [70, 77, 80]);
    assert(steps.length === 3 || (steps.length === 4 && steps[0] === 40), `${steps}`);
  });
  await t.step("metrics that are shorter than when a checkpoint was written: refused", async () => {
    await place.write(`${run}/metrics.jsonl`, "");
    const { code, stderr } = await place.run("train", ["--resume", "r"]);
    assertEquals(code, 1);
    assertMatch(stderr, /^error: data\/runs\/r\/metrics.jsonl: it has 0 bytes, but the checkpoint needs \d+: /m);
  });
});

permitted("--resume continues with more epochs, as a run that never ended, and removes the summary", async () => {
  await using place = await Workplace.inSeries("train");
  const args = [...SMALL, "--optimizer", "adam", "--schedule", "plateau", "--num-epochs"];
  await place.succeed("train", [...args, "3"]);
  const whole = await results(place);
  await place.succeed("train", [...args, "1"]);
  const { stdout } = await place.succeed("train", ["--resume", "r", "--num-epochs", "3"]);
  assertStringIncludes(stdout, "resume: data/runs/r from step 40, 0 of 40 into epoch 2");
  assertEquals(await results(place), whole);
  // Ended, it has nothing left to do.
  const again = await place.succeed("train", ["--resume=r"]);
  assertMatch(again.stdout, /^120 steps in /m);
  assertEquals(await results(place), whole);

  const more = ["--resume", "r", "--num-epochs", "400", "--learning-rate", "0.002", "--force"];
  const { code } = await stop(place, more, "\nepoch", "SIGINT");
  assertEquals(code, 130);
  assertEquals(Object.keys(await place.digests(run)).includes("summary.json"), false);
  const lines = await place.readLines(`${run}/metrics.jsonl`);
  assertEquals([lines[2].learningRate, lines[3].learningRate], [0.01, 0.002], "the changed rate holds");
});

permitted("--resume refuses what would give another result, unless --force says so", async (t) => {
  await using place = await Workplace.inSeries("train");
  const args = ["--num-dataset", "300", "--hidden-size", "8", "--schedule", "cosine", ...NAME, "--num-epochs", "2"];
  await place.succeed("train", args);
  const before = await results(place);
  const refuse = (says: string[], ...flags: string[]) => place.refuse(2, says, "train", ["--resume", "r", ...flags]);

  await t.step("settings", async () => {
    const force = "the result will differ; --force continues anyway";
    const cases: Record<string, string[]> = {
      "--seed 1 --force": ['--seed is "1", the run began with "42": this cannot be changed on resume; `--init-from'],
      "--hidden-size 9 --batch-size 5": [
        '--hidden-size is "9", the run began with "8"',
        '--batch-size is "5", the run began with "10"',
      ],
      "--learning-rate 0.5": [`--learning-rate is "0.5", the run began with "0.01": ${force}`],
      "--num-epochs 4": [`--num-epochs is "4", the run began with "2": ${force}`],
      "--run-name other": ['--run-name is "other": a run that is resumed keeps its name, "r"'],
      "--init-from a.safetensors": ['--init-from is "a.safetensors"'],
    };
    for (const [flags, says] of Object.entries(cases)) await refuse(says, ...flags.split(" "));
    await refuse(["--resume is"], "--resume", "../r");
    await place.refuse(2, ["there is no data/runs/none/config.json"], "train", ["--resume", "none"]);
  });
  await t.step("environment and .env are not asked", async () => {
    await place.write(".env", "SEED=7\nHIDDEN_SIZE=3\n");
    await place.succeed("train", ["--resume", "r"], { NUM_EPOCHS: "9" });
    assertEquals(await results(place), before);
    await Deno.remove(place.at(".env"));
  });
  await t.step("rows", async () => {
    const csv = await place.read("data/cubic.csv");
    const lines = csv.trimEnd().split("\n");
    await place.write("data/cubic.csv", [...lines.slice(0, -1), "1,1"].join("\n") + "\n");
    const { code, stderr } = await place.run("train", ["--resume", "r"]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "its rows have changed: the result will differ");
    const forced = await place.succeed("train", ["--resume", "r", "--force", "--num-epochs", "3"]);
    assertStringIncludes(forced.stderr, "warning: its rows have changed");
    await place.write("data/cubic.csv", lines.slice(0, 100).join("\n") + "\n");
    const fewer = await place.run("train", ["--resume", "r", "--force"]);
    assertEquals(fewer.code, 2);
    assertStringIncludes(
      fewer.stderr,
      "its epochs have 24 steps, but with the rows that there are now they would have 8",
    );
  });
});

permitted(
  "--resume reads config.json as carefully as flags: what was edited there is refused before a step",
  async () => {
    await using place = await Workplace.inSeries("train");
    await place.succeed("train", [...SMALL, "--num-epochs=1"]);
    const settings = JSON.parse(await place.read(`${run}/config.json`));
    const cases: [edited: Record<string, unknown>, says: string][] = [
      [{ NUM_EPOCHS: 6 }, 'config.json: NUM_EPOCHS is 6, need a text: "6"'],
      [{ NUM_EPOCS: "6" }, 'config.json names "NUM_EPOCS", which is no setting: take it out'],
      [
        { LEARNING_RATE: "0.5" },
        'LEARNING_RATE is "0.5" (from config.json), the run began with "0.01": the result will differ',
      ],
      [{ SEED: "7" }, 'SEED is "7" (from config.json), the run began with "42": this cannot be changed on resume'],
    ];
    for (const [edited, says] of cases) {
      await place.write(`${run}/config.json`, JSON.stringify({ ...settings, ...edited }));
      await place.refuse(2, [says], "train", ["--resume", "r"]);
    }
    await place.write(`${run}/config.json`, JSON.stringify({ ...settings, LEARNING_RATE: "0.5" }));
    await place.succeed("train", ["--resume", "r", "--num-epochs=2", "--force", "--learning-rate=1e-3"]);
    await place.succeed("train", ["--resume", "r"]);
  },
);

permitted("a recipe's file is known by its bytes, and settings that it would make void are refused", async () => {
  await using place = await Workplace.inSeries("train");
  await place.succeed("train", [...SMALL, "--num-epochs=1"]);
  const csv = "data/cubic.csv";
  const text = await place.read(csv);
  await place.write(csv, text); // as `cp -r` and `touch` do
  const again = await place.succeed("train", ["--num-dataset=400", "--num-epochs=1", ...NAME]);
  assertStringIncludes(again.stdout, "gen-data: wrote data/cubic.csv, 400 rows (another NUM_DATASET)");

  await place.write(csv, text.replace(/\n[^\n]*\n$/, "\n1,1\n"));
  const says = ["--num-dataset would mean nothing: data/cubic.csv was not made by gen-data, or was changed since"];
  await place.refuse(2, says, "train", ["--num-dataset=400", "--num-epochs=1"]);
  await place.refuse(2, ["--noise would mean nothing"], "train", ["--noise=3", "--num-epochs=1"]);
  await place.succeed("train", ["--num-epochs=1", ...NAME]);
  const settings = JSON.parse(await place.read(`${run}/config.json`));
  assertEquals(["NUM_DATASET", "NOISE"].filter((key) => key in settings), [], "they say nothing of the rows");
  assertEquals((await place.succeed("train", ["--resume", "r"])).code, 0);
});

permitted("a run under PATIENCE and plateau is resumed as if it had never ended", async () => {
  await using place = await Workplace.inSeries("train");
  const random = new Random(3, "noise");
  const rows = Array.from({ length: 200 }, () => {
    const x = random.uniform(-1, 1);
    return `${x},${x * x + random.uniform(-1, 1)}`;
  });
  await place.write("t.csv", ["x,y", ...rows].join("\n") + "\n");
  const network = ["--hidden-size=16", "--members=2", "--folds=0"];
  const args = [
    "--data=t.csv",
    "--target=y",
    ...NAME,
    ...network,
    "--schedule=plateau",
    "--patience=12",
    "--dropout=0.2",
  ];
  await place.succeed("train", [...args, "--num-epochs=200"]);
  const whole = await results(place);
  const lines = await place.readLines(`${run}/metrics.jsonl`);
  assert(lines.length < 200, "the run means to end before its last epoch");
  assertNotEquals(lines.at(-1).learningRate, lines[0].learningRate);
  for (const epochs of [3, Math.floor(lines.length / 2), lines.length - 1, 200]) {
    const flags = epochs === 3 ? args : ["--resume", "r"];
    await place.succeed("train", [...flags, "--num-epochs", `${epochs}`, ...epochs === 3 ? [] : ["--force"]]);
  }
  assertEquals(await results(place), whole);
});

permitted("--resume continues with presets that gave way at the start", async () => {
  await using place = await Workplace.inSeries("train");
  const table = (rows: number) => "x,y\n" + Array.from({ length: rows }, (_, i) => `${i},${i * i}`).join("\n") + "\n";
  await place.write("few.csv", table(20));
  await place.write("more.csv", table(30));
  const base = ["--data", "few.csv", "--target", "y", "--num-epochs", "2"];
  // All have fewer rows than a preset batch has.
  const runs = {
    validated: ["--validation", "more.csv"], // in the place of the preset split
    unvalidated: ["--split", "0.9,0,0.1"], // with a preset PATIENCE that has nothing to go by
  };
  for (const [run, flags] of Object.entries(runs)) {
    await place.succeed("train", [...base, ...flags, "--run-name", run]);
    const before = await totalsOf(place, `data/runs/${run}`);
    await Deno.remove(place.at(`data/runs/${run}/checkpoints`), { recursive: true });
    const { stderr } = await place.succeed("train", ["--resume", run]);
    assertStringIncludes(stderr, "no whole checkpoint is left: the run begins anew");
    assertEquals(await totalsOf(place, `data/runs/${run}`), before);
  }
});
