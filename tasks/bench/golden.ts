/**
 * The losses after the checked steps, computed in float64, and the script that computes them (a minute or two):
 *
 *     deno run --allow-write=tasks/bench tasks/bench/golden.ts
 */

import { referenceSgd } from "../../lib/reference/mod.ts";
import golden from "./golden.json" with { type: "json" };
import {
  batchesOf,
  CHECKED_STEPS,
  learningRateOf,
  lossAt,
  QUICK_CHECKED_STEPS,
  referenceOf,
  toMatrices,
  type Workload,
  type WorkloadName,
  WORKLOADS,
} from "./workloads.ts";

/** Loss of the first batch by the number of steps before it. */
export type Losses = Readonly<Record<string, number>>;

/** The golden losses by workload: before the first step, and after the checked steps. */
export const GOLDEN: Readonly<Record<WorkloadName, Losses>> = golden;

/** Relative error that a loss may have. Float32 runs have 1e-6; one step too many or too few makes 1e-4 and more. */
export const TOLERANCE = 5e-5;

export function computeGolden(
  workload: Workload,
  checkpoints: readonly number[] = [0, QUICK_CHECKED_STEPS, CHECKED_STEPS],
): Losses {
  const model = referenceOf(workload);
  const update = referenceSgd(learningRateOf(workload));
  const batches = batchesOf(workload).map((batch) => toMatrices(workload, batch));
  const losses: Record<string, number> = {};
  for (let step = 0;; step++) {
    if (checkpoints.includes(step)) losses[step] = lossAt(workload, model.parameters.map(({ data }) => data));
    if (step >= checkpoints.at(-1)!) return losses;
    const { x, y } = batches[step % batches.length];
    model.backward(x, y);
    const { gradients } = model;
    model.parameters.forEach(({ data }, i) => update(data, gradients[i].data));
  }
}

export function isGolden(workload: WorkloadName, steps: number, loss: number): boolean {
  const expected = GOLDEN[workload][steps] ?? NaN;
  return Math.abs(loss - expected) <= TOLERANCE * Math.abs(expected);
}

if (import.meta.main) {
  const losses = Object.fromEntries(WORKLOADS.map((workload) => [workload.name, computeGolden(workload)]));
  await Deno.writeTextFile(new URL("golden.json", import.meta.url), JSON.stringify(losses, null, 2) + "\n");
}
