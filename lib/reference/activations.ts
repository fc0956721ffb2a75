/**
 * The oracle's activations in float64, each with its backward, and the layers that they make; softmax.
 *
 * @module
 */
import type { ReferenceLayer } from "./layers.ts";
import { Matrix } from "./matrix.ts";

/** `x` where `x > 0`, else 0. */
export function relu(x: Matrix): Matrix {
  return x.map((value) => value < 0 ? 0 : value);
}

/** `dOut` where `x > 0`, else 0. */
export function reluBackward(x: Matrix, dOut: Matrix): Matrix {
  return dOut.map((value, i) => x.data[i] <= 0 ? 0 : value);
}

/** `1 / (1 + exp(-x))`. */
export function sigmoid(x: Matrix): Matrix {
  return x.map((value) => 1 / (1 + Math.exp(-value)));
}

/** `dOut * s * (1 - s)`, with `s` the sigmoid's output. */
export function sigmoidBackward(s: Matrix, dOut: Matrix): Matrix {
  return dOut.map((value, i) => value * s.data[i] * (1 - s.data[i]));
}

/** `x` where `x > 0`, else `slope * x`. */
export function leakyRelu(x: Matrix, slope: number = 0.01): Matrix {
  return x.map((value) => value < 0 ? slope * value : value);
}

/** `dOut` where `x > 0`, else `slope * dOut`. */
export function leakyReluBackward(x: Matrix, dOut: Matrix, slope: number = 0.01): Matrix {
  return dOut.map((value, i) => x.data[i] <= 0 ? slope * value : value);
}

/** Hyperbolic tangent. */
export function tanh(x: Matrix): Matrix {
  return x.map(Math.tanh);
}

/** `dOut * (1 - y²)`, with `y` the tangent. */
export function tanhBackward(y: Matrix, dOut: Matrix): Matrix {
  return dOut.map((value, i) => value * (1 - y.data[i] ** 2));
}

/** GELU by its tanh approximation: `x / 2 * (1 + tanh(u))` with `u = sqrt(2 / pi) (x + 0.044715 x³)`. */
export function gelu(x: Matrix): Matrix {
  return x.map((v) => v === -Infinity ? 0 : v / 2 * (1 + Math.tanh(geluArgument(v))));
}

/** `dOut * ((1 + t) / 2 + x / 2 * (1 - t²) * u')` with `t = tanh(u)`, `u' = sqrt(2 / pi) (1 + 3 * 0.044715 x²)`. */
export function geluBackward(x: Matrix, dOut: Matrix): Matrix {
  return dOut.map((value, i) => {
    const v = x.data[i];
    const t = Math.tanh(geluArgument(v));
    const slope = Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * v ** 2);
    return value * ((1 + t) / 2 + (Math.abs(t) === 1 ? 0 : v / 2 * (1 - t ** 2) * slope));
  });
}

function geluArgument(x: number): number {
  return Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
}

/** Logarithm of {@linkcode softmax}, row by row: `x - m - log(sum of exp(x - m))`, with m the row's largest element. */
export function logSoftmax(x: Matrix): Matrix {
  const out = new Matrix(x.rows, x.columns);
  for (let start = 0; start < x.data.length; start += x.columns) {
    const end = start + x.columns;
    let largest = -Infinity;
    for (let i = start; i < end; i++) largest = Math.max(largest, x.data[i]);
    let sum = 0;
    for (let i = start; i < end; i++) sum += Math.exp(x.data[i] - largest);
    const logOfSum = Math.log(sum);
    for (let i = start; i < end; i++) out.data[i] = x.data[i] - largest - logOfSum;
  }
  return out;
}

/** `exp(x)` over the sum of `exp(x)` in its row: positive numbers that sum to 1 in each row. */
export function softmax(x: Matrix): Matrix {
  return logSoftmax(x).map(Math.exp);
}

/** What an activation's layer is made of. */
interface ReferenceActivationForm {
  /** Output from input. */
  readonly forward: (x: Matrix) => Matrix;
  /** Gradient of the input, from the input (or the output) and the output's gradient. */
  readonly backward: (kept: Matrix, dOut: Matrix) => Matrix;
  /** Whether `backward` takes the output. */
  readonly fromOutput?: boolean;
  /** Whether the derivative jumps at 0, where finite differences mean nothing. */
  readonly kinkAt0?: boolean;
}

/** An activation as a layer. */
export class ReferenceActivation implements ReferenceLayer {
  readonly parameters: Matrix[] = [];
  readonly gradients: Matrix[] = [];
  /** With a kink at 0: the smallest |x| of the last forward pass. */
  distanceToKink: number = Infinity;
  readonly #form: ReferenceActivationForm;
  #kept!: Matrix;

  /** Takes the activation. */
  constructor(form: ReferenceActivationForm) {
    this.#form = form;
  }

  /** The activation of each element. */
  forward(x: Matrix): Matrix {
    const { forward, fromOutput, kinkAt0 } = this.#form;
    const y = forward(x);
    this.#kept = fromOutput ? y : x;
    if (kinkAt0) this.distanceToKink = x.data.reduce((least, v) => Math.min(least, Math.abs(v)), Infinity);
    return y;
  }

  /** The activation's backward, from what the last forward pass kept. */
  backward(dOut: Matrix): Matrix {
    return this.#form.backward(this.#kept, dOut);
  }
}

/** ReLU in float64. */
export class ReferenceReLU extends ReferenceActivation {
  /** See {@linkcode relu}. */
  constructor() {
    super({ forward: relu, backward: reluBackward, kinkAt0: true });
  }
}

/** Leaky ReLU in float64. */
export class ReferenceLeakyReLU extends ReferenceActivation {
  /** See {@linkcode leakyRelu}. */
  constructor(slope: number) {
    const backward = (x: Matrix, dOut: Matrix) => leakyReluBackward(x, dOut, slope);
    super({ forward: (x) => leakyRelu(x, slope), backward, kinkAt0: true });
  }
}

/** Sigmoid in float64. */
export class ReferenceSigmoid extends ReferenceActivation {
  /** See {@linkcode sigmoid}. */
  constructor() {
    super({ forward: sigmoid, backward: sigmoidBackward, fromOutput: true });
  }
}

/** Tanh in float64. */
export class ReferenceTanh extends ReferenceActivation {
  /** See {@linkcode tanh}. */
  constructor() {
    super({ forward: tanh, backward: tanhBackward, fromOutput: true });
  }
}

/** GELU in float64. */
export class ReferenceGELU extends ReferenceActivation {
  /** See {@linkcode gelu}. */
  constructor() {
    super({ forward: gelu, backward: geluBackward });
  }
}
