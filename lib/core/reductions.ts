/**
 * Sums, means and extremes over rows, over columns and over all elements, each with its backward right under it.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { elementwise, multiply, type Out, result } from "./elementwise.ts";
import { formatShape, sameShape, type Shape, sizeOf } from "../base/shape.ts";
import { Tensor } from "./tensor.ts";

/** Elements that one invocation folds. */
const REDUCE_BLOCK = 1_024;

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
 * import { Device, max, maxBackward, mean, meanBackward, Tensor } from "@backhand/backhand";
 * import { min, minBackward, sum, sumBackward } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [[1, 2], [3, 6]]);
 * using dOut = Tensor.from(device, [6, 8]);
 * assertEquals([...await sum(x).read()], [12]);
 * assertEquals([...await sum(x, 0).read()], [4, 8]);
 * assertEquals([...await sumBackward(dOut, [2, 2], 0).read()], [6, 8, 6, 8]);
 * assertEquals([...await mean(x, 1).read()], [1.5, 4.5]);
 * assertEquals([...await meanBackward(dOut, [2, 2], 1).read()], [3, 3, 4, 4]);
 * using smallest = min(x, 0);
 * assertEquals([...await smallest.read()], [1, 2]);
 * assertEquals([...await minBackward(x, smallest, dOut, 0).read()], [6, 8, 0, 0]);
 * using largest = max(x);
 * assertEquals([...await largest.read()], [6]);
 * assertEquals([...await maxBackward(x, largest, Tensor.from(device, 5)).read()], [0, 0, 0, 5]);
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
  return spread(dOut, shape, axis, 1);
}

/** Mean; axes, shapes, errors and an example as of {@linkcode sum}. */
export function mean(x: Tensor, axis?: 0 | 1, options: Out = {}): Tensor {
  return reduce(kernels.sum, x, axis, options, true);
}

/** Gradient of {@linkcode mean}, as {@linkcode sumBackward}: every element gets `dOut / n` of its mean over n. */
export function meanBackward(dOut: Tensor, shape: Shape, axis?: 0 | 1): Tensor {
  return spread(dOut, shape, axis, 1 / axes("spread", shape, axis).length);
}

/** Smallest element; NaN where one is NaN; axes, shapes, errors and an example as of {@linkcode sum}. */
export function min(x: Tensor, axis?: 0 | 1, options: Out = {}): Tensor {
  return reduce(kernels.min, x, axis, options);
}

/**
 * Gradient of {@linkcode min} from its input and output: the smallest element gets `dOut`; equal ones share it.
 *
 * @param axis As in the forward pass.
 * @returns `dX` in the shape of `x`.
 * @throws {TypeError} If the shapes do not match.
 */
export function minBackward(x: Tensor, out: Tensor, dOut: Tensor, axis?: 0 | 1): Tensor {
  return extremeBackward(x, out, dOut, axis);
}

/** Largest element; NaN where one is NaN; axes, shapes, errors and an example as of {@linkcode sum}. */
export function max(x: Tensor, axis?: 0 | 1, options: Out = {}): Tensor {
  return reduce(kernels.max, x, axis, options);
}

/** Gradient of {@linkcode max}, as {@linkcode minBackward}: the largest element gets `dOut`; equal ones share it. */
export function maxBackward(x: Tensor, out: Tensor, dOut: Tensor, axis?: 0 | 1): Tensor {
  return extremeBackward(x, out, dOut, axis);
}

/** `dX = mask * dOut / sum(mask)`, where mask is 1 at the elements that equal the extreme, else 0. */
function extremeBackward(x: Tensor, out: Tensor, dOut: Tensor, axis: 0 | 1 | undefined): Tensor {
  return x.device.tidy(() => {
    const mask = elementwise(kernels.equal, [x, spread(out, x.shape, axis, 1)], {});
    const share = elementwise(kernels.divide, [dOut, sum(mask, axis)], {});
    return multiply(mask, spread(share, x.shape, axis, 1));
  });
}

/** A shape as [outer, length, inner], where `length` is what a reduction over the axis folds. */
function axes(
  name: string,
  shape: Shape,
  axis: 0 | 1 | undefined,
): { outer: number; length: number; inner: number; left: Shape } {
  if (axis === undefined) return { outer: 1, length: sizeOf(shape), inner: 1, left: [] };
  if (shape.length !== 2) {
    throw new TypeError(`Cannot ${name} over axis ${axis} of ${formatShape(shape)}: it is no matrix`);
  }
  const [rows, columns] = shape;
  return axis === 0
    ? { outer: 1, length: rows, inner: columns, left: [columns] }
    : { outer: rows, length: columns, inner: 1, left: [rows] };
}

/** Gives every element of a shape `factor` times the element of `x` that a reduction folds it into. */
function spread(x: Tensor, shape: Shape, axis: 0 | 1 | undefined, factor: number): Tensor {
  const { length, inner, left } = axes("spread", shape, axis);
  if (!sameShape(x.shape, left)) {
    throw new TypeError(`Cannot spread ${formatShape(x.shape)} over ${formatShape(shape)}: need ${formatShape(left)}`);
  }
  const out = result([x], shape, undefined);
  const sizes = [out.size, length, inner];
  x.device.run(kernels.spread, { buffers: [x, out], sizes, reals: [factor], invocations: out.size });
  return out;
}

function reduce(kernel: Kernel, x: Tensor, axis: 0 | 1 | undefined, options: Out, average = false): Tensor {
  const { outer, length: total, inner, left } = axes(kernel.name, x.shape, axis);
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
