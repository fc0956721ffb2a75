/** Holds the Trainer to the plain loop: the same model, seed and rows give the same weights and losses. */
import { assertEquals } from "@std/assert";
import { ACTIVATIONS, Dropout, type Layer, Linear, multilayerPerceptron } from "../../lib/core/layers.ts";
import { LOSSES } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { createOptimizer, type OptimizerName } from "../../lib/core/optimizers.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { trainLoop } from "../../lib/core/train_loop.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import { assertClose } from "../support/assert_close.ts";
import { gpuTest, randomMatrix } from "../support/gpu_test_case.ts";

const EPOCHS = 3;
/** Three steps an epoch, the last of two rows. */
const ROWS = 12;
const BATCH_SIZE = 5;

interface Case {
  readonly layers: () => Layer[];
  readonly loss: keyof typeof LOSSES;
  readonly optimizer: OptimizerName;
}

/** The weights and the epochs' losses by the plain loop, or by a trainer. */
async function train(device: Device, { layers, loss: name, optimizer: kind }: Case, by: "loop" | "plain" | "trainer") {
  const loss = LOSSES[name];
  const x = rowsOf(3, 1);
  const y = rowsOf(2, 2).map((row) => name === "softmax" ? [0.25, 0.75] : row.map(Math.abs));
  using model = new Model(device, layers());
  using optimizer = createOptimizer(kind, model, 0.05);
  const common = { model, loss, optimizer, batchSize: BATCH_SIZE, seed: 7 };
  if (by === "loop") {
    const losses = await trainLoop({ ...common, x, y, epochs: EPOCHS });
    return { losses, weights: await model.read() };
  }
  using inputs = Tensor.from(device, x);
  using targets = Tensor.from(device, y);
  using trainer = new Trainer({ ...common, x: inputs, y: targets, plain: by === "plain" });
  const losses = (await Array.fromAsync(trainer.epochs(EPOCHS))).map(({ loss }) => loss);
  return { losses, weights: await model.read() };
}

function rowsOf(columns: number, seed: number): number[][] {
  const { data } = randomMatrix(ROWS, columns, seed);
  return Array.from({ length: ROWS }, (_, row) => [...data.subarray(row * columns, (row + 1) * columns)]);
}

const network = () => multilayerPerceptron(3, [6], 2);
const optimizers: OptimizerName[] = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"];
const activations = Object.values(ACTIVATIONS);
const cases: Case[] = [
  ...optimizers.map((optimizer): Case => ({ layers: network, loss: "mse", optimizer })),
  ...(["mae", "huber", "bce", "softmax"] as const).map((loss): Case => ({ layers: network, loss, optimizer: "sgd" })),
  ...activations.map((make): Case => ({
    layers: () => [new Linear(3, 6), make(), new Dropout(0.3, { seed: 1 }), new Linear(6, 2)],
    loss: "mse",
    optimizer: "adam",
  })),
];

for (const given of cases) {
  const layers = given.layers().map(({ kind }) => kind).join(", ");
  gpuTest(`the Trainer trains as trainLoop(): ${layers}; ${given.loss}, ${given.optimizer}`, async (device) => {
    const { losses, weights } = await train(device, given, "loop");
    const plain = await train(device, given, "plain");
    assertEquals(plain.weights, weights); // bit for bit
    assertClose(plain.losses, losses, { rtol: 1e-6, atol: 1e-7 });
    const fast = await train(device, given, "trainer");
    for (const [name, values] of Object.entries(weights)) {
      assertClose(fast.weights[name], values, { rtol: 1e-4, atol: 1e-5 });
    }
    assertClose(fast.losses, losses, { rtol: 1e-4, atol: 1e-5 });
  });
}

gpuTest("trainLoop() refuses rows that do not fit, and frees what it made", async (device) => {
  using model = new Model(device, network());
  using optimizer = createOptimizer("sgd", model, 0.05);
  const { buffers } = device.stats;
  const common = { model, loss: LOSSES.mse, optimizer, batchSize: 4, epochs: 1 };
  const texts = [
    [[[1, 2]], [[1, 2]], "Cannot feed 2 values a row to Linear [3, 6]: it takes 3"],
    [[[1, 2, 3]], [[1]], "Cannot compare prediction [1, 2] with target [1, 1]: the shapes differ"],
  ] as const;
  for (const [x, y, text] of texts) {
    const error = await trainLoop({ ...common, x, y }).catch((error) => error);
    assertEquals([error.name, error.message, device.stats.buffers], ["TypeError", text, buffers]);
  }
  await trainLoop({ ...common, x: rowsOf(3, 1), y: rowsOf(2, 2) });
  assertEquals(device.stats.buffers, buffers);
});
