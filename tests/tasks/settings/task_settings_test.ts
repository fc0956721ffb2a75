/** What the tasks say of settings that are wrong, where settings come from, and their help. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readTasks, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";
import { WRONG } from "./wrong_values.ts";

/** The settings of train. Those of ranks stand last. */
const KEYS = Object.keys(WRONG).filter((key) => !/^(SYNC|OUTER|RANK)_/.test(key));

const flagOf = (key: string) => `--${key.toLowerCase().replaceAll("_", "-")}`;

/** A fault as it must be told, but for its end. */
function faultOf(key: string, from: string): string {
  const value = JSON.stringify(WRONG[key][1]);
  return `error: ${from.startsWith("--") ? `${from} is ${value}` : `${key} is ${value} (from ${from})`}: allowed is `;
}

/** A folder with a dataset, which no wrong setting may touch. */
async function withDataset(): Promise<Workplace> {
  const place = await Workplace.inSeries("train");
  await place.succeed("gen-data", ["--num-dataset", "30"]);
  return place;
}

permitted("a flag comes before the environment, that before .env, that before the recipe", async () => {
  await using place = await Workplace.inSeries("train");
  const rows = async (args: string[], env?: Record<string, string>) =>
    Number((await place.succeed("gen-data", args, env)).stdout.match(/: (\d+) rows/)![1]);
  assertEquals(await rows(["--recipe", "linear"]), 1000);
  await place.write(".env", "# a comment\nRECIPE=xor\nNUM_DATASET=50\nHOME_GROWN=1\n");
  assertEquals(await rows([], { RECIPE: "linear" }), 50);
  assertEquals(await rows([], { RECIPE: "linear", NUM_DATASET: "60" }), 60);
  assertEquals(await rows(["--num-dataset", "70"], { RECIPE: "linear", NUM_DATASET: "60" }), 70);
});

permitted("train reports all wrong settings together, whatever they come from", async () => {
  await using place = await withDataset();
  const joined = KEYS.map((key) => `${flagOf(key)}=${WRONG[key][1]}`);
  const flags = joined.flatMap((flag) => flag.split("="));
  const faults = (from: (key: string) => string) => KEYS.map((key) => faultOf(key, from(key)));
  await place.refuse(2, [...faults(flagOf), ...KEYS.map((key) => WRONG[key][0])], "train", flags);
  await place.refuse(2, faults(flagOf), "train", joined);
  const env = Object.fromEntries(KEYS.map((key) => [key, WRONG[key][1]]));
  const { stderr } = await place.refuse(2, faults(() => "the environment"), "train", [], env);
  assertEquals(stderr.match(/^error: /gm)?.length, KEYS.length);
  await place.write(".env", KEYS.map((key) => `${key}="${WRONG[key][1]}"\n`).join(""));
  const unset = { REPORT: "", SELF_TEST: "" };
  await place.refuse(2, faults((key) => `.env, line ${KEYS.indexOf(key) + 1}`), "train", [], unset);
  assertEquals(Object.keys(await place.digests("data")).sort(), ["cubic.csv", "cubic.csv.json"]);
});

permitted("every task refuses what it does not know, and names the nearest flag", async () => {
  await using place = await withDataset();
  const words = ["--sede: unknown flag; the nearest is --seed", '"5": gen-data takes only flags'];
  await place.refuse(2, [...words, "deno task gen-data --help"], "gen-data", ["--sede", "7", "5"]);
  for (const [task, takes] of [["setup", "no flag but --mpi"], ["test", "no flags"]]) {
    const faults = ["--foo", "bar"].map((word) => `error: ${word}: ${task} takes ${takes}`);
    await place.refuse(2, faults, task, ["--foo", "bar"]);
  }
  await place.write(".env", "LERNING_RATE=0.1\n");
  await place.refuse(2, ["LERNING_RATE (from .env, line 1) is not a setting: did you mean LEARNING_RATE?"], "train");
});

permitted("--help of every task prints its flags, and does nothing else", async () => {
  const taken: Record<string, string[]> = {
    "gen-data": ["RECIPE", "GENERATE_DATASET", "NUM_DATASET", "NOISE", "SEED"],
    scale: ["RECIPE", "SCALING_METHOD", "SPLIT", "SEED"],
    train: KEYS,
    "train-mpi": [...KEYS, "SYNC_EVERY", "OUTER_LEARNING_RATE", "OUTER_MOMENTUM", "RANK_TIMEOUT", "RESUME", "QUIET"],
    tune: [...KEYS, "TRIALS"],
    "tune-mpi": [...KEYS, "TRIALS", "RANK_TIMEOUT"],
    compare: ["JSON"],
    predict: ["RUN_NAME", "INPUT", "OUTPUT", "ROW"],
    evaluate: ["RUN_NAME", "DATA", "JSON"],
    export: ["RUN_NAME", "FORMAT", "OUTPUT"],
    report: ["RUN_NAME", "SVG", "OUTPUT"],
    explain: ["RUN_NAME", "REPEATS", "JSON"],
    lesson: ["CHECK", "HINT", "SOLUTION"],
    gradcheck: ["SEED", "HIDDEN_SIZE"],
    playground: ["PORT", "OUTPUT"],
    doctor: [],
  };
  await using place = await Workplace.inSeries("train");
  const others = Object.keys(await readTasks()).filter((task) => !(task in taken));
  assertEquals(others, ["setup", "bench", "bench-mpi", "quality", "pictures", "test", "soak"]);
  for (const [task, keys] of Object.entries(taken)) {
    const { stdout, stderr } = await place.succeed(task, ["--seed", "nonsense", "--help", "--all"]);
    assertStringIncludes(stdout, `deno task ${task}`);
    for (const key of keys) assertMatch(stdout, new RegExp(`^  ${flagOf(key)} +\\S`, "m"), `${key} of ${task}`);
    assertEquals([stderr, stdout.includes("\x1b")], ["", false]);
  }
  for (const task of others) {
    const { stdout } = await place.succeed(task, ["--help"]);
    assert(stdout.includes(`deno task ${task}`), `help of ${task} says: ${stdout}`);
  }
  assertEquals(await place.digests(), {});
});
