/** What all workers share: how steps and products are checked and timed, and how a result leaves the process. */

import { resourceUsage } from "node:process";
import { type Implementation, median, type ProductResult, type TrainingResult } from "./results.ts";
import { checkProduct, factors, parseSize, type Size } from "./products.ts";
import { lossAt, type Workload, workloadOf } from "./workloads.ts";

const ROUNDS = 3;

/** An implementation with a workload loaded. */
export interface Trained {
  /** Steps come in multiples of this, but for the checked ones. */
  granule: number;
  /** Takes the next steps and waits for the last of them. */
  steps: (count: number) => Promise<unknown>;
  /** Reads weight, bias, weight, bias ... */
  parameters: () => Promise<ArrayLike<number>[]>;
}

/** An implementation with two matrices loaded. */
export interface Multiplied {
  /** Multiplies them so often and waits for the last product. */
  products: (count: number) => Promise<unknown>;
  /** Reads one product. */
  product: () => Promise<ArrayLike<number>>;
}

/** How long to measure. */
export interface Plan {
  /** How long a round lasts at least, about. */
  seconds: number;
  /** Steps after which the parameters are checked. */
  checkedSteps: number;
}

/** Takes the checked steps, then times more of them. */
export async function timeTraining(
  { name, backend }: Implementation,
  workload: Workload,
  trained: Trained,
  { seconds, checkedSteps }: Plan,
): Promise<TrainingResult> {
  await trained.steps(checkedSteps);
  const loss = lossAt(workload, await trained.parameters());
  const rounds = await timeRounds((count) => trained.steps(count), seconds, trained.granule);
  const stepsPerSecond = median(rounds);
  const bytes = peakBytes();
  return { name, backend, workload: workload.name, stepsPerSecond, rounds, checkedSteps, loss, peakBytes: bytes };
}

/** Checks one product, then times more of them. */
export async function timeProducts(
  { name, backend }: Implementation,
  size: Size,
  multiplied: Multiplied,
  seconds: number,
): Promise<ProductResult> {
  const error = checkProduct(size, factors(size), await multiplied.product());
  const [m, k, n] = size;
  const rates = await timeRounds(multiplied.products, seconds);
  return { name, backend, size, gflops: median(rates) * 2 * m * k * n / 1e9, error };
}

/** Warms up until it is known how much fills a round, then times rounds. */
export async function timeRounds(
  run: (count: number) => Promise<unknown>,
  seconds: number,
  granule: number = 1,
): Promise<number[]> {
  const time = async (count: number) => {
    const start = performance.now();
    await run(count);
    return (performance.now() - start) / 1000;
  };
  let count = granule;
  let taken = await time(count);
  while (taken < seconds / 4) taken = await time(count *= 2);
  count = Math.max(1, Math.round(count * seconds / taken / granule)) * granule;
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) rates.push(count / await time(count));
  return rates;
}

/** The most memory this process was resident with so far, in bytes. */
export function peakBytes(): number {
  return resourceUsage().maxRSS * 1024;
}

/** What the bench asks of a worker, as it stands on its command line. */
export type Task =
  | { what: "training"; workload: Workload; plan: Plan }
  | { what: "products"; sizes: readonly Size[]; seconds: number };

/** Reads `training <seconds> <workload> <checked steps>` or `products <seconds> <size> ...`. */
export function parseTask([what, seconds, ...rest]: readonly string[]): Task {
  if (what === "products") return { what, seconds: Number(seconds), sizes: rest.map(parseSize) };
  const plan = { seconds: Number(seconds), checkedSteps: Number(rest[1]) };
  return { what: "training", workload: workloadOf(rest[0]), plan };
}

/** Hands a result to the bench: a line of JSON on stdout. */
export function report(result: object): void {
  console.log(JSON.stringify(result));
}
