import { assert, assertEquals } from "@std/assert";
import { NormsLook } from "../../lib/inspect/sample_look.ts";
import { Linear, ReLU, Sigmoid } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { Sgd } from "../../lib/core/optimizers.ts";
import { Random } from "../../lib/base/random.ts";
import { statistics } from "../../lib/reference/mod.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import { assertClose } from "../support/assert_close.ts";
import { gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

const layers = () => [
  new Linear(3, 8),
  new ReLU(),
  new Linear(8, 4),
  new Sigmoid(),
  new Linear(4, 6),
  new ReLU(),
  new Linear(6, 2),
];

gpuTest("NormsLook gives float64's norms and the dead units, in one wait", async (device) => {
  using model = new Model(device, layers(), { random: new Random(5, "layers") });
  const { "0.bias": _, ...rest } = await model.read();
  model.load({ ...rest, "0.bias": [-100, 0, -100, 0, -100, 0, 0, 0] });
  const xs = randomMatrix(70, 3);
  const ys = randomMatrix(70, 2, 2);
  using x = upload(device, xs);
  using y = upload(device, ys);
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

gpuTest("NormsLook leaves training and its last gradients as they are, bit for bit", async (device) => {
  const train = async (isLooking: boolean) => {
    using model = new Model(device, layers(), { random: new Random(5, "layers") });
    using optimizer = new Sgd(model, 0.1);
    using x = upload(device, randomMatrix(30, 3));
    using y = upload(device, randomMatrix(30, 2, 2));
    using trainer = new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 8, seed: 1 });
    using look = new NormsLook(model, mse, x, y);
    const looks: Promise<unknown>[] = [];
    const evaluate = () => {
      if (isLooking) looks.push(look.take());
      return Promise.resolve();
    };
    const epochs = await Array.fromAsync(trainer.epochs(4, { evaluate }));
    await Promise.all(looks);
    return [looks.length, epochs.map(({ losses }) => [...losses]), await model.read(), await model.readGradients()];
  };
  const [none, ...alone] = await train(false);
  const [four, ...looked] = await train(true);
  assertEquals([none, four], [0, 4]);
  assertEquals(looked, alone);
});
