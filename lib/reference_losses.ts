/**
 * The oracle's losses, in float64.
 *
 * @module
 */
import { columnSums, type Matrix, transpose } from "./matrix.ts";
import { logSoftmax, sigmoid, softmax } from "./reference_activations.ts";

/** A loss in float64, a mean over all n elements of prediction and target, or over their rows. */
export interface ReferenceLoss {
  /** The loss, a mean. */
  forward(prediction: Matrix, target: Matrix): number;
  /** Its gradient with respect to the prediction. */
  backward(prediction: Matrix, target: Matrix): Matrix;
}

/** Mean squared error: `sum (p - t)² / n`; gradient `2 (p - t) / n`. */
export const referenceMse: ReferenceLoss = {
  forward: (prediction, target) =>
    prediction.data.reduce((sum, p, i) => sum + (p - target.data[i]) ** 2, 0) / prediction.data.length,
  backward: (prediction, target) => prediction.map((p, i) => 2 * (p - target.data[i]) / prediction.data.length),
};

/** Binary cross-entropy of sigmoid(logits): `sum (softplus(z) - z t) / n`; gradient `(sigmoid(z) - t) / n`. */
export const referenceBce: ReferenceLoss = {
  forward: (logits, target) =>
    logits.data.reduce((sum, z, i) => sum + softplus(z) - z * target.data[i], 0) / logits.data.length,
  backward: (logits, target) => sigmoid(logits).map((s, i) => (s - target.data[i]) / logits.data.length),
};

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

function softplus(z: number): number {
  return (z + Math.abs(z)) / 2 + Math.log1p(Math.exp(-Math.abs(z)));
}
