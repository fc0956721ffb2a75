/** Judges lesson 1: the gradient of a bias, for each sign of the ReLU's input, of w2 and of dy. */
import { add, BackwardReport, checkBackward, type Device, multiply, Random, relu } from "../../../mod.ts";
import { square, subtract, Tensor } from "../../../mod.ts";
import type { Step } from "../01_chain.ts";

/** What the learner writes. */
export interface Lesson {
  biasGradient(step: Step): number;
}

/** Each tells a bit more; the last one nearly all. */
export const hints: readonly string[] = [
  "Go back as the lesson does: first da1, then dz1. Which of them does the bias meet?",
  "z1 = x * w1 + b1. If b1 grows by 0.001, z1 grows by 0.001, too: it reacts by 1.",
  "So the gradient of b1 is dz1 itself: dy * w2 where z1 is over 0, and 0 where it is not.",
];

/** A step with all that its loss is computed from, and the learner's answer. */
interface Tried {
  readonly step: Step;
  readonly b1: number;
  readonly target: number;
  readonly yours: number;
}

/** Says what is wrong with the learner's gradient: of the first step where ReLU is on, and of the first where it is off. */
export async function check(device: Device, { biasGradient }: Lesson): Promise<string[]> {
  const random = new Random(1, "lesson 1");
  const all: Tried[] = [];
  for (const isOn of [true, false]) {
    for (const [signOfDy, signOfW2] of [[1, 1], [-1, 1], [1, -1], [-1, -1]]) {
      const [x, xw1, w2, error] = Array.from({ length: 4 }, () => random.uniform(0.5, 2));
      const z1 = isOn ? xw1 + 1 : -1;
      const step = { x, z1, w2: signOfW2 * w2, dy: signOfDy * 2 * error };
      const yours = biasGradient({ ...step });
      if (typeof yours !== "number") return [`biasGradient returns ${yours}, not a number: is there a \`return\`?`];
      all.push({ step, b1: z1 - xw1, target: Math.max(0, z1) * step.w2 - step.dy / 2, yours });
    }
  }
  const faults: string[] = [];
  for (const isOn of [true, false]) {
    for (const tried of all.filter(({ step }) => step.z1 > 0 === isOn)) {
      const [found] = await checkStep(device, tried);
      if (found.ok) continue;
      const cause = causeOf(all) ?? (isSteady(all) ? found.cause : undefined);
      const { z1, w2, dy } = tried.step;
      const place = [z1, w2, dy].map((value) => value.toFixed(2));
      faults.push(
        `where z1 is ${place[0]}, w2 ${place[1]}, dy ${place[2]}: ` +
          BackwardReport.of({ ...found, cause }),
      );
      break;
    }
  }
  return faults;
}

/** Nudges the bias. */
async function checkStep(device: Device, { step: { z1, w2 }, b1, target, yours }: Tried): Promise<BackwardReport> {
  using bias = Tensor.from(device, b1);
  using db1 = Tensor.from(device, yours);
  const loss = () => square(subtract(multiply(relu(add(bias, z1 - b1)), w2), target));
  return await checkBackward(device, loss, { db1: [bias, db1] });
}

/** Whether one factor explains all steps where ReLU is on. What the numbers of one step say may be chance. */
function isSteady(all: readonly Tried[]): boolean {
  const factors = all.filter(({ step }) => step.z1 > 0).map(({ step, yours }) => yours / (step.dy * step.w2));
  return factors.every((factor) => Math.abs(factor - factors[0]) < 1e-6);
}

/** What explains all answers at once; nothing where nothing does. */
function causeOf(all: readonly Tried[]): string | undefined {
  const on = all.filter(({ step }) => step.z1 > 0);
  const fits = (tried: readonly Tried[], wanted: (step: Step) => number) =>
    tried.every(({ step, yours }) => Math.abs(yours - wanted(step)) < 1e-6);
  if (fits(on, ({ x, w2, dy }) => dy * w2 * x)) {
    return "you are off by the factor x: that is the gradient of w1, but z1 = x * w1 + b1 reacts to b1 by 1";
  }
  if (fits(on, ({ z1, w2, dy }) => dy * w2 * z1)) {
    return "you are off by the factor z1: where ReLU is on it reacts by 1, whatever z1 is";
  }
  if (fits(all, ({ z1, w2, dy }) => z1 > 0 ? 0 : dy * w2)) {
    return "your gate is the wrong way round: it must be open where z1 is over 0";
  }
  if (fits(on, ({ dy }) => dy)) return "you are off by the factor w2: y = a1 * w2 reacts to a1 by w2";
  if (fits(on, ({ x, dy }) => dy * x)) return "w2 is missing, and x is too many: y = a1 * w2, z1 = x * w1 + b1";
  if (fits(on, ({ w2, dy }) => -dy * w2)) return "the sign is flipped";
  if (fits(on, ({ w2, dy }) => dy * w2)) {
    return "the gate of ReLU is missing: where z1 is not over 0, nothing gets through";
  }
  for (const bound of [Math.max, Math.min]) {
    for (const what of [({ w2, dy }: Step) => dy * w2, ({ dy }: Step) => dy]) {
      if (!fits(on, (step) => bound(0, what(step))) && !fits(on, (step) => bound(0, what(step)) * step.w2)) continue;
      return "your gate looks at the sign of a gradient: that of z1 decides, the ReLU's input";
    }
  }
  return undefined;
}
