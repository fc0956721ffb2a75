import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError, readConfig, type TaskConfig, type TaskName } from "../../../tasks/settings/config.ts";
import { usage } from "../../../tasks/settings/help.ts";
import { SETTINGS } from "../../../tasks/settings/settings.ts";
import { describeError } from "../../../tasks/settings/run_task.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { WRONG } from "./wrong_values.ts";
import { permitted } from "../../support/permitted.ts";

interface Sources {
  task?: TaskName;
  env?: Record<string, string>;
  dotenv?: string;
}

function read(args: string, { task = "train", env = {}, dotenv = "" }: Sources = {}): TaskConfig {
  return readConfig(task, args.split(" ").filter(Boolean), { env: (key) => env[key], dotenv });
}

function faultsOf(args: string, sources?: Sources): readonly string[] {
  return assertThrows(() => read(args, sources), ConfigError).faults;
}

Deno.test("readConfig() gives the defaults of the table", () => {
  const { words: _, texts: __, input: ___, output: ____, given: _____, extras: ______, ...config } = read("");
  assertEquals(config, {
    recipe: "cubic",
    generateDataset: false,
    numDataset: 100_000,
    noise: 0,
    data: "",
    target: [],
    features: [],
    ignore: [],
    categorical: [],
    maxCategories: 100,
    dates: [],
    missing: "error",
    missingTexts: ["NA", "NaN", "nan", "null", "NULL"],
    task: "auto",
    separator: "auto",
    validation: "",
    test: "",
    timeColumn: "",
    scalingMethod: "standardize",
    hiddenSize: [64],
    numericEmbedding: "none",
    members: 1,
    calibrate: false,
    clipTargets: false,
    folds: 0,
    init: { kind: "kaiming" },
    loss: "mse",
    optimizer: "sgd",
    learningRate: 0.01,
    batchSize: 10,
    numEpochs: 10,
    split: [0.8, 0.1, 0.1],
    seed: 42,
    threshold: 0.5,
    runName: "default_run",
    checkpointEvery: { seconds: 30 },
    keepCheckpoints: 2,
    onNan: "stop",
    debugTensors: false,
    report: true,
    selfTest: true,
    trace: 0,
    syncEvery: 1,
    outerLearningRate: 0.7,
    outerMomentum: 0.9,
    rankTimeout: 600,
    activation: "relu",
    dropout: 0,
    columnDropout: 0,
    initFrom: "",
    classWeights: "none",
    schedule: "constant",
    warmup: 0,
    weightDecay: "auto",
    clipNorm: 0,
    patience: 0,
    plain: false,
    trials: 20,
  });
});

Deno.test("readConfig() takes flags over environment over .env over recipe over defaults", () => {
  const sources = { env: { SEED: "2", NUM_EPOCHS: "2", BATCH_SIZE: "2" }, dotenv: "SEED=3\nNUM_EPOCHS=3\nNOISE=3\n" };
  const config = read("--recipe linear --seed 1", sources);
  assertEquals([config.seed, config.numEpochs, config.noise, config.numDataset], [1, 2, 3, 1000]);
  assertEquals([config.batchSize, config.optimizer, config.split], [2, "sgd", [1, 0, 0]]);
  assertEquals(config.texts.SPLIT, "1,0,0");
  // The recipe itself may come from anywhere.
  const xor = { dotenv: "RECIPE=xor" };
  assertEquals(read("", xor).loss, "bce");
  const linear = read("", { ...xor, env: { RECIPE: "linear", NUM_DATASET: "80" } });
  assertEquals([linear.recipe, linear.numDataset], ["linear", 80]);
  assertEquals(read("--recipe xor", { env: { RECIPE: "linear" } }).numDataset, 4);
});

Deno.test("readConfig() reads flags in both forms, and negative numbers", () => {
  assertEquals(read("--learning-rate 0.5").learningRate, 0.5);
  assertEquals(read("--learning-rate=.5").learningRate, 0.5);
  assertEquals(read("--hidden-size 8,4 --init normal:0.5 --batch-size full").hiddenSize, [8, 4]);
  assertEquals(read("--init normal:0.5").init, { kind: "normal", scale: 0.5 });
  assertEquals(read("--seed 1 --seed 2").seed, 2);
  const thresholds = ["0.3", "best-f1", "cost:2.5"].map((text) => read(`--threshold ${text}`).threshold);
  assertEquals(thresholds, [0.3, "best-f1", { cost: 2.5 }]);
  const predict = read("-3.5 --run-name a -.5 4 -1e-3", { task: "predict" });
  assertEquals([predict.words, predict.runName], [["-3.5", "-.5", "4", "-1e-3"], "a"]);
  assertEquals(read("--input a.csv --output=b.csv", { task: "predict" }).output, "b.csv");
  assertEquals(faultsOf("--learning-rate -0.5"), faultsOf("--learning-rate=-0.5"));
});

Deno.test("readConfig() takes all that follows -- as words", () => {
  const { words, runName } = read("4 --run-name a -- -3.5 --run-name b --", { task: "predict" });
  assertEquals([words, runName], [["4", "-3.5", "--run-name", "b", "--"], "a"]);
  assertEquals(read("--seed 7 --").seed, 7);
});

Deno.test("readConfig() says where a wrong value was set: by which flag, in the environment, in which line of .env", () => {
  const allowed = `allowed is ${SETTINGS.LEARNING_RATE.allowed}`;
  assertEquals(faultsOf("--learning-rate abc"), [`--learning-rate is "abc": ${allowed}`]);
  const env = { LEARNING_RATE: "abc" };
  assertEquals(faultsOf("", { env }), [`LEARNING_RATE is "abc" (from the environment): ${allowed}`]);
  const dotenv = '# LEARNING_RATE=1\nLEARNING_RATE=1\n\n export LEARNING_RATE = "abc"\nSEED=7\n';
  assertEquals(faultsOf("", { dotenv }), [`LEARNING_RATE is "abc" (from .env, line 4): ${allowed}`]);
  const table = { dotenv: "DATA=a.csv\nTARGET=y,z\n", env: { LOSS: "bce" } };
  assertEquals(faultsOf("--noise 0", table), [
    "--noise is a setting of recipes: it cannot be used with DATA",
    'LOSS is "bce" (from the environment): that takes one TARGET, and there are 2: y, z',
  ]);
  const alone = "TARGET (from .env, line 1) needs DATA, the CSV file that it is about";
  assertEquals(faultsOf("", { dotenv: "TARGET=y" }), [alone]);
});

Deno.test("readConfig() takes a boolean flag alone or with true or false", () => {
  const made = (args: string) => read(args).generateDataset;
  for (const alone of ["--generate-dataset", "--generate-dataset true", "--generate-dataset=true"]) assert(made(alone));
  for (const off of ["--generate-dataset false", "--generate-dataset=false"]) assert(!made(off));
  assertEquals(read("--generate-dataset --seed 7").seed, 7);
  for (const text of ["maybe", "1", "-1"]) {
    const fault = `--debug-tensors is "${text}": allowed is true or false`;
    assertEquals(faultsOf(`--debug-tensors ${text}`), [fault]);
  }
  const trace = ["", "--trace", "--trace 5", "--trace=5", "--trace true", "--trace false", "--trace --seed 7"];
  assertEquals(trace.map((args) => read(args).trace), [0, 1, 5, 5, 1, 0, 1]);
  for (const text of ["1", "TRUE", "yes", ""]) {
    assertEquals(faultsOf("", { env: { GENERATE_DATASET: text } }).length, 1, text);
  }
});

Deno.test("readConfig() refuses what a key does not allow, naming key, source, value and what is allowed", () => {
  for (const [key, [words, ...texts]] of Object.entries(WRONG)) {
    const { allowed } = SETTINGS[key as keyof typeof SETTINGS];
    assertStringIncludes(allowed, words);
    for (const text of texts) {
      const expected = `${key} is ${JSON.stringify(text)} (from the environment): allowed is ${allowed}`;
      assertEquals(faultsOf("", { task: "train-mpi", env: { [key]: text } }), [expected]);
    }
  }
  const others: [task: TaskName, flag: string][] = [
    ["gen-data", "--num-dataset=1.5"],
    ["scale", "--split=0.5,0.5"],
    ["predict", "--run-name=../../etc"],
    ["gradcheck", "--seed=0.5"],
  ];
  for (const [task, flag] of others) {
    assertStringIncludes(faultsOf(flag, { task })[0], `${flag.replace("=", ' is "')}": allowed is `);
  }
});

Deno.test("readConfig() accepts the ends of each range", () => {
  const config = read("--seed 4294967295 --num-dataset 100000000 --split 0.7,0.2,0.1 --hidden-size 65536 --noise 0");
  assertEquals([config.seed, config.numDataset, config.hiddenSize[0]], [4294967295, 100_000_000, 65_536]);
  assertEquals(read("--noise 1e30 --learning-rate 3e38 --init normal:2e-45").noise, 1e30);
  assertEquals(read(`--run-name ${"a".repeat(100)} --seed 0 --hidden-size ${Array(64).fill(1)}`).seed, 0);
});

/** Command lines of a task, and what is wrong with them. */
const FAULTS: [task: TaskName, args: string, ...faults: string[]][] = [
  ["train", "--lerning-rate 0.1", "--lerning-rate: unknown flag; the nearest is --learning-rate"],
  ["train", "--hiden-size=8", "--hiden-size: unknown flag; the nearest is --hidden-size"],
  ["train", "--batch_size=3", "--batch_size: unknown flag; the nearest is --batch-size"],
  ["train", "-seed 3", "-seed: unknown flag; the nearest is --seed"],
  ["gen-data", "--num-datasets 5", "--num-datasets: unknown flag; the nearest is --num-dataset"],
  ["gen-data", "--learning-rate 1", "--learning-rate: gen-data does not use this setting"],
  ["predict", "--hlep", "--hlep: unknown flag; the nearest is --help"],
  ["predict", "1 --ouput x.csv", "--ouput: unknown flag; the nearest is --output"],
  ["doctor", "--fast", "--fast: doctor takes no flags"],
  ["train", "--input a.csv", "--input: unknown flag; the nearest is --init"],
  ["train", "--seed -- 7", "--seed has no value", '"7": train takes only flags'],
  ["train", "cubic", '"cubic": train takes only flags'],
  ["export", "", "--format is missing: allowed is onnx, pytorch or ts"],
  ["export", "--format", "--format has no value"],
  [
    "export",
    "--format torch --run-name a/b",
    `--run-name is "a/b": allowed is ${SETTINGS.RUN_NAME.allowed}`,
    '--format is "torch": allowed is onnx, pytorch or ts; the nearest is pytorch',
  ],
  [
    "export",
    "--formt ts",
    "--formt: unknown flag; the nearest is --format",
    "--format is missing: allowed is onnx, pytorch or ts",
  ],
  ["predict", "--format ts", "--format: unknown flag; the nearest is --input"],
  ["train", "--recipe xor --noise 0.1", '--noise is "0.1": with recipe xor only 0 is allowed'],
];

Deno.test("readConfig() names the nearest flag of the task, and what it misses", () => {
  for (const [task, args, ...faults] of FAULTS) assertEquals(faultsOf(args, { task }), faults, `${task} ${args}`);
  assertEquals(read("--format ts --output a.ts", { task: "export" }).extras.FORMAT, "ts");
});

Deno.test("readConfig() reports all faults at once", () => {
  const dotenv = "LERNING_RATE=1\nrecipe=xor\nNUM_EPOCHS=0\nUNRELATED=1";
  assertEquals(faultsOf("extra --seed --noise -1 --loss", { dotenv }), [
    "--seed has no value",
    "--loss has no value",
    '"extra": train takes only flags',
    "LERNING_RATE (from .env, line 1) is not a setting: did you mean LEARNING_RATE?",
    "recipe (from .env, line 2) is not a setting: did you mean RECIPE?",
    '--noise is "-1": allowed is a number from 0 to 1e30; recipe xor: only 0',
    'NUM_EPOCHS is "0" (from .env, line 3): allowed is a whole number from 1 to 1000000000',
  ]);
});

Deno.test("readConfig() finds keys of .env that are written as words or as flags", () => {
  const dotenv =
    "LEARNING-RATE=1\n export num epochs = 3\n# BATCH SIZE=1\nSEED=7 # SEED-S=8\nHOME-GROWN=1\nexport NOISE=1\n";
  assertEquals(faultsOf("", { dotenv }), [
    "LEARNING-RATE (from .env, line 1) is not a setting: did you mean LEARNING_RATE?",
    "num epochs (from .env, line 2) is not a setting: did you mean NUM_EPOCHS?",
  ]);
});

Deno.test("readConfig() leaves alone keys of .env that are near to short names of tables", () => {
  assertEquals(read("", { dotenv: "DATE=c\nTASKS=d\nPATH=e\n" }).data, "");
  assertEquals(faultsOf("", { dotenv: "data=a\nFEATURE=b" }).length, 2);
});

Deno.test("readConfig() gives tables defaults of their own", () => {
  const config = read('--data a.csv --target a,"b,c"');
  const { loss, optimizer, learningRate, batchSize, numEpochs, init, patience, target, texts } = config;
  assertEquals([loss, optimizer, learningRate, batchSize, numEpochs, patience], [
    "auto",
    "adam",
    0.002,
    "auto",
    300,
    10,
  ]);
  assertEquals(init, { kind: "xavier" });
  const { hiddenSize, dropout, schedule, numericEmbedding, members, calibrate, clipTargets, scalingMethod } = config;
  assertEquals([hiddenSize, dropout, schedule, scalingMethod], [[128], 0.15, "plateau", "robust"]);
  assertEquals([numericEmbedding, members, calibrate, clipTargets], ["pbld", 4, true, true]);
  assertEquals([target, texts.DATA, texts.NOISE], [["a", "b,c"], "a.csv", undefined]);
});

Deno.test("readConfig() leaves alone what the task does not use", () => {
  assertEquals(read("", { task: "gen-data", env: { LEARNING_RATE: "x" } }).learningRate, 0.01);
});

permitted("a task reads .env, prints help and exits with 2 on wrong settings", async () => {
  await using folder = await Workplace.create();
  await folder.write(".env", "\ufeffRECIPE=xor\n");
  const made = await folder.run("gen-data", []);
  assertEquals([made.code, made.stderr], [0, ""]);
  assertEquals(Object.keys(await folder.digests("data")).sort(), ["xor.csv", "xor.csv.json"]);

  const help = await folder.run("gen-data", ["--help"]);
  assertEquals([help.code, help.stdout.trimEnd(), help.stderr], [0, usage("gen-data"), ""]);

  const wrong = await folder.run("scale", ["--sede=1"], { SPLIT: "1" });
  assertEquals([wrong.code, wrong.stdout], [2, ""]);
  assertEquals(wrong.stderr.trimEnd().split("\n"), [
    "error: --sede: unknown flag; the nearest is --seed",
    `error: SPLIT is "1" (from the environment): allowed is ${SETTINGS.SPLIT.allowed}`,
    "deno task scale --help lists what is allowed",
  ]);
});

Deno.test("describeError() shows a stack only where the program is at fault", () => {
  assertEquals(describeError("train", new RangeError("Cannot do this")), "error: Cannot do this");
  assertEquals(describeError("train", new Deno.errors.NotFound("no file")), "error: no file");
  const full = new Error("No space left on device (os error 28)");
  assertEquals(describeError("train", full), "error: No space left on device (os error 28)");
  const files = describeError("train", new Error("Too many open files (os error 24)"));
  assertStringIncludes(files, "\nwhat to do: allow more open files in this shell, as `ulimit -n 4096` does, and ");
  const bug = assertThrows(() => (undefined as unknown as { a: number }).a, TypeError);
  assertStringIncludes(describeError("train", bug), "config_test.ts");
  assertStringIncludes(describeError("train", new Error("bug")), "config_test.ts");
});
