import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { clipByNorm } from "../../lib/training/clipping.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { NotFiniteError } from "../../lib/base/errors.ts";
import { Linear } from "../../lib/core/layers.ts";
import { ArrayRows } from "../../lib/data/row_source.ts";
import * as reference from "../../lib/reference/mod.ts";
import { readAll, Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { bits, gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";
import { smallTraining, type SmallTrainingOptions } from "../support/small_training.ts";
import { trainTwin } from "./twin_training.ts";

gpuTest("clipByNorm() agrees with values worked out by hand", async (device) => {
  const cases: [number[], number, number[]][] = [
    [[3, 0, -4], 2.5, [1.5, 0, -2]],
    [[3, 0, -4], 5, [3, 0, -4]],
    [[3, 0, -4], 6, [3, 0, -4]],
    [[-2], 1, [-1]],
    [[0, 0, 0, 0], 1, [0, 0, 0, 0]],
    [[2, 2, 2, 2, 0, 0, 0, 0], 2, [1, 1, 1, 1, 0, 0, 0, 0]],
  ];
  for (const [values, maxNorm, expected] of cases) {
    using gradients = Tensor.from(device, values);
    clipByNorm(gradients, maxNorm);
    assertEquals([...await gradients.read()], expected);
  }
});

gpuTest("clipByNorm() agrees with float64, from one element to a grid of many parts", async (device) => {
  for (const size of [1, 3, 4, 5, 131, 1_028, 4_099, 100_003, 1_000_000, 5_000_004]) {
    const values = randomMatrix(1, size, size);
    const twin = values.data.slice();
    const norm = reference.referenceClip(twin, Infinity);
    reference.referenceClip(twin, norm / 3);
    using gradients = upload(device, values);
    clipByNorm(gradients, 2 * norm);
    assertEquals(bits(await gradients.read()), bits(Float32Array.from(values.data)), "a norm below the bound");
    clipByNorm(gradients, norm / 3);
    assertClose(await gradients.read(), twin, { rtol: 2e-6, atol: 0 });
  }
});

gpuTest("clipByNorm() makes a norm that is not finite show in all gradients but those of 0", async (device) => {
  for (const fault of [NaN, Infinity, -Infinity, 1e20]) {
    for (const [size, place] of [[7, 3], [2_048, 2_000]]) {
      const values = new Float32Array(size).map((_, i) => i % 2 === 0 ? 0.5 : 0);
      values[place] = fault;
      using gradients = Tensor.from(device, values);
      clipByNorm(gradients, 1);
      assertEquals(await gradients.read(), values.map((v) => v === 0 ? 0 : NaN));
    }
  }
});

gpuTest("clipByNorm() refuses a bound that is no finite number over 0, and row numbers", (device) => {
  using gradients = Tensor.from(device, [1]);
  for (const norm of [0, -1, NaN, Infinity, 1e-50, 1e39]) {
    const text = `Cannot clip gradients to a norm of ${norm}: it must be a finite number over 0 in float32`;
    assertThrows(() => clipByNorm(gradients, norm), RangeError, text);
  }
  using rows = Tensor.from(device, Uint32Array.of(1));
  assertThrows(() => clipByNorm(rows, 1), TypeError, "Cannot compute with a tensor of u32: need f32");
});

/** A small network whose gradients are larger than a norm of 0.5 at first, and smaller in the end. */
const setUp = (device: Device, options: SmallTrainingOptions) =>
  smallTraining(device, {
    rows: 20,
    batchSize: 20,
    shuffle: false,
    optimizer: "momentum",
    optimizerOptions: { weightDecay: 0.01 },
    learningRate: 0.02,
    ...options,
  });

gpuTest("a Trainer with clipNorm does what the float64 model does over 50 steps", async (device) => {
  for (const plain of [false, true]) {
    using setup = setUp(device, { clipNorm: 0.5, plain });
    using free = setUp(device, { plain });
    assertEquals(setup.trainer.dispatchesPerStep, free.trainer.dispatchesPerStep + 3);
    const norms: number[] = [];
    const momentum = reference.referenceMomentum(0.02, { weightDecay: 0.01 });
    const update: reference.ReferenceOptimizer = (w, g) => {
      norms.push(reference.referenceClip(g, 0.5));
      momentum(w, g);
    };
    const plan = { rows: 20, windowRows: 20, batchSize: 20, seed: 1, shuffle: false };
    const twin = await trainTwin(setup.model, { ...plan, epochs: 50, update });
    assert(norms[0] > 0.6 && norms.at(-1)! < 0.4, `norms from ${norms[0]} to ${norms.at(-1)}`);
    const lossesOf = (epochs: { loss: number }[]) => epochs.map(({ loss }) => loss);
    assertClose(lossesOf(await Array.fromAsync(setup.trainer.epochs(50))), lossesOf(twin.epochs), { rtol: 1e-4 });
  }
});

gpuTest("a Trainer with clipNorm leaves zeros between parameters", async (device) => {
  using setup = setUp(device, { clipNorm: 0.1 });
  await Array.fromAsync(setup.trainer.epochs(3));
  const { values, gradients, parameters } = setup.model;
  const flat = await readAll([values, gradients]);
  for (const { parameter: { value, shape } } of parameters) {
    const start = value.byteOffset / 4;
    const end = start + shape.reduce((a, b) => a * b, 1);
    for (const data of flat) data.fill(0, start, end);
  }
  for (const data of flat) assertEquals(data, new Float32Array(data.length));
});

gpuTest("a gradient whose norm is not finite stops the run, though the loss is finite", async (device) => {
  // A loss of 1e36, a gradient of 2e28, whose square float32 does not hold.
  const source = new ArrayRows(Float32Array.of(1e10, 1e10), new Float32Array(2), 1);
  using setup = smallTraining(device, { source, layers: [new Linear(1, 1)], batchSize: 1, clipNorm: 1 });
  setup.model.load({ "0.weight": [1e8], "0.bias": [0] });
  const error = await assertRejects(() => Array.fromAsync(setup.trainer.epochs(2)), NotFiniteError);
  assertEquals([error.what, error.step], ["gradients", 1]);
});
