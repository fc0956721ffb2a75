import { assert, assertEquals } from "@std/assert";
import { kernels, wholeStepOfTexels } from "../../kernels/mod.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { gradientCases } from "../../lib/check/gradcheck.ts";
import { ACTIVATIONS, Dropout, type Layer, Linear } from "../../lib/core/layers.ts";
import { multilayerPerceptron, ReLU, Sigmoid } from "../../lib/core/layers.ts";
import { type Loss, LOSSES, mse, weightedBceWithLogits, weightedSoftmaxCrossEntropy } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import type { OptimizerName } from "../../lib/core/optimizers.ts";
import { Random } from "../../lib/base/random.ts";
import { Matrix } from "../../lib/reference/mod.ts";
import { readAll, Tensor } from "../../lib/core/tensor.ts";
import { planWholeStep, runWholeStep, type WholeStepPlan } from "../../lib/training/whole_step.ts";
import { assertClose } from "../support/assert_close.ts";
import { bits, gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";
import { smallTraining } from "../support/small_training.ts";

const losses = [LOSSES.mse, LOSSES.bce, LOSSES.softmax];

/** A model with biases that are not 0. */
function makeModel(device: Device, layers: readonly Layer[]): Model {
  const model = new Model(device, layers);
  drawBiases(model);
  return model;
}

function drawBiases(model: Model): void {
  const random = new Random(5, "whole step");
  for (const { parameter: { shape, value } } of model.parameters) {
    if (shape.length === 1) value.write(Float32Array.from({ length: shape[0] }, () => random.uniform(-0.5, 0.5)));
  }
}

/** The plan on a device of a kind, whatever this machine has. */
function planOn(software: boolean, model: Model, loss: Loss, rows: number): WholeStepPlan | undefined {
  const [inputs, outputs] = sizesOf(model);
  const device = { value: { info: { isFallbackAdapter: software } } };
  const plan = planWholeStep(Object.create(model, { device }), loss, { rows, inputs, outputs });
  return plan && { ...plan, model };
}

function sizesOf({ layers }: Model): [inputs: number, outputs: number] {
  const [{ inputs = 1 }] = layers;
  return [inputs, layers.reduce((width, layer) => layer.outputSize(width), inputs)];
}

/** Rows that a step picks from a longer table, in an order of their own. */
function drawRows(model: Model, rows: number): { x: Matrix; y: Matrix; order: Uint32Array; picked: Matrix[] } {
  const [inputs, outputs] = sizesOf(model);
  const tableRows = rows + 3;
  const x = randomMatrix(tableRows, inputs, 3);
  const y = randomMatrix(tableRows, outputs, 4).map((v) => Math.fround(Math.abs(v) % 1));
  const order = new Random(6, "order").permutation(tableRows);
  const picked = [x, y].map(({ columns, data }) =>
    new Matrix(rows, columns).map((_, i) => data[order[2 + Math.floor(i / columns)] * columns + i % columns])
  );
  return { x, y, order, picked };
}

/** Runs step 2 of strides of one row; gives all gradients, the losses and the cursor. */
async function runStep(plan: WholeStepPlan, x: Matrix, y: Matrix, order: Uint32Array) {
  const { device } = plan.model;
  using xs = upload(device, x);
  using ys = upload(device, y);
  using orders = Tensor.from(device, order);
  using cursor = Tensor.from(device, Uint32Array.of(2));
  using history = Tensor.from(device, [7, 7, 7, 7]);
  plan.model.gradients.write(new Float32Array(plan.model.gradients.size).fill(NaN)); // each must be written
  runWholeStep(plan, { x: xs, y: ys, order: orders, cursor, stride: 1, losses: history });
  const [losses, [step]] = await readAll([history, cursor]);
  return { gradients: await plan.model.readGradients(), losses: [...losses], cursor: step };
}

/** Holds a network's step, in each form of the kernel that takes it, to the float64 model and to the plain operations. */
async function checkStep(device: Device, layers: readonly Layer[], loss: Loss, rows: number): Promise<void> {
  using model = makeModel(device, layers);
  const plans = [true, false].map((software) => planOn(software, model, loss, rows)).filter((plan) =>
    plan !== undefined
  );
  assert(plans.length > 0, "the step fits");
  const { x, y, order, picked } = drawRows(model, rows);
  const twin = await model.reference(loss.reference);
  const { loss: expected } = twin.backward(picked[0], picked[1]);
  device.tidy(() => {
    const [inputs, targets] = picked.map((m) => upload(device, m));
    model.backward(loss.backward(model.forward(inputs), targets));
  });
  const plain = await model.readGradients();
  for (const plan of plans) {
    const step = await runStep(plan, x, y, order);
    assertClose(step.losses, [7, 7, expected, 7], { rtol: 1e-5 });
    assertEquals(step.cursor, 3);
    Object.entries(step.gradients).forEach(([name, gradient], i) => {
      const { data } = twin.gradients[i];
      const largest = data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      assertClose(gradient, data, { rtol: 1e-4, atol: 1e-5 * largest });
      assertClose(gradient, plain[name], { rtol: 1e-4, atol: 1e-5 * largest });
    });
  }
}

for (const loss of losses) {
  gpuTest(`runWholeStep() agrees with float64 and the plain operations on odd shapes, ${loss.kind}`, async (device) => {
    const networks: [() => Layer[], rows: number][] = [
      [() => multilayerPerceptron(1, [1], 1), 1],
      [() => multilayerPerceptron(1, [64], 1), 10],
      [() => multilayerPerceptron(3, [7, 5], 2), 11],
      [() => multilayerPerceptron(2, [9, 17, 12], 11), 9],
      [() => [new Linear(5, 3)], 7],
      [() => [new Linear(5, 3), new Sigmoid()], 1],
      [() => [new Linear(4, 9), new Sigmoid(), new Linear(9, 70), new Linear(70, 3), new ReLU()], 6],
      [() => [new Linear(3, 2), new Linear(2, 2), new Sigmoid(), new Linear(2, 2), new Linear(2, 2)], 5],
    ];
    for (const [layers, rows] of networks) await checkStep(device, layers(), loss, rows);
  });
}

Deno.test("runWholeStep() writes whole vectors of workgroup memory: of one that two invocations write, a number may get lost", () => {
  assertEquals(kernels.wholeStep.code.match(/\bmemory\[[^\]]+\](\.\w|\[[^\]]+\]) *\S?=[^=]/g), null);
});

gpuTest("runWholeStep() passes every case of gradcheck that it takes", async (device) => {
  const taken: string[] = [];
  for (const { name, layers, loss } of gradientCases([8, 6])) {
    const [first] = layers;
    if (!(first instanceof Linear) || first.members > 1 || layers.some(({ kind }) => kind === "Tanh")) continue;
    await checkStep(device, layers, loss, 7);
    taken.push(name);
  }
  assertEquals(taken, ["Linear", "network, mse", "network, bce", "network, softmax"]);
});

gpuTest("runWholeStep() gives NaN for a row outside the table or the order, and for NaN in x", async (device) => {
  using model = makeModel(device, multilayerPerceptron(2, [3], 1));
  const plan = planOn(true, model, mse, 3)!;
  const x = randomMatrix(4, 2);
  const y = randomMatrix(4, 1);
  const lossOf = async (x: Matrix, order: number[]) => (await runStep(plan, x, y, Uint32Array.from(order))).losses[2];
  assert(Number.isFinite(await lossOf(x, [0, 1, 2, 3, 0])));
  assertEquals(await lossOf(x, [0, 1, 2, 3, 4]), NaN);
  assertEquals(await lossOf(x, [0, 1, 2, 3]), NaN);
  assertEquals(await lossOf(x.map((v, i) => i === 0 ? NaN : v), [0, 1, 2, 3, 0]), NaN);
});

gpuTest("runWholeStep() gives NaN for all logits of a row that has one", async (device) => {
  using model = makeModel(device, [new Linear(1, 3)]);
  model.load({ "0.weight": [0, 0, 0], "0.bias": [0, NaN, 1] });
  const [x, y] = [randomMatrix(3, 1), randomMatrix(3, 3)];
  for (const software of [true, false]) {
    const step = await runStep(planOn(software, model, LOSSES.softmax, 1)!, x, y, Uint32Array.of(0, 1, 2));
    assertEquals([step.losses[2], ...step.gradients["0.bias"]], [NaN, NaN, NaN, NaN]);
  }
});

gpuTest("runWholeStep() keeps a closed unit of infinite weight out of every gradient", async (device) => {
  using model = makeModel(device, multilayerPerceptron(1, [2], 1));
  model.load({ "0.weight": [-Infinity, 1], "0.bias": [0, 0], "2.weight": [1, 1], "2.bias": [0] });
  const ones = new Matrix(4, 1, [1, 1, 1, 1]);
  const order = Uint32Array.of(0, 0, 0, 0);
  const { gradients, losses } = await runStep(planOn(true, model, mse, 2)!, ones, ones.map(() => 0), order);
  const found = Object.values(gradients).map((gradient) => [...gradient]);
  assertEquals([losses[2], ...found], [1, [0, 2], [0, 2], [0, 2], [2]]);
});

gpuTest("runWholeStep() closes a ReLU at exactly 0, and drops a loss past the history", async (device) => {
  using model = new Model(device, multilayerPerceptron(1, [2], 1));
  model.load({ "0.weight": [0, 1], "0.bias": [0, 0], "2.weight": [1, 1], "2.bias": [0] });
  const plan = planOn(true, model, mse, 1)!;
  const ones = new Matrix(3, 1, [1, 1, 1]);
  const step = await runStep(plan, ones, ones.map(() => 0), Uint32Array.of(0, 0, 0));
  assertEquals(step.gradients["0.weight"], Float32Array.of(0, 2));
  assertEquals(step.losses, [7, 7, 1, 7]);
  using x = upload(device, ones);
  using order = Tensor.zeros(device, [3], "u32");
  using cursor = Tensor.from(device, Uint32Array.of(2));
  using history = Tensor.from(device, [7, 7]);
  runWholeStep(plan, { x, y: x, order, cursor, stride: 1, losses: history });
  assertEquals([...await history.read(), ...await cursor.readU32()], [7, 7, 3]);
});

gpuTest("planWholeStep() takes what fits the memory, or is small enough to pay, and not one more", async (device) => {
  const edges: [software: boolean, layers: (width: number) => Layer[], fits: number, rows: number][] = [
    // (1 + 157 + 1 + 1) columns * 200 rows + 640 places of parameters: 32,640 of 32,768 texels
    [true, (width) => multilayerPerceptron(1, [width], 1), 157, 200],
    [true, (width) => multilayerPerceptron(1, [width, 100], 1), 161, 8], // 16,361 weights * 8 rows: 130,888 of 131,072
    [true, (width) => [new Linear(3_000, width)], 6, 1],
    [false, (width) => multilayerPerceptron(1, [width], 1), 333, 12], // (1 + 333 + 1 + 1) columns * 3 = 1,008 blocks
    [false, (width) => multilayerPerceptron(2, [width, 4], 3), 1_008 - 12, 3],
    [false, (width) => multilayerPerceptron(1, [width, 100], 1), 161, 2], // 16,361 weights * 2 rows: 32,722 of 32,768
    [false, (width) => [new Linear(900, width)], 36, 1], // 900 * 36 weights
  ];
  for (const [software, layers, fits, rows] of edges) {
    using above = new Model(device, layers(fits + 1));
    assertEquals(planOn(software, above, mse, rows), undefined);
    using within = new Model(device, layers(fits));
    assert(planOn(software, within, mse, rows));
    await checkStep(device, layers(fits), mse, rows);
  }
});

gpuTest(
  "planWholeStep() takes no more rows than an invocation may loop over on the software adapter",
  async (device) => {
    const layers = () => [1, 2, 3, 4].map(() => new Linear(1, 1)); // a loop over the rows for each
    const most = (32_768 - 8 * 64) / 6; // columns: the input, four outputs, the target
    using model = new Model(device, layers());
    assertEquals(planOn(true, model, mse, most + 1), undefined);
    await checkStep(device, layers(), mse, most);
  },
);

gpuTest("planWholeStep() chooses the form by the adapter", (device) => {
  using model = new Model(device, multilayerPerceptron(1, [64], 1));
  assertEquals(planOn(false, model, mse, 10)?.kernel, kernels.wholeStep);
  assertEquals(planOn(true, model, mse, 10)?.kernel.constants, { INVOCATIONS: 8, LAYERS: 2 });
  assertEquals(planOn(true, model, mse, 10)?.kernel.code, wholeStepOfTexels.code);
});

gpuTest("runWholeStep() leaves nothing of one step to the next in the memory that all share", async (device) => {
  using large = makeModel(device, multilayerPerceptron(5, [9], 4));
  using small = makeModel(device, multilayerPerceptron(3, [6], 2));
  const steps = [[large, 13], [small, 5]] as const;
  const [first, second] = steps.map(([model, rows]) => {
    const { x, y, order } = drawRows(model, rows);
    return () => runStep(planOn(true, model, LOSSES.softmax, rows)!, x, y, order);
  });
  const alone = await second();
  await first();
  assertEquals(await second(), alone);
});

gpuTest("planWholeStep() leaves everything else to the plain operations", (device) => {
  class Doubled extends Linear {
    override forward(x: Tensor): Tensor {
      return super.forward(x);
    }
  }
  const changed = new ReLU();
  changed.backward = (dOut) => dOut;
  const { "leaky-relu": leaky, tanh, gelu } = ACTIVATIONS;
  const behind: Layer[] = [leaky(), tanh(), gelu(), changed, new Dropout(0.5)];
  const weighted = [weightedBceWithLogits([1, 2]), weightedSoftmaxCrossEntropy([1, 2])];
  const under: Loss[] = [{ ...mse, kind: "mse" }, LOSSES.mae, LOSSES.huber, ...weighted];
  const others: [layers: Layer[], loss?: Loss][] = [
    ...behind.map((layer): typeof others[number] => [[new Linear(2, 2), layer]]),
    ...under.map((loss): typeof others[number] => [[new Linear(2, 2)], loss]),
    [[]],
    [[new ReLU()]],
    [[new ReLU(), new Linear(2, 2)]],
    [[new Linear(2, 2), new ReLU(), new Sigmoid()]],
    [[new Doubled(2, 2)]],
    [Array.from({ length: 5 }, () => new Linear(2, 2))],
    [multilayerPerceptron(2, [3], 2, { dropout: 0.5 })],
    [[new Linear(2, 3), new Dropout(0.5), new Linear(3, 2)]],
    [[new Dropout(0.5), new Linear(2, 2)]],
  ];
  const batch = { rows: 4, inputs: 2, outputs: 2 };
  for (const [layers, loss = mse] of others) {
    using model = new Model(device, layers);
    assertEquals(planWholeStep(model, loss, batch), undefined);
  }
  using without = new Model(device, multilayerPerceptron(2, [3], 2, { dropout: 0 }));
  assert(planWholeStep(without, mse, batch));
  using model = new Model(device, [new Linear(2, 2)]);
  for (const loss of losses) assert(planWholeStep(model, loss, batch));
  assertEquals(planWholeStep(model, mse, { ...batch, inputs: 3 }), undefined);
  assertEquals(planWholeStep(model, mse, { ...batch, outputs: 1 }), undefined);
});

/** Three epochs of 23 rows in batches of 5, the last of 3. */
async function train(device: Device, loss: Loss, optimizer: OptimizerName, plain: boolean) {
  using x = upload(device, randomMatrix(23, 3, 1));
  using y = upload(device, randomMatrix(23, 2, 2).map((v) => Math.fround(Math.abs(v) % 1)));
  const layers = [new Linear(3, 6), new ReLU(), new Linear(6, 4), new Sigmoid(), new Linear(4, 2)];
  using setup = smallTraining(device, { layers, loss, optimizer, learningRate: 0.01, x, y, plain });
  drawBiases(setup.model);
  const epochs = await Array.fromAsync(setup.trainer.epochs(3));
  return {
    weights: await setup.model.values.read(),
    losses: epochs.flatMap(({ losses }) => [...losses]),
    dispatches: setup.trainer.dispatchesPerStep,
  };
}

for (const name of ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"] as const) {
  gpuTest(`epochs() trains by whole steps as by plain ones, the same bits each time, ${name}`, async (device) => {
    for (const loss of losses) {
      const plain = await train(device, loss, name, true);
      const whole = await train(device, loss, name, false);
      const again = await train(device, loss, name, false);
      assertEquals(whole.dispatches, name.startsWith("adam") ? 3 : 2);
      assert(plain.dispatches > 20, `${plain.dispatches} dispatches`);
      assertClose(whole.losses, plain.losses, { rtol: 1e-4 });
      assertClose(whole.weights, plain.weights, { rtol: 1e-3, atol: 1e-5 });
      assertEquals(bits(again.weights), bits(whole.weights));
      assertEquals(again.losses, whole.losses);
    }
  });
}
