import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import type { Device } from "../lib/device.ts";
import { subtract } from "../lib/ops.ts";
import { Adam, createOptimizer, Momentum, type Optimizer, type OptimizerName, Sgd } from "../lib/optimizers.ts";
import * as reference from "../lib/reference.ts";
import { readAll, Tensor } from "../lib/tensor.ts";
import { assertClose } from "./assert_close.ts";
import { gpuTest, randomMatrix } from "./gpu_test_case.ts";

const NAMES: OptimizerName[] = ["sgd", "momentum", "adam"];

/** Parameters at chosen values, and gradients of zeros. */
function trainable(device: Device, values: ArrayLike<number>): { values: Tensor; gradients: Tensor } & Disposable {
  const made = {
    values: Tensor.from(device, Float32Array.from(values)),
    gradients: Tensor.zeros(device, [values.length]),
  };
  return { ...made, [Symbol.dispose]: () => [made.values, made.gradients].forEach((tensor) => tensor.dispose()) };
}

gpuTest("optimizers agree with steps worked out by hand", async (device) => {
  const cases: [OptimizerName, number[][]][] = [
    ["sgd", [[0.9, 2.1], [0.8, 2.2]]],
    // Velocity 1, then 0.9 + 1.
    ["momentum", [[0.9, 2.1], [0.71, 2.29]]],
    // A constant gradient makes both corrected means its own: each step is the learning rate.
    ["adam", [[0.9, 2.1], [0.8, 2.2]]],
  ];
  for (const [name, steps] of cases) {
    using model = trainable(device, [1, 2]);
    model.gradients.write([1, -1]);
    using optimizer = createOptimizer(name, model, 0.1);
    assertEquals([optimizer.kind, optimizer.learningRate], [name, 0.1]);
    for (const expected of steps) {
      optimizer.step();
      assertClose(await model.values.read(), expected, { rtol: 1e-6, atol: 0 });
    }
  }
});

gpuTest("optimizers agree with their float64 twins over 50 steps", async (device) => {
  const start = randomMatrix(1, 131, 1).data, target = randomMatrix(1, 131, 2).data;
  const twins = {
    sgd: reference.referenceSgd(0.03),
    momentum: reference.referenceMomentum(0.03),
    adam: reference.referenceAdam(0.03),
  };
  for (const name of NAMES) {
    using model = trainable(device, start);
    using goal = Tensor.from(device, Float32Array.from(target));
    using optimizer = createOptimizer(name, model, 0.03);
    // The gradient of half the squared distance to the goal changes with every step.
    using step = device.record(() => {
      subtract(model.values, goal, { out: model.gradients });
      optimizer.step();
    });
    const expected = start.slice();
    for (let i = 0; i < 50; i++) {
      twins[name](expected, expected.map((w, j) => w - target[j]));
      step.replay();
      if (i === 0 || i === 49) assertClose(await model.values.read(), expected, { rtol: 2e-5, atol: 2e-5 });
    }
  }
});

gpuTest("optimizers with settings of their own agree with their twins", async (device) => {
  const gradient = randomMatrix(1, 3, 3).data;
  const cases: [(model: { values: Tensor; gradients: Tensor }) => Optimizer, reference.ReferenceOptimizer][] = [
    [(model) => new Momentum(model, 0.1, 0.5), reference.referenceMomentum(0.1, 0.5)],
    [(model) => new Adam(model, 0.1, 0.5, 0.75, 0.5), reference.referenceAdam(0.1, 0.5, 0.75, 0.5)],
  ];
  for (const [make, twin] of cases) {
    using model = trainable(device, [1, 1, 1]);
    model.gradients.write(Float32Array.from(gradient));
    using optimizer = make(model);
    const expected = Float64Array.of(1, 1, 1);
    for (let i = 0; i < 5; i++) {
      optimizer.step();
      twin(expected, gradient);
    }
    assertClose(await model.values.read(), expected);
  }
});

gpuTest("setting learningRate reaches a recorded step", async (device) => {
  for (const name of NAMES) {
    using model = trainable(device, [0]);
    model.gradients.write([1]);
    using optimizer = createOptimizer(name, model, 0.5);
    using step = device.record(() => optimizer.step());
    step.replay();
    const [before] = await model.values.read();
    optimizer.learningRate = 0.25;
    assertEquals(optimizer.learningRate, 0.25);
    step.replay();
    const [after] = await model.values.read();
    // Momentum's second velocity is 1.9.
    assertClose([before, after - before], [-0.5, name === "momentum" ? -0.475 : -0.25]);
  }
});

gpuTest("state lies in the layout of the parameters and changes with each step", async (device) => {
  using model = trainable(device, [1, 2, 3]);
  model.gradients.write([1, 2, 3]);
  const names = { sgd: [], momentum: ["velocity"], adam: ["mean", "variance", "powers"] };
  for (const name of NAMES) {
    using optimizer = createOptimizer(name, model, 0.1);
    assertEquals(Object.keys(optimizer.state), names[name]);
    const before = await readAll(Object.values(optimizer.state));
    optimizer.step();
    (await readAll(Object.values(optimizer.state))).forEach((state, i) => assertNotEquals(state, before[i]));
  }
});

gpuTest("optimizers refuse a learning rate that is no finite number over 0, and leave nothing behind", (device) => {
  using model = trainable(device, [1]);
  for (const rate of [0, -0.1, NaN, Infinity]) {
    const text = `Cannot use a learning rate of ${rate}: it must be a finite number over 0`;
    for (const name of NAMES) assertThrows(() => createOptimizer(name, model, rate), RangeError, text);
    using optimizer = new Sgd(model, 1);
    assertThrows(() => optimizer.learningRate = rate, RangeError, text);
    assertEquals(optimizer.learningRate, 1);
  }
});

gpuTest("optimizers refuse parameters and gradients of two shapes", (device) => {
  using values = Tensor.zeros(device, [4]);
  using gradients = Tensor.zeros(device, [5]);
  for (const name of NAMES) {
    assertThrows(
      () => createOptimizer(name, { values, gradients }, 0.1),
      TypeError,
      "Cannot optimize: parameters and gradients must have one shape, found [4] and [5]",
    );
  }
});

gpuTest("Adam's epsilon counts where gradients are as small as it", async (device) => {
  using values = Tensor.from(device, [0]);
  using gradients = Tensor.from(device, [1e-7]);
  using optimizer = new Adam({ values, gradients }, 1);
  optimizer.step();
  assertClose(await values.read(), [-1e-7 / (1e-7 + 1e-8)], { rtol: 1e-3, atol: 0 });
});

gpuTest("optimizers refuse settings out of range, and leave nothing behind", (device) => {
  using values = Tensor.from(device, [0]);
  using gradients = Tensor.from(device, [1]);
  const model = { values, gradients };
  for (const rate of [0, -1, NaN, Infinity, 1e-50, 1e39]) {
    assertThrows(() => new Sgd(model, rate), RangeError, `Cannot use a learning rate of ${rate}`);
  }
  assertThrows(() => new Momentum(model, 0.1, 1), RangeError, "Cannot use a momentum of 1");
  assertThrows(() => new Adam(model, 0.1, 1), RangeError, "Cannot use a beta1 of 1");
  assertThrows(() => new Adam(model, 0.1, 0.9, -0.1), RangeError, "Cannot use a beta2 of -0.1");
});
