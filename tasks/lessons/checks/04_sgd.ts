/** Judges lesson 4: the gradients of a network of two units, compared with nudging. */
import { addBias, checkBackward, type Device, matmul, mse, Random, relu, Tensor } from "../../../mod.ts";

type Network = Record<"w1" | "b1" | "w2" | "b2", Tensor>;

/** What the lesson exports. */
export interface Lesson {
  gradients(network: Network, x: Tensor, y: Tensor): Record<"dW1" | "db1" | "dW2" | "db2", Tensor>;
}

/** Each tells a bit more; the last one nearly all. */
export const hints: readonly string[] = [
  "Every gradient is wrong by the same factor. So look for the line that all of them come from.",
  "All of them come from dPrediction. It must be the slope of the mean of (prediction - y)², element by element.",
  "The slope of e² is 2 e, and the mean over n rows divides by n. So it is 2 (prediction - y) / n.",
];

/** Says what is wrong with the learner's gradients; nothing where all are right. */
export async function check(device: Device, lesson: Lesson): Promise<string[]> {
  const wrong: string[] = [];
  for (const [rows, units, seed] of [[8, 2, 1], [5, 3, 2]]) {
    const random = new Random(seed, "lesson 4");
    using x = Tensor.random(device, [rows, 1], { kind: "uniform", scale: 2 }, random);
    using y = Tensor.random(device, [rows, 1], { kind: "uniform", scale: 2 }, random);
    using w1 = Tensor.random(device, [1, units], "normal", random);
    using b1 = Tensor.random(device, [units], "normal", random);
    using w2 = Tensor.random(device, [units, 1], "normal", random);
    using b2 = Tensor.random(device, [1], "normal", random);
    const loss = () => mse.forward(addBias(matmul(relu(addBias(matmul(x, w1), b1)), w2), b2), y);
    using freed = new DisposableStack();
    const made: Partial<Record<string, Tensor>> = device.tidy(() => lesson.gradients({ w1, b1, w2, b2 }, x, y)) ?? {};
    for (const tensor of Object.values(made)) if (tensor instanceof Tensor) freed.use(tensor);
    const { dW1, db1, dW2, db2 } = made;
    const missing = Object.entries({ dW1, db1, dW2, db2 }).find(([_, tensor]) => !(tensor instanceof Tensor));
    if (missing) return [`gradients() returns no tensor ${missing[0]}`];
    const gradients = { dW1: [w1, dW1!], db1: [b1, db1!], dW2: [w2, dW2!], db2: [b2, db2!] } as const;
    const report = await checkBackward(device, loss, gradients);
    if (!report.ok) wrong.push(`With ${rows} rows and ${units} hidden units:\n${report}`);
  }
  return wrong;
}
