/** Dropout as a layer: in training, in evaluation, in recordings, and with planted bugs. */
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { Dropout, type Layer, Linear, multilayerPerceptron, ReLU } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { advance, dropout, scale } from "../../lib/arithmetic/ops.ts";
import { Predictor } from "../../lib/evaluate/predictor.ts";
import { Random } from "../../lib/base/random.ts";
import { ReferenceDropout } from "../../lib/reference/mod.ts";
import { readAll, Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { bits, compute, gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";
import { type GpuBug, type TwinBug, withBug, wrongGradients } from "../support/planted.ts";
import { smallTraining } from "../support/small_training.ts";
import { watchEpoch } from "../support/watch_epoch.ts";

gpuTest("dropout() refuses rates and steps that are none, and a layer outside a model", (device) => {
  using x = Tensor.zeros(device, [2, 2]);
  using step = Tensor.zeros(device, [1], "u32");
  using two = Tensor.zeros(device, [2], "u32");
  for (const rate of [1, -0.1, NaN, Infinity]) {
    const text = `Cannot drop out a share of ${rate}: need a number from 0 to less than 1`;
    assertThrows(() => dropout(x, { rate, key: 0, step }), RangeError, text);
    assertThrows(() => new Dropout(rate), RangeError, text);
  }
  assertThrows(() => dropout(x, { rate: 0.5, key: 0, step: two }), TypeError, "by a step [2]: need [1]");
  assertThrows(() => dropout(x, { rate: 0.5, key: 0, step: x }), TypeError, "a tensor of f32: need u32");
  assertThrows(() => dropout(step, { rate: 0.5, key: 0, step }), TypeError, "a tensor of u32: need f32");
  assertThrows(() => advance(x), TypeError, "a tensor of f32: need u32");
  assertThrows(() => new Dropout(0.5, { seed: -1 }), RangeError, "Cannot seed with -1");
  const layer = new Dropout(0.5);
  const text = "Cannot run Dropout: its layer is in no Model yet";
  for (const run of [() => layer.forward(x, true), () => layer.reference(), () => layer.seek(1)]) {
    assertThrows(run, TypeError, text);
  }
  assertThrows(() => new Dropout(0.5).backward(x), TypeError, "Cannot run Dropout's backward before its forward");
});

gpuTest("a replayed recording has a new mask each time, and its backward the same one", async (device) => {
  const layer = new Dropout(0.25, { seed: 3 });
  using _model = new Model(device, [layer]);
  using ones = Tensor.from(device, new Float32Array(4_000).fill(1), [40, 100]);
  let y!: Tensor;
  let dX!: Tensor;
  using recording = device.record(() => {
    y = layer.forward(ones, true);
    dX = layer.backward(ones);
  }, { fuse: true });
  const masks: Uint32Array[] = [];
  const total = new Float64Array(4_000);
  const replays = 40;
  for (let time = 0; time < replays; time++) {
    recording.replay();
    const [forward, backward] = await readAll([y, dX]);
    assertEquals(bits(forward), bits(backward));
    assertEquals(forward.findIndex((v) => v !== 0 && v !== Math.fround(1 / 0.75)), -1);
    const share = forward.filter((v) => v > 0).length / 4_000;
    assert(Math.abs(share - 0.75) < 0.035, `${share} kept`);
    forward.forEach((v, i) => total[i] += v);
    masks.push(bits(forward));
  }
  assertEquals(new Set(masks.map(String)).size, replays);
  // The expectation is kept: a mean of 160,000 values of deviation sqrt(1 / 3).
  const mean = total.reduce((a, b) => a + b) / (4_000 * replays);
  assert(Math.abs(mean - 1) < 5 * Math.sqrt(1 / 3 / (4_000 * replays)), `mean ${mean}`);
});

gpuTest("one seed gives one sequence of masks; another seed, or place in the model, another", async (device) => {
  const firstMasks = async (seed: number) => {
    using model = new Model(device, [new Dropout(0.5, { seed }), new Dropout(0.5, { seed })]);
    const [first, second] = model.layers;
    using x = Tensor.from(device, new Float32Array(256).fill(1), [16, 16]);
    const masks = [first, second, first].map((layer) => compute(device, () => layer.forward(x, true)));
    return (await Promise.all(masks)).map((mask) => [...bits(mask)]);
  };
  const first = await firstMasks(1);
  assertEquals(await firstMasks(1), first);
  const all = [...first, ...await firstMasks(2)];
  assertEquals(new Set(all.map(String)).size, 6);
});

gpuTest("Dropout does nothing in evaluation, and evaluation leaves its masks alone", async (device) => {
  const layer = new Dropout(0.5);
  const plain = (): Layer[] => [new Linear(3, 8), new ReLU(), new Linear(8, 2)];
  using model = new Model(device, plain().toSpliced(2, 0, layer), { random: new Random(1, "weights") });
  using bare = new Model(device, plain());
  const { "0.weight": w0, "0.bias": b0, "3.weight": w2, "3.bias": b2 } = await model.read();
  bare.load({ "0.weight": w0, "0.bias": b0, "2.weight": w2, "2.bias": b2 });
  using x = upload(device, randomMatrix(50, 3));
  const expected = await compute(device, () => bare.forward(x));
  assertEquals(bits(await compute(device, () => model.forward(x))), bits(expected));
  using predictor = new Predictor(model, 3, 50);
  assertEquals(bits(await predictor.predict(x) as Float32Array<ArrayBuffer>), bits(expected));
  const train = () => compute(device, () => model.forward(x, { training: true }));
  layer.seek(0);
  const first = await train();
  const second = await train();
  layer.seek(0);
  const firstAgain = await train();
  await predictor.predict(x);
  const secondAgain = await train();
  assertEquals([bits(firstAgain), bits(secondAgain)], [bits(first), bits(second)]);
  assertNotEquals(bits(first), bits(second));
  assertNotEquals(bits(first), bits(expected));
  // A backward behind an evaluation passes everything on.
  using dOut = Tensor.from(device, [[1, 2]]);
  assertEquals([layer.forward(dOut), layer.backward(dOut)], [dOut, dOut]);
  const twin = await model.reference(mse.reference);
  assertClose(expected, twin.forward(randomMatrix(50, 3)).data, { rtol: 1e-5, atol: 1e-6 });
});

/** Four epochs of 50 rows in batches of 8, the last of 2; losses and weights. */
async function train(
  device: Device,
  layers: Layer[],
  plain: boolean,
): Promise<[losses: number[], weights: Float32Array]> {
  const options = { layers, plain, rows: 50, inputs: 3, targets: 2, batchSize: 8, seed: 4 };
  using setup = smallTraining(device, options);
  assert(setup.trainer.dispatchesPerStep > 8, "no whole step");
  const epochs = await Array.fromAsync(setup.trainer.epochs(4));
  return [epochs.flatMap(({ losses }) => [...losses]), await setup.model.values.read() as Float32Array];
}

gpuTest("epochs() with dropout give one seed's bits, fused or not, and others for another seed", async (device) => {
  const layers = (seed: number) => multilayerPerceptron(3, [16, 8], 2, { activation: "tanh", dropout: 0.3, seed });
  const [losses, weights] = await train(device, layers(1), false);
  assertEquals(await train(device, layers(1), false), [losses, weights]);
  const [plainLosses, plainWeights] = await train(device, layers(1), true);
  assertClose(plainLosses, losses, { rtol: 1e-4 });
  assertClose(plainWeights, weights, { rtol: 1e-3, atol: 1e-5 });
  assertNotEquals((await train(device, layers(2), false))[0], losses);
  assertEquals(losses.findIndex((loss) => !Number.isFinite(loss)), -1);
});

gpuTest("readAhead() shows what dropout leaves, as d1, with a new mask in each step", async (device) => {
  const layers = multilayerPerceptron(2, [64], 1, { activation: "sigmoid", dropout: 0.5 });
  using setup = smallTraining(device, { layers, rows: 12, batchSize: 4 });
  const masks = new Set<string>();
  await watchEpoch(setup.trainer, ({ a1: a, d1: d }) => {
    assertEquals(d.findIndex((value, i) => value !== 0 && value !== 2 * a[i]), -1);
    masks.add(d.map((value) => Math.sign(value)).join());
  });
  assertEquals(masks.size, 3);
});

Deno.test("multilayerPerceptron() puts a Dropout behind every activation where it is asked for", () => {
  const layers = multilayerPerceptron(2, [8, 4], 1, { activation: "gelu", dropout: 0.25, seed: 9 });
  assertEquals(layers.map(({ kind }) => kind).join(), "Linear,GELU,Dropout,Linear,GELU,Dropout,Linear");
  assertEquals([layers[2].settings, layers[5].settings], [{ rate: 0.25, seed: 9 }, { rate: 0.25, seed: 9 }]);
  assertThrows(() => multilayerPerceptron(2, [8], 1, { dropout: 1 }), RangeError, "Cannot drop out a share of 1:");
});

const bugs: [bug: string, { gpu?: GpuBug; twin?: TwinBug }][] = [
  ["passes everything back", { gpu: ({ dOut }) => scale(dOut, 1) }],
  ["forgets the scale", { gpu: ({ dOut, backward }) => scale(backward(dOut), 0.6) }],
  ["scales twice", { gpu: ({ dOut, backward }) => scale(backward(dOut), 1 / 0.6) }],
  ["draws another mask", { gpu: ({ dOut, backward, layer }) => (layer.forward(dOut, true), backward(dOut)) }],
  ["flips its sign", { gpu: ({ dOut, backward }) => scale(backward(dOut), -1) }],
  ["passes everything back in float64", { twin: ({ dOut }) => dOut }],
  ["forgets the scale in float64", { twin: ({ dOut, backward }) => backward(dOut).map((v) => 0.6 * v) }],
];

const around = (dropout: Layer) => [new Linear(4, 5), dropout, new Linear(5, 3)];

for (const [bug, planted] of bugs) {
  gpuTest(`checkGradients() catches a Dropout that ${bug}`, async (device) => {
    const wrong = await wrongGradients(device, around(withBug(new Dropout(0.4), planted)));
    assertEquals(wrong, ["0.weight", "0.bias", "input"]);
  });
}

gpuTest("checkGradients() passes a sound Dropout between layers", async (device) => {
  const sound = withBug(new Dropout(0.4), {
    gpu: ({ dOut, backward }) => backward(dOut),
    twin: ({ dOut, backward, layer }) => {
      assert(layer instanceof ReferenceDropout);
      return backward(dOut);
    },
  });
  assertEquals(await wrongGradients(device, around(sound)), []);
});
