/**
 * Losses with a weight for each class, so that a rare one counts as much as a frequent one.
 *
 * A row's loss is multiplied by its class' weight, and the mean is still taken over the rows, not over the sum of weights:
 * batches weigh alike whatever classes they hold, and {@linkcode balancedWeights}, whose mean over the rows is 1, leave the
 * loss its size. A saved model remembers the kind of its loss alone: read back, it has none of the weights.
 *
 * @module
 */
import { bceOf, type Loss, softmaxCrossEntropy } from "./losses.ts";
import { multiply, sumBackward } from "./ops.ts";
import { referenceWeightedSoftmax } from "../reference/mod.ts";
import { formatShape } from "../base/shape.ts";
import { Tensor } from "./tensor.ts";

/**
 * Weights that make all classes count alike: `rows / (classes * rows of the class)` (King and Zeng 2001).
 *
 * @param counts Rows of each class in the training part.
 * @returns A weight for each class, 1 for one without rows.
 * @throws {RangeError} If a count is no whole number from 0 on.
 *
 * @example
 * ```ts
 * import { balancedWeights } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * assertEquals(balancedWeights([90, 10]), [100 / 180, 5]);
 * ```
 */
export function balancedWeights(counts: readonly number[]): number[] {
  const wrong = counts.find((count) => !(Number.isSafeInteger(count) && count >= 0));
  if (wrong !== undefined) throw new RangeError(`Cannot weigh a class of ${wrong} rows: need a whole number from 0 on`);
  const there = counts.filter((count) => count > 0);
  const rows = there.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => count > 0 ? rows / (there.length * count) : 1);
}

/**
 * {@linkcode bceWithLogits} with a weight for each class: the mean over all elements of
 * `-one t log s - zero (1 - t) log(1 - s)`.
 *
 * @param weights Those of class 0 and class 1, the same for each target column.
 * @returns The loss.
 * @throws {TypeError} If there are not two weights.
 * @throws {RangeError} If a weight is no finite number from 0 on.
 *
 * @example
 * ```ts
 * import { Device, Tensor, weightedBceWithLogits } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using logits = Tensor.from(device, [[0], [0]]);
 * using target = Tensor.from(device, [[0], [1]]);
 * using dLogits = weightedBceWithLogits([1, 8]).backward(logits, target); // 0.5 / 2, 8 * -0.5 / 2
 * assertEquals([...await dLogits.read()], [0.25, -2]);
 * ```
 */
export function weightedBceWithLogits(weights: readonly [zero: number, one: number]): Loss {
  checkWeights(weights);
  if (weights.length !== 2) throw new TypeError(`Cannot weigh two classes by ${weights.length} weights`);
  return bceOf([weights[0], weights[1]]);
}

/**
 * {@linkcode softmaxCrossEntropy} with a weight for each class: the mean over rows of
 * `-sum over j of weight_j t_j log softmax(z)_j`.
 *
 * @param weights One for each class, in the order of the target's columns.
 * @returns The loss; its methods throw a `TypeError` for rows of another number of classes.
 * @throws {RangeError} If a weight is no finite number from 0 on.
 *
 * @example
 * ```ts
 * import { Device, Tensor, weightedSoftmaxCrossEntropy } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using logits = Tensor.from(device, [[3, 3]]);
 * using target = Tensor.from(device, [[0, 1]]);
 * using dLogits = device.tidy(() => weightedSoftmaxCrossEntropy([1, 4]).backward(logits, target));
 * assertEquals([...await dLogits.read()], [2, -2]); // 4 * 0.5, 4 * (0.5 - 1)
 * ```
 */
export function weightedSoftmaxCrossEntropy(weights: readonly number[]): Loss {
  checkWeights(weights);
  const own = [...weights];
  const { forward, backward, forwardBackward } = softmaxCrossEntropy;
  return {
    kind: softmaxCrossEntropy.kind,
    forward: (logits, target) => logits.device.tidy(() => forward(logits, weigh(target, own))),
    backward: (logits, target) => logits.device.tidy(() => backward(logits, weigh(target, own))),
    forwardBackward: (logits, target) => logits.device.tidy(() => forwardBackward(logits, weigh(target, own))),
    reference: referenceWeightedSoftmax(own),
  };
}

/** Each column of the target times its class' weight. */
function weigh(target: Tensor, weights: readonly number[]): Tensor {
  const { device, shape } = target;
  if (shape.length !== 2 || shape[1] !== weights.length) {
    throw new TypeError(`Cannot weigh a target ${formatShape(shape)} by ${weights.length} weights: need one a class`);
  }
  return multiply(target, sumBackward(Tensor.from(device, weights), shape, 0));
}

function checkWeights(weights: readonly number[]): void {
  const wrong = weights.find((weight) => !(weight >= 0 && weight < Infinity));
  if (wrong !== undefined) throw new RangeError(`Cannot weigh a class by ${wrong}: need a finite number from 0 on`);
}
