/**
 * The oracle: every operation, layer, loss and optimizer once more in float64 and plain TypeScript, written to be
 * obviously right. Gradient checks, tests and the device's self-test compare the GPU with it.
 *
 * @module
 */
import type { Matrix } from "./matrix.ts";
import type { ReferenceLayer } from "./layers.ts";
import type { ReferenceLoss } from "./losses.ts";

export * from "./matrix.ts";
export * from "./activations.ts";
export * from "./dropout.ts";
export * from "./layers.ts";
export * from "./losses.ts";
export * from "./operations.ts";
export * from "./optimizers.ts";
export * from "./statistics.ts";
export * from "./table_embedding.ts";

/** Layers in order, and a loss. */
export class ReferenceModel {
  /** The layers, first to last. */
  readonly layers: readonly ReferenceLayer[];
  /** The loss. */
  readonly loss: ReferenceLoss;

  /** Takes the layers, first to last, and the loss as they are. */
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
