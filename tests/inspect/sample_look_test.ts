/** Looks at a network over a sample of rows: what they see, and that training does not notice. */
import { assert, assertEquals } from "@std/assert";
import { Dropout, Linear, multilayerPerceptron, ReLU, Sigmoid } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { examine, NormsLook } from "../../lib/inspect/sample_look.ts";
import { Random } from "../../lib/base/random.ts";
import { statistics } from "../../lib/reference/mod.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { bits, gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";
import { smallTraining, type SmallTrainingOptions } from "../support/small_training.ts";

/** A network with two ReLU layers and one of sigmoids, and 70 rows for it. */
function setUp(device: Device) {
  const stack = new DisposableStack();
  const hidden = [new Linear(3, 8), new ReLU(), new Linear(8, 4), new Sigmoid(), new Linear(4, 6), new ReLU()];
  const layers = [...hidden, new Linear(6, 2)];
  const model = stack.use(new Model(device, layers, { random: new Random(5, "layers") }));
  const xs = randomMatrix(70, 3);
  const ys = randomMatrix(70, 2, 2);
  const x = stack.use(upload(device, xs));
  const y = stack.use(upload(device, ys));
  return { layers, model, xs, ys, x, y, [Symbol.dispose]: () => stack.dispose() };
}

gpuTest("examine() sees what float64 sees, in one wait", async (device) => {
  using made = setUp(device);
  const { layers, model, xs, ys, x, y } = made;
  const reference = await model.reference(mse.reference);
  const { waits } = device.stats;
  const [{ relus, weights }] = await examine(model, mse, x, y);
  assertEquals(device.stats.waits, waits + 1);

  reference.backward(xs, ys);
  assertEquals(weights.map(({ name }) => name), ["0.weight", "2.weight", "4.weight", "6.weight"]);
  const values = await model.read();
  for (const [i, { name, weight, weightGradient, bias, biasGradient }] of weights.entries()) {
    const [wanted, wantedBias] = reference.gradients.slice(2 * i);
    assertEquals([weight.rows, weight.columns], [wanted.rows, wanted.columns]);
    assertEquals([weight.data, bias], [values[name], values[name.replace("weight", "bias")]]);
    assertClose(weightGradient.data, wanted.data, { rtol: 1e-4, atol: 1e-6 });
    assertClose(biasGradient, wantedBias.data, { rtol: 1e-4, atol: 1e-6 });
  }
  assertEquals(relus.map(({ name, rows, columns }) => [name, rows, columns]), [["a1", 70, 8], ["a3", 70, 6]]);
  using z1 = device.tidy(() => layers[0].forward(x));
  assertEquals([...relus[0].data as Float32Array], [...await z1.read()].map((v) => Math.max(0, v)));
});

gpuTest("examine() and NormsLook tell members apart", async (device) => {
  using model = new Model(device, multilayerPerceptron(3, [4], 2, { members: 2 }));
  const { "0.weight": first, "0.bias": _, ...rest } = await model.read();
  // Two dead units in the first member, one in the second.
  model.load({ ...rest, "0.weight": first, "0.bias": [-100, -100, 0, 0, -100, 0, 0, 0] });
  using x = upload(device, randomMatrix(70, 3));
  using y = upload(device, randomMatrix(70, 2, 2));
  const seen = await examine(model, mse, x, y);
  assertEquals(seen.map(({ weights: [{ weight }] }) => [weight.rows, weight.data]), [
    [3, first.subarray(0, 12)],
    [3, first.subarray(12)],
  ]);
  for (const [m, { relus: [{ rows, columns, data }], weights: [, { bias, biasGradient }] }] of seen.entries()) {
    assertEquals([rows, columns, bias.length, biasGradient.length], [70, 4, 2, 2]);
    const dead = [0, 1, 2, 3].filter((unit) => !Array.from(data).some((v, i) => i % 4 === unit && v > 0));
    assertEquals(dead, m === 0 ? [0, 1] : [0]);
  }
  using look = new NormsLook(model, mse, x, y);
  assertEquals((await look.take()).dead, { a1: 3 / 8 });
});

gpuTest("NormsLook gives float64's norms and the dead units, in one wait", async (device) => {
  using made = setUp(device);
  const { model, xs, ys, x, y } = made;
  const { "0.bias": _, ...rest } = await model.read();
  model.load({ ...rest, "0.bias": [-100, 0, -100, 0, -100, 0, 0, 0] });
  const reference = await model.reference(mse.reference);
  reference.backward(xs, ys);
  using look = new NormsLook(model, mse, x, y);
  const { waits } = device.stats;
  const { weights, gradients, dead } = await look.take();
  assertEquals(device.stats.waits, waits + 1);
  const names = model.parameters.map(({ name }) => name);
  assertEquals([Object.keys(weights), Object.keys(gradients), Object.keys(dead)], [names, names, ["a1", "a3"]]);
  const norms = (all: readonly { data: Float64Array }[]) => all.map(({ data }) => statistics(data).norm);
  assertClose(Object.values(weights), norms(reference.parameters), { rtol: 1e-6, atol: 0 });
  assertClose(Object.values(gradients), norms(reference.gradients), { rtol: 1e-4, atol: 1e-7 });
  assertEquals(dead.a1, 3 / 8);
  assert(dead.a3 < 1);
  model.load({ ...rest, "0.bias": new Float32Array(8).fill(NaN) });
  assertEquals((await look.take()).weights["0.bias"], NaN);
});

const CASES: [name: string, rate: number, SmallTrainingOptions][] = [
  ["in one kernel", 0, {}],
  ["with dropout and clipping", 0.3, { clipNorm: 0.5 }],
  ["with dropout and clipping, with plain operations", 0.3, { plain: true, clipNorm: 0.5 }],
];

for (const [name, rate, options] of CASES) {
  gpuTest(`examine() and NormsLook leave training as it is, bit for bit, ${name}`, async (device) => {
    const train = async (isLooking: boolean) => {
      const dropout = rate > 0 ? [new Dropout(rate, { seed: 3 })] : [];
      const layers = [new Linear(2, 16), new ReLU(), ...dropout, new Linear(16, 1)];
      using made = smallTraining(device, { rows: 50, batchSize: 8, optimizer: "adam", layers, ...options });
      const { model, trainer } = made;
      using x = upload(device, randomMatrix(30, 2));
      using y = Tensor.zeros(device, [30, 1]);
      using norms = new NormsLook(model, mse, x, y);
      const looks: ReturnType<typeof examine>[] = [];
      const measured: Promise<unknown>[] = [];
      const evaluate = () => {
        if (isLooking) looks.push(examine(model, mse, x, y));
        if (isLooking) measured.push(norms.take());
        return model.read();
      };
      const epochs = await Array.fromAsync(trainer.epochs(12, { evaluate }));
      const seen = await Promise.all(looks);
      await Promise.all(measured);
      return { epochs, seen, last: await model.read(), gradients: await model.readGradients() };
    };
    const alone = await train(false);
    const looked = await train(true);
    assertEquals(looked.seen.length, 12);
    for (const [i, { losses, evaluation }] of alone.epochs.entries()) {
      assertEquals(bits(Float32Array.from(looked.epochs[i].losses)), bits(Float32Array.from(losses)));
      assertEquals(looked.epochs[i].evaluation, evaluation);
      // It saw the weights of that moment, though later steps were on the queue before it was read.
      assertEquals(looked.seen[i][0].weights[0].weight.data, evaluation["0.weight"]);
    }
    assertEquals(looked.last, alone.last);
    assertEquals(looked.gradients, alone.gradients, "the gradients of the last step");
    assert(looked.gradients["0.weight"].some((g) => g !== 0));
  });
}
