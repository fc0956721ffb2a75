/** One run of the bench: starts the workers one after the other and collects what they report. */

import project from "../../deno.json" with { type: "json" };
import { timeViews } from "./looking.ts";
import { type Contestant, CONTESTANTS, FULL, type Plan, QUICK, trainings } from "./plan.ts";
import { runWorker, type Start, timeUntil } from "./processes.ts";
import { formatSize } from "./products.ts";
import type { DataResult, EnduranceResult, Failure, LimitsResult, ProductResult, Results } from "./results.ts";
import type { TrainingResult } from "./results.ts";
import { CHECKED_STEPS } from "./workloads.ts";

const PEERS_LOCK = new URL("peers.lock", import.meta.url);

/** Collects what workers report; one that fails does not keep the others from running. */
class Collector {
  readonly failures: Failure[] = [];

  /** Runs a worker; what it reported, nothing where it failed. */
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
  // Without an adapter nothing of the rest would run.
  announce("adapter");
  const [limits] = await runWorker(backhand("limits.ts", [`${plan.seconds}`])) as LimitsResult[];
  const training = await train(collector, plan, folder);
  const products = await multiply(collector, plan, folder);
  const endurance = plan.endurance === undefined ? [] : await collector.run<EnduranceResult>(
    "100,000 steps",
    backhand("backhand.ts", ["endurance", `${plan.endurance}`]),
  );
  const firstStep = await timeStarts(collector, plan, folder);
  const looking = await collector.try("what looking costs", () => timeViews(plan.looking, folder)) ?? [];
  const data = await makeData(collector, plan, folder);
  return {
    date,
    quick,
    versions: await readVersions(),
    cores: navigator.hardwareConcurrency,
    limits,
    training,
    products,
    firstStep,
    looking,
    endurance: endurance[0],
    data,
    failures: collector.failures,
  };
}

async function train(
  collector: Collector,
  { seconds, peerCheckedSteps }: Plan,
  folder: string,
): Promise<TrainingResult[]> {
  const results: TrainingResult[] = [];
  for (const { workload: { name }, contestant } of trainings()) {
    const checkedSteps = contestant.name === "backhand" ? CHECKED_STEPS : peerCheckedSteps;
    const start = startOf(contestant, ["training", `${seconds}`, name, `${checkedSteps}`], folder);
    results.push(...await collector.run<TrainingResult>(`${name}, ${labelOf(contestant)}`, start));
  }
  return results;
}

async function multiply(collector: Collector, { seconds, sizes }: Plan, folder: string): Promise<ProductResult[]> {
  const results: ProductResult[] = [];
  for (const contestant of CONTESTANTS.filter(({ multiplies }) => multiplies)) {
    const start = startOf(contestant, ["products", `${seconds}`, ...sizes.map(formatSize)], folder);
    results.push(...await collector.run<ProductResult>(`matrix products, ${labelOf(contestant)}`, start));
  }
  return results;
}

/** Times `train` on the default dataset, scaled before, until its first steps are done. */
async function timeStarts(collector: Collector, { starts }: Plan, folder: string): Promise<number[]> {
  const train: Start = {
    script: "tasks/train.ts",
    args: ["--num-epochs", "1"],
    flags: ["--allow-read=.", "--allow-write=data", "--allow-env"],
    cwd: folder,
  };
  const seconds: number[] = [];
  await makeDataset(collector, 100_000, folder);
  for (let start = 0; start < starts; start++) {
    const time = await collector.try("start of training", () => timeUntil(train, /^first steps done/m));
    if (time !== undefined) seconds.push(time);
  }
  return seconds;
}

async function makeData(collector: Collector, { rows }: Plan, folder: string): Promise<DataResult[]> {
  const results: DataResult[] = [];
  for (const count of rows) results.push(...await makeDataset(collector, count, folder));
  return results;
}

async function makeDataset(collector: Collector, rows: number, folder: string): Promise<DataResult[]> {
  const results: DataResult[] = [];
  for (const stage of ["gen-data", "scale"]) {
    const start: Start = {
      script: "tasks/bench/data.ts",
      args: [stage, `${rows}`],
      flags: ["--allow-read=.", "--allow-write=data"],
      cwd: folder,
    };
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

function labelOf({ name, backend }: Contestant): string {
  return name === "backhand" ? name : `${name} ${backend}`;
}

/** Says what is under way, and how many seconds after the start. */
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
