import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { subtract } from "../../lib/arithmetic/ops.ts";
import {
  Adam,
  AdamW,
  createOptimizer,
  Momentum,
  Nesterov,
  type Optimizer,
  type OptimizerName,
  RmsProp,
  Sgd,
} from "../../lib/core/optimizers.ts";
import * as reference from "../../lib/reference/mod.ts";
import { readAll, Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { gpuTest, randomMatrix } from "../support/gpu_test_case.ts";

const TWINS = {
  sgd: reference.referenceSgd,
  momentum: reference.referenceMomentum,
  nesterov: reference.referenceNesterov,
  rmsprop: reference.referenceRmsProp,
  adam: reference.referenceAdam,
  adamw: reference.referenceAdamW,
};
const NAMES = Object.keys(TWINS) as OptimizerName[];

/** Parameters at chosen values, and gradients of zeros. */
function trainable(device: Device, values: ArrayLike<number>): { values: Tensor; gradients: Tensor } & Disposable {
  const made = {
    values: Tensor.from(device, Float32Array.from(values)),
    gradients: Tensor.zeros(device, [values.length]),
  };
  return { ...made, [Symbol.dispose]: () => [made.values, made.gradients].forEach((tensor) => tensor.dispose()) };
}

gpuTest("optimizers agree with steps worked out by hand", async (device) => {
  const w = [1, 2];
  const g = [1, -1];
  // The gradient is 0 but for the decay, 0.5 * 2. What lies between parameters is 0 and stays so.
  const decay = { weightDecay: 0.5 };
  const cases: [OptimizerName, number[], number[], { weightDecay: number } | undefined, steps: number[][]][] = [
    ["sgd", w, g, undefined, [[0.9, 2.1], [0.8, 2.2]]],
    // Velocity 1, then 0.9 + 1.
    ["momentum", w, g, undefined, [[0.9, 2.1], [0.71, 2.29]]],
    // Velocities 1 and 1.9, each 0.9 of it on top of the gradient.
    ["nesterov", w, g, undefined, [[0.81, 2.19], [0.539, 2.461]]],
    // Means of squares 0.01 and 0.0199.
    ["rmsprop", w, g, undefined, [[0, 3], [-0.1 / Math.sqrt(0.0199), 3 + 0.1 / Math.sqrt(0.0199)]]],
    // A constant gradient makes both corrected means its own: each step is the learning rate.
    ["adam", w, g, undefined, [[0.9, 2.1], [0.8, 2.2]]],
    // A thousandth off each weight before.
    ["adamw", w, g, undefined, [[0.899, 2.098], [0.899 * 0.999 - 0.1, 2.098 * 0.999 + 0.1]]],
    ["sgd", [2, 0], [0, 0], decay, [[2 - 0.1, 0]]],
    ["momentum", [2, 0], [0, 0], decay, [[2 - 0.1, 0]]],
    ["nesterov", [2, 0], [0, 0], decay, [[2 - 0.19, 0]]],
    // The first step depends on the gradient's sign alone: 1 / sqrt(0.01 * 1).
    ["rmsprop", [2, 0], [0, 0], decay, [[2 - 1, 0]]],
    ["adam", [2, 0], [0, 0], decay, [[2 - 0.1, 0]]],
    // No gradient, no step; the decay stands next to it.
    ["adamw", [2, 0], [0, 0], decay, [[2 * (1 - 0.1 * 0.5), 0]]],
  ];
  for (const [name, weights, gradients, options, steps] of cases) {
    using model = trainable(device, weights);
    model.gradients.write(gradients);
    using optimizer = createOptimizer(name, model, 0.1, options);
    assertEquals([optimizer.kind, optimizer.learningRate], [name, 0.1]);
    for (const expected of steps) {
      optimizer.step();
      assertClose(await model.values.read(), expected, { rtol: 1e-6, atol: options ? 0 : 1e-6 });
    }
  }
});

gpuTest("optimizers agree with their float64 twins over 50 steps, with and without weight decay", async (device) => {
  // One at a time, and by fours.
  for (const size of [131, 132]) {
    const start = randomMatrix(1, size, 1).data;
    const target = randomMatrix(1, size, 2).data;
    for (const name of NAMES) {
      const ends: Float64Array[] = [];
      for (const options of [undefined, { weightDecay: 0 }, { weightDecay: 0.3 }]) {
        using model = trainable(device, start);
        using goal = Tensor.from(device, Float32Array.from(target));
        using optimizer = createOptimizer(name, model, 0.03, options);
        // The gradient of half the squared distance to the goal changes with every step.
        using step = device.record(() => {
          subtract(model.values, goal, { out: model.gradients });
          optimizer.step();
        });
        const expected = start.slice();
        const twin = TWINS[name](0.03, options);
        for (let i = 0; i < 50; i++) {
          twin(expected, expected.map((w, j) => w - target[j]));
          step.replay();
          if (i === 0 || i === 49) assertClose(await model.values.read(), expected, { rtol: 2e-5, atol: 2e-5 });
        }
        ends.push(expected);
      }
      // AdamW decays unless told otherwise, the others do not.
      assertEquals(`${ends[0]}` === `${ends[1]}`, name !== "adamw");
      assertNotEquals(ends[1], ends[2]);
    }
  }
});

gpuTest("optimizers with settings of their own agree with their twins", async (device) => {
  const gradient = randomMatrix(1, 3, 3).data;
  const momentum = { momentum: 0.5 };
  const rms = { decay: 0.5, epsilon: 0.25 };
  const adam = { beta1: 0.5, beta2: 0.75, epsilon: 0.5, weightDecay: 0.125 };
  const cases: [(model: { values: Tensor; gradients: Tensor }) => Optimizer, reference.ReferenceOptimizer][] = [
    [(model) => new Momentum(model, 0.1, momentum), reference.referenceMomentum(0.1, momentum)],
    [(model) => new Nesterov(model, 0.1, momentum), reference.referenceNesterov(0.1, momentum)],
    [(model) => new RmsProp(model, 0.1, rms), reference.referenceRmsProp(0.1, rms)],
    [(model) => new Adam(model, 0.1, adam), reference.referenceAdam(0.1, adam)],
    [(model) => new AdamW(model, 0.1, adam), reference.referenceAdamW(0.1, adam)],
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
    using optimizer = createOptimizer(name, model, 1);
    using step = device.record(() => optimizer.step());
    const expected = Float64Array.of(0);
    const twin = TWINS[name]((step) => 0.5 ** (step + 1));
    for (const rate of [0.5, 0.25]) {
      optimizer.learningRate = rate;
      assertEquals(optimizer.learningRate, rate);
      step.replay();
      twin(expected, Float64Array.of(1));
      assertClose(await model.values.read(), expected);
    }
  }
});

gpuTest("state lies in the layout of the parameters and changes with each step", async (device) => {
  using model = trainable(device, [1, 2, 3]);
  model.gradients.write([1, 2, 3]);
  const adam = ["mean", "variance", "powers"];
  const momentum = ["velocity"];
  const names = { sgd: [], momentum, nesterov: momentum, rmsprop: ["variance"], adam, adamw: adam };
  for (const name of NAMES) {
    using optimizer = createOptimizer(name, model, 0.1);
    assertEquals(Object.keys(optimizer.state), names[name]);
    const before = await readAll(Object.values(optimizer.state));
    optimizer.step();
    (await readAll(Object.values(optimizer.state))).forEach((state, i) => assertNotEquals(state, before[i]));
  }
});

gpuTest("Adam's epsilon counts where gradients are as small as it", async (device) => {
  using model = trainable(device, [0]);
  model.gradients.write([1e-7]);
  using optimizer = new Adam(model, 1);
  optimizer.step();
  assertClose(await model.values.read(), [-1e-7 / (1e-7 + 1e-8)], { rtol: 1e-3, atol: 0 });
});

gpuTest("optimizers refuse gradients of another shape, and settings out of range", (device) => {
  using values = Tensor.from(device, [0]);
  using gradients = Tensor.from(device, [1]);
  const model = { values, gradients };
  using optimizer = new Sgd(model, 1);
  for (const rate of [0, -0.1, -1, NaN, Infinity, 1e-50, 1e39]) {
    const text = `Cannot use a learning rate of ${rate}: it must be a finite number over 0`;
    for (const name of NAMES) assertThrows(() => createOptimizer(name, model, rate), RangeError, text);
    assertThrows(() => optimizer.learningRate = rate, RangeError, text);
    assertEquals(optimizer.learningRate, 1);
  }
  const cases: [make: () => Optimizer, text: string][] = [
    [() => new Momentum(model, 0.1, { momentum: 1 }), "a momentum of 1"],
    [() => new Nesterov(model, 0.1, { momentum: NaN }), "a momentum of NaN"],
    [() => new RmsProp(model, 0.1, { decay: 1 }), "a decay of 1"],
    [() => new Adam(model, 0.1, { beta1: 1 }), "a beta1 of 1"],
    [() => new AdamW(model, 0.1, { beta2: -0.1 }), "a beta2 of -0.1"],
  ];
  for (const epsilon of [0, 1e-50, NaN]) {
    cases.push([() => new Adam(model, 0.1, { epsilon }), `an epsilon of ${epsilon}`]);
    cases.push([() => new RmsProp(model, 0.1, { epsilon }), `an epsilon of ${epsilon}`]);
  }
  for (const weightDecay of [-0.1, NaN, Infinity, 1e39]) {
    const text = `a weight decay of ${weightDecay}: it must be a finite number from 0 on`;
    for (const name of NAMES) cases.push([() => createOptimizer(name, model, 0.1, { weightDecay }), text]);
  }
  for (const [make, text] of cases) assertThrows(make, RangeError, `Cannot use ${text}`);
  using five = Tensor.zeros(device, [5]);
  const text = "Cannot optimize: parameters and gradients must have one shape, found [1] and [5]";
  for (const name of NAMES) {
    assertThrows(() => createOptimizer(name, { values, gradients: five }, 0.1), TypeError, text);
  }
});
