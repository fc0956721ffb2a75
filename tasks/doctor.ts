/**
 * Prints what the adapter is and whether its results are right.
 *
 *   deno task doctor
 */

import { Device } from "../lib/gpu/device.ts";
import { type KernelCheck, selfTest } from "../lib/check/self_test.ts";
import { runTask } from "./settings/run_task.ts";
import { COMPILING_PATIENCE, Progress } from "./show/progress.ts";
import { formatTable } from "./show/text_table.ts";

async function main(): Promise<number> {
  using device = await Device.request();
  const { info, limits } = device;
  console.log(formatTable([
    ["adapter", device.name],
    ["vendor", `${info.vendor} ${info.architecture}`.trim()],
    ["device", info.device],
    ["driver", `${info.description}, through ${Deno.env.get("DENO_WEBGPU_BACKEND") ?? "the default backend"}`],
    ["software", info.isFallbackAdapter ? "yes" : "no"],
    ["largest buffer", `${limits.maxBufferSize} bytes`],
    ["largest binding", `${limits.maxStorageBufferBindingSize} bytes`],
    ["binding alignment", `${limits.minStorageBufferOffsetAlignment} bytes`],
    ["storage buffers a kernel", `${limits.maxStorageBuffersPerShaderStage}`],
    ["invocations a workgroup", `${limits.maxComputeInvocationsPerWorkgroup}`],
    ["workgroups a dimension", `${limits.maxComputeWorkgroupsPerDimension}`],
  ], 2));
  const checks = await checkKernels(device);
  console.log(
    "\n" + formatTable([
      ["kernel", "on", "error", ""],
      ...checks.map(({ kernel, on, error, ok }) => [kernel, on, error.toExponential(1), ok ? "ok" : "WRONG"]),
    ], 2),
  );
  const wrong = checks.filter(({ ok }) => !ok).length;
  console.log(
    wrong === 0
      ? `all ${checks.length} kernel checks passed: this device can train`
      : `${wrong} of ${checks.length} kernel checks gave wrong results: do not train on this device; update its driver`,
  );
  return wrong === 0 ? 0 : 1;
}

/** Runs the whole self-test, and shows how far it is: where the driver's cache is empty, most of the time goes into compiling. */
async function checkKernels(device: Device): Promise<KernelCheck[]> {
  using progress = new Progress("compiling and checking kernels", undefined, COMPILING_PATIENCE);
  return await selfTest(device, true, (done, total) => progress.update(done, total, `${done} of ${total}`));
}

if (import.meta.main) await runTask("doctor", main);
