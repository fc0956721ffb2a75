/** Lesson 8: fast. One training step, run in four ways. The losses are the same, the speed is not. */
import { Device, Linear, matmul, Model, mse, Random, ReLU, Sgd, sgdStep, Tensor, Trainer } from "../../mod.ts";

// The network of lesson 3, 1-64-1, on points of a cubic. 100 batches of 10 points are one epoch. Each way starts from the
// weights that one seed gives.
using device = await Device.request({ smallDispatches: true });
const random = new Random(8, "points");
const xs = Array.from({ length: 1000 }, () => [random.uniform(-1.5, 1.5)]);
const ys = xs.map(([x]) => [x ** 3 - x]);
const starts = Array.from({ length: 100 }, (_, i) => 10 * i);
const batches = starts.map((at) => ({ x: xs.slice(at, at + 10), y: ys.slice(at, at + 10) }));
const layers = () => [new Linear(1, 64), new ReLU(), new Linear(64, 1)];
const network = () => new Model(device, layers(), { random: new Random(8, "weights") });

/** Runs epochs for 0.3 s. The first is not timed: it compiles the kernels, and it gives the loss to compare. */
async function measure(name: string, epoch: () => Promise<number>): Promise<void> {
  const loss = (await epoch()).toFixed(4);
  const begin = performance.now();
  let steps = 0;
  for (; performance.now() - begin < 300; steps += 100) await epoch();
  const rate = Math.round(1000 * steps / (performance.now() - begin));
  console.log(`${name.padEnd(12)} ${`${rate}`.padStart(6)} steps/s, loss of step 100: ${loss}`);
}

// 1. Plain loops: no GPU, and no operation to call. So few numbers stay in the CPU's nearest memory.
using first = network();
const start = await first.read();
const [w1, b1, w2, b2] = ["0.weight", "0.bias", "2.weight", "2.bias"].map((name) => Float64Array.from(start[name]));
await measure("plain loops", () => {
  let loss = 0;
  for (const { x, y } of batches) {
    const z1 = x.map(([v]) => w1.map((w, j) => v * w + b1[j]));
    const errors = z1.map((row, i) => row.reduce((z2, z, j) => z2 + Math.max(0, z) * w2[j], b2[0]) - y[i][0]);
    loss = errors.reduce((total, error) => total + error ** 2 / 10, 0);
    for (let i = 0; i < 10; i++) b2[0] -= 0.05 * 2 * errors[i] / 10;
    for (let j = 0; j < 64; j++) {
      const dz1 = z1.map((row, i) => row[j] > 0 ? 2 * errors[i] / 10 * w2[j] : 0);
      for (let i = 0; i < 10; i++) {
        w2[j] -= 0.05 * Math.max(0, z1[i][j]) * 2 * errors[i] / 10;
        w1[j] -= 0.05 * x[i][0] * dz1[i];
        b1[j] -= 0.05 * dz1[i];
      }
    }
  }
  return Promise.resolve(loss);
});

// The same step on the GPU. `forward` and `backward` run the operations of lesson 3, each as a dispatch or two.
function step(model: Model, optimizer: Sgd, x: Tensor, y: Tensor): Tensor {
  const prediction = model.forward(x, { training: true });
  model.backward(mse.backward(prediction, y));
  optimizer.step();
  return mse.forward(prediction, y);
}

// 2. Op by op. Each operation checks shapes, makes a tensor and asks for a dispatch: again at each step.
using second = network();
using secondSgd = new Sgd(second, 0.05);
await measure("op by op", async () => {
  let loss = 0;
  for (const [i, { x, y }] of batches.entries()) {
    using last = device.tidy(() => step(second, secondSgd, Tensor.from(device, x), Tensor.from(device, y)));
    if (i === 99) loss = await last.item(); // reading waits for the GPU: once an epoch is enough
  }
  return loss;
});

// 3. Recorded. `record` calls its function once and keeps the dispatches. `replay` sends them again, with no check and no
// new tensor. It sends dispatches only: an upload (`Tensor.from`, `write`) would not happen again, so it is refused.
try {
  device.record(() => Tensor.from(device, xs));
} catch (error) {
  console.log(`refused: ${(error as Error).message}`);
}
using third = network();
using thirdSgd = new Sgd(third, 0.05);
using x = Tensor.zeros(device, [10, 1]);
using y = Tensor.zeros(device, [10, 1]);
const losses: Tensor[] = [];
using recording = device.record(() => losses.push(step(third, thirdSgd, x, y)));
await measure("recorded", async () => {
  for (const batch of batches) {
    x.write(batch.x);
    y.write(batch.y);
    recording.replay();
  }
  return await losses[0].item();
});

// 4. The library. Trainer records too. It keeps all rows on the GPU, and one kernel finds all gradients of a step this small.
using fourth = network();
using optimizer = new Sgd(fourth, 0.05);
using allX = Tensor.from(device, xs);
using allY = Tensor.from(device, ys);
const options = { loss: mse, batchSize: 10, seed: 8, shuffle: false };
using trainer = new Trainer({ ...options, model: fourth, optimizer, x: allX, y: allY });
await measure("Trainer", async () => (await Array.fromAsync(trainer.epochs(1)))[0].losses[99]);

// All four compute the same. With 64 units there is little arithmetic, and what a way does besides decides its speed: plain
// loops are hard to beat. The wider the layers and the larger the batches, the less that counts, and the GPU gains.

// exercise: `Tensor.constant` may stand inside `record`: its numbers are written once. So each replay below learns from batch 0.
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
