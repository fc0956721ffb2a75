/**
 * The device's self-test: every kernel on small odd shapes against the float64 oracle, so that a driver with wrong results
 * is refused, not trusted. The long form adds what breaks at size: loops and grids beyond 65,535.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { matmulBlocksKernel, PLAIN_PRODUCT } from "../gpu/product_forms.ts";
import { activationCases } from "./activation_cases.ts";
import type { Device } from "../gpu/device.ts";
import { judgeCases } from "./judge_cases.ts";
import { lossCases } from "./loss_cases.ts";
import { optimizerCases } from "./optimizer_cases.ts";
import { type IsUsed, type KernelCase, largeProductCases, longCases, partedCases, smallCases } from "./op_cases.ts";
import { broadcastCases, operationCases } from "./operation_cases.ts";
import { productCases, testsPack } from "./product_cases.ts";
import { tabularCases } from "./tabular_cases.ts";
import { longStatisticsCases, statisticsCases } from "./statistics_cases.ts";
import type { Tensor } from "../core/tensor.ts";
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

/** Told how far a test has come: kernels that are done, of how many. The first use of a kernel compiles it, which takes longest. */
export type TestProgress = (done: number, total: number) => void;

const makers = [
  smallCases,
  statisticsCases,
  judgeCases,
  lossCases,
  activationCases,
  optimizerCases,
  wholeStepCases,
  operationCases,
  tabularCases,
];
const longMakers = [partedCases, broadcastCases, longStatisticsCases, longCases];

/**
 * Runs the self-test.
 *
 * @param device What is tested.
 * @param long Also run the large cases; some seconds on a software adapter.
 * @param onProgress Is told how far it has come.
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
export async function selfTest(device: Device, long = false, onProgress?: TestProgress): Promise<KernelCheck[]> {
  const cases = [...shortCases(device), ...(long ? longMakers.flatMap((make) => make(device)) : [])];
  const byKernel = Map.groupBy(cases, ({ kernel }) => kernel);
  const checks: KernelCheck[] = [];
  let done = 0;
  for (const own of byKernel.values()) {
    onProgress?.(done++, byKernel.size);
    checks.push(...await runCases(device, own));
  }
  const covered = new Set(checks.map(({ kernel }) => kernel));
  const all: readonly Kernel[] = Object.values(kernels);
  const missed = all.filter(({ name }) =>
    !covered.has(name) && (name !== kernels.pack.name || device.products === "blocks")
  );
  return [...checks, ...missed.map(noCase)];
}

/**
 * Tests kernels in the very forms in which they are used, and no others: what a training does not run is not compiled.
 *
 * @param device Where they are used.
 * @param used The kernels, as {@linkcode Device.examineWith} tells them.
 * @param onProgress Is told how far it has come.
 * @returns A line per kernel and shape. A kernel that no case runs in its form is a line of its own, not ok.
 * @throws {DeviceError} If the GPU reported a fault.
 */
export async function testKernels(
  device: Device,
  used: readonly Kernel[],
  onProgress?: TestProgress,
): Promise<KernelCheck[]> {
  const isUsed: IsUsed = (kernel) => used.includes(kernel);
  const pool = [...makers, broadcastCases].flatMap((make) => make(device, isUsed));
  const checks: KernelCheck[] = [];
  for (const [done, kernel] of used.entries()) {
    onProgress?.(done, used.length);
    const own = pool.filter((given) => given.kernel === kernel);
    // A matrix is packed for a product, and for nothing else.
    const product = kernel === kernels.pack ? used.find(testsPack) ?? PLAIN_BLOCKS : kernel;
    const cases = own.length > 0 ? own : productCases(device, product).map((given) => ({ ...given, kernel }));
    checks.push(...cases.length > 0 ? await runCases(device, cases) : [noCase(kernel)]);
  }
  return checks;
}

const PLAIN_BLOCKS = matmulBlocksKernel(PLAIN_PRODUCT, true, { a: false, b: false, y: false });

/** The self-test's short form. */
export function shortCases(device: Device): KernelCase[] {
  return [largeProductCases, ...makers].flatMap((make) => make(device));
}

/** Runs cases, all of them before anything is read. One that does not run its kernel in its form tells nothing of it. */
export async function runCases(device: Device, cases: readonly KernelCase[]): Promise<KernelCheck[]> {
  const results: Tensor[] = [];
  try {
    const ran = cases.map(({ run }) => {
      const { result, kernels } = device.test(() => device.tidy(run));
      results.push(result);
      return kernels;
    });
    const read = await device.read(results, false);
    return cases.map(({ kernel, on, expected }, i) => {
      if (!ran[i].has(kernel)) return noCase(kernel);
      const actual = results[i].dtype === "u32" ? new Uint32Array(read[i]) : new Float32Array(read[i]);
      return compare(kernel.name, on, actual, expected);
    });
  } finally {
    for (const tensor of results) tensor.dispose();
  }
}

function noCase({ name }: Kernel): KernelCheck {
  return { kernel: name, on: "no case", error: NaN, ok: false };
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
