/**
 * Measures of whole tensors, computed on the GPU: of each part of a tensor ten numbers are read, and folded here.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { checkType } from "../core/operation.ts";
import type { TensorStatistics } from "../reference/statistics.ts";
import { formatShape } from "../base/shape.ts";
import { readAll, Tensor, type TensorData } from "../core/tensor.ts";

export type { TensorStatistics } from "../reference/statistics.ts";

/** Numbers that the kernel leaves of each part. */
const WORDS = 10;
/** Parts beyond which each takes more elements, so that reading and folding them stays short. */
const MAX_PARTS = 4_096;
/** Elements that one invocation looks at, or four times as many where they go by fours. */
const PART = 256;
/** The software adapter silently ends an invocation after 65,535 iterations. */
const MAX_LOOP = 32_768;
/** What the kernel multiplies large and small numbers by, the other way round. */
const SCALE = 2 ** 80;

/**
 * Measures tensors in one wait. Sums carry along what float32 rounds off, so that measures of many millions of elements have
 * six digits and more, and norms neither overflow nor vanish.
 *
 * @param tensors `f32` tensors of one device, of any shape.
 * @throws {TypeError} If a tensor has another element type.
 * @throws {RangeError} If a tensor has no elements.
 * @throws {DeviceError} If any work before it failed.
 *
 * @example
 * ```ts
 * import { Device, Tensor, tensorStatistics } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [[3, 0], [0, -4]]);
 * using y = Tensor.from(device, [1, NaN]);
 * assertEquals(await tensorStatistics([x, y]), [
 *   { min: -4, max: 3, mean: -0.25, norm: 5, zeros: 0.5, notFinite: 0 },
 *   { min: 1, max: 1, mean: 1, norm: 1, zeros: 0, notFinite: 1 },
 * ]);
 * ```
 */
export async function tensorStatistics(tensors: readonly Tensor[]): Promise<TensorStatistics[]> {
  if (tensors.length === 0) return [];
  const records = measure(tensors);
  try {
    return toStatistics(await readAll(records), tensors);
  } finally {
    for (const tensor of records) tensor.dispose();
  }
}

/**
 * How many parts a kernel that measures a whole tensor cuts its elements into: at most so many, unless each would have too
 * many elements. It is a multiple of four, so that elements and parts go by fours together.
 */
export function partsOf(size: number, most = 65_536): number {
  return 4 * Math.ceil(Math.max(Math.min(size / PART, most), size / MAX_LOOP) / 4);
}

/** Puts the measuring on the queue, or into a recording; gives a record [10, parts] for each tensor. */
export function measure(tensors: readonly Tensor[]): Tensor[] {
  checkType("f32", tensors);
  const empty = tensors.find(({ size }) => size === 0);
  if (empty) throw new RangeError(`Cannot measure a tensor ${formatShape(empty.shape)}: it has no elements`);
  return tensors.map((x) => {
    const parts = partsOf(x.size, MAX_PARTS);
    const records = Tensor.empty(x.device, [WORDS, parts]);
    x.device.run(kernels.statistics, { buffers: [x, records], sizes: [x.size, parts, 0], invocations: parts });
    return records;
  });
}

/** A record of all parts, from those of each. */
function fold(records: TensorData): number[] {
  const parts = records.length / WORDS;
  return Array.from({ length: WORDS }, (_, word) => {
    const own = (records as Float32Array).subarray(word * parts, (word + 1) * parts);
    return own.reduce((a, b) => word === 0 ? Math.min(a, b) : word === 1 ? Math.max(a, b) : a + b);
  });
}

/** What {@linkcode measure} found. */
export function toStatistics(records: readonly TensorData[], tensors: readonly { size: number }[]): TensorStatistics[] {
  return tensors.map(({ size }, i) => {
    const [min, max, high, low, largeSum, small, medium, large, zeros, notFinite] = fold(records[i]);
    const finite = size - notFinite;
    const none = finite > 0 ? 0 : NaN;
    return {
      min: min + none,
      max: max + none,
      mean: (high + low + largeSum * SCALE) / finite,
      norm: Math.sqrt(small / SCALE ** 2 + medium + large * SCALE ** 2),
      zeros: zeros / size,
      notFinite,
    };
  });
}
