/**
 * What the self-test runs of the measures of tensors; the words expected are those that the kernel's head lists.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { byFours } from "../gpu/kernel_forms.ts";
import type { Device } from "../gpu/device.ts";
import type { KernelCase } from "./op_cases.ts";
import { Tensor } from "../core/tensor.ts";
import { measure } from "../training/tensor_statistics.ts";

function casesOf(device: Device, on: string, x: Float32Array, expected: ArrayLike<number>): KernelCase[] {
  const run = (): Tensor => measure([Tensor.from(device, x)]);
  const { statistics, foldStatistics } = kernels;
  return [x.length % 4 === 0 ? byFours(statistics) : statistics, foldStatistics].map((kernel) => ({
    kernel,
    on,
    run,
    expected,
  }));
}

/** Few elements, some of them no numbers. */
export function statisticsCases(device: Device): KernelCase[] {
  const x = Float32Array.of(-4, 3, 0, NaN, 0, Infinity, -0);
  const words = [-4, 3, -1, 0, 0, 0, 25, 0, 3, 2];
  return [
    ...casesOf(device, "[7], some not finite", x, words),
    ...casesOf(device, "[8], some not finite", Float32Array.of(...x, NaN), words.with(9, 3)),
  ];
}

/** Large, small and other numbers by fours, of more elements than an invocation may loop over. */
export function longStatisticsCases(device: Device): KernelCase[] {
  const size = 400_000;
  const cycle = [-(2 ** 80), 2 ** -80, 1, 2 ** 81, 1];
  const { length } = cycle;
  const x = Float32Array.from({ length: size }, (_, i) => cycle[i % length]);
  const times = size / length;
  // In the units of the first word: where the largest is that large, others would not show.
  const ofSmall = [2 ** -80, 1, 3 * times, 0, 0, times, 2.5 * times, 0, 0, 0];
  const ofLarge = [-(2 ** 80), 2 ** 81, 2 * times, 0, times, times, 2 * times, 5 * times, 0, 0];
  return [
    ...casesOf(device, `[${size}]`, x.map((v) => Math.abs(v) > 1 ? 0.5 : v), ofSmall),
    ...casesOf(device, `[${size}], some large`, x, ofLarge),
  ];
}
