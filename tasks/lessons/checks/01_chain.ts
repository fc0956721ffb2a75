import { add, checkBackward, type Device, multiply, Random, relu, square, subtract, Tensor } from "../../../mod.ts";
import type { Step } from "../01_chain.ts";

/** What the learner writes. */
export interface Lesson {
  biasGradient(step: Step): number;
}

export const hints = [
  "Go back as the lesson does: first dA1, then dZ1. Which of them does the bias meet?",
  "z1 = x * w1 + b1. If b1 grows by 0.001, z1 grows by 0.001, too: it reacts by 1.",
  "So the gradient of b1 is dZ1 itself: dY * w2 where z1 is over 0, and 0 where it is not.",
];

/** Tries the gradient where ReLU lets the change through, and where it does not. */
export async function check(device: Device, { biasGradient }: Lesson): Promise<string[]> {
  const random = new Random(1, "lesson 1");
  const faults: string[] = [];
  for (const isOpen of [true, false]) {
    const [x, w1, w2, target] = Array.from({ length: 4 }, () => random.uniform(0.5, 2));
    const b1 = (isOpen ? 1 : -1) * (x * w1 + 1);
    const z1 = x * w1 + b1;
    const dY = 2 * (Math.max(0, z1) * w2 - target);
    using bias = Tensor.from(device, b1);
    using db1 = Tensor.from(device, biasGradient({ x, z1, w2, dY }));
    const loss = () => square(subtract(multiply(relu(add(bias, x * w1)), w2), target));
    const report = await checkBackward(device, loss, { db1: [bias, db1] });
    if (!report.ok) faults.push(`where z1 is ${z1.toFixed(2)}: ${report}`);
  }
  return faults;
}
