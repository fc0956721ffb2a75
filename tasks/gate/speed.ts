/** The gate's short form of `deno task bench --quick --floor`: training, next to TensorFlow.js on WebGPU. */

import { GOALS, isRight, judge } from "../bench/goals.ts";
import { CONTESTANTS, QUICK, trainings } from "../bench/plan.ts";
import { runWorker } from "../bench/processes.ts";
import type { Results, TrainingResult } from "../bench/results.ts";
import { CHECKED_STEPS, QUICK_CHECKED_STEPS } from "../bench/workloads.ts";

/** How often a workload is timed at most: other programs may take the cores for a while. */
const TRIES = 3;

/** Peers that use one core are left to the bench: a busy machine slows them less than what uses all cores. */
const RIVALS = CONTESTANTS.filter(({ name, backend }) => backend === "webgpu" && name !== "jaxjs");

/** Times training, and returns what is wrong. */
async function findSlowness(): Promise<string[]> {
  const lock = await Deno.makeTempFile({ prefix: "backhand_peers_" });
  try {
    // A copy, because Deno writes into the lock file that it is given.
    await Deno.copyFile(new URL("../bench/peers.lock", import.meta.url), lock);
    const names = new Set(trainings().map(({ workload }) => workload.name));
    const faults: string[] = [];
    for (const name of names) faults.push(...await check(name, lock));
    return faults;
  } finally {
    await Deno.remove(lock);
  }
}

/** Times one workload until it holds its floors. */
async function check(workload: TrainingResult["workload"], lock: string): Promise<string[]> {
  let faults: string[] = [];
  for (let tries = 0; tries < TRIES; tries++) {
    const rows: TrainingResult[] = [];
    for (const rival of RIVALS) rows.push(...await time(rival, workload, lock));
    faults = faultsOf(workload, rows);
    if (faults.length === 0) return [];
  }
  return faults;
}

async function time(
  { name, script, args, permissions }: typeof CONTESTANTS[number],
  workload: string,
  lock: string,
): Promise<TrainingResult[]> {
  const isOwn = name === "backhand";
  const task = ["training", `${QUICK.seconds}`, workload, `${isOwn ? CHECKED_STEPS : QUICK_CHECKED_STEPS}`];
  const flags = isOwn ? [...permissions, "--allow-read=tasks/bench"] : [...permissions, `--lock=${lock}`];
  return await runWorker({ script, args: [...args, ...task], flags }) as TrainingResult[];
}

/** What is wrong with the times of one workload, by the goals of the bench. */
export function faultsOf(workload: string, training: TrainingResult[]): string[] {
  const wrong = training.filter((row) => !isRight(row)).map(({ name }) => `${workload}: ${name} has a wrong loss`);
  const isAsked = (name: string) =>
    name === `${workload}, to the best WebGPU peer` || name === `${workload}, to TensorFlow.js`;
  const goals = GOALS.filter(({ name }) => isAsked(name) || name.endsWith(" a step"));
  // The floors are those of software adapters, which is what this is run on.
  const results = { limits: { software: true }, training, quick: true } as unknown as Results;
  const slow = judge(results, goals).filter(({ holdsFloor }) => !holdsFloor);
  return [
    ...wrong,
    ...slow.map(({ name, value, floor, atMost }) => {
      const bound = atMost ? "at most" : "at least";
      return `${name}: found ${value?.toFixed(2)}, ${bound} ${floor} is asked`;
    }),
  ];
}

if (import.meta.main) {
  const adapter = await navigator.gpu.requestAdapter();
  const faults = adapter?.info.isFallbackAdapter ? await findSlowness() : [];
  for (const fault of faults) console.error(`error: ${fault}`);
  if (faults.length > 0) Deno.exit(1);
}
