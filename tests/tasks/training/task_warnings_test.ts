/** What train warns of: each fault provoked by training. Tests of recipes and of real tables see that no other run does. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Linear, ReLU } from "../../../lib/core/layers.ts";
import { mse } from "../../../lib/core/losses.ts";
import { Model } from "../../../lib/core/model.ts";
import { Random } from "../../../lib/base/random.ts";
import { ArrayRows, type RowSource } from "../../../lib/data/row_source.ts";
import { type Patient, TrainingDoctor } from "../../../tasks/training/doctor.ts";
import { gpuTest } from "../../support/gpu_test_case.ts";
import { warningsOf, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const SMALL = ["--num-dataset", "500", "--num-epochs", "2"];

/** Rows of eight inputs and a target, all noise: there is nothing but the rows to be learned. */
function noise(rows: number): string {
  const random = new Random(3, "noise");
  const line = () => Array.from({ length: 9 }, () => random.normal()).join();
  return ["a,b,c,d,e,f,g,h,y", ...Array.from({ length: rows }, line), ""].join("\n");
}

/** Flags, how the one kind of warning reads, and how often it comes. */
const PROVOKED: Record<string, { args: string[]; says: RegExp; count?: number }> = {
  "weights that start alike": {
    args: [...SMALL, "--init", "ones", "--hidden-size", "16"],
    says: /^warning: epoch 1: 16 of 16 units of 0\.weight have .*identical.*; start from random weights: init kaiming/,
  },
  "a learning rate too large for ReLU": {
    args: [...SMALL, "--optimizer", "adam", "--learning-rate", "0.5", "--hidden-size", "16,16"],
    says: /^warning: epoch \d: \d+ of 16 ReLU units of a[12] are dead: .*; lower the learning rate/,
    count: 2,
  },
  "inputs that are not scaled": {
    args: [...SMALL, "--scaling-method", "none", "--learning-rate", "1e-10"],
    says: /^warning: epoch 1: 1 of 1 inputs are not scaled: "x" \(5\d\.\d\), .*; take scaling method standardize$/,
  },
  "sigmoids one behind the other": {
    args: [...SMALL, "--activation", "sigmoid", "--init", "xavier", "--hidden-size", "16,16,16,16,16,16,16"],
    says:
      /^warning: epoch \d: the gradient vanishes on its way back: .* in 0\.weight, .* in 14\.weight; take activation/,
  },
  "weights that start too large": {
    args: [...SMALL, "--init", "normal:0.5", "--learning-rate", "1e-8", "--hidden-size", "64,64,64,64"],
    says:
      /^warning: epoch 1: the gradient explodes: its norm is \d{4}, that of \d\.weight alone .*; lower the learning/,
  },
  "few rows and a wide network": {
    args: [
      ..."--data noise.csv --target y --split 0.5,0.5,0 --patience 0 --num-epochs 256 --hidden-size 64".split(" "),
      // Without what tables have against it by default.
      ..."--members 1 --dropout 0 --schedule constant --learning-rate 0.01 --folds 0 --numeric-embedding none".split(
        " ",
      ),
    ],
    says: /^warning: epoch \d+: the validation loss .* is far above the training loss .*; take more rows/,
  },
  "a target that is constant": {
    args: ["--recipe", "linear", "--num-epochs", "4"],
    says: /^warning: epoch 1: target "y" is 7 in every training row: there is nothing to learn; choose another target/,
  },
};

permitted("train warns once of what makes it useless, and says what to do", async (t) => {
  const flat = ["x,y", ...Array.from({ length: 60 }, (_, i) => `${i / 10 - 3},7`), ""].join("\n");
  await using place = await Workplace.inSeries("train", { "noise.csv": noise(60), "data/linear.csv": flat });
  for (const [name, { args, says, count = 1 }] of Object.entries(PROVOKED)) {
    await t.step(name, async () => {
      const outcome = await place.succeed("train", args);
      const warnings = warningsOf(outcome);
      for (const warning of warnings) assertMatch(warning, says);
      assertEquals(warnings.length, count, outcome.stderr);
      assertEquals(outcome.stdout.includes("warning"), false, "warnings are for stderr");
    });
  }
});

permitted("scale refuses a constant target that it would have to scale, in the words of the warning", async () => {
  const flat = "x,y\n1,7\n2,7\n3,7\n4,7\n5,7\n6,8\n";
  await using place = await Workplace.inSeries("scale", { "flat.csv": flat, "data/cubic.csv": flat.replace("8", "7") });
  const says = 'target "y" is 7 in every training row: there is nothing to learn; choose another target, or add rows';
  const table = ["--data=flat.csv", "--target=y", "--features=x", "--time-column=x", "--task=regression"];
  for (const method of ["standardize", "minmax", "robust"]) {
    await place.refuse(1, [`error: flat.csv: ${says}`], "scale", [...table, "--scaling-method", method]);
    await place.refuse(1, [`error: data/cubic.csv: ${says}`], "scale", ["--scaling-method", method]);
  }
  await place.write("flat.csv", flat.replace("8", "7"));
  await place.refuse(1, ["there is nothing to learn; choose another target"], "scale", table);
});

/** A run that never trains: its first layer is dead from the start. */
function deadRun(device: Model["device"], rows: RowSource): Patient & Disposable {
  const model = new Model(device, [new Linear(1, 2), new ReLU(), new Linear(2, 1)]);
  model.load({ "0.weight": [1, 2], "0.bias": [-1e6, -1e6], "2.weight": [1, 2], "2.bias": [0] });
  const column = { name: "x", min: 0, max: 1, mean: 0, deviation: 1 };
  const scalers = { inputs: { columns: [column] }, targets: { columns: [column] } };
  const dataset = { parts: { train: rows }, scalers };
  return { dataset, model, loss: mse, [Symbol.dispose]: () => model.dispose() } as unknown as Patient & Disposable;
}

gpuTest("TrainingDoctor looks at epochs 1, 2, 4, 8 ..., and says a thing once", async (device) => {
  using run = deadRun(device, new ArrayRows(Float32Array.of(1, -1, 1), Float32Array.of(0, 0, 0), 1));
  using doctor = await TrainingDoctor.create(run);
  const looks: number[] = [];
  const said: Record<number, string[]> = {};
  for (let epoch = 1; epoch <= 40; epoch++) {
    const { dispatches } = device.stats;
    if (epoch === 8) run.model.load({ "0.weight": [NaN, 2], "0.bias": [0, 0], "2.weight": [1, 2], "2.bias": [0] });
    doctor.look(epoch);
    if (device.stats.dispatches > dispatches) looks.push(epoch);
    const lines = await doctor.warnings({ epoch, trainLoss: 1, valLoss: null });
    if (lines.length > 0) said[epoch] = lines;
  }
  assertEquals(looks, [1, 2, 4, 8, 16, 32]);
  assertEquals(Object.keys(said), ["1"]);
  assertStringIncludes(said[1][0], "warning: epoch 1: 2 of 2 ReLU units of a1 are dead: 0 on all of 3 training rows");
});

gpuTest("TrainingDoctor samples rows from the first to the last, a kilobyte of a file at a time", async (device) => {
  const count = 50_000;
  const asked: [number, number][] = [];
  const rows: RowSource = {
    rows: count,
    inputs: 1,
    targets: 1,
    read: (start, length) => {
      asked.push([start, length]);
      const x = Float32Array.from({ length }, (_, i) => (start + i) / count);
      return Promise.resolve({ x, y: x });
    },
  };
  using run = deadRun(device, rows);
  using doctor = await TrainingDoctor.create(run);
  assertEquals([asked.length, asked[0], asked.at(-1)], [64, [0, 16], [count - 16, 16]]);
  assert(asked.every(([start], i) => i === 0 || start - asked[i - 1][0] >= 793), "runs lie evenly");
  doctor.look(1);
  const [warning] = await doctor.warnings({ epoch: 1, trainLoss: 1, valLoss: null });
  assertStringIncludes(warning, "0 on all of 1024 training rows");
});
