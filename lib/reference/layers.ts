/**
 * The oracle's layers, in float64.
 *
 * @module
 */
import { addBias, columnSums, matmul, Matrix } from "./matrix.ts";
import {
  gelu,
  geluBackward,
  leakyRelu,
  leakyReluBackward,
  relu,
  reluBackward,
  sigmoid,
  sigmoidBackward,
  tanh,
  tanhBackward,
} from "./activations.ts";

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

/** ReLU in float64; it remembers how close an input came to the kink, where finite differences mean nothing. */
export class ReferenceReLU implements ReferenceLayer {
  readonly parameters: Matrix[] = [];
  readonly gradients: Matrix[] = [];
  /** Smallest |x| of the last forward pass. */
  distanceToKink: number = Infinity;
  #x!: Matrix;

  /** See {@linkcode relu}. */
  forward(x: Matrix): Matrix {
    this.#x = x;
    this.distanceToKink = smallest(x);
    return relu(x);
  }

  /** See {@linkcode reluBackward}. */
  backward(dOut: Matrix): Matrix {
    return reluBackward(this.#x, dOut);
  }
}

/** Sigmoid in float64. */
export class ReferenceSigmoid implements ReferenceLayer {
  readonly parameters: Matrix[] = [];
  readonly gradients: Matrix[] = [];
  #s!: Matrix;

  /** See {@linkcode sigmoid}. */
  forward(x: Matrix): Matrix {
    return this.#s = sigmoid(x);
  }

  /** See {@linkcode sigmoidBackward}. */
  backward(dOut: Matrix): Matrix {
    return sigmoidBackward(this.#s, dOut);
  }
}

/** Leaky ReLU in float64; its kink is that of {@linkcode ReferenceReLU}. */
export class ReferenceLeakyReLU implements ReferenceLayer {
  readonly parameters: Matrix[] = [];
  readonly gradients: Matrix[] = [];
  /** Smallest |x| of the last forward pass. */
  distanceToKink: number = Infinity;
  readonly #slope: number;
  #x!: Matrix;

  /** Takes the slope below 0. */
  constructor(slope: number) {
    this.#slope = slope;
  }

  /** See {@linkcode leakyRelu}. */
  forward(x: Matrix): Matrix {
    this.#x = x;
    this.distanceToKink = smallest(x);
    return leakyRelu(x, this.#slope);
  }

  /** See {@linkcode leakyReluBackward}. */
  backward(dOut: Matrix): Matrix {
    return leakyReluBackward(this.#x, dOut, this.#slope);
  }
}

/** Tanh in float64. */
export class ReferenceTanh implements ReferenceLayer {
  readonly parameters: Matrix[] = [];
  readonly gradients: Matrix[] = [];
  #y!: Matrix;

  /** See {@linkcode tanh}. */
  forward(x: Matrix): Matrix {
    return this.#y = tanh(x);
  }

  /** See {@linkcode tanhBackward}. */
  backward(dOut: Matrix): Matrix {
    return tanhBackward(this.#y, dOut);
  }
}

/** GELU in float64. */
export class ReferenceGELU implements ReferenceLayer {
  readonly parameters: Matrix[] = [];
  readonly gradients: Matrix[] = [];
  #x!: Matrix;

  /** See {@linkcode gelu}. */
  forward(x: Matrix): Matrix {
    return gelu(this.#x = x);
  }

  /** See {@linkcode geluBackward}. */
  backward(dOut: Matrix): Matrix {
    return geluBackward(this.#x, dOut);
  }
}

function smallest(x: Matrix): number {
  return x.data.reduce((least, value) => Math.min(least, Math.abs(value)), Infinity);
}
