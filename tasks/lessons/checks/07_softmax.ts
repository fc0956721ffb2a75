/** Judges lesson 7: the gradient of softmax and cross-entropy in few operations, right for large logits, too. */
import { add, checkBackward, type Device, oneHot, Random, softmaxCrossEntropy, Tensor } from "../../../mod.ts";

/** What the lesson exports. */
export interface Lesson {
  backward(logits: Tensor, target: Tensor): Tensor;
}

/** Each tells a bit more; the last one nearly all. */
export const hints: readonly string[] = [
  "Take one row whose right class is k. dLogs is -1/n at k and 0 elsewhere, so dShares is -1/(n share) at k.",
  "dSums is then 1/(n sums). So dPowers is 1/(n sums), and at k there is -1/(n share sums) besides. Multiply it by powers: " +
  "powers / sums are the shares.",
  "dLargest is 0, so dLogits is dShifted: share / n for each class, less 1/n at the right one. That is " +
  "(softmax(logits) - target) / n.",
];

/** The kernels that softmax, a difference and a quotient run, and a few more. The pieces run over twenty. */
const MOST_KERNELS = 10;

/** Says what is wrong with the learner's gradient; nothing where it is right. */
export async function check(device: Device, lesson: Lesson): Promise<string[]> {
  for (const [rows, classes, seed] of [[6, 4, 1], [5, 3, 2]]) {
    const wrong = await checkShape(device, lesson, rows, classes, seed);
    if (wrong.length > 0) return wrong;
  }
  return [];
}

async function checkShape(
  device: Device,
  lesson: Lesson,
  rows: number,
  classes: number,
  seed: number,
): Promise<string[]> {
  using logits = Tensor.random(device, [rows, classes], { kind: "normal", scale: 2 }, new Random(seed, "lesson 7"));
  using numbers = Tensor.from(device, Array.from({ length: rows }, (_, row) => (row * 2) % classes));
  using target = oneHot(numbers, classes);
  const { dispatches } = device.stats;
  using dLogits = device.tidy(() => lesson.backward(logits, target));
  const kernels = device.stats.dispatches - dispatches;
  const report = await checkBackward(device, () => softmaxCrossEntropy.forward(logits, target), {
    dLogits: [logits, dLogits],
  });
  if (!report.ok) return [`With ${rows} rows and ${classes} classes:\n${report}`];

  // A number added to all logits of a row changes no share, but e^100 is beyond float32.
  using large = add(logits, 100);
  using dLarge = device.tidy(() => lesson.backward(large, target));
  const wanted = await dLogits.read();
  const found = await dLarge.read();
  const at = found.findIndex((value, i) => !(Math.abs(value - wanted[i]) < 1e-4));
  if (at >= 0) {
    return [
      `Right, but not for large logits. With 100 added to each logit the shares are the same, so dLogits is, too. Entry ` +
      `[${Math.floor(at / classes)}, ${at % classes}] was ${wanted[at]} and is now ${
        found[at]
      }. Use softmax(): it takes ` +
      "the largest logit off each row before exp().",
    ];
  }
  if (kernels === 1) return ["Right, but that is the fused kernel: write what it computes, with softmax()."];
  if (kernels > MOST_KERNELS) {
    return [
      `Right, but it runs ${kernels} kernels, where ${MOST_KERNELS} are plenty: what is left of the eight lines?`,
    ];
  }
  return [];
}
