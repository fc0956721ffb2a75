/**
 * Sums and means over rows, over columns and over all elements, each with its backward right under it; at the end the two
 * dispatches under all reductions.
 *
 * Why each backward is as it is: [README.md](README.md#every-backward-in-a-line).
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { formatShape, sameShape, type Shape, sizeOf } from "../base/shape.ts";
import { checkTensors, type Out, result } from "./operation.ts";
import { Tensor } from "./tensor.ts";

/**
 * Sum over one axis of a matrix, or over all elements.
 *
 * @param x Any shape where `axis` is left out, else a matrix [rows, columns].
 * @param axis 0 sums over rows and gives [columns]; 1 sums over columns and gives [rows].
 * @returns The sums; shape [] over all elements.
 * @throws {TypeError} If `axis` is given and `x` is no matrix.
 * @throws {RangeError} If there is nothing to sum.
 *
 * @example
 * ```ts
 * import { Device, mean, meanBackward, sum, sumBackward, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [[1, 2], [3, 6]]);
 * using dOut = Tensor.from(device, [6, 8]);
 * assertEquals([...await sum(x).read()], [12]);
 * assertEquals([...await sum(x, 0).read()], [4, 8]);
 * assertEquals([...await sumBackward(dOut, [2, 2], 0).read()], [6, 8, 6, 8]);
 * assertEquals([...await mean(x, 1).read()], [1.5, 4.5]);
 * assertEquals([...await meanBackward(dOut, [2, 2], 1).read()], [3, 3, 4, 4]);
 * ```
 */
export function sum(x: Tensor, axis?: 0 | 1, options: Out = {}): Tensor {
  return reduce(kernels.sum, x, axis, options);
}

/**
 * Gradient of {@linkcode sum} of a tensor of this shape: every element gets the `dOut` of its sum.
 *
 * @param dOut Gradient of the results, in their shape.
 * @param shape Shape of the input, and of the returned `dX`.
 * @param axis As in the forward pass.
 * @throws {TypeError} If `dOut` has another shape than the sums.
 */
export function sumBackward(dOut: Tensor, shape: Shape, axis?: 0 | 1): Tensor {
  return spreadTimes(1, dOut, shape, axis);
}

/** Mean; axes, shapes, errors and an example as of {@linkcode sum}. */
export function mean(x: Tensor, axis?: 0 | 1, options: Out = {}): Tensor {
  return reduce(kernels.sum, x, axis, options, true);
}

/** Gradient of {@linkcode mean}, as {@linkcode sumBackward}: every element gets `dOut / n` of its mean over n. */
export function meanBackward(dOut: Tensor, shape: Shape, axis?: 0 | 1): Tensor {
  return spreadTimes(1 / axesOf("spread", shape, axis).length, dOut, shape, axis);
}

/** Elements that one invocation folds. */
const REDUCE_BLOCK = 1_024;

/** Rows, columns, or all elements. */
export type Axis = 0 | 1 | undefined;

/** A shape as [outer, length, inner], where `length` is what a reduction over the axis folds, and `left` what remains. */
export interface Axes {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly left: Shape;
}

/** A shape along an axis. */
export function axesOf(name: string, shape: Shape, axis: Axis): Axes {
  if (axis === undefined) return { outer: 1, length: sizeOf(shape), inner: 1, left: [] };
  if (shape.length !== 2) {
    throw new TypeError(`Cannot ${name} over axis ${axis} of ${formatShape(shape)}: it is no matrix`);
  }
  const [rows, columns] = shape;
  return axis === 0
    ? { outer: 1, length: rows, inner: columns, left: [columns] }
    : { outer: rows, length: columns, inner: 1, left: [rows] };
}

/** Sums, or means, over the rows of each group of a matrix [rows, columns]: [groups * columns]. */
export function sumGroups(x: Tensor, groups: number, options: Out = {}, average = false): Tensor {
  const { length, inner } = axesOf("sum", x.shape, 0);
  const axes = { outer: groups, length: length / groups, inner, left: [groups * inner] };
  return reduceAxes(kernels.sum, x, axes, options, average);
}

/** Gives every element of a shape `factor` times the element of `x` that a reduction folds it into. */
export function spreadTimes(factor: number, x: Tensor, shape: Shape, axis: Axis, options: Out = {}): Tensor {
  checkTensors("spread", { x });
  const { length, inner, left } = axesOf("spread", shape, axis);
  if (!sameShape(x.shape, left)) {
    throw new TypeError(`Cannot spread ${formatShape(x.shape)} over ${formatShape(shape)}: need ${formatShape(left)}`);
  }
  const out = result([x], shape, options.out);
  const sizes = [out.size, length, inner];
  x.device.run(kernels.spread, { buffers: [x, out], sizes, reals: [factor], invocations: out.size });
  return out;
}

/** Folds an axis by a kernel, in blocks; with `average` the result is divided by the axis' length. */
export function reduce(kernel: Kernel, x: Tensor, axis: Axis, options: Out, average = false): Tensor {
  checkTensors(kernel.name, { x });
  return reduceAxes(kernel, x, axesOf(kernel.name, x.shape, axis), options, average);
}

function reduceAxes(kernel: Kernel, x: Tensor, axes: Axes, options: Out, average = false): Tensor {
  const { outer, length: total, inner, left } = axes;
  if (total === 0) {
    throw new RangeError(`Cannot ${kernel.name} over ${formatShape(x.shape)}: there is nothing to reduce`);
  }
  const out = result([x], left, options.out);
  x.device.tidy(() => {
    let from = x;
    for (let length = total; length > 0;) {
      const chunks = Math.ceil(length / REDUCE_BLOCK);
      const last = chunks === 1;
      const to = last ? out : Tensor.empty(x.device, [outer * chunks * inner]);
      const factor = last && average ? 1 / total : 1;
      const sizes = [outer, length, inner, chunks];
      x.device.run(kernel, { buffers: [from, to], sizes, reals: [factor], invocations: outer * chunks * inner });
      from = to;
      length = last ? 0 : chunks;
    }
  });
  return out;
}
