/**
 * Operations on tensors, each with its backward beneath it. `dX` is the gradient of the loss with respect to `x`; a
 * backward takes what the forward pass took or made, and `dOut`, and returns the gradient of each input.
 *
 * Every operation makes its result, or writes it into `out` where one is given. Shapes are checked before anything runs.
 *
 * @module
 */
import { type Kernel, kernels } from "../kernels/mod.ts";
import { formatShape, sameShape, type Shape } from "./shape.ts";
import { type DataType, Tensor } from "./tensor.ts";

/** Iterations that one invocation may loop: the software adapter silently ends it after 65,535. */
const MAX_LOOP = 32_768;
/** Elements that one invocation folds in a reduction. */
const REDUCE_BLOCK = 1_024;

/** Where a result goes. */
export interface Out {
  /** A tensor of the result's shape to write into; without one a tensor is made. */
  readonly out?: Tensor;
}

/** Options of {@linkcode matmul}. */
export interface MatmulOptions extends Out {
  /** Take `a` transposed: it is given as [k, m]. */
  readonly transposeA?: boolean;
  /** Take `b` transposed: it is given as [n, k]. */
  readonly transposeB?: boolean;
}

/**
 * Matrix product: `out[i, j] = sum over p of a[i, p] * b[p, j]`.
 *
 * @param a Matrix [m, k], or [k, m] with `transposeA`.
 * @param b Matrix [k, n], or [n, k] with `transposeB`.
 * @param options Transposes, and where the result goes.
 * @returns Matrix [m, n].
 * @throws {TypeError} If one is no matrix or the inner dimensions differ.
 *
 * @example
 * ```ts
 * import { Device, matmul, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using a = Tensor.from(device, [[1, 2], [3, 4]]);
 * using b = Tensor.from(device, [[5], [6]]);
 * using product = matmul(a, b);
 * assertEquals(await product.read(), new Float32Array([17, 39]));
 * ```
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeA = false, transposeB = false } = options;
  const named = `a ${formatShape(a.shape)}${transposeA ? " transposed" : ""} by b ${formatShape(b.shape)}${
    transposeB ? " transposed" : ""
  }`;
  if (a.shape.length !== 2 || b.shape.length !== 2) {
    throw new TypeError(`Cannot multiply ${named}: both must be matrices`);
  }
  const [m, inner] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
  const [bInner, n] = transposeB ? [b.shape[1], b.shape[0]] : b.shape;
  if (inner !== bInner) {
    throw new TypeError(`Cannot multiply ${named}: inner dimensions ${inner} and ${bInner} differ`);
  }
  const out = result([a, b], [m, n], options.out);
  const aStrides = transposeA ? [1, m] : [inner, 1];
  const bStrides = transposeB ? [1, inner] : [n, 1];
  for (let start = 0; start === 0 || start < inner; start += MAX_LOOP) {
    const sizes = [m, n, ...aStrides, ...bStrides, start, Math.min(inner, start + MAX_LOOP)];
    a.device.run(kernels.matmul, { buffers: [a, b, out], sizes, invocations: m * n });
  }
  return out;
}

/** Gradients of {@linkcode matmul} `a · b`: `dA = dOut · bᵀ` [m, k], `dB = aᵀ · dOut` [k, n]. */
export function matmulBackward(a: Tensor, b: Tensor, dOut: Tensor): { dA: Tensor; dB: Tensor } {
  return { dA: matmul(dOut, b, { transposeB: true }), dB: matmul(a, dOut, { transposeA: true }) };
}

/**
 * Adds a bias to every row: `out[i, j] = x[i, j] + bias[j]`.
 *
 * @param x Matrix [rows, columns].
 * @param bias Vector [columns].
 * @param options Where the result goes.
 * @returns Matrix [rows, columns].
 * @throws {TypeError} If the shapes do not match.
 */
export function addBias(x: Tensor, bias: Tensor, options: Out = {}): Tensor {
  if (x.shape.length !== 2 || !sameShape(bias.shape, [x.shape[1]])) {
    throw new TypeError(`Cannot add bias ${formatShape(bias.shape)} to x ${formatShape(x.shape)}: need [c] and [r, c]`);
  }
  const out = result([x, bias], x.shape, options.out);
  x.device.run(kernels.addBias, { buffers: [x, bias, out], sizes: [x.size, x.shape[1]], invocations: x.size });
  return out;
}

/** Gradient of {@linkcode addBias} with respect to the bias: the column sums of `dOut` [rows, columns]. `dX` is `dOut`. */
export function addBiasBackward(dOut: Tensor, options: Out = {}): Tensor {
  return sum(dOut, 0, options);
}

/**
 * Rectified linear unit: `out = x` where `x > 0`, else 0; NaN stays NaN (Nair and Hinton 2010).
 *
 * @param x Any shape.
 * @param options Where the result goes.
 * @returns The same shape.
 */
export function relu(x: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.relu, [x], options);
}

/** Gradient of {@linkcode relu}: `dX = dOut` where `x > 0`, else 0 (0 at the kink as well). */
export function reluBackward(x: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.reluBackward, [x, dOut], options);
}

/**
 * Logistic function: `out = 1 / (1 + exp(-x))`.
 *
 * @param x Any shape.
 * @param options Where the result goes.
 * @returns The same shape, values from 0 to 1.
 */
export function sigmoid(x: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.sigmoid, [x], options);
}

/** Gradient of {@linkcode sigmoid} from its output `s`: `dX = dOut * s * (1 - s)`. */
export function sigmoidBackward(s: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.sigmoidBackward, [s, dOut], options);
}

/**
 * `a + b`, element by element. Both gradients are `dOut`.
 *
 * @param a Any shape.
 * @param b The same shape.
 * @param options Where the result goes.
 * @returns The same shape.
 * @throws {TypeError} If the shapes differ.
 */
export function add(a: Tensor, b: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.add, [a, b], options);
}

/**
 * `a - b`, element by element. The gradients are `dA = dOut` and `dB = -dOut`.
 *
 * @param a Any shape.
 * @param b The same shape.
 * @param options Where the result goes.
 * @returns The same shape.
 * @throws {TypeError} If the shapes differ.
 */
export function subtract(a: Tensor, b: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.subtract, [a, b], options);
}

/**
 * `a * b`, element by element.
 *
 * @param a Any shape.
 * @param b The same shape.
 * @param options Where the result goes.
 * @returns The same shape.
 * @throws {TypeError} If the shapes differ.
 */
export function multiply(a: Tensor, b: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.multiply, [a, b], options);
}

/** Gradients of {@linkcode multiply}: `dA = dOut * b`, `dB = dOut * a`. */
export function multiplyBackward(a: Tensor, b: Tensor, dOut: Tensor): { dA: Tensor; dB: Tensor } {
  return { dA: multiply(dOut, b), dB: multiply(dOut, a) };
}

/**
 * `factor * x`. Its gradient is `dX = factor * dOut`, the same operation.
 *
 * @param x Any shape.
 * @param factor Any number.
 * @param options Where the result goes.
 * @returns The same shape.
 */
export function scale(x: Tensor, factor: number, options: Out = {}): Tensor {
  return elementwise(kernels.scale, [x], options, [factor]);
}

/**
 * Sum over one axis of a matrix, or over all elements.
 *
 * @param x Any shape where `axis` is left out, else a matrix [rows, columns].
 * @param axis 0 sums over rows and gives [columns]; 1 sums over columns and gives [rows].
 * @param options Where the result goes.
 * @returns The sums; shape [] over all elements.
 * @throws {TypeError} If `axis` is given and `x` is no matrix.
 */
export function sum(x: Tensor, axis?: 0 | 1, options: Out = {}): Tensor {
  return reduce(kernels.sum, x, axis, options);
}

/** Mean, with the axes of {@linkcode sum}. Its gradient spreads `dOut / n` over the n elements that it averaged. */
export function mean(x: Tensor, axis?: 0 | 1, options: Out = {}): Tensor {
  return reduce(kernels.sum, x, axis, options, true);
}

/** Smallest element, with the axes of {@linkcode sum}; NaN where one is NaN. */
export function min(x: Tensor, axis?: 0 | 1, options: Out = {}): Tensor {
  return reduce(kernels.min, x, axis, options);
}

/** Largest element, with the axes of {@linkcode sum}; NaN where one is NaN. */
export function max(x: Tensor, axis?: 0 | 1, options: Out = {}): Tensor {
  return reduce(kernels.max, x, axis, options);
}

/** Options of {@linkcode gatherRows}. */
export interface GatherOptions {
  /** How many rows to take; all of `rows` by default. */
  readonly count?: number;
  /** A `u32` counter [1] on the GPU: the rows taken start at `cursor * stride`. Without one they start at 0. */
  readonly cursor?: Tensor;
  /** Rows that the counter's one step stands for; `count` by default. */
  readonly stride?: number;
}

/**
 * Picks rows: `out[i, j] = table[rows[cursor * stride + i], j]`. No gradient flows to the table: it holds data.
 *
 * @param table Matrix [n, columns].
 * @param rows Row numbers, a `u32` vector. A number outside the table, or one past the end of `rows`, gives NaN.
 * @param options How many, and from where on.
 * @returns Matrix [count, columns].
 * @throws {TypeError} If the table is no matrix, or the row numbers are no `u32` vector.
 */
export function gatherRows(table: Tensor, rows: Tensor, options: GatherOptions = {}): Tensor {
  if (table.shape.length !== 2 || rows.shape.length !== 1 || rows.dtype !== "u32") {
    const found = `table ${formatShape(table.shape)}, rows ${formatShape(rows.shape)} of ${rows.dtype}`;
    throw new TypeError(`Cannot gather rows: need a matrix and a u32 vector, found ${found}`);
  }
  const { count = rows.size, stride = count, cursor } = options;
  if (cursor) checkType("u32", [cursor]);
  const [tableRows, columns] = table.shape;
  const out = result([table], [count, columns], undefined);
  const gather = (cursor: Tensor) =>
    table.device.run(kernels.gatherRows, {
      buffers: [table, rows, cursor, out],
      sizes: [out.size, columns, tableRows, stride],
      invocations: out.size,
    });
  table.device.tidy(() => gather(cursor ?? Tensor.zeros(table.device, [1], "u32")));
  return out;
}

/** Puts a scalar into `history` [n] at the place that `cursor` (`u32` [1]) counts, and counts one on; past the end it only counts. */
export function append(value: Tensor, history: Tensor, cursor: Tensor): void {
  checkType("f32", [value, history]);
  checkType("u32", [cursor]);
  value.device.run(kernels.append, { buffers: [value, history, cursor], invocations: 1 });
}

/** Checks or makes the tensor that a result goes into. */
export function result(inputs: readonly Tensor[], shape: Shape, out: Tensor | undefined): Tensor {
  checkType("f32", inputs);
  if (!out) return Tensor.zeros(inputs[0].device, shape);
  checkType("f32", [out]);
  if (!sameShape(out.shape, shape)) {
    throw new TypeError(`Cannot write a result ${formatShape(shape)} into a tensor ${formatShape(out.shape)}`);
  }
  return out;
}

/** A kernel would read elements of another type as other values. */
function checkType(dtype: DataType, tensors: readonly Tensor[]): void {
  const wrong = tensors.find((tensor) => tensor.dtype !== dtype);
  if (wrong) throw new TypeError(`Cannot compute with a tensor of ${wrong.dtype}: need ${dtype}`);
}

/** Runs a kernel that has one output element for each element of its inputs, all of one shape. */
export function elementwise(
  kernel: Kernel,
  inputs: readonly Tensor[],
  options: Out,
  reals: readonly number[] = [],
): Tensor {
  const [first, ...others] = inputs;
  for (const other of others) {
    if (!sameShape(first.shape, other.shape)) {
      throw new TypeError(
        `Cannot ${kernel.name} ${formatShape(first.shape)} and ${formatShape(other.shape)}: shapes differ`,
      );
    }
  }
  const out = result(inputs, first.shape, options.out);
  first.device.run(kernel, { buffers: [...inputs, out], sizes: [first.size], reals, invocations: first.size });
  return out;
}

function reduce(kernel: Kernel, x: Tensor, axis: 0 | 1 | undefined, options: Out, average = false): Tensor {
  if (axis !== undefined && x.shape.length !== 2) {
    throw new TypeError(`Cannot ${kernel.name} over axis ${axis} of ${formatShape(x.shape)}: it is no matrix`);
  }
  const [rows, columns] = x.shape;
  const [outer, total, inner] = axis === 0 ? [1, rows, columns] : axis === 1 ? [rows, columns, 1] : [1, x.size, 1];
  if (total === 0) {
    throw new RangeError(`Cannot ${kernel.name} over ${formatShape(x.shape)}: there is nothing to reduce`);
  }
  const out = result([x], axis === undefined ? [] : axis === 0 ? [columns] : [rows], options.out);
  x.device.tidy(() => {
    let from = x;
    for (let length = total; length > 0;) {
      const chunks = Math.ceil(length / REDUCE_BLOCK);
      const last = chunks === 1;
      const to = last ? out : Tensor.zeros(x.device, [outer * chunks * inner]);
      const factor = last && average ? 1 / total : 1;
      const sizes = [outer, length, inner, chunks];
      x.device.run(kernel, { buffers: [from, to], sizes, reals: [factor], invocations: outer * chunks * inner });
      [from, length] = [to, last ? 0 : chunks];
    }
  });
  return out;
}
