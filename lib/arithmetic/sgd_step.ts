/**
 * The update of one tensor, for loops that are written by hand.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import { checkTensors, checkType } from "../core/operation.ts";
import { checkPositive } from "../base/numeric_settings.ts";
import type { Tensor } from "../core/tensor.ts";

/**
 * One step of stochastic gradient descent on one tensor, in place: `w -= learningRate * dW`. What a loop by hand needs; for
 * a model there is {@linkcode Sgd}.
 *
 * @param w What is changed; any shape.
 * @param dW Its gradient, in the same shape.
 * @param learningRate Step size, over 0.
 * @returns `w`.
 * @throws {TypeError} If the shapes differ.
 * @throws {RangeError} If the learning rate is no finite number over 0.
 *
 * @example
 * ```ts
 * import { Device, sgdStep, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using w = Tensor.from(device, [1, 2]);
 * using dW = Tensor.from(device, [8, -8]);
 * sgdStep(w, dW, 0.125);
 * assertEquals([...await w.read()], [0, 3]);
 * ```
 */
export function sgdStep(w: Tensor, dW: Tensor, learningRate: number): Tensor {
  checkTensors("take a step", { w, dW });
  checkType("f32", [w, dW]);
  if (!sameShape(w.shape, dW.shape)) {
    const shapes = `w ${formatShape(w.shape)} and dW ${formatShape(dW.shape)}`;
    throw new TypeError(`Cannot take a step: ${shapes} must have one shape`);
  }
  const reals = [0, checkPositive("a learning rate", learningRate)];
  w.device.run(kernels.sgdStep, { buffers: [w, dW, dW], sizes: [w.size], reals, invocations: w.size });
  return w;
}
