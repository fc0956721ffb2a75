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

/** `x · weight + bias` in float64; of several members, each with its own rows, weight and bias. */
export class ReferenceLinear implements ReferenceLayer {
  readonly parameters: Matrix[];
  readonly gradients: Matrix[] = [];
  readonly #members: number;
  #x!: Matrix;

  /** Weight [members * in, out] and bias [members * out], zeros at first. */
  constructor(inputs: number, outputs: number, members = 1) {
    this.#members = members;
    this.parameters = [new Matrix(members * inputs, outputs), new Matrix(1, members * outputs)];
  }

  /** `x · weight + bias`. */
  forward(x: Matrix): Matrix {
    this.#x = x;
    const [weight, bias] = this.parameters.map((parameter) => this.#cut(parameter));
    return stack(this.#cut(x).map((own, m) => addBias(matmul(own, weight[m]), bias[m])));
  }

  /** `dWeight = xᵀ · dOut`, `dBias` the column sums of dOut, `dX = dOut · weightᵀ`. */
  backward(dOut: Matrix): Matrix {
    const x = this.#cut(this.#x);
    const d = this.#cut(dOut);
    const weight = this.#cut(this.parameters[0]);
    this.gradients[0] = stack(d.map((own, m) => matmul(x[m], own, true)));
    this.gradients[1] = new Matrix(1, this.parameters[1].columns, d.flatMap((own) => [...columnSums(own).data]));
    return stack(d.map((own, m) => matmul(own, weight[m], false, true)));
  }

  /** Each member's part of a matrix; a vector is cut, too. */
  #cut({ rows, columns, data }: Matrix): Matrix[] {
    if (this.#members === 1) return [new Matrix(rows, columns, data)];
    const size = data.length / this.#members;
    return Array.from({ length: this.#members }, (_, m) => {
      const own = data.subarray(m * size, (m + 1) * size);
      return rows === 1 ? new Matrix(1, size, own) : new Matrix(size / columns, columns, own);
    });
  }
}

/** Matrices of the same width, one below the other. */
function stack(parts: readonly Matrix[]): Matrix {
  if (parts.length === 1) return parts[0];
  const stacked = new Matrix(parts.reduce((sum, { rows }) => sum + rows, 0), parts[0].columns);
  let start = 0;
  for (const { data } of parts) {
    stacked.data.set(data, start);
    start += data.length;
  }
  return stacked;
}
