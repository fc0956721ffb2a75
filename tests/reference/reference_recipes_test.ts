/** The line and XOR with the settings of their recipes: what they learn, and from how many starts. */
import { assert, assertEquals } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import type { Init } from "../../lib/base/init.ts";
import { type Layer, multilayerPerceptron } from "../../lib/core/layers.ts";
import { bceWithLogits, type Loss, mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { scale } from "../../lib/arithmetic/ops.ts";
import { createOptimizer, Sgd } from "../../lib/core/optimizers.ts";
import { Predictor } from "../../lib/evaluate/predictor.ts";
import { Random } from "../../lib/base/random.ts";
import { Matrix, referenceMse } from "../../lib/reference/mod.ts";
import { readAll, Tensor } from "../../lib/core/tensor.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import { readConfig } from "../../tasks/settings/config.ts";
import { type RecipeName, recipeOf } from "../../tasks/settings/recipes.ts";
import { assertClose } from "../support/assert_close.ts";
import { permittedGpuTest } from "../support/gpu_test_case.ts";
import { watchEpoch } from "../support/watch_epoch.ts";

const settingsOf = (recipe: RecipeName) =>
  readConfig("train", ["--recipe", recipe], { env: () => undefined, dotenv: "" });

/** A recipe's dataset as its settings make it: inputs and targets on the GPU. */
function dataset(device: Device, name: RecipeName): { x: Tensor; y: Tensor; rows: number[][] } & Disposable {
  const { numDataset, noise, seed } = settingsOf(name);
  const { features, row } = recipeOf(name);
  const streams = { inputs: new Random(seed, "inputs"), noise: new Random(seed, "noise") };
  const rows = Array.from({ length: numDataset }, (_, i) => row(i, streams, noise));
  const x = Tensor.from(device, rows.map((values) => values.slice(0, features.length)));
  const y = Tensor.from(device, rows.map((values) => values.slice(features.length)));
  return { x, y, rows, [Symbol.dispose]: () => [x, y].forEach((tensor) => tensor.dispose()) };
}

for (const batchSize of ["full", 32] as const) {
  permittedGpuTest(`linear: batches of ${batchSize} rows learn the line within 0.1`, async (device) => {
    const { hiddenSize, init, learningRate, numEpochs, seed, optimizer: name } = settingsOf("linear");
    using data = dataset(device, "linear");
    const layers = multilayerPerceptron(1, hiddenSize, 1);
    using model = new Model(device, layers, { init, random: new Random(seed, "weights") });
    using optimizer = createOptimizer(name, model, learningRate);
    const size = batchSize === "full" ? data.rows.length : batchSize;
    using trainer = new Trainer({ model, loss: mse, optimizer, ...data, batchSize: size, seed });
    assertEquals(trainer.stepsPerEpoch, batchSize === "full" ? 1 : 32);
    const results = await Array.fromAsync(trainer.epochs(batchSize === "full" ? numEpochs : 200));
    assert(results.at(-1)!.loss < 0.01, `${results.at(-1)!.loss}`);

    const examples = recipeOf("linear").examples;
    using x = Tensor.from(device, examples.map(([input]) => [input]));
    using predictor = new Predictor(model, 1, examples.length);
    assertClose(await predictor.predict(x), examples.map(([_, output]) => output), { rtol: 0, atol: 0.1 });
  });
}

permittedGpuTest("linear: an epoch's loss is the mean over all rows, short last batch included", async (device) => {
  using data = dataset(device, "linear");
  using model = new Model(device, multilayerPerceptron(1, [4], 1));
  using optimizer = new Sgd(model, 1e-30); // the weights stay, so that every step sees the same
  const twin = await model.reference(referenceMse);
  const matrix = (column: number) => new Matrix(data.rows.length, 1, data.rows.map((row) => row[column]));
  const expected = referenceMse.forward(twin.forward(matrix(0)), matrix(1));
  for (const batchSize of [64, 300, 999, 1_000]) {
    using trainer = new Trainer({ model, loss: mse, optimizer, ...data, batchSize, seed: 1 });
    const [{ loss, losses }] = await Array.fromAsync(trainer.epochs(1));
    assertClose([loss], [expected], { rtol: 1e-5 });
    assertEquals(losses.length, Math.ceil(1_000 / batchSize));
  }
});

permittedGpuTest("linear: a short last batch is divided by its own rows", async (device) => {
  // One row is left over; its gradient must be that of a batch of one, not of a tenth of one.
  using x = Tensor.from(device, new Float32Array(11).fill(1), [11, 1]);
  using y = Tensor.from(device, new Float32Array(11).fill(3), [11, 1]);
  using model = new Model(device, multilayerPerceptron(1, [], 1), { init: { kind: "ones" } });
  model.load({ "0.weight": [1], "0.bias": [0] });
  using optimizer = new Sgd(model, 1e-9);
  using trainer = new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 10, seed: 1 });
  const gradients: number[] = [];
  await watchEpoch(trainer, (tensors) => void gradients.push(...tensors.grad_weight_1));
  assertClose(gradients, [-4, -4]);
});

const SEEDS = 20;

/** How many of the seeds end with every prediction within 0.1 of its target. All train at once, as members of one model. */
async function countLearned(
  device: Device,
  makeLayers: (members: number) => Layer[],
  init: Init,
  loss: Loss,
): Promise<number> {
  const { learningRate, numEpochs, optimizer: name } = settingsOf("xor");
  using stack = new DisposableStack();
  const { rows } = stack.use(dataset(device, "xor"));
  const perMember = (values: number[][]) => Array(SEEDS).fill(values).flat();
  const x = stack.use(Tensor.from(device, perMember(rows.map(([x1, x2]) => [x1, x2]))));
  const y = stack.use(Tensor.from(device, perMember(rows.map(([_1, _2, target]) => [target]))));
  const model = stack.use(new Model(device, makeLayers(SEEDS)));
  const starts = Array.from({ length: SEEDS }, (_, seed) => {
    return stack.use(new Model(device, makeLayers(1), { init, random: new Random(seed, "weights") }));
  });
  const values = await Promise.all(starts.map((start) => start.read()));
  model.load(Object.fromEntries(Object.keys(values[0]).map((key) => [key, values.flatMap((own) => [...own[key]])])));
  const optimizer = stack.use(createOptimizer(name, model, learningRate));
  const step = stack.use(device.record(() => {
    // The mean over the rows of all members is a member's own mean divided by their number.
    model.backward(scale(loss.backward(model.forward(x), y), SEEDS));
    optimizer.step();
  }));
  step.replay(numEpochs);
  const [logits] = await readAll([stack.use(device.tidy(() => model.forward(x)))]);
  const isLearned = (_: unknown, seed: number) =>
    rows.every(([_1, _2, target], i) => {
      return Math.abs(1 / (1 + Math.exp(-logits[seed * rows.length + i])) - target) < 0.1;
    });
  return starts.filter(isLearned).length;
}

// Thousands of small steps: without the environment the software adapter takes all threads, and they take a minute.
permittedGpuTest(
  "xor: the recipe's network learns it from nearly every start, three units from fewer",
  async (device) => {
    const { hiddenSize, init, loss } = settingsOf("xor");
    assertEquals(loss, "bce");
    const learned = (hidden: readonly number[], init: Init) =>
      countLearned(device, (members) => multilayerPerceptron(2, hidden, 1, { members }), init, bceWithLogits);
    const byDefault = await learned(hiddenSize, init);
    const three = await learned([3], init);
    const threeSmall = await learned([3], { kind: "normal", scale: 0.1 });
    console.log(
      `xor, starts of ${SEEDS} that learn it: ${byDefault} with ${hiddenSize} hidden units and ${init.kind}, ` +
        `${three} with 3 and ${init.kind}, ${threeSmall} with 3 and weights N(0, 1) * 0.1`,
    );
    assert(byDefault >= 19 && three < byDefault && threeSmall < byDefault && three > 0);
  },
);
