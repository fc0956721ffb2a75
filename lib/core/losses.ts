/**
 * Losses: a scalar from prediction and target, and its gradient with respect to the prediction.
 *
 * All are means over all elements, or all rows, that are really there, so a short last batch is weighted right.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { elementwise, mean, result } from "./ops.ts";
import {
  referenceHuber,
  type ReferenceLoss,
  referenceMae,
  referenceMse,
  referenceSoftmaxCrossEntropy,
  referenceWeightedBce,
} from "../reference/mod.ts";
import { formatShape, sameShape, type Shape } from "../base/shape.ts";
import type { Tensor } from "./tensor.ts";

/** A loss function. */
export interface Loss {
  /** Its name in settings and messages. */
  readonly kind: string;
  /** The loss, a scalar tensor, of `prediction` and `target`, both [batch, out]. */
  forward(prediction: Tensor, target: Tensor): Tensor;
  /** Its gradient [batch, out] with respect to the prediction. */
  backward(prediction: Tensor, target: Tensor): Tensor;
  /** Both, as a training step takes them: in one dispatch where the batch is small. The last digit may differ. */
  forwardBackward(prediction: Tensor, target: Tensor): { loss: Tensor; dPrediction: Tensor };
  /** The same in float64. */
  readonly reference: ReferenceLoss;
}

/**
 * Mean squared error: `sum over all n elements of (prediction - target)² / n`.
 *
 * @example
 * ```ts
 * import { Device, mse, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using prediction = Tensor.from(device, [[1.5]]);
 * using target = Tensor.from(device, [[3]]);
 * using loss = mse.forward(prediction, target);
 * using dPrediction = mse.backward(prediction, target);
 * assertEquals([...await loss.read(), ...await dPrediction.read()], [2.25, -3]);
 * const both = mse.forwardBackward(prediction, target);
 * assertEquals([...await both.loss.read(), ...await both.dPrediction.read()], [2.25, -3]);
 * ```
 */
export const mse: Loss = meanOf({
  kind: "mse",
  kernels: {
    forward: kernels.squaredError,
    backward: kernels.squaredErrorBackward,
    step: kernels.squaredErrorStep,
  },
  reals: [],
}, referenceMse);

/**
 * Binary cross-entropy on logits: the mean of `-t log s - (1 - t) log(1 - s)` with `s = sigmoid(logit)` and targets t from
 * 0 to 1, computed as `max(z, 0) - z t + log(1 + exp(-|z|))`, finite for logits up to 1.7e38.
 *
 * @example
 * ```ts
 * import { bceWithLogits, Device, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using logits = Tensor.from(device, [[0]]);
 * using target = Tensor.from(device, [[1]]);
 * using loss = bceWithLogits.forward(logits, target); // -log 0.5
 * using dLogits = bceWithLogits.backward(logits, target); // 0.5 - 1
 * assertEquals((await loss.read())[0].toFixed(4), "0.6931");
 * assertEquals([...await dLogits.read()], [-0.5]);
 * ```
 */
export const bceWithLogits: Loss = bceOf([1, 1]);

/** Binary cross-entropy with weights of class 0 and class 1. */
export function bceOf(weights: readonly [number, number]): Loss {
  const { bceWithLogits: forward, bceWithLogitsBackward: backward, bceWithLogitsStep: step } = kernels;
  return meanOf({ kind: "bce", kernels: { forward, backward, step }, reals: weights }, referenceWeightedBce(weights));
}

/**
 * Mean absolute error: `sum over all n elements of |prediction - target| / n`. Its gradient is 0 where both are equal.
 *
 * @example
 * ```ts
 * import { Device, mae, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using prediction = Tensor.from(device, [[1.5, 4]]);
 * using target = Tensor.from(device, [[3, 1]]);
 * using loss = mae.forward(prediction, target);
 * using dPrediction = mae.backward(prediction, target);
 * assertEquals([...await loss.read(), ...await dPrediction.read()], [2.25, -0.5, 0.5]);
 * ```
 */
export const mae: Loss = meanOf({ kind: "mae", kernels: huberKernels(), reals: [0, 1] }, referenceMae);

/**
 * Huber's loss (Huber 1964): the mean of `e² / 2` where `|e| <= delta`, else `delta (|e| - delta / 2)`, with
 * `e = prediction - target`; so rows far off pull no harder than those at delta.
 *
 * @param delta Where the parabola becomes a line, over 0, in the units of training; 1 by default.
 * @returns The loss. A saved model remembers its kind alone: read back, it has a delta of 1.
 * @throws {RangeError} If delta is no finite number over 0.
 *
 * @example
 * ```ts
 * import { Device, huberLoss, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using prediction = Tensor.from(device, [[1, 5]]);
 * using target = Tensor.from(device, [[0, 0]]);
 * const loss = huberLoss(2);
 * using value = loss.forward(prediction, target); // 0.5 and 2 * (5 - 1)
 * using dPrediction = loss.backward(prediction, target);
 * assertEquals([...await value.read(), ...await dPrediction.read()], [4.25, 0.5, 1]);
 * ```
 */
export function huberLoss(delta: number = 1): Loss {
  if (!(delta > 0 && delta < Infinity)) {
    throw new RangeError(`Cannot make a Huber loss of delta ${delta}: need a finite number over 0`);
  }
  return meanOf({ kind: "huber", kernels: huberKernels(), reals: [delta, delta] }, referenceHuber(delta));
}

/**
 * {@linkcode huberLoss} of delta 1.
 *
 * @example
 * ```ts
 * import { Device, huber, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using loss = huber.forward(Tensor.from(device, [[3]]), Tensor.from(device, [[0]]));
 * assertEquals([...await loss.read()], [2.5]);
 * ```
 */
export const huber: Loss = huberLoss();

/** Huber's kernels, which also give the absolute error. */
function huberKernels(): ElementKernels {
  return { forward: kernels.huber, backward: kernels.huberBackward, step: kernels.huberStep };
}

/** Classes of a row at most: its invocation goes through them three times, and the software adapter ends it at 65,535. */
const MAX_CLASSES = 20_000;

/**
 * Softmax cross-entropy on logits: the mean over rows of `-sum over j of t_j log softmax(z)_j`, computed against the row's
 * largest logit, so that a row's loss is finite for logits up to 1.7e38; a NaN makes its row's loss and gradient NaN.
 * Targets [batch, classes] are probabilities, one-hot or soft; rows of another sum weigh in by it. The gradient is
 * `(softmax(z) * sum of t - t) / batch`.
 *
 * Its methods throw a `RangeError` for rows of no class or of more than 20,000.
 *
 * @example
 * ```ts
 * import { Device, softmaxCrossEntropy, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using logits = Tensor.from(device, [[2, 2]]);
 * using target = Tensor.from(device, [[1, 0]]);
 * using loss = softmaxCrossEntropy.forward(logits, target); // -log 0.5
 * using dLogits = softmaxCrossEntropy.backward(logits, target); // 0.5 - 1, 0.5 - 0
 * assertEquals((await loss.read())[0].toFixed(4), "0.6931");
 * assertEquals([...await dLogits.read()], [-0.5, 0.5]);
 * ```
 */
export const softmaxCrossEntropy: Loss = {
  kind: "softmax",
  forward: (logits, target) => {
    const [rows, classes] = checkClasses(logits, target);
    return logits.device.tidy(() => {
      const out = result([logits, target], [rows], undefined);
      const buffers = [logits, target, out];
      logits.device.run(kernels.softmaxCrossEntropy, { buffers, sizes: [rows, classes], invocations: rows });
      return mean(out);
    });
  },
  backward: (logits, target) => {
    const [rows, classes] = checkClasses(logits, target);
    const dLogits = result([logits, target], logits.shape, undefined);
    logits.device.run(kernels.softmaxCrossEntropyBackward, {
      buffers: [logits, target, dLogits],
      sizes: [rows, classes],
      reals: [1 / rows],
      invocations: rows,
    });
    return dLogits;
  },
  forwardBackward: (logits, target) =>
    inOnePass(softmaxCrossEntropy, kernels.softmaxCrossEntropyStep, [logits, target], checkClasses(logits, target)),
  reference: referenceSoftmaxCrossEntropy,
};

/** The kernels of a loss that is a mean over elements. */
interface ElementKernels {
  readonly forward: Kernel;
  readonly backward: Kernel;
  readonly step: Kernel;
}

/** A loss that is a mean over elements, from its kernels and what they take beside the sizes that each has. */
function meanOf(
  { kind, kernels, reals }: { kind: string; kernels: ElementKernels; reals: readonly number[] },
  reference: ReferenceLoss,
): Loss {
  const loss: Loss = {
    kind,
    forward: (prediction, target) =>
      prediction.device.tidy(() => mean(elementwise(kernels.forward, checkPair(prediction, target), {}, reals))),
    backward: (prediction, target) =>
      elementwise(kernels.backward, checkPair(prediction, target), {}, [1 / prediction.size, ...reals]),
    forwardBackward: (prediction, target) =>
      inOnePass(loss, kernels.step, checkPair(prediction, target), [prediction.size], reals),
    reference,
  };
  return loss;
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
): { loss: Tensor; dPrediction: Tensor } {
  const { device, size, shape } = prediction;
  if (size === 0 || size > ONE_PASS_ELEMENTS) {
    return { loss: forward(prediction, target), dPrediction: backward(prediction, target) };
  }
  const pair = [prediction, target];
  const loss = result(pair, [], undefined);
  const dPrediction = result(pair, shape, undefined);
  device.run(kernel, { buffers: [...pair, loss, dPrediction], sizes, reals: [1 / sizes[0], ...reals], invocations: 1 });
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
