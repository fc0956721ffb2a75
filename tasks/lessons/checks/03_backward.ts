/** Judges lesson 3: every gradient of two layers, each by itself, so that the first wrong line is named. */
import { addBias, type BackwardCheck, BackwardReport, checkBackward, type Device } from "../../../mod.ts";
import { matmul, mse, Random, relu, Tensor } from "../../../mod.ts";
import type { Network } from "../03_backward.ts";

/** What the lesson exports. */
export interface Lesson {
  backward(network: Network, x: Tensor, y: Tensor): Record<string, Tensor>;
}

/** Each tells a bit more; the last one nearly all. */
export const hints: readonly string[] = [
  "Begin with dz2: it is da of the lesson, with z2 in place of a. Each gradient has the shape of its tensor.",
  "Each layer is `z = x W + b` of the lesson. In the second layer x is called a1, so its dx is called da1.",
  "dz2 = scale(subtract(z2, y), 2 / y.size), and da1 goes through the gate: dz1 = multiply(da1, greater(z1, 0)).",
  "dW2 = matmul(transpose(a1), dz2), da1 = matmul(dz2, transpose(w2)), and dW1 is as dW2, with x and dz1.",
];

/** Rows, inputs, hidden units, outputs: as the tutorial's, and one where nothing fits by chance. */
const SHAPES = [[10, 1, 6, 1], [5, 3, 4, 2]] as const;

/** From which gradient each is made. */
const FROM: Readonly<Record<string, string>> = {
  dW2: "dz2",
  db2: "dz2",
  da1: "dz2",
  dz1: "da1",
  dW1: "dz1",
  db1: "dz1",
};

/** Says what is wrong with the learner's gradients; nothing where all are right. */
export async function check(device: Device, lesson: Lesson): Promise<string[]> {
  for (const [seed, shape] of SHAPES.entries()) {
    const wrong = await checkShape(device, lesson, shape, seed);
    if (wrong.length > 0) return wrong;
  }
  return [];
}

async function checkShape(
  device: Device,
  lesson: Lesson,
  [rows, inputs, hidden, outputs]: readonly [number, number, number, number],
  seed: number,
): Promise<string[]> {
  const random = new Random(seed, "check of lesson 3");
  const draw = (shape: number[]) => Tensor.random(device, shape, "normal", random);
  using x = draw([rows, inputs]);
  using y = draw([rows, outputs]);
  using w1 = draw([inputs, hidden]);
  using b1 = draw([hidden]);
  using w2 = draw([hidden, outputs]);
  using b2 = draw([outputs]);
  using z1 = device.tidy(() => addBias(matmul(x, w1), b1));
  using a1 = relu(z1);
  using z2 = device.tidy(() => addBias(matmul(a1, w2), b2));
  using owned = new DisposableStack();
  const made = device.tidy(() => lesson.backward({ w1, b1, w2, b2 }, x, y)) ?? {};
  for (const tensor of new Set(Object.values(made))) if (tensor instanceof Tensor) owned.use(tensor);
  const { dz2, dW2, db2, da1, dz1, dW1, db1 } = made;
  for (const [name, tensor] of Object.entries({ dz2, dW2, db2, da1, dz1, dW1, db1 })) {
    if (!(tensor instanceof Tensor)) return [`backward() returns no tensor ${name}`];
  }

  // The loss from each place of the chain on: so each gradient is judged by itself.
  const fromZ2 = () => mse.forward(z2, y);
  const fromA1 = () => mse.forward(addBias(matmul(a1, w2), b2), y);
  const fromZ1 = () => mse.forward(addBias(matmul(relu(z1), w2), b2), y);
  const whole = () => mse.forward(addBias(matmul(relu(addBias(matmul(x, w1), b1)), w2), b2), y);
  const checks: BackwardCheck[] = [
    ...await checkBackward(device, fromZ2, { dz2: [z2, dz2] }),
    ...await checkBackward(device, fromA1, { dW2: [w2, dW2], db2: [b2, db2], da1: [a1, da1] }),
    ...await checkBackward(device, fromZ1, { dz1: [z1, dz1] }),
    ...await checkBackward(device, whole, { dW1: [w1, dW1], db1: [b1, db1] }),
  ];
  const bad = checks.filter(({ ok }) => !ok).map((each) => withShape(each, outputs));
  // What is made from a wrong gradient is wrong, too, and says nothing new.
  const names = new Set(bad.map(({ name }) => name));
  const first = bad.filter(({ name }) => !names.has(FROM[name]));
  const rest = bad.filter((each) => !first.includes(each)).map(({ name }) => name);
  if (rest.length === 0) return first.map((each) => `${BackwardReport.of(each)}`);
  const follows = `${rest.join(", ")}: wrong as well, but made from what is wrong above; mend that first`;
  return [...first.map((each) => `${BackwardReport.of(each)}`), follows];
}

/** Where n counts only the rows, dz2 is too large by the number of columns. */
function withShape(found: BackwardCheck, outputs: number): BackwardCheck {
  const isByColumns = Math.abs(found.yours / found.nudged / outputs - 1) < 0.02;
  if (found.name !== "dz2" || outputs === 1 || !isByColumns || found.cause === undefined) return found;
  return { ...found, cause: `${found.cause}. Or does n count the rows? n is y.size: rows times columns` };
}
