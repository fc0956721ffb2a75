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
import { measure, partsOf } from "../training/tensor_statistics.ts";

/** The words of a part, of which some element is finite, in float64. */
function wordsOf(part: Float32Array): number[] {
  const finite = part.filter(Number.isFinite);
  const large = finite.filter((v) => Math.abs(v) > 2 ** 45);
  const small = finite.filter((v) => Math.abs(v) < 2 ** -45);
  const medium = finite.filter((v) => Math.abs(v) >= 2 ** -45 && Math.abs(v) <= 2 ** 45);
  const total = (values: Float32Array, map: (v: number) => number) => values.reduce((sum, v) => sum + map(v), 0);
  return [
    Math.min(...finite),
    Math.max(...finite),
    total(small, (v) => v) + total(medium, (v) => v),
    0,
    total(large, (v) => v / 2 ** 80),
    total(small, (v) => (v * 2 ** 80) ** 2),
    total(medium, (v) => v ** 2),
    total(large, (v) => (v / 2 ** 80) ** 2),
    finite.filter((v) => v === 0).length,
    part.length - finite.length,
  ];
}

function caseOf(device: Device, on: string, x: Float32Array): KernelCase {
  const count = partsOf(x.length);
  const parts = Array.from({ length: count }, (_, part) => wordsOf(x.filter((_, i) => i % count === part)));
  return {
    kernel: x.length % 4 === 0 ? byFours(kernels.statistics) : kernels.statistics,
    on,
    run: () => measure([Tensor.from(device, x)])[0],
    expected: parts[0].flatMap((_, word) => parts.map((words) => words[word])),
  };
}

/** Few elements, some of them no numbers. */
export function statisticsCases(device: Device): KernelCase[] {
  const x = [-4, 3, 0, NaN, 0, Infinity, -0, 2];
  return [
    caseOf(device, "[8], some not finite", Float32Array.from(x)),
    caseOf(device, "[9], some not finite", Float32Array.of(...x, NaN)),
  ];
}

/** Large, small and other numbers by fours, in parts of several workgroups. */
export function longStatisticsCases(device: Device): KernelCase[] {
  const cycle = [-(2 ** 80), 2 ** -80, 1, 2 ** 81, 1];
  const x = Float32Array.from({ length: 70_000 }, (_, i) => cycle[i % cycle.length]);
  // Where some elements are that large, what others add to would not show.
  return [
    caseOf(device, `[${x.length}]`, x.map((v) => Math.abs(v) > 1 ? 0.5 : v)),
    caseOf(device, `[${x.length}], some large`, x),
  ];
}
