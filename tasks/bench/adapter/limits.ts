/**
 * What the adapter can do at best, as a worker of the bench: arithmetic in registers, and copying between buffers.
 *
 *     deno run --allow-env --allow-read=tasks/bench tasks/bench/adapter/limits.ts 0.5
 */

import type { Kernel } from "../../../kernels/mod.ts";
import { Device } from "../../../lib/gpu/device.ts";
import { Tensor } from "../../../lib/core/tensor.ts";
import { type LimitsResult, median } from "../results.ts";
import { report, timeRounds } from "../worker.ts";

/** Iterations of one invocation stay far below 65,535, where the software adapter stops. */
const ROUNDS = 4096;
/** Operations of one invocation: each fused multiply-add is two. */
const OPERATIONS = ROUNDS * 4 * 12 * 2;
const COPIED_BYTES = 64 * 2 ** 20;

async function fmaGflops(device: Device, seconds: number): Promise<number> {
  const code = await Deno.readTextFile(new URL("fma_peak.wgsl", import.meta.url));
  const kernel: Kernel = { name: "fmaPeak", code, access: ["read_write"] };
  // A real GPU needs many more to be busy.
  const invocations = device.info.isFallbackAdapter ? 2 ** 12 : 2 ** 18;
  using data = Tensor.zeros(device, [invocations]);
  using recording = device.record(() => device.run(kernel, { buffers: [data], sizes: [ROUNDS], invocations }));
  const rates = await timeRounds(async (count) => {
    recording.replay(count);
    await data.read();
  }, seconds);
  return median(rates) * invocations * OPERATIONS / 1e9;
}

async function copyGigabytes(device: Device, seconds: number): Promise<number> {
  using source = Tensor.zeros(device, [COPIED_BYTES / 4]);
  using target = Tensor.zeros(device, [COPIED_BYTES / 4]);
  const rates = await timeRounds(async (count) => {
    for (let copy = 0; copy < count; copy++) device.copy(source, target);
    await target.view(0, [1]).read();
  }, seconds);
  return median(rates) * COPIED_BYTES / 1e9;
}

const seconds = Number(Deno.args[0]);
using device = await Device.request();
report(
  {
    device: device.name,
    software: device.info.isFallbackAdapter,
    fmaGflops: await fmaGflops(device, seconds),
    copyGigabytes: await copyGigabytes(device, seconds),
  } satisfies LimitsResult,
);
