/** Judges lesson 6: shows the learner's diagnosis healthy and faulty networks of two sizes. */
import { addBias, addBiasBackward, type Device, greater, matmul, mse, Random, readAll } from "../../../mod.ts";
import { relu, reluBackward, sgdStep, sum, Tensor } from "../../../mod.ts";

type Seen = Record<"losses" | "on" | "dW1" | "dW2", readonly number[]>;

/** What the lesson exports. */
export interface Lesson {
  diagnose(seen: Seen): string;
}

/** Each tells a bit more; the last one nearly all. */
export const hints: readonly string[] = [
  "Ask three questions: did the loss rise? Is a unit on in no row? Are all entries of dW1 equal, and all of dW2?",
  "The order matters: the gradients of dead units are all 0, so they are equal, too. And `NaN > 5` is false.",
  'if (!(losses[losses.length - 1] <= losses[0])) return "rate too large"; if (on.includes(0)) return "dead units"; ' +
  "and last: new Set(dW1).size is 1 where all entries are equal.",
];

/** A run: how its network starts, how it is trained, what is wrong with it, and what to say to one who does not see it. */
interface Case {
  readonly name: string;
  readonly wanted: string;
  /** The bias of the first `units` hidden units; 0 for the others. */
  readonly bias: number;
  readonly units: number;
  readonly isOnes?: boolean;
  readonly rate: number;
  readonly advice: string;
}

const RIGHT = { bias: 0, units: 0, rate: 0.01 };

const CASES: readonly Case[] = [
  { ...RIGHT, name: "a healthy network", wanted: "healthy", advice: "Nothing is wrong with it." },
  {
    ...RIGHT,
    name: "a network of ones",
    wanted: "all alike",
    isOnes: true,
    rate: 0.001,
    advice: "All entries of dW1 are equal, and all of dW2.",
  },
  {
    ...RIGHT,
    name: "a network whose units are all dead",
    wanted: "dead units",
    bias: -20,
    units: Infinity,
    advice: "`on` is 0 for every unit. The gradients are equal only because they are all 0: ask about `on` first.",
  },
  {
    ...RIGHT,
    name: "a network with two dead units",
    wanted: "dead units",
    bias: -20,
    units: 2,
    advice: "`on` is 0 for two of its units: ask whether any unit is on in no row.",
  },
  { ...RIGHT, name: "a network whose loss grows", wanted: "rate too large", rate: 1.5, advice: "The losses rise." },
  {
    ...RIGHT,
    name: "a network whose loss becomes NaN",
    wanted: "rate too large",
    rate: 1e12,
    advice: "The last loss is NaN, and every comparison with NaN is false: ask whether the loss did not fall.",
  },
];

/** Says which networks the learner's diagnosis takes for something else; nothing where it is right. */
export async function check(device: Device, lesson: Lesson): Promise<string[]> {
  for (const [hidden, seed] of [[8, 1], [20, 2]]) {
    const wrong: string[] = [];
    for (const each of CASES) {
      const seen = await run(device, each, hidden, seed);
      const said = ask(lesson, seen);
      if (said === `"${each.wanted}"`) continue;
      const losses = seen.losses.map((loss) => loss.toPrecision(3)).join(", ");
      wrong.push(
        `${each.name}, ${hidden} hidden units: you say ${said}, wanted "${each.wanted}". ${each.advice}\n` +
          `  losses ${losses}; on ${range(seen.on)}; dW1 ${range(seen.dW1)}; dW2 ${range(seen.dW2)}`,
      );
    }
    if (wrong.length > 0) return wrong;
  }
  return [];
}

function ask(lesson: Lesson, seen: Seen): string {
  try {
    return JSON.stringify(lesson.diagnose(seen)) ?? "nothing";
  } catch (error) {
    return `an error, ${error instanceof Error ? error.message : error}`;
  }
}

function range(values: readonly number[]): string {
  return `from ${Math.min(...values).toPrecision(3)} to ${Math.max(...values).toPrecision(3)}`;
}

/** Five losses of a training, and the rest from before its first step. */
async function run(device: Device, { bias, units, isOnes, rate }: Case, hidden: number, seed: number): Promise<Seen> {
  const random = new Random(seed, "lesson 6");
  const init = isOnes ? "ones" : "kaiming";
  const biases = Array.from({ length: hidden }, (_, unit) => isOnes ? 1 : unit < units ? bias : 0);
  const xs = Array.from({ length: 12 }, (_, row) => [row / 4 - 1.375]);
  using x = Tensor.from(device, xs);
  using y = Tensor.from(device, xs.map(([x]) => [x ** 3]));
  using w1 = Tensor.random(device, [1, hidden], init, random);
  using b1 = Tensor.from(device, biases);
  using w2 = Tensor.random(device, [hidden, 1], init, random);
  using b2 = Tensor.zeros(device, [1]);
  const step = () =>
    device.tidy(() => {
      const z1 = addBias(matmul(x, w1), b1);
      const a1 = relu(z1);
      const z2 = addBias(matmul(a1, w2), b2);
      const dz2 = mse.backward(z2, y);
      const dz1 = reluBackward(z1, matmul(dz2, w2, { transposeB: true }));
      const dW1 = matmul(x, dz1, { transposeA: true });
      const dW2 = matmul(a1, dz2, { transposeA: true });
      const first = [mse.forward(z2, y), sum(greater(z1, 0), 0), dW1, dW2];
      for (const [w, dW] of [[w1, dW1], [b1, addBiasBackward(dz1)], [w2, dW2], [b2, addBiasBackward(dz2)]]) {
        sgdStep(w, dW, rate);
      }
      return first;
    });
  using made = new DisposableStack();
  const steps = Array.from({ length: 5 }, step);
  for (const tensor of steps.flat()) made.use(tensor);
  const losses = (await readAll(steps.map(([loss]) => loss))).map(([loss]) => loss);
  const [on, dW1, dW2] = (await readAll(steps[0].slice(1))).map((values) => [...values]);
  return { losses, on, dW1, dW2 };
}
