// Lesson 1: a gradient is a nudge, and the chain rule.
//
// The network of this lesson has two weights and one number in each place:
//
//   x -> times w1 -> z1 -> ReLU -> a1 -> times w2 -> y       loss = (y - target)^2
//
// Training asks one question of each weight: if it grows a little, what does the loss do? The answer is its gradient.

import { Device, multiply, print, relu, square, subtract, Tensor } from "../../mod.ts";

using device = await Device.request({ smallDispatches: true });
using x = Tensor.from(device, 2);
using w1 = Tensor.from(device, 0.5);
using w2 = Tensor.from(device, 1.5);
using target = Tensor.from(device, 3);

// Forward: each line makes one number of the picture above.
using z1 = multiply(x, w1);
using a1 = relu(z1);
using y = multiply(a1, w2);
using error = subtract(y, target);
using loss = square(error);
await print({ z1, a1, y, loss });

// Nudging: move a weight by 0.001, look at the loss again, and divide. That is all that a gradient means.
const h = 0.001;
const lossAt = (w1: number, w2: number) => (Math.max(0, 2 * w1) * w2 - 3) ** 2;
const nudged = {
  w1: (lossAt(0.5 + h, 1.5) - lossAt(0.5 - h, 1.5)) / (2 * h),
  w2: (lossAt(0.5, 1.5 + h) - lossAt(0.5, 1.5 - h)) / (2 * h),
};

// The chain rule gives the same without nudging. Write dy for the gradient of the loss by y: if y is nudged, how much does
// the loss move? Weights take a capital, dW1. Go back through the picture. In each place, multiply what has come so far by
// how much this place reacts to what goes into it.
const dy = 2 * await error.item(); // the loss is error^2, so it reacts by 2 * error
const dW2 = dy * await a1.item(); // y = a1 * w2 reacts to w2 by a1
const da1 = dy * await w2.item(); // and to a1 by w2
const dz1 = await z1.item() > 0 ? da1 : 0; // ReLU lets a change through where its input is over 0
const dW1 = dz1 * await x.item(); // z1 = x * w1 reacts to w1 by x

console.log(`going back: dy ${dy}, da1 ${da1}, dz1 ${dz1}`);
console.log(`dW2: by the chain rule ${dW2}, by nudging ${nudged.w2.toFixed(4)}`);
console.log(`dW1: by the chain rule ${dW1}, by nudging ${nudged.w1.toFixed(4)}`);
// Look twice: a1 is 1 here, so dW2 would be the same without it. The check uses other numbers.
//
// Both are below 0: larger weights make the loss smaller. With w1 alone in the network, one would have to nudge once. With a
// million weights one would have to nudge a million times, and the chain rule still goes back once. Hence backpropagation.

// exercise: the network gets a bias: z1 = x * w1 + b1. Give the gradient of b1, from the numbers of the step.

/** The numbers of one step; `dy` is the gradient of y. Take what you need from it. */
export interface Step {
  readonly x: number;
  readonly z1: number;
  readonly w2: number;
  readonly dy: number;
}

export function biasGradient({ dy }: Step): number {
  return 0 * dy; // put the right line here, and take what you need from Step: { x, z1, w2, dy }
}
