// Lesson 3: the backward of a linear layer, of ReLU and of the mean squared error, and why each is right.
//
// As in lesson 1, dx is the gradient of the loss by x: if I nudge this number of x, how much does the loss move?
// So there is one number in dx for each number in x, and dx has the shape of x. Look at the shape first.
import { addBias, checkBackward, Device, greater, matmul, mean, multiply, print } from "../../mod.ts";
import { Random, relu, scale, square, subtract, sum, Tensor, transpose } from "../../mod.ts";

using device = await Device.request({ smallDispatches: true });
const random = new Random(3, "lesson 3");

// One layer first: 10 rows of 1 feature, 4 units. Weights and biases are random: zeros or ones hide mistakes.
const x = Tensor.random(device, [10, 1], "normal", random);
const y = Tensor.random(device, [10, 4], "normal", random);
const w = Tensor.random(device, [1, 4], "kaiming", random);
const b = Tensor.random(device, [4], "normal", random);

// Forward. Keep z and a: the backward needs them.
const z = addBias(matmul(x, w), b);
const a = relu(z);
const loss = mean(square(subtract(a, y)));
await print({ x, w, b, z, a, loss });

// Backward. Begin at the loss and go back through each line. Multiply by the slope of that line: the chain rule.
//
// MSE: the loss is the sum of (a - y)² / n. Each a is in one term only. The slope of e² is 2 e.
// n counts all errors that are averaged: 10 rows times 4 columns, which is y.size.
const da = scale(subtract(a, y), 2 / y.size);

// ReLU: a = z where z is above 0, and the slope is 1. Elsewhere a stays 0, and the slope is 0. It is a
// gate. greater gives 1 where it is true and 0 elsewhere.
const dz = multiply(da, greater(z, 0));

// Linear: z = x W + b. In each row r, W[i, j] adds x[r, i] W[i, j] to z[r, j]: its slope is x[r, i].
// One weight serves all rows, so its shares add up over r. This sum over rows is the matrix product xᵀ dz.
const dW = matmul(transpose(x), dz);
// A bias is the same with a 1 in place of x: the sum over rows.
const db = sum(dz, 0);
// x[r, i] goes to all columns j, each time through W[i, j]. This sum over columns is dz Wᵀ. A layer before needs it.
const dx = matmul(dz, transpose(w));
await print({ da, dz, dW, db, dx });

// Who says that this is right? checkBackward nudges each number and looks at the loss. That needs no formula.
const computeLoss = () => mean(square(subtract(relu(addBias(matmul(x, w), b)), y)));
console.log(`\nOurs:\n${await checkBackward(device, computeLoss, { dW: [w, dW], db: [b, db], dx: [x, dx] })}`);

// And with a mistake. Without the gate, units learn from rows in which they were off.
const ungated = sum(da, 0);
console.log(`\nWithout the gate of ReLU:\n${await checkBackward(device, computeLoss, { db: [b, ungated] })}`);

// A tutorial, "Part 7: Backward Pass", prints these tensors for two layers, 1 to 64 to 1 units, all weights 1: loss
// 13,768, db2 = 206.768, db1 = 206.432. Its data are not known to us, so our numbers differ. But its gate can be seen.
// Where w2 is 1, db1 adds up the dz2 of the rows that get through. 206.768 - 206.432 = 0.336 is the smallest dz2 that it
// prints: that row was off.

/** Two layers: [inputs, hidden], [hidden], [hidden, outputs], [outputs]. */
export type Network = Readonly<Record<"w1" | "b1" | "w2" | "b2", Tensor>>;

// exercise: the same with two layers. Fill five lines: dz2, dW2, da1, dz1, dW1. The two biases are done.
/** The gradients of mean((relu(x w1 + b1) w2 + b2 - y)²), last layer first. */
export function backward({ w1, b1, w2, b2 }: Network, x: Tensor, y: Tensor): Record<string, Tensor> {
  const z1 = addBias(matmul(x, w1), b1);
  const a1 = relu(z1);
  const z2 = addBias(matmul(a1, w2), b2);

  const dz2 = scale(subtract(z2, y), 0); // mean squared error: which factor?
  const dW2 = scale(w2, 0); // linear: from a1 and dz2
  const db2 = sum(dz2, 0);
  const da1 = scale(a1, 0); // linear: from dz2 and w2
  const dz1 = scale(z1, 0); // ReLU: from da1 and z1
  const dW1 = scale(w1, 0); // linear: from x and dz1
  const db1 = sum(dz1, 0);
  return { dz2, dW2, db2, da1, dz1, dW1, db1 };
}
