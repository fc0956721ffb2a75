/**
 * The oracle: every operation, layer, loss and optimizer once more in float64 and plain TypeScript, written to be
 * obviously right. Gradient checks, tests and the device's self-test compare the GPU with it.
 *
 * @module
 */
export * from "./reference_optimizers.ts";

/**
 * A float64 matrix, row by row. A vector is a matrix of one row.
 *
 * @example
 * ```ts
 * import { reference } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const a = new reference.Matrix(1, 2, [1, 2]);
 * const b = new reference.Matrix(2, 1, [3, 4]);
 * assertEquals([...reference.matmul(a, b).data], [11]);
 * ```
 */
export class Matrix {
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** Elements, row by row. */
  readonly data: Float64Array;

  /**
   * Takes the elements as they are, or makes zeros.
   *
   * @param rows Number of rows.
   * @param columns Number of columns.
   * @param data Elements, row by row; zeros by default.
   */
  constructor(rows: number, columns: number, data: ArrayLike<number> = new Float64Array(rows * columns)) {
    if (data.length !== rows * columns) {
      throw new TypeError(`Cannot make a [${rows}, ${columns}] matrix of ${data.length} numbers`);
    }
    this.rows = rows;
    this.columns = columns;
    this.data = data instanceof Float64Array ? data : Float64Array.from(data);
  }

  /** A matrix of the same shape with `f(element, index)` for each element. */
  map(f: (value: number, index: number) => number): Matrix {
    return new Matrix(this.rows, this.columns, this.data.map(f));
  }
}

/** `out[i, j] = sum over p of a[i, p] * b[p, j]`, with either side transposed first. */
export function matmul(a: Matrix, b: Matrix, transposeA = false, transposeB = false): Matrix {
  const left = transposeA ? transpose(a) : a, right = transposeB ? transpose(b) : b;
  if (left.columns !== right.rows) {
    throw new TypeError(`Cannot multiply [${left.rows}, ${left.columns}] by [${right.rows}, ${right.columns}]`);
  }
  const out = new Matrix(left.rows, right.columns);
  for (let i = 0; i < left.rows; i++) {
    for (let p = 0; p < left.columns; p++) {
      const factor = left.data[i * left.columns + p];
      for (let j = 0; j < right.columns; j++) {
        out.data[i * right.columns + j] += factor * right.data[p * right.columns + j];
      }
    }
  }
  return out;
}

/** Rows become columns. */
export function transpose(x: Matrix): Matrix {
  return new Matrix(x.columns, x.rows).map((_, i) => x.data[(i % x.rows) * x.columns + Math.floor(i / x.rows)]);
}

/** `out[i, j] = x[i, j] + bias[j]`. */
export function addBias(x: Matrix, bias: Matrix): Matrix {
  return x.map((value, i) => value + bias.data[i % x.columns]);
}

/** Sum over rows, [1, columns]. */
export function columnSums(x: Matrix): Matrix {
  const out = new Matrix(1, x.columns);
  x.data.forEach((value, i) => out.data[i % x.columns] += value);
  return out;
}

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

/** Logarithm of {@linkcode softmax}, row by row: `x - m - log(sum of exp(x - m))`, with m the row's largest element. */
export function logSoftmax(x: Matrix): Matrix {
  const out = new Matrix(x.rows, x.columns);
  for (let start = 0; start < x.data.length; start += x.columns) {
    const row = x.data.subarray(start, start + x.columns), largest = row.reduce((a, b) => Math.max(a, b));
    const logOfSum = Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0));
    out.data.set(row.map((value) => value - largest - logOfSum), start);
  }
  return out;
}

/** `exp(x)` over the sum of `exp(x)` in its row: positive numbers that sum to 1 in each row. */
export function softmax(x: Matrix): Matrix {
  return logSoftmax(x).map(Math.exp);
}

/** A layer in float64. `backward` follows `forward`, fills `gradients`, and returns the gradient of the input. */
export interface ReferenceLayer {
  /** Values, in the order of the layer's parameters. */
  readonly parameters: Matrix[];
  /** Gradients of the loss with respect to each, after `backward`. */
  readonly gradients: Matrix[];
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
    this.distanceToKink = x.data.reduce((least, value) => Math.min(least, Math.abs(value)), Infinity);
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
