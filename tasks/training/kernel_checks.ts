/** No number that a training computes is used before the kernels behind it were compared with float64. */

import type { Kernel } from "../../kernels/mod.ts";
import { DeviceError } from "../../lib/base/errors.ts";
import { testKernels } from "../../lib/check/self_test.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { COMPILING_PATIENCE } from "../show/progress.ts";
import type { RunView } from "../show/view.ts";

/**
 * Has the device refuse to give out what a wrong kernel computed. The kernels that the steps use are tested by the first
 * `device.examine()`, which tells the device's name; those of a look at the network or a report, when they come into use.
 */
export function refuseWrongKernels(device: Device, view: RunView): void {
  let isFirst = true;
  device.examineWith(async (kernels: readonly Kernel[]) => {
    // Later a picture may stand where the progress would be drawn.
    using progress = isFirst ? view.job("compiling and checking kernels", COMPILING_PATIENCE) : undefined;
    const checks = await testKernels(device, kernels, (done, total) => {
      progress?.update(done, total, `${done} of ${total}`);
    });
    const wrong = checks.filter(({ ok }) => !ok).map(({ kernel, on }) => `${kernel} on ${on}`).join(", ");
    if (wrong !== "") {
      throw new DeviceError(
        `Cannot train on ${device.name}: it gives wrong results for ${wrong}; \`deno task doctor\` shows them all`,
      );
    }
    if (isFirst) view.note(`device: ${device.name}; ${checks.length} checks of ${kernels.length} kernels passed`);
    isFirst = false;
  });
}
