/** One run of the bench: starts the workers one after the other and collects what they report. */

import project from "../../deno.json" with { type: "json" };
import { timeViews } from "./looking.ts";
import { findNatives, multiplyNative, type Native, trainNative } from "./native/programs.ts";
import { timeWholeRun } from "./native/whole_run.ts";
import { type Contestant, CONTESTANTS, FULL, type Plan, QUICK, trainings } from "./plan.ts";
import { runToEnd, runWorker, type Start } from "./processes.ts";
import { formatSize } from "./products.ts";
import type { DataResult, EnduranceResult, Failure, LimitsResult, ProductResult, Results } from "./results.ts";
import { nameOf, type TrainingResult } from "./results.ts";
import { CHECKED_STEPS } from "./workloads.ts";

const PEERS_LOCK = new URL("peers.lock", import.meta.url);

/** Collects what workers report; one that fails does not keep the others from running. */
class Collector {
  readonly failures: Failure[] = [];

  /** Runs a worker; what it reported, nothing if it failed. */
  async run<T>(worker: string, start: Start): Promise<T[]> {
    return await this.try(worker, () => runWorker(start) as Promise<T[]>) ?? [];
  }

  async try<T>(worker: string, body: () => Promise<T>): Promise<T | undefined> {
    announce(worker);
    try {
      return await body();
    } catch (error) {
      if (error instanceof Deno.errors.Interrupted) throw error;
      this.failures.push({ worker, message: (error as Error).message });
    }
  }
}

/**
 * Measures everything.
 *
 * @throws {Error} If the machine has no adapter.
 */
export async function measure(quick: boolean, folder: string): Promise<Results> {
  const date = new Date().toISOString();
  const plan = quick ? QUICK : FULL;
  const collector = new Collector();
  // A copy, because Deno writes into the lock file that it is given.
  await Deno.copyFile(PEERS_LOCK, `${folder}/peers.lock`);
  announce("adapter"); // nothing else would run without one
  const limits = backhand("adapter/limits.ts", [`${plan.seconds}`]);
  const { natives, missing, versions } = await findNatives(
    plan.torchModes,
    plan.wholeRuns > 0 ? ["torch", "sklearn"] : ["torch"],
  );
  const results: Results = {
    date,
    quick,
    versions: { ...await readVersions(), ...versions },
    cores: navigator.hardwareConcurrency,
    limits: (await runWorker(limits) as LimitsResult[])[0],
    training: await train(collector, plan, natives, folder),
    products: await multiply(collector, plan, natives, folder),
    firstStep: [],
    looking: [],
    data: [],
    missing,
    failures: collector.failures,
  };
  if (plan.endurance !== undefined) {
    const endurance = backhand("backhand.ts", ["endurance", `${plan.endurance}`]);
    results.endurance = (await collector.run<EnduranceResult>("100,000 steps", endurance))[0];
  }
  await makeDataset(collector, 100_000, folder);
  for (let start = 0; start < plan.starts; start++) {
    const seconds = await collector.try("start of training", () => timeStart(folder));
    if (seconds !== undefined) results.firstStep.push(seconds);
  }
  if ("sklearn" in versions) {
    results.wholeRun = await collector.try("whole runs", () => timeWholeRun(plan.wholeRuns, folder));
  }
  results.looking = await collector.try("cost of watching", () => timeViews(plan.looking, folder)) ?? [];
  for (const rows of plan.rows) results.data!.push(...await makeDataset(collector, rows, folder));
  return results;
}

async function train(
  collector: Collector,
  { seconds, peerCheckedSteps }: Plan,
  natives: readonly Native[],
  folder: string,
): Promise<TrainingResult[]> {
  const results: TrainingResult[] = [];
  for (const { workload, contestant } of trainings(natives)) {
    const { name } = workload;
    const worker = `${name}, ${nameOf(contestant)}`;
    if ("program" in contestant) {
      const run = () => trainNative(contestant, workload, peerCheckedSteps, seconds, folder);
      const result = await collector.try(worker, run);
      if (result) results.push(result);
      continue;
    }
    const checkedSteps = contestant.name === "backhand" ? CHECKED_STEPS : peerCheckedSteps;
    const start = startOf(contestant, ["training", `${seconds}`, name, `${checkedSteps}`], folder);
    results.push(...await collector.run<TrainingResult>(worker, start));
  }
  return results;
}

async function multiply(
  collector: Collector,
  { seconds, sizes }: Plan,
  natives: readonly Native[],
  folder: string,
): Promise<ProductResult[]> {
  const results: ProductResult[] = [];
  for (const contestant of CONTESTANTS.filter(({ multiplies }) => multiplies)) {
    const start = startOf(contestant, ["products", `${seconds}`, ...sizes.map(formatSize)], folder);
    results.push(...await collector.run<ProductResult>(`matrix products, ${nameOf(contestant)}`, start));
  }
  for (const native of natives.filter(({ backend }) => backend !== "eager")) { // the same product as by hand
    const worker = `matrix products, ${nameOf(native)}`;
    results.push(...await collector.try(worker, () => multiplyNative(native, sizes, seconds, folder)) ?? []);
  }
  return results;
}

/** Seconds from the start of `train`, on a scaled dataset, to its first steps. */
async function timeStart(folder: string): Promise<number> {
  const since = performance.now();
  let end = NaN;
  const by = () => Promise.resolve(end = performance.now());
  await runToEnd({
    script: "tasks/train.ts",
    args: ["--num-epochs", "1"],
    flags: ["--allow-read=.", "--allow-write=data", "--allow-env"],
    cwd: folder,
  }, { on: /^first steps done/m, by, ends: true });
  return (end - since) / 1000;
}

async function makeDataset(collector: Collector, rows: number, folder: string): Promise<DataResult[]> {
  const results: DataResult[] = [];
  for (const stage of ["gen-data", "scale"]) {
    const flags = ["--allow-read=.", "--allow-write=data"];
    const start = { script: "tasks/bench/data.ts", args: [stage, `${rows}`], flags, cwd: folder };
    results.push(...await collector.run<DataResult>(`${stage}, ${rows} rows`, start));
  }
  return results;
}

function backhand(script: string, args: readonly string[]): Start {
  return { script: `tasks/bench/${script}`, args, flags: [...CONTESTANTS[0].permissions, "--allow-read=tasks/bench"] };
}

/** Peers have a lock file of their own, so that no other task downloads them. */
function startOf({ name, script, args, permissions }: Contestant, task: readonly string[], folder: string): Start {
  const lock = name === "backhand" ? [] : [`--lock=${folder}/peers.lock`];
  return { script, args: [...args, ...task], flags: [...permissions, ...lock] };
}

/** Prints what starts now, and how many seconds have passed. */
function announce(worker: string): void {
  console.error(`${(performance.now() / 1000).toFixed(0).padStart(4)} s  ${worker}`);
}

/** Versions of this project, of Deno, and of the peers. */
async function readVersions(): Promise<Record<string, string>> {
  const { specifiers } = JSON.parse(await Deno.readTextFile(PEERS_LOCK)) as { specifiers: Record<string, string> };
  const pinned = (name: string) => specifiers[Object.keys(specifiers).find((key) => key.startsWith(`npm:${name}@`))!];
  return {
    backhand: project.version,
    deno: Deno.version.deno,
    tfjs: pinned("@tensorflow/tfjs-core"),
    jaxjs: pinned("@jax-js/jax"),
  };
}
