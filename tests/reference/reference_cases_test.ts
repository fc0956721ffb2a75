/** The systems that this project must reproduce: the cubic under `ones`, the chain, and the small network. */
import { assert, assertEquals } from "@std/assert";
import { recipeOf } from "../../tasks/settings/recipes.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { Linear, multilayerPerceptron, ReLU } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { Sgd } from "../../lib/core/optimizers.ts";
import { Random } from "../../lib/base/random.ts";
import { Matrix } from "../../lib/reference/mod.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import { RunningStatistics } from "../../lib/data/statistics.ts";
import { readAll, Tensor } from "../../lib/core/tensor.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import { assertClose } from "../support/assert_close.ts";
import { gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";
import { watchEpoch } from "../support/watch_epoch.ts";

gpuTest("the chain: y is 1.5, the loss 2.25, its gradients -3, -9 and -2.25, exactly", async (device) => {
  using model = new Model(device, [new Linear(1, 1), new ReLU(), new Linear(1, 1)]);
  model.load({ "0.weight": [0.5], "0.bias": [0], "2.weight": [1.5], "2.bias": [0] });
  using x = Tensor.from(device, [[2]]);
  using target = Tensor.from(device, [[3]]);
  const results = device.tidy(() => {
    const y = model.forward(x);
    const loss = mse.forward(y, target);
    const dY = mse.backward(y, target);
    return [y, loss, model.backward(dY, { wantDX: true })!];
  });
  const [y, loss, dX] = (await readAll(results)).map(([value]) => value);
  const gradients = await model.readGradients();
  assertEquals([y, loss, dX], [1.5, 2.25, -2.25]);
  assertEquals([...gradients["2.weight"], ...gradients["0.weight"]], [-3, -9]);
  for (const tensor of results) tensor.dispose();
});

/** Losses and sums of squared gradients of the first, fifth and tenth step, recorded once from this test's float64 run. */
const GOLDEN = {
  losses: [2.114602100842555, 1.6602444687338278, 1.3741721721738365],
  gradients: [15.16890, 7.696555, 3.949895],
  weights: 12.96589,
};

gpuTest("the 10-5-1 network follows the float64 reference over ten steps", async (device) => {
  const input = randomMatrix(32, 10, 1);
  const goal = randomMatrix(32, 1, 2);
  const squares = (all: ArrayLike<number>[]) =>
    all.reduce((sum, values) => sum + Array.from(values).reduce((part, v) => part + v * v, 0), 0);
  using model = new Model(device, multilayerPerceptron(10, [5], 1), { random: new Random(3, "weights") });
  const twin = await model.reference(mse.reference);
  using optimizer = new Sgd(model, 0.01);
  using x = upload(device, input);
  using target = upload(device, goal);
  const seen = { losses: [] as number[], gradients: [] as number[] };
  for (let step = 1; step <= 10; step++) {
    using loss = device.tidy(() => {
      const y = model.forward(x);
      const loss = mse.forward(y, target);
      model.backward(mse.backward(y, target));
      return loss;
    });
    const expected = twin.backward(input, goal);
    const gradients = Object.values(await model.readGradients());
    assertClose(await loss.read(), [expected.loss], { rtol: 1e-5, atol: 0 });
    gradients.forEach((actual, i) => assertClose(actual, twin.gradients[i].data, { rtol: 2e-4, atol: 1e-6 }));
    if ([1, 5, 10].includes(step)) {
      seen.losses.push(expected.loss);
      seen.gradients.push(squares(gradients));
    }
    optimizer.step();
    twin.parameters.forEach(({ data }, i) => data.forEach((_, j) => data[j] -= 0.01 * twin.gradients[i].data[j]));
    const weights = Object.values(await model.read());
    weights.forEach((actual, i) => assertClose(actual, twin.parameters[i].data, { rtol: 2e-5, atol: 1e-6 }));
  }
  assertClose(seen.losses, GOLDEN.losses, { rtol: 1e-9, atol: 0 });
  assertClose(seen.gradients, GOLDEN.gradients, { rtol: 1e-4, atol: 0 });
  assertClose([squares(Object.values(await model.read()))], [GOLDEN.weights], { rtol: 1e-5, atol: 0 });
});

/** Rows of the cubic, raw or z-scored with the statistics of all of them. */
function cubicRows(count: number, scaled: boolean): { x: Matrix; y: Matrix } {
  const streams = { inputs: new Random(42, "inputs"), noise: new Random(42, "noise") };
  const rows = Array.from({ length: count }, (_, i) => recipeOf("cubic").row(i, streams, 0));
  const [x, y] = [0, 1].map((column) => {
    const statistics = new RunningStatistics(["column"]);
    const values = rows.map((row) => row[column]);
    for (const value of values) statistics.add([value]);
    const scaler = new Scaler(scaled ? "standardize" : "none", statistics.result());
    return new Matrix(count, 1, scaler.transform(values)).map(Math.fround);
  });
  return { x, y };
}

/** The cubic's 1-64-1 network on some rows. */
function cubicTrainer(
  device: Device,
  { x, y }: { x: Matrix; y: Matrix },
  init: "ones" | "kaiming",
  batchSize = 10,
): { model: Model; trainer: Trainer } & Disposable {
  const stack = new DisposableStack();
  const random = new Random(42, "weights");
  const model = stack.use(new Model(device, multilayerPerceptron(1, [64], 1), { init: { kind: init }, random }));
  const optimizer = stack.use(new Sgd(model, 0.01));
  const data = { x: stack.use(upload(device, x)), y: stack.use(upload(device, y)) };
  const trainer = stack.use(new Trainer({ model, loss: mse, optimizer, ...data, batchSize, seed: 42 }));
  return { model, trainer, [Symbol.dispose]: () => stack.dispose() };
}

gpuTest("the cubic under ones: all entries of each gradient are equal, in every step", async (device) => {
  using setup = cubicTrainer(device, cubicRows(100, true), "ones");
  let checked = 0;
  await watchEpoch(setup.trainer, (tensors) => {
    for (const name of ["grad_weight_1", "grad_bias_1", "grad_weight_2"]) {
      const gradient = tensors[name];
      assertEquals([gradient.length, gradient.findIndex((g) => g !== gradient[0])], [64, -1]);
      assert(Number.isFinite(gradient[0]));
      checked++;
    }
  });
  assertEquals(checked, 30);
});

gpuTest("the cubic under ones: dW2 is dW1 + db1 where every unit is active, and not elsewhere", async (device) => {
  const { x, y } = cubicRows(100, true);
  for (const active of [true, false]) {
    const rows = [...x.data.keys()].filter((i) => active === x.data[i] > -1);
    assert(rows.length > 10, `${rows.length} rows`);
    const pick = (from: Matrix) => new Matrix(rows.length, 1, rows.map((i) => from.data[i]));
    using setup = cubicTrainer(device, { x: pick(x), y: pick(y) }, "ones", rows.length);
    await watchEpoch(setup.trainer, ({ grad_weight_2: dW2, grad_weight_1: dW1, grad_bias_1: dB1 }) => {
      if (active) assertClose(dW2, [...dW1].map((dW, i) => dW + dB1[i]), { rtol: 1e-5, atol: 1e-5 });
      else assertEquals([...dW2, ...dW1, ...dB1].filter((gradient) => gradient !== 0), []);
    });
  }
});

gpuTest("the cubic under ones, unscaled: z2 is 64 z1 + 1, and the first loss is in the millions", async (device) => {
  using setup = cubicTrainer(device, cubicRows(10, false), "ones");
  let largest = 0;
  const result = await watchEpoch(setup.trainer, ({ z1, a1, z2 }) => {
    assertClose(a1, [...z1].map((value) => Math.max(0, value)));
    assertClose(z2, Array.from({ length: 10 }, (_, i) => 64 * a1[64 * i] + 1), { rtol: 1e-5 });
    largest = Math.max(...z2);
  });
  assert(result!.losses[0] > 1e6 && result!.losses[0] < 1e9, `${result!.losses[0]}`);
  assert(largest > 64 && largest < 64 * 101 + 1, `${largest}`);
});

gpuTest("the cubic under kaiming comes near its curve in 1,000 steps; under ones it cannot", async (device) => {
  const rows = cubicRows(10_000, true);
  const reached: Record<string, number> = {};
  for (const init of ["kaiming", "ones"] as const) {
    using setup = cubicTrainer(device, rows, init);
    const { value } = await setup.trainer.epochs(1).next();
    const last = value!.losses.subarray(900);
    reached[init] = last.reduce((sum, loss) => sum + loss) / last.length;
  }
  assert(reached.kaiming < 0.1 && reached.ones > 0.3, JSON.stringify(reached));
});
