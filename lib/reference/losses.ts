/**
 * The oracle's losses, in float64.
 *
 * @module
 */
import { columnSums, type Matrix, transpose } from "./matrix.ts";
import { logSoftmax, sigmoid, softmax } from "./activations.ts";

/** A loss in float64, a mean over all n elements of prediction and target, or over their rows. */
export interface ReferenceLoss {
  /** The loss, a mean. */
  forward(prediction: Matrix, target: Matrix): number;
  /** Its gradient with respect to the prediction. */
  backward(prediction: Matrix, target: Matrix): Matrix;
  /** Where it has a kink: how close an element comes to it. */
  distanceToKink?(prediction: Matrix, target: Matrix): number;
}

/** Mean squared error: `sum (p - t)² / n`; gradient `2 (p - t) / n`. */
export const referenceMse: ReferenceLoss = {
  forward: ({ data }, target) => data.reduce((sum, p, i) => sum + (p - target.data[i]) ** 2, 0) / data.length,
  backward: (prediction, target) => prediction.map((p, i) => 2 * (p - target.data[i]) / prediction.data.length),
};

/** Binary cross-entropy of sigmoid(logits): `sum (softplus(z) - z t) / n`; gradient `(sigmoid(z) - t) / n`. */
export const referenceBce: ReferenceLoss = referenceWeightedBce([1, 1]);

/**
 * Cross-entropy of softmax(logits), a mean over rows: `sum of -t log softmax(z) / rows`; gradient
 * `(softmax(z) * (sum of t in the row) - t) / rows`.
 */
export const referenceSoftmaxCrossEntropy: ReferenceLoss = {
  forward: (logits, target) =>
    logSoftmax(logits).data.reduce((sum, log, i) => sum - target.data[i] * log, 0) / logits.rows,
  backward: (logits, target) => {
    const { data: totals } = columnSums(transpose(target));
    return softmax(logits).map((s, i) => (s * totals[Math.floor(i / logits.columns)] - target.data[i]) / logits.rows);
  },
};

/** Mean absolute error: `sum |p - t| / n`; gradient the sign of `p - t` over n, 0 where they are equal. */
export const referenceMae: ReferenceLoss = {
  forward: ({ data }, target) => data.reduce((sum, p, i) => sum + Math.abs(p - target.data[i]), 0) / data.length,
  backward: (prediction, target) => prediction.map((p, i) => Math.sign(p - target.data[i]) / prediction.data.length),
  distanceToKink: ({ data }, target) =>
    data.reduce((least, p, i) => Math.min(least, Math.abs(p - target.data[i])), Infinity),
};

/** Huber: the mean of `e² / 2` where `|e| <= delta`, else `delta (|e| - delta / 2)`, e = p - t; gradient e, cut at delta. */
export function referenceHuber(delta: number): ReferenceLoss {
  const of = (e: number) => Math.abs(e) <= delta ? e ** 2 / 2 : delta * (Math.abs(e) - delta / 2);
  return {
    forward: ({ data }, target) => data.reduce((sum, p, i) => sum + of(p - target.data[i]), 0) / data.length,
    backward: (prediction, target) =>
      prediction.map((p, i) => Math.max(-delta, Math.min(delta, p - target.data[i])) / prediction.data.length),
  };
}

/** Binary cross-entropy of sigmoid(logits), each element times `zero (1 - t) + one t` in its two terms. */
export function referenceWeightedBce([zero, one]: readonly [number, number]): ReferenceLoss {
  const of = (z: number, t: number) => zero * (1 - t) * softplus(z) + one * t * softplus(-z);
  return {
    forward: ({ data }, target) => data.reduce((sum, z, i) => sum + of(z, target.data[i]), 0) / data.length,
    backward: (logits, target) =>
      sigmoid(logits).map((s, i) => {
        const t = target.data[i];
        return (zero * (1 - t) * s - one * t * (1 - s)) / logits.data.length;
      }),
  };
}

/** Cross-entropy of softmax(logits) with each class' target times its weight. */
export function referenceWeightedSoftmax(weights: readonly number[]): ReferenceLoss {
  const weigh = (target: Matrix) => target.map((t, i) => t * weights[i % target.columns]);
  return {
    forward: (logits, target) => referenceSoftmaxCrossEntropy.forward(logits, weigh(target)),
    backward: (logits, target) => referenceSoftmaxCrossEntropy.backward(logits, weigh(target)),
  };
}

function softplus(z: number): number {
  return (z + Math.abs(z)) / 2 + Math.log1p(Math.exp(-Math.abs(z)));
}
