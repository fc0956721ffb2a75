/**
 * Checks every backward pass in float64 against finite differences, and the GPU's against that in float64.
 *
 *   deno task gradcheck --hidden-size 64,32 --seed 42
 */

import { Device } from "../lib/gpu/device.ts";
import { checkGradients, gradientCases, type GradientCheck } from "../lib/check/gradcheck.ts";
import type { Config } from "./settings/config.ts";
import { runTask } from "./settings/run_task.ts";
import { COMPILING_PATIENCE, Progress } from "./show/progress.ts";
import { formatTable } from "./show/text_table.ts";

const LEGEND = `
network         a layer, a loss, or layers and a loss, on random rows
gradient of     a parameter (0.weight is the weight of layer 0), or the network's input
entries nudged  how many numbers of it were moved by 1e-6, to see what the loss does
float64 off     largest difference between the backward in float64 and what nudging gives
GPU off         largest difference between the backward on the GPU and that in float64,
                as a part of the tensor's largest entry
`;

async function main({ seed, hiddenSize }: Config): Promise<number> {
  using device = await Device.request();
  console.log(`device: ${device.name}`);
  const rows = [["network", "gradient of", "entries nudged", "float64 off", "GPU off", "verdict"]];
  const wrong: string[] = [];
  const cases = gradientCases(hiddenSize);
  using progress = new Progress("compiling and checking kernels", undefined, COMPILING_PATIENCE);
  for (const [done, given] of cases.entries()) {
    progress.update(done, cases.length, `${done} of ${cases.length} networks`);
    for (const check of await checkGradients(device, given, seed)) {
      const { name, entries, finiteDifference, gpu, ok } = check;
      if (!ok) wrong.push(explain(given.name, check));
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
  progress.clear();
  console.log(formatTable(rows, 2));
  console.log(LEGEND);
  for (const line of wrong) console.log(line);
  console.log(`${rows.length - 1 - wrong.length} gradients are right, ${wrong.length} wrong`);
  return wrong.length > 0 ? 1 : 0;
}

const SIDES = {
  float64: "the float64 oracle (lib/reference) is wrong, the GPU is right",
  GPU: "the GPU is wrong (a kernel, or the backward in lib/core), the float64 oracle is right",
  both: "the float64 oracle is wrong, and the GPU too: nudging agrees with neither",
};

/** Which side is wrong, and why if that is known. */
function explain(network: string, { name, wrongSide = "both", cause }: GradientCheck): string {
  const reason = cause === undefined ? "" : `; ${cause}`;
  return `WRONG: ${network}, gradient of ${name}: ${SIDES[wrongSide]}${reason}`;
}

if (import.meta.main) await runTask("gradcheck", main);
