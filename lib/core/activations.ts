/**
 * Activations, each with its backward beneath it.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { elementwise, type Out } from "./elementwise.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Rectified linear unit: `out = x` where `x > 0`, else 0; NaN stays NaN (Nair and Hinton 2010).
 *
 * @param x Any shape.
 * @param options Where the result goes.
 * @returns The same shape.
 *
 * @example
 * ```ts
 * import { Device, relu, reluBackward, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [-1, 0, 2]);
 * using y = relu(x);
 * assertEquals([...await y.read()], [0, 0, 2]);
 * using dX = reluBackward(x, Tensor.from(device, [5, 5, 5]));
 * assertEquals([...await dX.read()], [0, 0, 5]);
 * ```
 */
export function relu(x: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.relu, [x], options);
}

/**
 * Gradient of {@linkcode relu}: `dX = dOut` where `x > 0`, else 0 (0 at the kink as well).
 *
 * @param x The input of the forward pass, any shape.
 * @param dOut Gradient of the output, the same shape.
 * @param options Where the result goes.
 * @returns `dX`, the same shape.
 * @throws {TypeError} If the shapes differ.
 */
export function reluBackward(x: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.reluBackward, [x, dOut], options);
}

/**
 * Logistic function: `out = 1 / (1 + exp(-x))`.
 *
 * @param x Any shape.
 * @param options Where the result goes.
 * @returns The same shape, values from 0 to 1.
 *
 * @example
 * ```ts
 * import { Device, sigmoid, sigmoidBackward, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using y = sigmoid(Tensor.from(device, [0]));
 * assertEquals([...await y.read()], [0.5]);
 * using dX = sigmoidBackward(y, Tensor.from(device, [8]));
 * assertEquals([...await dX.read()], [2]);
 * ```
 */
export function sigmoid(x: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.sigmoid, [x], options);
}

/**
 * Gradient of {@linkcode sigmoid} from its output `s`: `dX = dOut * s * (1 - s)`.
 *
 * @param s The output of the forward pass, any shape.
 * @param dOut Its gradient, the same shape.
 * @param options Where the result goes.
 * @returns `dX`, the same shape.
 * @throws {TypeError} If the shapes differ.
 */
export function sigmoidBackward(s: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.sigmoidBackward, [s, dOut], options);
}

/** Options of {@linkcode leakyRelu} and its backward. */
export interface LeakyReluOptions extends Out {
  /** What negative inputs are multiplied by; 0.01 by default. */
  readonly slope?: number;
}

/**
 * Leaky rectified linear unit: `out = x` where `x > 0`, else `slope * x`; NaN stays NaN (Maas, Hannun and Ng 2013).
 *
 * @param x Any shape.
 * @param options The slope, and where the result goes.
 * @returns The same shape.
 *
 * @example
 * ```ts
 * import { Device, leakyRelu, leakyReluBackward, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [-8, 0, 2]);
 * using y = leakyRelu(x, { slope: 0.25 });
 * assertEquals([...await y.read()], [-2, 0, 2]);
 * using dX = leakyReluBackward(x, Tensor.from(device, [4, 4, 4]), { slope: 0.25 });
 * assertEquals([...await dX.read()], [1, 1, 4]);
 * ```
 */
export function leakyRelu(x: Tensor, { slope = 0.01, ...options }: LeakyReluOptions = {}): Tensor {
  return elementwise(kernels.leakyRelu, [x], options, [slope]);
}

/**
 * Gradient of {@linkcode leakyRelu}: `dX = dOut` where `x > 0`, else `slope * dOut` (at the kink as well).
 *
 * @param x The input of the forward pass, any shape.
 * @param dOut Gradient of the output, the same shape.
 * @param options The slope of the forward pass, and where the result goes.
 * @returns `dX`, the same shape.
 * @throws {TypeError} If the shapes differ.
 */
export function leakyReluBackward(
  x: Tensor,
  dOut: Tensor,
  { slope = 0.01, ...options }: LeakyReluOptions = {},
): Tensor {
  return elementwise(kernels.leakyReluBackward, [x, dOut], options, [slope]);
}

/**
 * Hyperbolic tangent: `out = (1 - exp(-2 x)) / (1 + exp(-2 x))`.
 *
 * @param x Any shape.
 * @param options Where the result goes.
 * @returns The same shape, values from -1 to 1.
 *
 * @example
 * ```ts
 * import { Device, tanh, tanhBackward, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using y = tanh(Tensor.from(device, [0, Infinity]));
 * assertEquals([...await y.read()], [0, 1]);
 * using dX = tanhBackward(y, Tensor.from(device, [8, 8]));
 * assertEquals([...await dX.read()], [8, 0]);
 * ```
 */
export function tanh(x: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.tanh, [x], options);
}

/**
 * Gradient of {@linkcode tanh} from its output `y`: `dX = dOut * (1 - y²)`.
 *
 * @param y The output of the forward pass, any shape.
 * @param dOut Its gradient, the same shape.
 * @param options Where the result goes.
 * @returns `dX`, the same shape.
 * @throws {TypeError} If the shapes differ.
 */
export function tanhBackward(y: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.tanhBackward, [y, dOut], options);
}

/**
 * Gaussian error linear unit in its tanh approximation, not the exact one by erf (Hendrycks and Gimpel 2016):
 * `out = x / 2 * (1 + tanh(sqrt(2 / pi) (x + 0.044715 x³)))`.
 *
 * @param x Any shape.
 * @param options Where the result goes.
 * @returns The same shape.
 *
 * @example
 * ```ts
 * import { Device, gelu, geluBackward, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [0, 1, -20]);
 * using y = gelu(x);
 * assertEquals([...await y.read()].map((v) => v.toFixed(4)), ["0.0000", "0.8412", "0.0000"]);
 * using dX = geluBackward(x, Tensor.from(device, [4, 4, 4]));
 * assertEquals((await dX.read())[0], 2);
 * ```
 */
export function gelu(x: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.gelu, [x], options);
}

/**
 * Gradient of {@linkcode gelu}: `dX = dOut * ((1 + t) / 2 + x / 2 * (1 - t²) * u')`, where `u` is the argument of tanh,
 * `t = tanh(u)` and `u' = sqrt(2 / pi) (1 + 0.134145 x²)`.
 *
 * @param x The input of the forward pass, any shape.
 * @param dOut Gradient of the output, the same shape.
 * @param options Where the result goes.
 * @returns `dX`, the same shape.
 * @throws {TypeError} If the shapes differ.
 */
export function geluBackward(x: Tensor, dOut: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.geluBackward, [x, dOut], options);
}
