/**
 * The smallest and the largest element, and the length of a vector, each with its backward right under it.
 *
 * Why each backward is as it is: [README.md](README.md#every-backward-in-a-line).
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { checkTensors, elementwise, type Out } from "../core/operation.ts";
import { reduce, sum } from "../core/reductions.ts";
import type { Tensor } from "../core/tensor.ts";
import { add, equal, multiply } from "./elementwise.ts";
import { sqrt, square } from "./functions.ts";
import { spread } from "./places.ts";

/**
 * Smallest element; NaN where one is NaN; axes, shapes and errors as of {@linkcode sum}.
 *
 * @example
 * ```ts
 * import { Device, max, maxBackward, min, minBackward, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [[1, 2], [3, 6]]);
 * using smallest = min(x, 0);
 * assertEquals([...await smallest.read()], [1, 2]);
 * assertEquals([...await minBackward(x, smallest, Tensor.from(device, [6, 8]), 0).read()], [6, 8, 0, 0]);
 * using largest = max(x);
 * assertEquals([...await largest.read()], [6]);
 * assertEquals([...await maxBackward(x, largest, Tensor.from(device, 5)).read()], [0, 0, 0, 5]);
 * ```
 */
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

/** Largest element; NaN where one is NaN; axes, shapes and errors as of {@linkcode sum}, an example at {@linkcode min}. */
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
 * import { Device, norm, normBackward, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [[3, 4], [0, 0]]);
 * using lengths = norm(x, 1);
 * assertEquals([...await lengths.read()], [5, 0]);
 * using dX = normBackward(x, lengths, Tensor.from(device, [10, 10]), 1);
 * assertEquals([...await dX.read()], [6, 8, 0, 0]);
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
