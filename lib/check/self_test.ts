/**
 * The device's self-test: every kernel on small odd shapes against the float64 oracle, so that a driver with wrong results
 * is refused, not trusted. The long form adds what breaks at size: loops and grids beyond 65,535.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { activationCases } from "./activation_cases.ts";
import type { Device } from "../gpu/device.ts";
import { lossCases } from "./loss_cases.ts";
import { optimizerCases } from "./optimizer_cases.ts";
import { type KernelCase, longCases, partedCases, smallCases } from "./op_cases.ts";
import { broadcastCases, operationCases } from "./operation_cases.ts";
import { longStatisticsCases, statisticsCases } from "./statistics_cases.ts";
import { readAll, type Tensor } from "../core/tensor.ts";
import { wholeStepCases } from "./whole_step_cases.ts";

/** A kernel's result against the oracle's. */
export interface KernelCheck {
  /** The kernel's name. */
  readonly kernel: string;
  /** Shapes or lengths it ran on. */
  readonly on: string;
  /** Largest difference, relative to the largest expected value. NaN where the kernel gave NaN and should not have. */
  readonly error: number;
  /** True where the difference is within float32's reach. */
  readonly ok: boolean;
}

/** Allowed difference relative to the largest expected value: sums of some thousand float32 terms stay well below. */
const TOLERANCE = 1e-5;

const trainingMakers = [smallCases, statisticsCases, lossCases, activationCases, optimizerCases, wholeStepCases];
const longMakers = [partedCases, broadcastCases, longStatisticsCases, longCases];

/**
 * Runs the self-test.
 *
 * @param device What is tested.
 * @param long Also run the large cases; some seconds on a software adapter.
 * @returns A line per kernel and shape. A kernel that no case covers is a line of its own, not ok.
 * @throws {DeviceError} If the GPU reported a fault.
 *
 * @example
 * ```ts
 * import { Device, selfTest } from "@backhand/backhand";
 * import { assert } from "@std/assert";
 * using device = await Device.request();
 * assert((await selfTest(device)).every(({ ok }) => ok));
 * ```
 */
export async function selfTest(device: Device, long = false): Promise<KernelCheck[]> {
  const cases = [...shortCases(device), ...(long ? longMakers.flatMap((make) => make(device)) : [])];
  const checks = await runCases(device, cases);
  const covered = new Set(checks.map(({ kernel }) => kernel));
  const missed = Object.values(kernels).filter(({ name }) => !covered.has(name));
  return [...checks, ...missed.map(({ name }) => ({ kernel: name, on: "no case", error: NaN, ok: false }))];
}

/** What every training starts with: the short form without what only steps written by hand use. */
export async function testForTraining(device: Device): Promise<KernelCheck[]> {
  return await runCases(device, trainingMakers.flatMap((make) => make(device)));
}

/** The self-test's short form. */
export function shortCases(device: Device): KernelCase[] {
  return [...trainingMakers, operationCases].flatMap((make) => make(device));
}

/** Runs cases, all of them before anything is read. */
export async function runCases(device: Device, cases: readonly KernelCase[]): Promise<KernelCheck[]> {
  const results: Tensor[] = [];
  try {
    for (const { run } of cases) results.push(device.tidy(run));
    const actual = await readAll(results);
    return cases.map(({ kernel, on, expected }, i) => compare(kernel.name, on, actual[i], expected));
  } finally {
    for (const tensor of results) tensor.dispose();
  }
}

function compare(kernel: string, on: string, actual: ArrayLike<number>, expected: ArrayLike<number>): KernelCheck {
  let largest = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Number.isNaN(expected[i])) {
      if (!Number.isNaN(actual[i])) worst = NaN;
      continue;
    }
    largest = Math.max(largest, Math.abs(expected[i]));
    worst = Math.max(worst, Math.abs(actual[i] - expected[i])); // NaN counts as worst, and stays
  }
  const error = worst / (largest || 1);
  return { kernel, on, error, ok: actual.length === expected.length && error <= TOLERANCE };
}
