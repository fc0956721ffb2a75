/**
 * Sums, means, extremes and norms over rows, over columns and over all elements, each with its backward right under it.
 *
 * Why each backward is as it is: [README.md](README.md#every-backward-in-a-line).
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { add, equal, multiply } from "./elementwise.ts";
import { axesOf, reduce, spreadTimes } from "./folding.ts";
import { sqrt, square } from "./functions.ts";
import { checkTensors, elementwise, type Out } from "./operation.ts";
import type { Shape } from "../base/shape.ts";
import type { Tensor } from "./tensor.ts";

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
  return spread(dOut, shape, axis);
}

/** Mean; axes, shapes, errors and an example as of {@linkcode sum}. */
export function mean(x: Tensor, axis?: 0 | 1, options: Out = {}): Tensor {
  return reduce(kernels.sum, x, axis, options, true);
}

/** Gradient of {@linkcode mean}, as {@linkcode sumBackward}: every element gets `dOut / n` of its mean over n. */
export function meanBackward(dOut: Tensor, shape: Shape, axis?: 0 | 1): Tensor {
  return spreadTimes(1 / axesOf("spread", shape, axis).length, dOut, shape, axis);
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
    const mask = equal(x, spread(out, x.shape, axis));
    const share = elementwise(kernels.divide, [dOut, sum(mask, axis)], {});
    return multiply(mask, spread(share, x.shape, axis));
  });
}

/**
 * Length in the sense of Euclid: the root of the sum of squares; axes, shapes and errors as of {@linkcode sum}.
 *
 * @example
 * ```ts
 * import { Device, norm, normBackward, spread, spreadBackward, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [[3, 4], [0, 0]]);
 * using lengths = norm(x, 1);
 * assertEquals([...await lengths.read()], [5, 0]);
 * using dX = normBackward(x, lengths, Tensor.from(device, [10, 10]), 1);
 * assertEquals([...await dX.read()], [6, 8, 0, 0]);
 * using wide = spread(lengths, [2, 3], 1);
 * assertEquals([...await wide.read()], [5, 5, 5, 0, 0, 0]);
 * assertEquals([...await spreadBackward(wide, 1).read()], [15, 0]);
 * ```
 */
export function norm(x: Tensor, axis?: 0 | 1, options: Out = {}): Tensor {
  checkTensors("take the norm", { x });
  return x.device.tidy(() => sqrt(sum(square(x), axis), options));
}

/**
 * Gradient of {@linkcode norm} from its input and output: `dX = dOut * x / norm`; 0 where the norm is 0.
 *
 * @param axis As in the forward pass.
 * @returns `dX` in the shape of `x`.
 * @throws {TypeError} If the shapes do not match.
 */
export function normBackward(x: Tensor, out: Tensor, dOut: Tensor, axis?: 0 | 1): Tensor {
  checkTensors("take the gradient of norm", { x, out, dOut });
  return x.device.tidy(() => {
    const divisor = add(out, equal(out, 0)); // 1 instead of 0: there x is 0, and so is the result
    const share = elementwise(kernels.divide, [dOut, divisor], {});
    return multiply(x, spread(share, x.shape, axis));
  });
}

/**
 * Gives each element of a shape the element of `x` that a sum folds it into: what a sum does, backwards.
 * An example is at {@linkcode norm}.
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
