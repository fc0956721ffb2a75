// Lesson 5: sigmoid and cross-entropy, and why their gradient together is a2 - y.
//
// The answer to XOR is no or yes: y = 0 or 1. The sigmoid makes a probability of the network's last number:
// a2 = 1 / (1 + e^-z2). The loss is the cross-entropy: -log of the probability of the true answer, the mean of n rows.
import { add, addBias, bceWithLogits, checkBackward, Device, divide, greater, log, matmul, mean } from "../../mod.ts";
import { multiply, Random, relu, scale, sgdStep, sigmoid, subtract, sum, Tensor, transpose } from "../../mod.ts";

/** How a network starts: the units of its hidden layer, and the deviation of its weights. These are a tutorial's. */
export const start = { hidden: 3, deviation: 0.1 };

using device = await Device.request({ smallDispatches: true });

// First only the last two lines of a network. The truth is yes in all six rows.
const z2 = Tensor.from(device, [[-8], [-4], [-1], [0], [1], [4]]);
const computeLoss = () => scale(mean(log(sigmoid(z2))), -1);
const a2 = sigmoid(z2);
const error = subtract(a2, 1); // a2 - y
const slope = scale(multiply(a2, error), -1); // of the sigmoid: a2 (1 - a2)
const [z, a, l, s, e] = await Promise.all([z2, a2, scale(log(a2), -1), slope, error].map((column) => column.read()));
console.log("       z2        a2      loss slope of a2  1 / a2    a2 - y");
const table = [z, a, l, s, a.map((p) => 1 / p), e];
for (let row = 0; row < 6; row++) console.log(table.map((column) => column[row].toFixed(4).padStart(9)).join(" "));

// In the first row the network is sure, and wrong. The sigmoid is flat there and lets hardly any gradient through. But
// the logarithm is steep there: its slope is 1 / a2. Multiplied, flat and steep cancel. What is left is the error, -1.
// A tutorial, "Forward Pass & Backpropagation", divides this dz2 by n later, in dW2 and db2. We divide at once. Nudged:
console.log(`${await checkBackward(device, computeLoss, { dz2: [z2, scale(error, 1 / 6)] })}\n`);

// Now XOR as the tutorial trains it: 1000 steps at learning rate 0.5. Lesson 8 explains `record`: it keeps one step.
const x = Tensor.from(device, [[0, 0], [0, 1], [1, 0], [1, 1]]);
const y = Tensor.from(device, [[0], [1], [1], [0]]);
async function train(w1: Tensor, w2: Tensor): Promise<number[]> {
  const b1 = Tensor.zeros(device, [w1.shape[1]]);
  const b2 = Tensor.zeros(device, [1]);
  let loss = b2;
  using step = device.record(() => {
    const z1 = addBias(matmul(x, w1), b1);
    const a1 = relu(z1);
    const z2 = addBias(matmul(a1, w2), b2);
    loss = bceWithLogits.forward(z2, y); // the same loss from z2, finite where a2 rounds to 0 or 1
    const dz2 = scale(subtract(sigmoid(z2), y), 1 / y.size);
    const dz1 = multiply(matmul(dz2, transpose(w2)), greater(z1, 0));
    sgdStep(w2, matmul(transpose(a1), dz2), 0.5); // after dz1, which needs w2 as it was
    sgdStep(b2, sum(dz2, 0), 0.5);
    sgdStep(w1, matmul(transpose(x), dz1), 0.5);
    sgdStep(b1, sum(dz1, 0), 0.5);
  });
  const curve: number[] = [];
  for (let part = 0; part < 40; part++) {
    step.replay(25);
    curve.push(await loss.item());
  }
  return curve;
}
function draw(what: string, curve: number[]): void {
  const bars = curve.map((loss) => "▁▂▃▄▅▆▇█"[Math.min(7, Math.floor(loss / 0.6932 * 7))]).join("");
  console.log(`${what.padEnd(20)} ${bars} ${curve.at(-1)!.toFixed(4)}`);
}

// The tutorial's start is known: NumPy's seed 42, times 0.1. It ends at 0.6931, or log 2: it answers 0.5 to all rows.
const w1 = Tensor.from(device, [[0.04967142, -0.01382643, 0.06476885], [0.15230299, -0.02341534, -0.0234137]]);
draw("the tutorial's start", await train(w1, Tensor.from(device, [[0.15792128], [0.07674347], [-0.04694744]])));
const curves: number[][] = [];
for (let seed = 0; seed < 20; seed++) {
  const random = new Random(seed, "lesson 5");
  const init = { kind: "normal", scale: start.deviation } as const;
  const w1 = Tensor.random(device, [2, start.hidden], init, random);
  curves.push(await train(w1, Tensor.random(device, [start.hidden, 1], init, random)));
}
const learned = curves.filter((curve) => curve.at(-1)! < 0.3);
if (learned.length > 0) draw("a start that learns", learned[0]);
console.log(`${learned.length} of 20 starts learn XOR`);

// exercise: the loss is -mean(y log(a2) + (1 - y) log(1 - a2)). Derive da2. On paper multiply by the sigmoid's slope:
// what is left is dz2, finite even where a2 rounds to 1. Then change `start` at the top until at least 18 of 20 learn.
export function backward(a2: Tensor, y: Tensor): { da2: Tensor; dz2: Tensor } {
  const da2 = divide(scale(subtract(a2, y), 0), add(scale(a2, -1), 1)); // 0 / (1 - a2), for now
  const dz2 = scale(a2, 0); // 0 for now: what is left on paper
  return { da2, dz2 };
}
