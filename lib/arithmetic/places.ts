/**
 * Elements in other places: the transpose and the spread, each with its backward right under it.
 *
 * Why each backward is as it is: [README.md](README.md#every-backward-in-a-line).
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { formatShape, type Shape } from "../base/shape.ts";
import { checkTensors, type Out, result } from "../core/operation.ts";
import { spreadTimes, sum } from "../core/reductions.ts";
import type { Tensor } from "../core/tensor.ts";

/**
 * Rows become columns: `out[j, i] = x[i, j]`. For a product, `transposeA` and `transposeB` of {@linkcode matmul} need no copy.
 *
 * @param x Matrix [rows, columns].
 * @returns Matrix [columns, rows].
 * @throws {TypeError} If `x` is no matrix.
 *
 * @example
 * ```ts
 * import { Device, spread, spreadBackward, Tensor, transpose, transposeBackward } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [[1, 2, 3], [4, 5, 6]]);
 * using turned = transpose(x);
 * assertEquals(turned.shape, [3, 2]);
 * assertEquals([...await turned.read()], [1, 4, 2, 5, 3, 6]);
 * assertEquals([...await transposeBackward(turned).read()], [1, 2, 3, 4, 5, 6]);
 * using wide = spread(Tensor.from(device, [5, 0]), [2, 3], 1);
 * assertEquals([...await wide.read()], [5, 5, 5, 0, 0, 0]);
 * assertEquals([...await spreadBackward(wide, 1).read()], [15, 0]);
 * ```
 */
export function transpose(x: Tensor, options: Out = {}): Tensor {
  checkTensors("transpose", { x });
  if (x.shape.length !== 2) throw new TypeError(`Cannot transpose ${formatShape(x.shape)}: need a matrix`);
  const [rows, columns] = x.shape;
  const out = result([x], [columns, rows], options.out);
  x.device.run(kernels.transpose, { buffers: [x, out], sizes: [x.size, rows, columns], invocations: x.size });
  return out;
}

/** Gradient of {@linkcode transpose}: `dX` is `dOut` transposed back. */
export function transposeBackward(dOut: Tensor, options: Out = {}): Tensor {
  return transpose(dOut, options);
}

/**
 * Gives each element of a shape the element of `x` that a sum folds it into: what a sum does, backwards.
 * An example is at {@linkcode transpose}.
 *
 * @param x What {@linkcode sum} of that shape over that axis gives: [columns] over 0, [rows] over 1, [] over all.
 * @param shape Shape of the result.
 * @param axis The axis along which `x` is repeated; all where it is left out.
 * @throws {TypeError} If `x` has another shape.
 */
export function spread(x: Tensor, shape: Shape, axis?: 0 | 1, options: Out = {}): Tensor {
  return spreadTimes(1, x, shape, axis, options);
}

/** Gradient of {@linkcode spread}: `dX` is the sum of `dOut` over the axis. It throws as {@linkcode sum} does. */
export function spreadBackward(dOut: Tensor, axis?: 0 | 1, options: Out = {}): Tensor {
  return sum(dOut, axis, options);
}
