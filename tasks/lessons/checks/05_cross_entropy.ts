/** Judges lesson 5: the two gradients, also where the sigmoid is at its ends, and how many of 20 starts learn XOR. */
import { add, BackwardReport, bceWithLogits, checkBackward, type Device, initialWeights, log } from "../../../mod.ts";
import { mean, multiply, Random, readAll, scale, sigmoid, subtract, Tensor } from "../../../mod.ts";

/** What the lesson exports. */
export interface Lesson {
  readonly start: { readonly hidden: number; readonly deviation: number };
  backward(a2: Tensor, y: Tensor): { da2: Tensor; dz2: Tensor };
}

/** Each tells a bit more; the last one nearly all. */
export const hints: readonly string[] = [
  "The slope of log a is 1 / a. That of log(1 - a) is -1 / (1 - a). The mean over n elements gives each 1 / n of it.",
  "da2 = (-y / a2 + (1 - y) / (1 - a2)) / n. Over one denominator: (a2 - y) / (a2 (1 - a2)) / n.",
  "dz2 is da2 times the sigmoid's slope a2 (1 - a2). Do that on paper: dz2 = scale(subtract(a2, y), 1 / y.size).",
  "A unit that is off in all four rows never comes back. Of 3 units one may be too many to lose: try hidden: 8.",
];

/** Both inputs and the answer, by row. */
const XOR = [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]] as const;
const STARTS = 20;
const ENOUGH = 18;
/** The last loss of a start that learns is below this; where training gets stuck it stays near 0.35, 0.48 or 0.69. */
const LEARNED = 0.3;

/** Says what is wrong with the learner's gradients, and once they are right, with the start. */
export async function check(device: Device, lesson: Lesson): Promise<string[]> {
  for (const [seed, shape] of [[7, 1], [3, 4]].entries()) {
    const wrong = await checkGradients(device, lesson, shape, seed);
    if (wrong.length > 0) return wrong;
  }
  const wrong = await checkEnds(device, lesson);
  return wrong.length > 0 ? wrong : checkStart(lesson.start);
}

async function checkGradients(
  device: Device,
  lesson: Lesson,
  shape: readonly number[],
  seed: number,
): Promise<string[]> {
  const random = new Random(seed, "check of lesson 5");
  using z2 = Tensor.random(device, shape, "normal", random);
  using y = Tensor.from(device, Float32Array.from({ length: z2.size }, (_, i) => i % 3 === 0 ? 1 : 0), shape);
  using a2 = sigmoid(z2);
  using owned = new DisposableStack();
  const { da2, dz2 } = device.tidy(() => lesson.backward(a2, y)) ?? {};
  for (const [name, tensor] of Object.entries({ da2, dz2 })) {
    if (!(tensor instanceof Tensor)) return [`backward() returns no tensor ${name}`];
    owned.use(tensor);
  }
  const not = (tensor: Tensor) => scale(subtract(tensor, 1), -1);
  const fromA2 = () => scale(mean(add(multiply(y, log(a2)), multiply(not(y), log(not(a2))))), -1);
  const checks = [
    ...await checkBackward(device, fromA2, { da2: [a2, da2] }),
    ...await checkBackward(device, () => bceWithLogits.forward(z2, y), { dz2: [z2, dz2] }),
  ];
  const texts: string[] = [];
  for (const [i, found] of checks.entries()) {
    if (found.ok) continue;
    const cause = (await termOf([da2, dz2][i], y, a2, i === 0)) ?? found.cause;
    texts.push(`${BackwardReport.of(cause === undefined ? found : { ...found, cause })}`);
  }
  return texts;
}

/** Which term of the loss is wrong, where all of the entries of the other are right. */
async function termOf(yours: Tensor, y: Tensor, a2: Tensor, isBeforeSlope: boolean): Promise<string | undefined> {
  const [mine, answers, shares] = await readAll([yours, y, a2]);
  const isRight = (i: number) => {
    const dz2 = (shares[i] - answers[i]) / y.size;
    const wanted = isBeforeSlope ? dz2 / (shares[i] * (1 - shares[i])) : dz2;
    return Math.abs(mine[i] - wanted) <= 0.01 * Math.abs(wanted);
  };
  const entries = [...answers.keys()];
  const [isNoRight, isYesRight] = [0, 1].map((answer) => entries.filter((i) => answers[i] === answer).every(isRight));
  if (isNoRight === isYesRight) return undefined;
  return isYesRight
    ? "right where y = 1, wrong where y = 0: look at the second term, (1 - y) log(1 - a2)"
    : "right where y = 0, wrong where y = 1: look at the first term, y log(a2)";
}

/** Where a2 is 1 or nearly 0 in float32, and no gradient may be NaN. */
async function checkEnds(device: Device, lesson: Lesson): Promise<string[]> {
  using z2 = Tensor.from(device, [[40], [40], [-40], [-40]]);
  using y = Tensor.from(device, [[0], [1], [0], [1]]);
  using a2 = sigmoid(z2);
  using dz2 = device.tidy(() => lesson.backward(a2, y).dz2);
  const yours = await dz2.read();
  const at = [0.25, 0, 0, -0.25].findIndex((wanted, i) => !(Math.abs(yours[i] - wanted) < 1e-3));
  if (at < 0) return [];
  const where = `z2 = ${at < 2 ? 40 : -40} and y = ${at % 2}`;
  return [
    `dz2 is right for small z2, but ${yours[at]} at ${where}: a2 is ${
      at < 2 ? 1 : 0
    } there in float32, and the slope of the ` +
    "sigmoid is 0. Multiply da2 by that slope on paper, so that nothing is divided",
  ];
}

/** Counts the starts that learn. */
function checkStart({ hidden, deviation }: Lesson["start"]): string[] {
  let learned = 0;
  for (let seed = 0; seed < STARTS; seed++) {
    const random = new Random(seed, "lesson 5");
    const init = { kind: "normal", scale: deviation } as const;
    const w1 = initialWeights(init, 2, hidden, random);
    if (trainXor(w1, initialWeights(init, hidden, 1, random)) < LEARNED) learned++;
  }
  if (learned >= ENOUGH) return [];
  return [
    `the gradients are right. From ${STARTS} starts with ${hidden} hidden units and deviation ${deviation}, ` +
    `${learned} learn XOR: change \`start\` until ${ENOUGH} do`,
  ];
}

/** The lesson's training in plain loops, which for a network this small is much faster. Returns the last loss. */
function trainXor(w1: Float32Array, w2: Float32Array): number {
  const hidden = w2.length;
  const b1 = new Float32Array(hidden);
  const dW1 = new Float32Array(2 * hidden);
  const db1 = new Float32Array(hidden);
  const dW2 = new Float32Array(hidden);
  const a1 = new Float32Array(hidden);
  let b2 = 0;
  let loss = 0;
  for (let step = 0; step < 1000; step++) {
    for (const gradient of [dW1, db1, dW2]) gradient.fill(0);
    let db2 = 0;
    loss = 0;
    for (const [x0, x1, y] of XOR) {
      let z2 = b2;
      for (let unit = 0; unit < hidden; unit++) {
        a1[unit] = Math.max(0, x0 * w1[unit] + x1 * w1[hidden + unit] + b1[unit]);
        z2 += a1[unit] * w2[unit];
      }
      const a2 = 1 / (1 + Math.exp(-z2));
      loss -= Math.log(y === 1 ? a2 : 1 - a2) / 4;
      const dz2 = (a2 - y) / 4;
      db2 += dz2;
      for (let unit = 0; unit < hidden; unit++) {
        dW2[unit] += a1[unit] * dz2;
        const dz1 = a1[unit] > 0 ? dz2 * w2[unit] : 0;
        dW1[unit] += x0 * dz1;
        dW1[hidden + unit] += x1 * dz1;
        db1[unit] += dz1;
      }
    }
    w1.forEach((weight, i) => w1[i] = weight - 0.5 * dW1[i]);
    b1.forEach((bias, i) => b1[i] = bias - 0.5 * db1[i]);
    w2.forEach((weight, i) => w2[i] = weight - 0.5 * dW2[i]);
    b2 -= 0.5 * db2;
  }
  return loss;
}
