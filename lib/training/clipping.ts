/**
 * Gradients kept from growing too long.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { checkType } from "../core/operation.ts";
import { partsOf } from "./tensor_statistics.ts";
import { Tensor } from "../core/tensor.ts";

/** Parts beyond which each takes more elements, so that adding them up stays short. */
const MAX_PARTS = 16_384;

/**
 * Scales gradients down where their norm is over a bound: `g *= min(1, maxNorm / norm)`, with the norm over all of them, the
 * root of the sum of their squares (Pascanu, Mikolov and Bengio 2013). All of it happens on the GPU. Where the norm is NaN or
 * infinite, or its square beyond float32, all gradients but those of 0 become NaN: the run is to stop, not to continue
 * without them.
 *
 * @param gradients Any shape, such as a model's `gradients`; changed in place.
 * @param maxNorm The bound, over 0.
 * @throws {RangeError} If the bound is not a finite number over 0.
 *
 * @example
 * ```ts
 * import { clipByNorm, Device, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using gradients = Tensor.from(device, [3, 0, -4]); // norm 5
 * clipByNorm(gradients, 10);
 * assertEquals([...await gradients.read()], [3, 0, -4]);
 * clipByNorm(gradients, 2.5);
 * assertEquals([...await gradients.read()], [1.5, 0, -2]);
 * ```
 */
export function clipByNorm(gradients: Tensor, maxNorm: number): void {
  checkType("f32", [gradients]);
  if (!(Math.fround(maxNorm) > 0 && Number.isFinite(Math.fround(maxNorm)))) {
    throw new RangeError(`Cannot clip gradients to a norm of ${maxNorm}: it must be a finite number over 0 in float32`);
  }
  const { device, size } = gradients;
  const count = partsOf(size, MAX_PARTS);
  device.tidy(() => {
    const parts = Tensor.zeros(device, [count]);
    const factor = Tensor.zeros(device, [1]);
    device.run(kernels.squares, { buffers: [gradients, parts], sizes: [size, count], invocations: count });
    device.run(kernels.clipFactor, { buffers: [parts, factor], sizes: [count], reals: [maxNorm], invocations: 1 });
    device.run(kernels.clip, { buffers: [gradients, factor], sizes: [size], invocations: size });
  });
}
