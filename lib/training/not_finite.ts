/**
 * Numbers that are none: found on the GPU, so that nobody has to read what is sound.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { checkType } from "../core/elementwise.ts";
import type { Tensor } from "../core/tensor.ts";

/** Elements that one invocation looks at, or four times as many where they go by fours. */
const PART = 256;
/** Parts beyond which each takes more elements. */
const MAX_PARTS = 65_536;
/** The software adapter silently ends an invocation after 65,535 iterations. */
const MAX_LOOP = 32_768;

/**
 * Sets a flag where a tensor has an element that is NaN or infinite; where it has none, the flag stays as it is.
 *
 * @throws {TypeError} If a tensor has the wrong element type.
 * @throws {RangeError} If there is no such flag.
 */
export function flagNotFinite(x: Tensor, flags: Tensor, place: number): void {
  checkType("f32", [x]);
  checkType("u32", [flags]);
  if (!Number.isSafeInteger(place) || place < 0 || place >= flags.size) {
    throw new RangeError(`Cannot set flag ${place}: there are ${flags.size}`);
  }
  const { device, size } = x;
  // A multiple of four: elements and parts then go by fours together.
  const parts = 4 * Math.ceil(Math.max(Math.min(size / PART, MAX_PARTS), size / MAX_LOOP) / 4);
  device.run(kernels.notFinite, { buffers: [x, flags], sizes: [size, parts, place], invocations: parts });
}
