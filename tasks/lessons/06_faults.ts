// Lesson 6: what goes wrong, and how it shows: all ones, dead units, a learning rate that is too large.
//
// None of these faults throws an error. Each shows in the first gradients or in the losses. So print them.
import { addBias, addBiasBackward, Device, greater, matmul, mse, norm, print, Random } from "../../mod.ts";
import { readAll, relu, reluBackward, sgdStep, sum, Tensor } from "../../mod.ts";

using device = await Device.request({ smallDispatches: true });

// Ten rows of y = x³, as in the tutorial that starts with ones. Only its smallest and largest x are known to us.
const xs = Array.from({ length: 10 }, (_, row) => [-1.081 + row * 2.690766 / 9]);
using x = Tensor.from(device, xs);
using y = Tensor.from(device, xs.map(([x]) => [x ** 3]));

/** 1 input, 64 hidden units, 1 output: w1 [1, 64], b1 [64], w2 [64, 1], b2 [1]. */
type Network = Record<"w1" | "b1" | "w2" | "b2", Tensor>;

function forwardBackward({ w1, b1, w2, b2 }: Network) {
  const z1 = addBias(matmul(x, w1), b1);
  const a1 = relu(z1);
  const z2 = addBias(matmul(a1, w2), b2);
  const dz2 = mse.backward(z2, y);
  const dz1 = reluBackward(z1, matmul(dz2, w2, { transposeB: true }));
  const dW2 = matmul(a1, dz2, { transposeA: true });
  const dW1 = matmul(x, dz1, { transposeA: true });
  const on = sum(greater(z1, 0), 0); // in how many rows each unit is on
  return { z1, on, z2, loss: mse.forward(z2, y), dW2, db2: addBiasBackward(dz2), dW1, db1: addBiasBackward(dz1) };
}

/** Trains a network, prints what is to be seen, and asks `diagnose`, the exercise below. */
async function train(name: string, network: Network, learningRate: number, steps: number): Promise<void> {
  console.log(`\n${name}`);
  const { z1, on, z2, dW2, dW1 } = forwardBackward(network);
  await print({ z1, on, z2, dW2, dW1 });
  const losses: number[] = [];
  for (let step = 0; step <= steps; step++) {
    const { loss, dW1, db1, dW2, db2 } = device.tidy(() => forwardBackward(network));
    sgdStep(network.w1, dW1, learningRate);
    sgdStep(network.b1, db1, learningRate);
    sgdStep(network.w2, dW2, learningRate);
    sgdStep(network.b2, db2, learningRate);
    if (step % (steps / 4) !== 0) continue;
    const values = (await readAll([loss, norm(dW1), norm(dW2)])).map(([value]) => value);
    losses.push(values[0]);
    const texts = values.map((value) => value.toPrecision(3));
    console.log(`step ${step}: loss ${texts[0]}, norm of dW1 ${texts[1]}, of dW2 ${texts[2]}`);
  }
  console.log(`w1 holds ${new Set(await network.w1.read()).size} different numbers`);
  const seen = { losses, on: [...await on.read()], dW1: [...await dW1.read()], dW2: [...await dW2.read()] };
  console.log(`your diagnosis: ${diagnose(seen)}`);
}

function randomNetwork(bias: number): Network {
  const random = new Random(6, "weights");
  const w1 = Tensor.random(device, [1, 64], "kaiming", random);
  const w2 = Tensor.random(device, [64, 1], "kaiming", random);
  return { w1, b1: Tensor.full(device, [64], bias), w2, b2: Tensor.zeros(device, [1]) };
}

// Healthy: random weights, and each unit is on in some rows. Gradients differ from unit to unit. The loss falls.
await train("healthy", randomNetwork(0), 0.01, 100);

// All ones: min is max in dW1 and dW2. All units get the same gradient, take the same step, and stay copies of one
// another. The loss falls, but 64 units never do more than one could. Min and max of z1 and z2 are the tutorial's.
const ones = (shape: number[]) => Tensor.full(device, shape, 1);
await train("all ones", { w1: ones([1, 64]), b1: ones([64]), w2: ones([64, 1]), b2: ones([1]) }, 0.001, 100);

// Dead units: a bias of -10 holds every unit below 0, in every row. ReLU's gate is shut, so no gradient gets through:
// dW1 is 0, and dW2 is 0 as well, since a1 is. Only b2 learns: the network answers with the mean of y, whatever x is.
await train("dead units", randomNetwork(-10), 0.01, 100);

// A learning rate that is too large: each step leaps over the valley and lands higher. Only the losses tell.
await train("a learning rate that is too large", randomNetwork(0), 1, 8);

// exercise: Name the fault of a run from what it shows: "all alike", "dead units", "rate too large", or "healthy". The
// check shows you other networks: some have only a few dead units, and not every loss is a number.
type Seen = Record<"losses" | "on" | "dW1" | "dW2", readonly number[]>; // on, dW1 and dW2 are those of step 0
export function diagnose({ losses, on, dW1, dW2 }: Seen): string {
  if (losses.length * on.length * dW1.length * dW2.length === 0) return "nothing to see";
  return "healthy"; // your three questions go above this line
}
