/**
 * The matrix product and the bias, each with its backward right under it.
 *
 * Why each backward is as it is: [README.md](README.md#every-backward-in-a-line).
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { checkTensors, type Out, result } from "./operation.ts";
import { sum } from "./reductions.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import type { Tensor } from "./tensor.ts";

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
  const sizes = [m, n, ...aStrides, ...bStrides, 0, inner];
  a.device.run(kernels.matmul, { buffers: [a, b, out], sizes, invocations: m * n });
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
 * @param bias Vector [columns].
 * @returns Matrix [rows, columns].
 * @throws {TypeError} If the shapes do not match.
 */
export function addBias(x: Tensor, bias: Tensor, options: Out = {}): Tensor {
  checkTensors("add a bias", { x, bias });
  if (x.shape.length !== 2 || !sameShape(bias.shape, [x.shape[1]])) {
    throw new TypeError(`Cannot add bias ${formatShape(bias.shape)} to x ${formatShape(x.shape)}: need [c] and [r, c]`);
  }
  const out = result([x, bias], x.shape, options.out);
  x.device.run(kernels.addBias, { buffers: [x, bias, out], sizes: [x.size, x.shape[1]], invocations: x.size });
  return out;
}

/**
 * Gradient of {@linkcode addBias} with respect to the bias: the column sums of `dOut` [rows, columns]. `dX` is `dOut`.
 *
 * @returns `dBias` [columns].
 * @throws {RangeError} If there are no rows.
 */
export function addBiasBackward(dOut: Tensor, options: Out = {}): Tensor {
  return sum(dOut, 0, options);
}
