// Lesson 4: SGD, mini-batches, shuffling, and the norms of gradients.
//
// We train two hidden units on y = 2x + 1, as a tutorial does. Its random numbers are not known, so our losses differ.
import { addBias, addBiasBackward, Device, matmul, matmulBackward, mse, multiply, norm, Random } from "../../mod.ts";
import { readAll, relu, reluBackward, scale, sgdStep, subtract, Tensor } from "../../mod.ts";

using device = await Device.request({ smallDispatches: true });

// The rows are sorted by x, as they often are in a file.
const noise = new Random(4, "noise");
const xs = Array.from({ length: 200 }, (_, row) => [row / 20 - 5]);
const ys = xs.map(([x]) => [2 * x + 1 + noise.uniform(-0.1, 0.1)]);
const sorted = xs.map((_, row) => row);
const shuffled = (epoch: number) => [...new Random(epoch, "shuffle").permutation(200)];
const batch = (rows: readonly number[]) =>
  [Tensor.from(device, rows.map((row) => xs[row])), Tensor.from(device, rows.map((row) => ys[row]))] as const;

/** 1 input, 2 hidden units, 1 output: w1 [1, 2], b1 [2], w2 [2, 1], b2 [1]. */
type Network = Record<"w1" | "b1" | "w2" | "b2", Tensor>;

function newNetwork(): Network {
  const random = new Random(2, "weights");
  const w1 = Tensor.random(device, [1, 2], { kind: "uniform", scale: 0.1 }, random);
  const w2 = Tensor.random(device, [2, 1], { kind: "uniform", scale: 0.1 }, random);
  return { w1, b1: Tensor.zeros(device, [2]), w2, b2: Tensor.zeros(device, [1]) };
}

// One step of SGD: take some rows, find the gradients, go against them. `tidy` frees what was made on the way.
function step(network: Network, rows: readonly number[]): void {
  device.tidy(() => {
    const { dW1, db1, dW2, db2 } = gradients(network, ...batch(rows));
    sgdStep(network.w1, dW1, 0.01);
    sgdStep(network.b1, db1, 0.01);
    sgdStep(network.w2, dW2, 0.01);
    sgdStep(network.b2, db2, 0.01);
  });
}

// A batch is a sample. Its gradient is a guess at the gradient of all rows. Sorted batches guess badly: each sees only
// its own part of the line. Shuffled batches guess better. (The tutorial draws row numbers with replacement. That is no
// shuffle: it leaves out about a third of the rows.) See db2, before any step:
for (const [name, order] of [["sorted", sorted], ["shuffled", shuffled(1)]] as const) {
  const parts = [0, 40, 80, 120, 160].map((at) => order.slice(at, at + 40));
  const guesses = [...parts, sorted].map((rows) => gradients(newNetwork(), ...batch(rows)).db2);
  const values = (await readAll(guesses)).map(([value]) => value.toFixed(2));
  console.log(`db2 of ${name} batches: ${values.slice(0, 5).join(", ")}; of all rows ${values[5]}`);
}

// Now train in three ways. An epoch reads all 200 rows. Batches of 20 make ten steps of it, all rows at once only one.
// The norm of a gradient, √(sum of squares), says how steep the loss is. It starts small, since tiny weights let little
// through. It grows, and shrinks in the valley: less after sorted batches, since the last one pulls to its own part.
for (const [name, size] of [["all rows", 200], ["sorted", 20], ["shuffled", 20]] as const) {
  const network = newNetwork();
  console.log(`\n${name}, batches of ${size}`);
  for (let epoch = 1; epoch <= 60; epoch++) {
    const order = name === "shuffled" ? shuffled(epoch) : sorted;
    for (let at = 0; at < 200; at += size) step(network, order.slice(at, at + size));
    if (![1, 3, 10, 60].includes(epoch)) continue;
    const { loss, dW1, dW2 } = gradients(network, ...batch(sorted));
    const values = await readAll([loss, norm(dW1), norm(dW2)]);
    const texts = values.map(([value]) => value.toFixed(3));
    console.log(`epoch ${epoch}: loss ${texts[0]}, norm of dW1 ${texts[1]}, of dW2 ${texts[2]}`);
  }
  // One unit is on in the left half, one in the right. Each has to learn the slope 2 as w1 times w2.
  const slopes = await multiply(network.w1.reshape([2, 1]), network.w2).read();
  console.log(`w1 times w2: ${[...slopes].map((value) => value.toFixed(2)).join(", ")}; wanted 2, 2`);
}

// exercise: These are the tutorial's gradients, and they train. Its loss is the mean of (prediction - y)², as here. But
// one line below belongs to another loss. Mend it, run the lesson again, and see how many epochs the losses need now.
export function gradients({ w1, b1, w2, b2 }: Network, x: Tensor, y: Tensor) {
  const z1 = addBias(matmul(x, w1), b1);
  const a1 = relu(z1);
  const prediction = addBias(matmul(a1, w2), b2);
  const dPrediction = scale(subtract(prediction, y), 1 / x.shape[0]);
  const dW2 = matmul(a1, dPrediction, { transposeA: true });
  const dz1 = reluBackward(z1, matmulBackward(a1, w2, dPrediction).dA);
  const dW1 = matmul(x, dz1, { transposeA: true });
  return { loss: mse.forward(prediction, y), dW1, db1: addBiasBackward(dz1), dW2, db2: addBiasBackward(dPrediction) };
}
