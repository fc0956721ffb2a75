/**
 * A float64 matrix in plain TypeScript, and the few operations on it that the oracle is made of.
 *
 * @module
 */

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

  /** Takes the elements, row by row, as they are, or makes zeros. */
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
  const left = transposeA ? transpose(a) : a;
  const right = transposeB ? transpose(b) : b;
  if (left.columns !== right.rows) {
    throw new TypeError(`Cannot multiply [${left.rows}, ${left.columns}] by [${right.rows}, ${right.columns}]`);
  }
  const { rows, columns: inner } = left;
  const { columns } = right;
  const out = new Float64Array(rows * columns);
  const [from, by] = [left.data, right.data];
  for (let i = 0; i < rows; i++) {
    for (let p = 0; p < inner; p++) {
      const factor = from[i * inner + p];
      for (let j = 0; j < columns; j++) out[i * columns + j] += factor * by[p * columns + j];
    }
  }
  return new Matrix(rows, columns, out);
}

/** Rows become columns. */
export function transpose(x: Matrix): Matrix {
  const out = new Matrix(x.columns, x.rows);
  for (let i = 0; i < x.rows; i++) {
    for (let j = 0; j < x.columns; j++) out.data[j * x.rows + i] = x.data[i * x.columns + j];
  }
  return out;
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
