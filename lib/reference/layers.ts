/**
 * What a layer of the oracle is, and the one with weights, in float64.
 *
 * @module
 */
import { addBias, columnSums, matmul, Matrix } from "./matrix.ts";

/** A layer in float64. `backward` follows `forward`, fills `gradients`, and returns the gradient of the input. */
export interface ReferenceLayer {
  /** Values, in the order of the layer's parameters. */
  readonly parameters: Matrix[];
  /** Gradients of the loss with respect to each, after `backward`. */
  readonly gradients: Matrix[];
  /** Where it has a kink: how close an input of the last forward pass came to it. */
  readonly distanceToKink?: number;
  /** Output [batch, out] from input [batch, in]. */
  forward(x: Matrix): Matrix;
  /** Gradient of the input [batch, in] from that of the output [batch, out]. */
  backward(dOut: Matrix): Matrix;
}

/** `x · weight + bias` in float64. */
export class ReferenceLinear implements ReferenceLayer {
  readonly parameters: Matrix[];
  readonly gradients: Matrix[] = [];
  #x!: Matrix;

  /** Weight [in, out] and bias [out], zeros at first. */
  constructor(inputs: number, outputs: number) {
    this.parameters = [new Matrix(inputs, outputs), new Matrix(1, outputs)];
  }

  /** `x · weight + bias`. */
  forward(x: Matrix): Matrix {
    this.#x = x;
    return addBias(matmul(x, this.parameters[0]), this.parameters[1]);
  }

  /** `dWeight = xᵀ · dOut`, `dBias` the column sums of dOut, `dX = dOut · weightᵀ`. */
  backward(dOut: Matrix): Matrix {
    this.gradients[0] = matmul(this.#x, dOut, true);
    this.gradients[1] = columnSums(dOut);
    return matmul(dOut, this.parameters[0], false, true);
  }
}
