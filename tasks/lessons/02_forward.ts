// Lesson 2: forward, the shapes on the way, and what data do that are not scaled.
//
// Forward is two lines a layer: z = x W + b, then a = relu(z). Shapes tell how they fit: [rows, inputs] times
// [inputs, outputs] is [rows, outputs]. The inner lengths must agree and vanish. A bias [outputs] is added to every row.
import { addBias, Device, divide, Linear, matmul, max, min, Model, mse, print, ReLU, relu } from "../../mod.ts";
import { Random, Sgd, subtract, Tensor } from "../../mod.ts";

using device = await Device.request({ smallDispatches: true });

// Ten rows of a cubic. A tutorial fits such data with 1 input, 64 hidden units and 1 output. Its printed numbers tell that
// x lies between -82.228 and 66.615, and that all weights and biases are 1. The other rows and its targets are not known.
const xs = Array.from({ length: 10 }, (_, row) => -82.228 + (66.615 + 82.228) * row / 9);
const x = Tensor.from(device, xs.map((x) => [x]));
const y = Tensor.from(device, xs.map((x) => [0.01 * x ** 3 - 0.1 * x ** 2 + 2 * x + 20]));

const w1 = Tensor.full(device, [1, 64], 1);
const b1 = Tensor.full(device, [64], 1);
const w2 = Tensor.full(device, [64, 1], 1);
const b2 = Tensor.full(device, [1], 1);

async function forward(x: Tensor, y: Tensor): Promise<void> {
  const z1 = addBias(matmul(x, w1), b1); // [10, 1] times [1, 64] is [10, 64]
  const a1 = relu(z1); // the same shape: each number by itself, what is below 0 becomes 0
  const z2 = addBias(matmul(a1, w2), b2); // [10, 64] times [64, 1] is [10, 1]: one prediction a row
  const loss = mse.forward(z2, y); // one number: the mean of (z2 - y)² over the rows
  await print({ x, y, z1, a1, z2, loss });
}

console.log("Raw:");
await forward(x, y);
// z1, a1 and z2 have the tutorial's extremes: -81.228 and 67.615, then 1 and 4328.360. Its loss is 6,980,026.5, from
// its own rows. All 64 units do the same, so z2 is 64 times 67.615, plus 1. Errors of thousands, squared, are millions.

// Scaling maps each column to small numbers. The simplest way is from 0 for the smallest to 1 for the largest.
const normalize = (x: Tensor) => divide(subtract(x, min(x, 0)), subtract(max(x, 0), min(x, 0)));
console.log("\nFrom 0 to 1:");
await forward(normalize(x), normalize(y));
// Much smaller, but a network with all weights 1 answers around 100 where y is at most 1. At this point the tutorial's
// loss is 13,768: it scales another way, which is the exercise. Weights should start small, and different from each
// other (lesson 6). The library's do. It can train, too; lesson 3 opens that box.
async function train(what: string, x: Tensor, y: Tensor): Promise<void> {
  const random = new Random(2, "weights");
  using model = new Model(device, [new Linear(1, 64), new ReLU(), new Linear(64, 1)], { random });
  using sgd = new Sgd(model, 0.01);
  const losses: string[] = [];
  for (let step = 0; step <= 80; step++) {
    const prediction = model.forward(x);
    if ([0, 1, 2, 20, 80].includes(step)) losses.push((await mse.forward(prediction, y).item()).toPrecision(3));
    model.backward(mse.backward(prediction, y));
    sgd.step();
  }
  console.log(`${what.padEnd(13)} loss after 0, 1, 2, 20, 80 steps: ${losses.join(", ")}`);
}
console.log();
await train("raw", x, y);
await train("from 0 to 1", normalize(x), normalize(y));
await train("your scaling", standardize(x), standardize(y));
// Raw, gradients are as huge as errors. One step jumps over the valley and lands far higher. The next is too high for
// float32. A loss is in units of y, squared: compare it under one scaling only.

// exercise: give each column mean 0 and deviation 1, so that your loss after 0 steps is below 5. Subtract the column's
// mean. Then divide by its deviation: the root of the mean of the squares.
/** Standardizes each column of a matrix by itself. A column that is the same in all rows becomes 0. */
export function standardize(x: Tensor): Tensor {
  return subtract(x, 0);
}
