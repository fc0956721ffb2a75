/** The recipes linear and xor, the weights of ones, and the settings of training, through deno task train and predict. */

import { assert, assertEquals } from "@std/assert";
import { readSafetensors } from "../../../lib/safetensors/reader.ts";
import { type Outcome, parsePredictions, warningsOf, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const XOR = [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]];

/** Whether a number is as expected, but for a share of it. */
function assertNear(actual: number, expected: number, share: number, what: string): void {
  assert(Math.abs(actual - expected) <= share * Math.abs(expected), `${what} is ${actual}, expected ${expected}`);
}

async function readWeights(place: Workplace, runName = "default_run"): Promise<Record<string, Float32Array>> {
  const { tensors } = await readSafetensors(place.at(`data/runs/${runName}/model.safetensors`));
  return Object.fromEntries([...tensors].map(([name, { data }]) => [name, data]));
}

async function readSummary(place: Workplace, runName = "default_run") {
  return JSON.parse(await place.read(`data/runs/${runName}/summary.json`));
}

/** What train prints of the parameters: learned values, and the norm of each gradient. */
function parametersOf({ stdout }: Outcome): { name: string; values: number[]; norm: number }[] {
  return [...stdout.matchAll(/^(\d\.\w+) +\[[\d, ]+\] +(.*?) {2,}(\S+)$/gm)].map(([_, name, values, norm]) => ({
    name,
    values: values.split(", ").map(Number),
    norm: Number(norm),
  }));
}

/** What train prints of the tensors of each step under DEBUG_TENSORS: shape, min and max by name. */
function stepsOf({ stdout }: Outcome): Map<string, { shape: string; min: number; max: number }>[] {
  return stdout.split(/^step \d+$/m).slice(1).map((text) => {
    const lines = text.matchAll(/^(\w+) +(\[[\d, ]*\]) +min (\S+) +max (\S+)$/gm);
    return new Map(lines.map(([_, name, shape, min, max]) => [name, { shape, min: Number(min), max: Number(max) }]));
  });
}

for (const flags of [[], ["--batch-size", "32", "--num-epochs", "50"]]) {
  permitted(
    `train --recipe linear finds the line in ${flags.length > 0 ? "mini-batches" : "full batches"}`,
    async () => {
      await using place = await Workplace.inSeries("train");
      const outcome = await place.succeed("train", ["--recipe", "linear", ...flags]);
      assertEquals(warningsOf(outcome), []);
      const summary = await readSummary(place);
      const epochs = (await place.readLines("data/runs/default_run/metrics.jsonl")).length;
      assertEquals([summary.recipe, summary.train.rows], ["linear", 1000]);
      assertEquals(summary.steps, flags.length > 0 ? 50 * Math.ceil(1000 / 32) : epochs);
      assertEquals([summary.validation, summary.test], [undefined, undefined]);

      const { header, rows } = parsePredictions(await place.succeed("predict", ["-4", "-2", "0", "2", "4"]));
      assertEquals([header, rows.length], ["x,predicted_y", 5]);
      for (const [i, [x, y]] of rows.entries()) {
        assertEquals(x, 2 * i - 4);
        assert(Math.abs(y - (2 * x + 1)) < 0.1, `y(${x}) is predicted as ${y}`);
      }
      const weights = await readWeights(place);
      const printed = parametersOf(outcome);
      assertEquals(printed.map(({ name }) => name), ["0.weight", "0.bias", "2.weight", "2.bias"]);
      for (const { name, values } of printed) {
        assertEquals(values.length, weights[name].length, name);
        values.forEach((value, i) => assertNear(value, weights[name][i], 1e-5, name));
      }
    },
  );
}

permitted("train prints the norm of each gradient of the last step", async () => {
  await using place = await Workplace.inSeries("train");
  const flags = ["--recipe", "linear", "--learning-rate", "0.1", "--seed", "5"];
  await place.succeed("train", [...flags, "--num-epochs", "3", "--run-name", "three"]);
  const outcome = await place.succeed("train", [...flags, "--num-epochs", "4", "--run-name", "four"]);
  const before = await readWeights(place, "three");
  const after = await readWeights(place, "four");
  const printed = parametersOf(outcome);
  assertEquals(printed.length, 4);
  for (const { name, norm } of printed) {
    // Plain descent: the weights moved by the learning rate times the gradient.
    const moved = after[name].map((value, i) => (before[name][i] - value) / 0.1);
    assertNear(norm, Math.hypot(...moved), 1e-3, `gradient norm of ${name}`);
  }
});

permitted("train --recipe xor tells all four rows apart", async () => {
  await using place = await Workplace.inSeries("train");
  assertEquals(warningsOf(await place.succeed("train", ["--recipe", "xor"])), []);
  const { train } = await readSummary(place);
  assertEquals([train.rows, train.accuracy, train.confusion], [4, 1, [[2, 0], [0, 2]]]);
  assertEquals([train.baseline.accuracy, train.baseline.loss], [0.5, Math.LN2]);
  const { header, rows } = parsePredictions(await place.succeed("predict", XOR.flatMap(([a, b]) => [`${a}`, `${b}`])));
  assertEquals([header, rows.map((row) => row.slice(0, 2))], ["x1,x2,predicted_y", XOR.map((row) => row.slice(0, 2))]);
  rows.forEach(([x1, x2, y], i) => assert(Math.abs(y - XOR[i][2]) < 0.1, `${x1} xor ${x2} is predicted as ${y}`));
});

permitted("train --init ones keeps all hidden units alike, as the first reference system shows", async () => {
  await using place = await Workplace.inSeries("train");
  const flags = ["--init", "ones", "--num-dataset", "25", "--split", "1,0,0", "--num-epochs", "1"];
  const outcome = await place.succeed("train", flags, { DEBUG_TENSORS: "true" });
  const steps = stepsOf(outcome);
  assertEquals(steps.length, 3);
  for (const [i, tensors] of steps.entries()) {
    const rows = i < 2 ? 10 : 5;
    assertEquals([...tensors].map(([name, { shape }]) => `${name} ${shape}`), [
      `z1 [${rows}, 64]`,
      `a1 [${rows}, 64]`,
      `z2 [${rows}, 1]`,
      "loss []",
      `grad_logits [${rows}, 1]`,
      "grad_weight_2 [64, 1]",
      "grad_bias_2 [1]",
      "grad_weight_1 [1, 64]",
      "grad_bias_1 [64]",
    ]);
    for (const [name, { min, max }] of tensors) {
      if (/^(loss|grad_(weight|bias))/.test(name)) assertEquals(min, max, name);
    }
  }
  const [first] = steps;
  const { max } = first.get("z1")!;
  assertNear(first.get("a1")!.max, max, 1e-6, "the largest a1");
  assertNear(first.get("z2")!.max, 64 * max + 1, 1e-5, "the largest z2");
  const weights = await readWeights(place);
  for (const [name, values] of Object.entries(weights)) assertEquals(new Set(values).size, 1, `${name} is not alike`);
});

permitted("train --init ones without scaling starts from a loss in the millions", async () => {
  await using place = await Workplace.inSeries("train");
  const flags = ["--init", "ones", "--scaling-method", "none", "--num-dataset", "40", "--learning-rate", "1e-12"];
  const [first] = stepsOf(await place.succeed("train", [...flags, "--num-epochs", "1", "--debug-tensors"]));
  const loss = first.get("loss")!.max;
  assert(loss > 1e6 && loss < 1e8, `the first loss is ${loss}`);
  assert(first.get("z1")!.max > 50 && first.get("z2")!.max > 3_200, "z1 and z2 are those of raw units");
});

permitted("train takes more than 65,535 rows as one batch, with the right loss and gradients", async () => {
  await using place = await Workplace.inSeries("train");
  const flags = "--num-dataset 140000 --split 1,0,0 --batch-size full --num-epochs 1 --hidden-size 1 --init ones";
  await place.succeed("train", flags.split(" "));
  const { tensors } = await readSafetensors(place.at("data/cubic.scaled.safetensors"));
  const [x, y] = ["train.x", "train.y"].map((name) => tensors.get(name)!.data);
  const n = x.length;
  assertEquals(n, 140_000);
  // One unit of ones: prediction relu(x + 1) + 1. The mean of squares and its gradient, in float64.
  let loss = 0;
  let dW2 = 0;
  let dB2 = 0;
  let dW1 = 0;
  let dB1 = 0;
  for (let i = 0; i < n; i++) {
    const hidden = Math.max(0, x[i] + 1);
    const error = hidden + 1 - y[i];
    const d = 2 * error / n;
    loss += error * error / n;
    dW2 += d * hidden;
    dB2 += d;
    dW1 += hidden > 0 ? d * x[i] : 0;
    dB1 += hidden > 0 ? d : 0;
  }
  const metrics = JSON.parse(await place.read("data/runs/default_run/metrics.jsonl"));
  assertEquals(metrics.step, 1);
  assertNear(metrics.trainLoss, loss, 1e-5, "loss");
  const weights = await readWeights(place);
  for (const [name, gradient] of Object.entries({ "0.weight": dW1, "0.bias": dB1, "2.weight": dW2, "2.bias": dB2 })) {
    assertNear(1 - weights[name][0], 0.01 * gradient, 1e-4, `the step of ${name}`);
  }
});

permitted("train learns under each optimizer, scaling, initialisation, depth and loss", async () => {
  const classes = "x,y\n" + Array.from({ length: 60 }, (_, i) => `${i - 30},${i >= 30 ? 1 : 0}\n`).join("");
  const few = ["--num-dataset", "2000", "--num-epochs", "5", "--hidden-size", "16"];
  const cases = [
    "--optimizer momentum",
    "--optimizer adam",
    "--scaling-method minmax --optimizer adam",
    "--hidden-size 16,8,8 --init xavier --optimizer momentum",
    "--init uniform:0.5 --batch-size 7",
    "--init normal:0.5",
    "--loss bce --num-epochs 40",
  ];
  await using place = await Workplace.inSeries("train");
  for (const flags of cases) {
    const isBinary = flags.includes("bce");
    if (isBinary) {
      await Deno.remove(place.at("data/cubic.csv.json"));
      await place.write("data/cubic.csv", classes);
    }
    // A file of the user's own has as many rows as it has.
    await place.succeed("train", [...isBinary ? few.slice(2) : few, ...flags.split(" ")]);
    const { train: { r2, accuracy, rows } } = await readSummary(place);
    assertEquals(rows, isBinary ? 48 : 1600);
    if (isBinary) assert(accuracy > 0.9, `accuracy under ${flags}: ${accuracy}`);
    else assert(r2 > 0.9 && accuracy === undefined, `r2 under ${flags}: ${r2}`);
  }
});
