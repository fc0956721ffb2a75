/**
 * Functions of each element, each with its backward right under it.
 *
 * Why each backward is as it is: [README.md](README.md#every-backward-in-a-line).
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { divide, multiply, scale } from "./elementwise.ts";
import { elementwise, type Out } from "../core/operation.ts";
import type { Tensor } from "../core/tensor.ts";

/**
 * `e^x`, element by element: infinite above 88.7, and 0 below -87.3 on devices without the smallest float32 numbers.
 * Any shape gives the same shape, here and in the other functions.
 *
 * @example
 * ```ts
 * import { Device, exp, expBackward, log, logBackward, Tensor } from "@backhand/backhand";
 * import { sqrt, sqrtBackward, square, squareBackward } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [1, 4]);
 * using dOut = Tensor.from(device, [8, 8]);
 * using e = exp(x);
 * const rounded = (values: ArrayLike<number>) => Array.from(values, (v) => v.toFixed(3));
 * assertEquals(rounded(await e.read()), ["2.718", "54.598"]);
 * assertEquals(rounded(await expBackward(e, dOut).read()), ["21.746", "436.785"]);
 * assertEquals(rounded(await log(x).read()), ["0.000", "1.386"]);
 * assertEquals([...await logBackward(x, dOut).read()], [8, 2]);
 * using root = sqrt(x);
 * assertEquals([...await root.read()], [1, 2]);
 * assertEquals([...await sqrtBackward(root, dOut).read()], [4, 2]);
 * assertEquals([...await square(x).read()], [1, 16]);
 * assertEquals([...await squareBackward(x, dOut).read()], [16, 64]);
 * ```
 */
export function exp(x: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.exp, [x], options);
}

/**
 * Gradient of {@linkcode exp} from its output `y`: `dX = dOut * y`.
 *
 * @throws {TypeError} If the shapes differ, here and in the other backwards.
 */
export function expBackward(y: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  return multiply(dOut, y, options);
}

/** Natural logarithm: -infinity at 0, NaN below. An example is at {@linkcode exp}. */
export function log(x: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.log, [x], options);
}

/** Gradient of {@linkcode log} from its input: `dX = dOut / x`. */
export function logBackward(x: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  return divide(dOut, x, options);
}

/** Square root: NaN below 0. An example is at {@linkcode exp}. */
export function sqrt(x: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.sqrt, [x], options);
}

/** Gradient of {@linkcode sqrt} from its output `y`: `dX = dOut / (2 y)`; infinite at 0, where the root is upright. */
export function sqrtBackward(y: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  return y.device.tidy(() => scale(divide(dOut, y), 0.5, options));
}

/** `x²`. An example is at {@linkcode exp}. */
export function square(x: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.square, [x], options);
}

/** Gradient of {@linkcode square} from its input: `dX = 2 x * dOut`. */
export function squareBackward(x: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  return x.device.tidy(() => scale(multiply(dOut, x), 2, options));
}
