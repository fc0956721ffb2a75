/**
 * The oracle: every operation, layer, loss and optimizer once more in float64 and plain TypeScript, written to be
 * obviously right. Gradient checks, tests and the device's self-test compare the GPU with it.
 *
 * @module
 */
import type { Matrix } from "./matrix.ts";
import type { ReferenceLayer } from "./reference_layers.ts";
import type { ReferenceLoss } from "./reference_losses.ts";

export * from "./matrix.ts";
export * from "./reference_activations.ts";
export * from "./reference_dropout.ts";
export * from "./reference_layers.ts";
export * from "./reference_losses.ts";

/** Layers in order, and a loss. */
export class ReferenceModel {
  /** The layers, first to last. */
  readonly layers: readonly ReferenceLayer[];
  /** The loss. */
  readonly loss: ReferenceLoss;

  /**
   * Takes the layers as they are.
   *
   * @param layers The layers, first to last.
   * @param loss The loss.
   */
  constructor(layers: readonly ReferenceLayer[], loss: ReferenceLoss) {
    this.layers = layers;
    this.loss = loss;
  }

  /** Values of all parameters, layer by layer. */
  get parameters(): Matrix[] {
    return this.layers.flatMap((layer) => layer.parameters);
  }

  /** Gradients of all parameters, after {@linkcode ReferenceModel.backward}. */
  get gradients(): Matrix[] {
    return this.layers.flatMap((layer) => layer.gradients);
  }

  /** The prediction for `x` [batch, in]. */
  forward(x: Matrix): Matrix {
    return this.layers.reduce((value, layer) => layer.forward(value), x);
  }

  /** Forward and backward: fills the gradients; returns the loss and the gradient of the input. */
  backward(x: Matrix, target: Matrix): { loss: number; dX: Matrix } {
    const prediction = this.forward(x);
    const loss = this.loss.forward(prediction, target);
    const dX = this.layers.reduceRight((d, layer) => layer.backward(d), this.loss.backward(prediction, target));
    return { loss, dX };
  }
}

/** An optimizer in float64: changes `parameters` in place, one call a step. */
export type ReferenceOptimizer = (parameters: Float64Array, gradients: Float64Array) => void;

/** `w -= learningRate * g`. */
export function referenceSgd(learningRate: number): ReferenceOptimizer {
  return (w, g) => w.forEach((_, i) => w[i] -= learningRate * g[i]);
}

/** `v = momentum * v + g; w -= learningRate * v` (Polyak 1964, the learning rate outside the velocity). */
export function referenceMomentum(learningRate: number, momentum = 0.9): ReferenceOptimizer {
  let v = new Float64Array();
  return (w, g) => {
    if (v.length === 0) v = new Float64Array(w.length);
    w.forEach((_, i) => w[i] -= learningRate * (v[i] = momentum * v[i] + g[i]));
  };
}

/** Adam (Kingma and Ba 2015, algorithm 1). */
export function referenceAdam(learningRate: number, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8): ReferenceOptimizer {
  let m = new Float64Array(), v = new Float64Array(), t = 0;
  return (w, g) => {
    if (t++ === 0) [m, v] = [new Float64Array(w.length), new Float64Array(w.length)];
    w.forEach((_, i) => {
      m[i] = beta1 * m[i] + (1 - beta1) * g[i];
      v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2;
      w[i] -= learningRate * (m[i] / (1 - beta1 ** t)) / (Math.sqrt(v[i] / (1 - beta2 ** t)) + epsilon);
    });
  };
}
