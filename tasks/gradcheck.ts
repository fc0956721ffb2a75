/**
 * Checks every backward pass in float64 against finite differences, and the GPU's against that in float64.
 *
 *   deno task gradcheck --hidden-size 64,32 --seed 42
 */

import { Device } from "../lib/gpu/device.ts";
import { checkGradients, gradientCases } from "../lib/check/gradcheck.ts";
import type { Config } from "./settings/config.ts";
import { runTask } from "./settings/run_task.ts";
import { formatTable } from "./show/text_table.ts";

async function main({ seed, hiddenSize }: Config): Promise<number> {
  using device = await Device.request();
  console.log(`device: ${device.name}`);
  const rows = [["checked", "gradient of", "entries", "finite differences", "GPU to float64", ""]];
  for (const given of gradientCases(hiddenSize)) {
    for (const check of await checkGradients(device, given, seed)) {
      const { name, entries, finiteDifference, gpu, ok } = check;
      rows.push([
        given.name,
        name,
        `${entries}`,
        finiteDifference.toExponential(1),
        gpu.toExponential(1),
        ok ? "ok" : "FAILED",
      ]);
    }
  }
  console.log(formatTable(rows, 2));
  const failed = rows.filter((row) => row.at(-1) === "FAILED").length;
  console.log(`${rows.length - 1 - failed} gradients are right, ${failed} wrong`);
  return failed > 0 ? 1 : 0;
}

if (import.meta.main) await runTask("gradcheck", main);
