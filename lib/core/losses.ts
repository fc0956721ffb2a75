/**
 * Losses: a scalar from prediction and target, and its gradient with respect to the prediction.
 *
 * All are means over all elements, or all rows, that are really there, so a short last batch is weighted right.
 *
 * Some have a weight for each class, so that a rare one counts as much as a frequent one: a row's loss is multiplied by the
 * weight of its class, and the mean is still taken over the rows, not over the sum of weights. So batches weigh alike
 * whatever classes they hold, and {@linkcode balancedWeights}, whose mean over the rows is 1, leave the loss its size. A
 * saved model stores the kind of its loss alone: loaded again, it has a delta of 1 and no weights.
 *
 * Why each backward is as it is: [README.md](README.md#every-backward-in-a-line).
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import * as reference from "../reference/mod.ts";
import { formatShape, sameShape, type Shape } from "../base/shape.ts";
import { elementwise, result } from "./operation.ts";
import { mean, sumBackward, sumGroups } from "./reductions.ts";
import { Tensor } from "./tensor.ts";

/** A loss function. */
export interface Loss {
  /** Its name in settings and messages. */
  readonly kind: string;
  /**
   * The loss, a scalar tensor, of `prediction` and `target`, both [batch, out]; of several members, whose rows follow each
   * other, as many of each, that of each [members].
   */
  forward(prediction: Tensor, target: Tensor, members?: number): Tensor;
  /**
   * Its gradient [batch, out] with respect to the prediction. Of several members it is the gradient of each member's own
   * loss, as if it was alone: so many times that of the mean over all.
   */
  backward(prediction: Tensor, target: Tensor, members?: number): Tensor;
  /** Both, as a training step takes them: in one dispatch where the batch is small. The last digit may differ. */
  forwardBackward(prediction: Tensor, target: Tensor, members?: number): { loss: Tensor; dPrediction: Tensor };
  /** The same in float64. */
  readonly reference: reference.ReferenceLoss;
}

/**
 * Mean squared error: `sum over all n elements of (prediction - target)² / n`.
 *
 * @example
 * ```ts
 * import { Device, huber, huberLoss, mae, mse, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using prediction = Tensor.from(device, [[1.5, 4]]);
 * using target = Tensor.from(device, [[3, 1]]);
 * for (const [{ forward, backward }, value, gradient] of [
 *   [mse, (1.5 ** 2 + 3 ** 2) / 2, [-1.5, 3]],
 *   [mae, (1.5 + 3) / 2, [-0.5, 0.5]],
 *   [huber, (1 + 2.5) / 2, [-0.5, 0.5]],
 *   [huberLoss(2), (1.5 ** 2 / 2 + 2 * (3 - 1)) / 2, [-0.75, 1]],
 * ] as const) {
 *   using loss = forward(prediction, target);
 *   using dPrediction = backward(prediction, target);
 *   assertEquals([(await loss.read())[0], [...await dPrediction.read()]], [value, [...gradient]]);
 * }
 * const { loss, dPrediction } = mse.forwardBackward(prediction, target);
 * assertEquals([...await loss.read(), ...await dPrediction.read()], [5.625, -1.5, 3]);
 * ```
 */
export const mse: Loss = meanOf("mse", "squaredError", [], reference.referenceMse);

/**
 * Binary cross-entropy on logits: the mean of `-t log s - (1 - t) log(1 - s)` with `s = sigmoid(logit)` and targets t from
 * 0 to 1, computed as `max(z, 0) - z t + log(1 + exp(-|z|))`, finite for logits up to 1.7e38.
 *
 * @example
 * ```ts
 * import { balancedWeights, bceWithLogits, Device, softmaxCrossEntropy, Tensor } from "@backhand/backhand";
 * import { weightedBceWithLogits, weightedSoftmaxCrossEntropy } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using logits = Tensor.from(device, [[0, 0]]);
 * using target = Tensor.from(device, [[0, 1]]);
 * assertEquals(balancedWeights([90, 10]), [100 / 180, 5]);
 * for (const [{ forward, backward }, value, gradient] of [
 *   [bceWithLogits, "0.6931", [0.25, -0.25]], // -log 0.5; 0.5 / 2, (0.5 - 1) / 2
 *   [weightedBceWithLogits([1, 8]), "3.1192", [0.25, -2]],
 *   [softmaxCrossEntropy, "0.6931", [0.5, -0.5]], // -log 0.5; 0.5 - 0, 0.5 - 1
 *   [weightedSoftmaxCrossEntropy([1, 4]), "2.7726", [2, -2]], // 4 times the loss, and its gradient
 * ] as const) {
 *   using loss = forward(logits, target);
 *   using dLogits = device.tidy(() => backward(logits, target));
 *   assertEquals([(await loss.read())[0].toFixed(4), [...await dLogits.read()]], [value, [...gradient]]);
 * }
 * ```
 */
export const bceWithLogits: Loss = bceOf([1, 1]);

/**
 * {@linkcode bceWithLogits} with a weight for each class: the mean over all elements of
 * `-one t log s - zero (1 - t) log(1 - s)`.
 *
 * @param weights Those of class 0 and class 1, the same for each target column.
 * @throws {TypeError} If there are not two weights.
 * @throws {RangeError} If a weight is no finite number from 0 on.
 */
export function weightedBceWithLogits(weights: readonly [zero: number, one: number]): Loss {
  checkWeights(weights);
  if (weights.length !== 2) throw new TypeError(`Cannot weigh two classes by ${weights.length} weights`);
  return bceOf([weights[0], weights[1]]);
}

function bceOf(weights: readonly [number, number]): Loss {
  return meanOf("bce", "bceWithLogits", weights, reference.referenceWeightedBce(weights));
}

/** Mean absolute error: `sum over all n elements of |prediction - target| / n`. Its gradient is 0 where both are equal. */
export const mae: Loss = meanOf("mae", "huber", [0, 1], reference.referenceMae); // by the line of Huber's loss, of slope 1

/**
 * Huber's loss (Huber 1964): the mean of `e² / 2` where `|e| <= delta`, else `delta (|e| - delta / 2)`, with
 * `e = prediction - target`; so rows far off pull no harder than those at delta. An example is at {@linkcode mse}.
 *
 * @param delta Where the parabola becomes a line, over 0, in the units of training; 1 by default.
 * @throws {RangeError} If delta is no finite number over 0.
 */
export function huberLoss(delta: number = 1): Loss {
  if (!(delta > 0 && delta < Infinity)) {
    throw new RangeError(`Cannot make a Huber loss of delta ${delta}: need a finite number over 0`);
  }
  return meanOf("huber", "huber", [delta, delta], reference.referenceHuber(delta));
}

/** {@linkcode huberLoss} of delta 1. */
export const huber: Loss = huberLoss();

/** Classes of a row at most: its invocation goes through them three times, and the software adapter ends it at 65,535. */
const MAX_CLASSES = 20_000;

/**
 * Softmax cross-entropy on logits: the mean over rows of `-sum over j of t_j log softmax(z)_j`, computed against the row's
 * largest logit, so that a row's loss is finite for logits up to 1.7e38; a NaN makes its row's loss and gradient NaN.
 * Targets [batch, classes] are probabilities, one-hot or soft; rows of another sum weigh in by it. The gradient is
 * `(softmax(z) * sum of t - t) / batch`.
 *
 * Its methods throw a `RangeError` for rows of no class or of more than 20,000. An example is at {@linkcode bceWithLogits}.
 */
export const softmaxCrossEntropy: Loss = {
  kind: "softmax",
  forward: (logits, target, members) => {
    const [rows, classes] = checkClasses(logits, target);
    return logits.device.tidy(() => {
      const out = result([logits, target], [rows], undefined);
      const buffers = [logits, target, out];
      logits.device.run(kernels.softmaxCrossEntropy, { buffers, sizes: [rows, classes], invocations: rows });
      return meanOver(out, members);
    });
  },
  backward: (logits, target, members = 1) => {
    const [rows, classes] = checkClasses(logits, target);
    const dLogits = result([logits, target], logits.shape, undefined);
    logits.device.run(kernels.softmaxCrossEntropyBackward, {
      buffers: [logits, target, dLogits],
      sizes: [rows, classes],
      reals: [members / rows],
      invocations: rows,
    });
    return dLogits;
  },
  forwardBackward: (logits, target, members) => {
    const sizes = checkClasses(logits, target);
    return inOnePass(softmaxCrossEntropy, kernels.softmaxCrossEntropyStep, [logits, target], sizes, [], members);
  },
  reference: reference.referenceSoftmaxCrossEntropy,
};

/** The losses by the names that settings and files give them. */
export const LOSSES: Readonly<Record<"mse" | "mae" | "huber" | "bce" | "softmax", Loss>> = {
  mse,
  mae,
  huber,
  bce: bceWithLogits,
  softmax: softmaxCrossEntropy,
};

/**
 * {@linkcode softmaxCrossEntropy} with a weight for each class: the mean over rows of
 * `-sum over j of weight_j t_j log softmax(z)_j`.
 *
 * @param weights One for each class, in the order of the target's columns.
 * @returns The loss; its methods throw a `TypeError` for rows of another number of classes.
 * @throws {RangeError} If a weight is no finite number from 0 on.
 */
export function weightedSoftmaxCrossEntropy(weights: readonly number[]): Loss {
  checkWeights(weights);
  const own = [...weights];
  const { forward, backward, forwardBackward } = softmaxCrossEntropy;
  return {
    kind: softmaxCrossEntropy.kind,
    forward: (logits, target, members) => logits.device.tidy(() => forward(logits, weigh(target, own), members)),
    backward: (logits, target, members) => logits.device.tidy(() => backward(logits, weigh(target, own), members)),
    forwardBackward: (logits, target, members) =>
      logits.device.tidy(() => forwardBackward(logits, weigh(target, own), members)),
    reference: reference.referenceWeightedSoftmax(own),
  };
}

/** Each column of the target times its class' weight. */
function weigh(target: Tensor, weights: readonly number[]): Tensor {
  const { device, shape } = target;
  if (shape.length !== 2 || shape[1] !== weights.length) {
    throw new TypeError(`Cannot weigh a target ${formatShape(shape)} by ${weights.length} weights: need one a class`);
  }
  return elementwise(kernels.multiply, [target, sumBackward(Tensor.constant(device, weights), shape, 0)], {});
}

/**
 * Weights that make all classes count alike: `rows / (classes * rows of the class)` (King and Zeng 2001).
 *
 * @param counts Rows of each class in the training part.
 * @returns A weight for each class, 1 for one without rows.
 * @throws {RangeError} If a count is no whole number from 0 on.
 */
export function balancedWeights(counts: readonly number[]): number[] {
  const wrong = counts.find((count) => !(Number.isSafeInteger(count) && count >= 0));
  if (wrong !== undefined) throw new RangeError(`Cannot weigh a class of ${wrong} rows: need a whole number from 0 on`);
  const there = counts.filter((count) => count > 0);
  const rows = there.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => count > 0 ? rows / (there.length * count) : 1);
}

/** A loss that is a mean over elements, from the name of its kernels and what they take besides the sizes that each has. */
function meanOf(
  kind: string,
  name: "squaredError" | "bceWithLogits" | "huber",
  reals: readonly number[],
  reference: reference.ReferenceLoss,
): Loss {
  const loss: Loss = {
    kind,
    forward: (prediction, target, members) =>
      prediction.device.tidy(() =>
        meanOver(elementwise(kernels[name], checkPair(prediction, target), {}, reals), members)
      ),
    backward: (prediction, target, members = 1) =>
      elementwise(kernels[`${name}Backward`], checkPair(prediction, target), {}, [members / prediction.size, ...reals]),
    forwardBackward: (prediction, target, members) =>
      inOnePass(loss, kernels[`${name}Step`], checkPair(prediction, target), [prediction.size], reals, members),
    reference,
  };
  return loss;
}

/** The mean of all, or of those of each member. */
function meanOver(losses: Tensor, members?: number): Tensor {
  return members === undefined ? mean(losses) : sumGroups(losses.reshape([losses.size, 1]), members, {}, true);
}

/** Elements that one workgroup goes through at most: a hardware GPU would leave its other cores idle for too long. */
const ONE_PASS_ELEMENTS = 4_096;

/** Loss and gradient by the kernel of both, whose first size is what the mean is over; a large batch by those of each. */
function inOnePass(
  { forward, backward }: Loss,
  kernel: Kernel,
  [prediction, target]: readonly [Tensor, Tensor],
  sizes: readonly number[],
  reals: readonly number[] = [],
  members = 1,
): { loss: Tensor; dPrediction: Tensor } {
  const { device, size, shape } = prediction;
  if (size === 0 || size > ONE_PASS_ELEMENTS) {
    return { loss: forward(prediction, target), dPrediction: backward(prediction, target, members) };
  }
  const pair = [prediction, target];
  const loss = result(pair, [], undefined);
  const dPrediction = result(pair, shape, undefined);
  const [first = 0, second = 0] = reals; // a kernel's sizes must all be there
  const given = [1 / sizes[0], members / sizes[0], first, second];
  device.run(kernel, { buffers: [...pair, loss, dPrediction], sizes, reals: given, invocations: 1 });
  return { loss, dPrediction };
}

/** A target [n] for a prediction [n, 1] is the usual slip: the message should name the two, not a kernel. */
function checkPair(prediction: Tensor, target: Tensor): [Tensor, Tensor] {
  if (sameShape(prediction.shape, target.shape)) return [prediction, target];
  const found = `prediction ${formatShape(prediction.shape)} with target ${formatShape(target.shape)}`;
  throw new TypeError(`Cannot compare ${found}: the shapes differ`);
}

function checkClasses(logits: Tensor, target: Tensor): Shape {
  const { shape } = checkPair(logits, target)[0];
  const action = `Cannot take the softmax of rows of ${formatShape(shape)}`;
  if (shape.length !== 2) throw new TypeError(`${action}: need [batch, classes]`);
  if (shape[1] < 1 || shape[1] > MAX_CLASSES) {
    throw new RangeError(`${action}: ${shape[1]} classes, allowed is 1 to ${MAX_CLASSES}`);
  }
  return shape;
}

function checkWeights(weights: readonly number[]): void {
  const wrong = weights.find((weight) => !(weight >= 0 && weight < Infinity));
  if (wrong !== undefined) throw new RangeError(`Cannot weigh a class by ${wrong}: need a finite number from 0 on`);
}
