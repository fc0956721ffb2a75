/**
 * The matrix product and the bias, each with its backward right under it.
 *
 * Why each backward is as it is: [README.md](README.md#every-backward-in-a-line).
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { checkTensors, type Out, result } from "./operation.ts";
import { sumGroups } from "./reductions.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import type { Tensor } from "./tensor.ts";

/** Options of what works on groups of rows. */
export interface GroupedOut extends Out {
  /** How many groups of as many rows each operand is cut into; each group is worked on by itself. 1 by default. */
  readonly groups?: number;
}

/** Options of {@linkcode matmul}. With `groups` each operand holds as many matrices, one below the other, as does the result. */
export interface MatmulOptions extends GroupedOut {
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
 * @returns Matrix [m, n].
 * @throws {TypeError} If one is no matrix or the inner dimensions differ.
 *
 * @example
 * ```ts
 * import { addBias, addBiasBackward, Device, matmul, matmulBackward, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using a = Tensor.from(device, [[1, 2], [3, 4]]);
 * using b = Tensor.from(device, [[5], [6]]);
 * using product = matmul(a, b);
 * assertEquals([...await product.read()], [17, 39]);
 * const { dA, dB } = matmulBackward(a, b, Tensor.from(device, [[1], [0]]));
 * assertEquals([...await dA.read()], [5, 6, 0, 0]);
 * assertEquals([...await dB.read()], [1, 2]);
 * using y = addBias(a, Tensor.from(device, [10, 20]));
 * assertEquals([...await y.read()], [11, 22, 13, 24]);
 * using dBias = addBiasBackward(y);
 * assertEquals([...await dBias.read()], [24, 46]);
 * ```
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  checkTensors("multiply matrices", { a, b });
  const { transposeA = false, transposeB = false, groups = 1 } = options;
  const named = `${groups === 1 ? "" : `${groups} times `}a ${formatShape(a.shape)}${
    transposeA ? " transposed" : ""
  } by b ${formatShape(b.shape)}${transposeB ? " transposed" : ""}`;
  if (a.shape.length !== 2 || b.shape.length !== 2) {
    throw new TypeError(`Cannot multiply ${named}: both must be matrices`);
  }
  const [aRows, bRows] = [a, b].map(({ shape }) => shape[0] / groups);
  if (!Number.isInteger(aRows) || !Number.isInteger(bRows)) {
    throw new TypeError(`Cannot multiply ${named}: rows do not divide by ${groups}`);
  }
  const [m, inner] = transposeA ? [a.shape[1], aRows] : [aRows, a.shape[1]];
  const [bInner, n] = transposeB ? [b.shape[1], bRows] : [bRows, b.shape[1]];
  if (inner !== bInner) {
    throw new TypeError(`Cannot multiply ${named}: inner dimensions ${inner} and ${bInner} differ`);
  }
  const out = result([a, b], [groups * m, n], options.out);
  const aStrides = transposeA ? [1, m] : [inner, 1];
  const bStrides = transposeB ? [1, inner] : [n, 1];
  const sizes = [m, n, ...aStrides, ...bStrides, 0, inner, m * inner, inner * n, groups];
  a.device.run(kernels.matmul, { buffers: [a, b, out], sizes, invocations: out.size });
  return out;
}

/**
 * Gradients of {@linkcode matmul} `a · b`, from its factors: `dA = dOut · bᵀ` [m, k], `dB = aᵀ · dOut` [k, n].
 *
 * @param dOut Gradient of the product [m, n].
 * @returns `dA` [m, k] and `dB` [k, n].
 * @throws {TypeError} If the shapes do not match.
 */
export function matmulBackward(a: Tensor, b: Tensor, dOut: Tensor): { dA: Tensor; dB: Tensor } {
  return { dA: matmul(dOut, b, { transposeB: true }), dB: matmul(a, dOut, { transposeA: true }) };
}

/**
 * Adds a bias to every row: `out[i, j] = x[i, j] + bias[j]`.
 *
 * @param x Matrix [rows, columns].
 * @param bias Vector [columns], or with `groups` [groups * columns]: each group of rows has a bias of its own.
 * @returns Matrix [rows, columns].
 * @throws {TypeError} If the shapes do not match.
 */
export function addBias(x: Tensor, bias: Tensor, options: GroupedOut = {}): Tensor {
  checkTensors("add a bias", { x, bias });
  const { groups = 1 } = options;
  const [rows, columns] = x.shape;
  if (x.shape.length !== 2 || !sameShape(bias.shape, [groups * columns]) || !Number.isInteger(rows / groups)) {
    throw new TypeError(`Cannot add bias ${formatShape(bias.shape)} to x ${formatShape(x.shape)}: need [c] and [r, c]`);
  }
  const out = result([x, bias], x.shape, options.out);
  const sizes = [x.size, columns, x.size / groups];
  x.device.run(kernels.addBias, { buffers: [x, bias, out], sizes, invocations: x.size });
  return out;
}

/**
 * Gradient of {@linkcode addBias} with respect to the bias: the column sums of `dOut` [rows, columns]. `dX` is `dOut`.
 *
 * @returns `dBias` [groups * columns].
 * @throws {RangeError} If there are no rows.
 */
export function addBiasBackward(dOut: Tensor, options: GroupedOut = {}): Tensor {
  return sumGroups(dOut, options.groups ?? 1, options);
}
