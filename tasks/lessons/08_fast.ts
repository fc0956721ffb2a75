/** Lesson 8: fast. One training step, run in four ways. The losses are the same, the speed is not. */
import { Device, Linear, matmul, Model, mse, Random, ReLU, Sgd, sgdStep, Tensor, Trainer } from "../../mod.ts";
import { plainLoops } from "./plain_loops.ts";

// The network of lesson 3, 1-64-1, on points of a cubic. 100 batches of 10 are one epoch. Each way has the same start.
using device = await Device.request({ smallDispatches: true });
const random = new Random(8, "points");
const xs = Array.from({ length: 1000 }, () => [random.uniform(-1.5, 1.5)]);
const ys = xs.map(([x]) => [x ** 3 - x]);
const batches = Array.from({ length: 100 }, (_, i) => [xs, ys].map((rows) => rows.slice(10 * i, 10 * i + 10)));
const network = () => new Model(device, [new Linear(1, 64), new ReLU(), new Linear(64, 1)]);

/** Runs epochs for 0.3 s. The first is not timed: it compiles the kernels, and it gives the loss to compare. */
async function measure(name: string, epoch: () => Promise<number>): Promise<void> {
  const loss = (await epoch()).toFixed(4);
  const begin = performance.now();
  let steps = 0;
  for (; performance.now() - begin < 300; steps += 100) await epoch();
  const rate = Math.round(1000 * steps / (performance.now() - begin));
  console.log(`${name.padEnd(12)} ${`${rate}`.padStart(6)} steps/s, loss of step 100: ${loss}`);
}

// 1. Plain loops, without the GPU: lesson 3 written out number by number. You can read them in plain_loops.ts.
using first = network();
const plainStep = plainLoops(await first.read());
await measure("plain loops", () => Promise.resolve(batches.map(([x, y]) => plainStep(x, y))[99]));

// 2. Op by op, on the GPU. Each operation checks shapes, makes a tensor and asks for a dispatch: again at each step.
function step(model: Model, x: Tensor, y: Tensor): Tensor {
  const prediction = model.forward(x, { training: true });
  model.backward(mse.backward(prediction, y));
  sgdStep(model.values, model.gradients, 0.05);
  return mse.forward(prediction, y);
}
using second = network();
await measure("op by op", async () => {
  let loss = 0;
  for (const [i, [x, y]] of batches.entries()) {
    using last = device.tidy(() => step(second, Tensor.from(device, x), Tensor.from(device, y)));
    if (i === 99) loss = await last.item(); // reading waits for the GPU: once an epoch is enough
  }
  return loss;
});

// 3. Recorded. `record` keeps the dispatches of one call. `replay` sends them and nothing else: no upload.
using third = network();
using input = Tensor.zeros(device, [10, 1]);
using target = Tensor.zeros(device, [10, 1]);
const losses: Tensor[] = [];
using recording = device.record(() => losses.push(step(third, input, target)));
await measure("recorded", async () => {
  for (const [x, y] of batches) {
    input.write(x);
    target.write(y);
    recording.replay();
  }
  return await losses[0].item();
});

// 4. The library. Trainer records too, and keeps all rows on the GPU. One kernel finds all gradients of a small step.
using model = network();
using optimizer = new Sgd(model, 0.05);
using x = Tensor.from(device, xs);
using y = Tensor.from(device, ys);
using trainer = new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 10, seed: 8, shuffle: false });
await measure("Trainer", async () => (await Array.fromAsync(trainer.epochs(1)))[0].losses[99]);
// With 64 units there is little to compute: plain loops are hard to beat. Wide layers and large batches favor the GPU.

// exercise: `record` refuses uploads, save `Tensor.constant`, which is written once. So each replay sees batch 0.
// Move the upload out of `record`, so that each replay sees its own batch. Record once, and free what you make.

/** Trains a line through the origin, y = x w, with one step for each batch: `w` is [1, 1], `x` and `y` are [rows, 1]. */
export function trainLine(device: Device, w: Tensor, batches: readonly { x: number[][]; y: number[][] }[]): void {
  using recording = device.record(() => {
    const x = Tensor.constant(device, batches[0].x);
    const y = Tensor.constant(device, batches[0].y);
    sgdStep(w, matmul(x, mse.backward(matmul(x, w), y), { transposeA: true }), 0.1);
  });
  for (const _ of batches) recording.replay();
}
