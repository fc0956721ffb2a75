/** What all workers share: how steps and products are checked and timed, and how a result leaves the process. */

import { resourceUsage } from "node:process";
import { checkProduct, type Factors, factors, parseSize, type Size } from "./products.ts";
import { type Implementation, median, type ProductResult, type StepCosts, type TrainingResult } from "./results.ts";
import { lossAt, type Workload, workloadOf } from "./workloads.ts";

const ROUNDS = 3;

export interface Trained {
  /** The number of timed steps is a multiple of this. */
  granule: number;
  /** Takes the next steps and waits for the last of them. */
  steps: (count: number) => Promise<unknown>;
  /** Reads weight, bias, weight, bias ... */
  parameters: () => Promise<ArrayLike<number>[]>;
  costs?: () => StepCosts;
}

export interface Multiplied {
  /** Multiplies them so often and waits for the last product. */
  products: (count: number) => Promise<unknown>;
  product: () => Promise<ArrayLike<number>>;
}

/** How an implementation loads what is timed. */
interface Loaders {
  train: (workload: Workload) => Trained | Promise<Trained>;
  multiply: (size: Size, sides: Factors) => Multiplied | Promise<Multiplied>;
}

/**
 * Does what the bench asks for on the command line: `training SECONDS WORKLOAD CHECKED_STEPS` or `products SECONDS SIZE ...`.
 * Results are checked before anything is timed.
 */
export async function work(
  { name, backend }: Implementation,
  [what, text, ...rest]: readonly string[],
  { train, multiply }: Loaders,
): Promise<void> {
  const seconds = Number(text);
  if (what === "products") {
    for (const size of rest.map(parseSize)) {
      const sides = factors(size);
      const { products, product } = await multiply(size, sides);
      const error = checkProduct(size, sides, await product());
      const gflops = median(await timeRounds(products, seconds)) * 2 * size[0] * size[1] * size[2] / 1e9;
      report({ name, backend, size, gflops, error } satisfies ProductResult);
    }
    return;
  }
  const workload = workloadOf(rest[0]);
  const checkedSteps = Number(rest[1]);
  const { steps, parameters, granule, costs } = await train(workload);
  await steps(checkedSteps);
  const loss = lossAt(workload, await parameters());
  const rounds = await timeRounds(steps, seconds, granule);
  report(
    {
      name,
      backend,
      workload: workload.name,
      stepsPerSecond: median(rounds),
      rounds,
      checkedSteps,
      loss,
      peakBytes: peakBytes(),
      costs: costs?.(),
    } satisfies TrainingResult,
  );
}

/** Warms up until it is known how many runs fill a round, then times rounds; runs per second of each. */
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

/** The peak resident memory of this process, in bytes. */
export function peakBytes(): number {
  return resourceUsage().maxRSS * 1024;
}

/** Hands a result to the bench: a line of JSON on stdout. */
export function report(result: object): void {
  console.log(JSON.stringify(result));
}
