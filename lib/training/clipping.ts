/**
 * Gradients kept from growing too long.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { checkType } from "../core/elementwise.ts";
import { Tensor } from "../core/tensor.ts";

/** Elements that one invocation squares and adds, or four times as many where they go by fours. */
const PART = 256;
/** Parts beyond which each takes more elements, so that adding them up stays short. */
const MAX_PARTS = 16_384;
/** The software adapter silently ends an invocation after 65,535 iterations. */
const MAX_LOOP = 32_768;

/**
 * Scales gradients down where their norm is over a bound: `g *= min(1, maxNorm / norm)`, with the norm over all of them, the
 * root of the sum of their squares (Pascanu, Mikolov and Bengio 2013). All of it happens on the GPU. Where the norm is NaN or
 * infinite, or its square beyond float32, all gradients but those of 0 become NaN: the run is to stop, not to go on without
 * them.
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
  // A multiple of four: elements and parts then go by fours together.
  const count = 4 * Math.ceil(Math.max(Math.min(size / PART, MAX_PARTS), size / MAX_LOOP) / 4);
  device.tidy(() => {
    const parts = Tensor.zeros(device, [count]);
    const factor = Tensor.zeros(device, [1]);
    device.run(kernels.squares, { buffers: [gradients, parts], sizes: [size, count], invocations: count });
    device.run(kernels.clipFactor, { buffers: [parts, factor], sizes: [count], reals: [maxNorm], invocations: 1 });
    device.run(kernels.clip, { buffers: [gradients, factor], sizes: [size], invocations: size });
  });
}
