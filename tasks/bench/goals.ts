/** What this project's speed is held to, and how the results stand to it. */

import { isGolden } from "./golden.ts";
import { formatSize } from "./products.ts";
import { type Implementation, type LookingResult, median, type ProductResult } from "./results.ts";
import type { Results, TrainingResult } from "./results.ts";
import type { WorkloadName } from "./workloads.ts";

/** One goal. */
export interface Goal {
  name: string;
  /** What is to be reached: at least, or with `atMost` at most. */
  goal: number;
  /** What must be held in every run, half of the goal where that means something. */
  floor?: number;
  atMost?: true;
  /** Whether a quick run, too short for the goal, is held to the floor alone. */
  fullOnly?: true;
  unit: "x" | "" | "s" | "bytes" | "%";
  /** Undefined where the run does not measure it; NaN where it should have, and there is no valid result. */
  measure: (results: Results) => number | undefined;
}

/** Which peers to compare with. */
type Peers = "webgpu" | "any";

/** The heap of JavaScript grows and shrinks by as much. */
const FLAT_BYTES = 32 * 2 ** 20;

/**
 * Per cent of the rate that looking on may cost, judged where each view trains for 20 seconds a round. Within a few seconds
 * the start of a view counts, which comes once in a run: the program that reads the page starts beside the training, and
 * numbers are formatted for the first time; runs of 4 seconds were 7 to 14 % slower, runs of 20 and of 31 not at all. Rates of
 * the same run still differ by a tenth from minute to minute, so each round is compared within itself, and the median counts.
 */
const LOOKING_GOAL = 3;

/**
 * What it may cost in every run, the quick one too, which trains for less than a second a round: where other programs have
 * the cores too, two such runs of the same differ by a factor of two.
 */
const LOOKING_FLOOR = 60;

/** All goals, for the software adapter. */
export const GOALS: readonly Goal[] = [
  training("seed", "any", 2, 1),
  training("seed", "webgpu", 30, 15),
  training("wide", "webgpu", 4, 2),
  training("wide", "any", 1, 0.5),
  training("deep", "webgpu", 3, 1.5),
  {
    name: "matrix product 1024, to the best WebGPU peer",
    goal: 3.5,
    floor: 1.75,
    unit: "x",
    measure: ({ products }) => productRatio(products, "1024", "webgpu"),
  },
  none("allocations a step", ({ allocations }) => allocations),
  none("bind groups a step", ({ bindGroups }) => bindGroups),
  none("waits a step", ({ waits }) => waits),
  {
    name: "GPU bytes more after 100,000 steps",
    goal: 0,
    floor: 0,
    atMost: true,
    unit: "bytes",
    measure: ({ endurance, quick }) =>
      quick ? undefined : endurance ? endurance.after.bytes - endurance.before.bytes : NaN,
  },
  {
    name: "resident bytes more after 100,000 steps",
    goal: FLAT_BYTES,
    floor: 2 * FLAT_BYTES,
    atMost: true,
    unit: "bytes",
    measure: ({ endurance, quick }) =>
      quick ? undefined : endurance ? Math.max(0, endurance.after.resident - endurance.before.resident) : NaN,
  },
  {
    name: "first steps after the start of the process",
    goal: 1.5,
    atMost: true,
    unit: "s",
    measure: ({ firstStep }) => firstStep.length > 0 ? median(firstStep) : NaN,
  },
  looking("the terminal view", "terminal"),
  looking("the live page", "live"),
  {
    ...looking("a page that never reads", "stalled"),
    measure: ({ looking, quick }) => quick ? undefined : lookingCost(looking, "stalled"),
  },
];

/** How one goal stands. */
export interface Standing extends Goal {
  value: number | undefined;
  /** Undefined where a run is too short for the goal. */
  isMet: boolean | undefined;
  /** False where the value is below the floor, or missing though it should be there. */
  holdsFloor: boolean;
}

/** Compares results with the goals. */
export function judge(results: Results, goals: readonly Goal[] = GOALS): Standing[] {
  if (!results.limits.software) return [];
  return goals.map((goal) => {
    const value = goal.measure(results);
    const reaches = (bound: number) => value === undefined || (goal.atMost ? value <= bound : value >= bound);
    const isMet = goal.fullOnly && results.quick ? undefined : value !== undefined && reaches(goal.goal);
    return { ...goal, value, isMet, holdsFloor: goal.floor === undefined || reaches(goal.floor) };
  });
}

/** Whether a row's loss was right; a fast wrong answer is no result. */
export function isRight({ workload, checkedSteps, loss }: TrainingResult): boolean {
  return isGolden(workload, checkedSteps, loss);
}

/** This project's speed over that of its fastest peer. */
export function ratio<T extends Implementation>(rows: readonly T[], peers: Peers, speedOf: (row: T) => number): number {
  const own = rows.find(({ name }) => name === "backhand");
  const speeds = rows
    .filter(({ name, backend }) => name !== "backhand" && (peers === "any" || backend === "webgpu")).map(speedOf);
  return own && speeds.length > 0 ? speedOf(own) / Math.max(...speeds) : NaN;
}

/** {@linkcode ratio} of training steps. */
export function trainingRatio(results: readonly TrainingResult[], workload: WorkloadName, peers: Peers): number {
  const rows = results.filter((row) => row.workload === workload && isRight(row));
  return ratio(rows, peers, ({ stepsPerSecond }) => stepsPerSecond);
}

/** {@linkcode ratio} of matrix products. */
export function productRatio(results: readonly ProductResult[], size: string, peers: Peers): number {
  const rows = results.filter((row) => formatSize(row.size) === size && row.error <= 1);
  return ratio(rows, peers, ({ gflops }) => gflops);
}

/** What looking on costs. */
export function lookingCost(results: readonly LookingResult[], view: LookingResult["view"]): number {
  const roundsOf = (view: string) => results.find((result) => result.view === view)?.rounds ?? [];
  const quiet = roundsOf("quiet");
  const own = roundsOf(view);
  if (own.length === 0 || own.length !== quiet.length) return NaN;
  return median(own.map((rate, round) => 100 * (1 - rate / quiet[round])));
}

function looking(name: string, view: LookingResult["view"]): Goal {
  const measure = ({ looking }: Results) => lookingCost(looking, view);
  const bounds = { goal: LOOKING_GOAL, floor: LOOKING_FLOOR, atMost: true, fullOnly: true } as const;
  return { name: `rate that ${name} costs`, ...bounds, unit: "%", measure };
}

function training(workload: WorkloadName, peers: Peers, goal: number, floor: number): Goal {
  const name = `${workload}, to the best ${peers === "any" ? "peer on any backend" : "WebGPU peer"}`;
  return { name, goal, floor, unit: "x", measure: (results) => trainingRatio(results.training, workload, peers) };
}

function none(name: string, count: (costs: NonNullable<TrainingResult["costs"]>) => number): Goal {
  const measure = ({ training }: Results) => {
    const costs = training.flatMap(({ costs }) => costs ?? []);
    return costs.length > 0 ? Math.max(...costs.map(count)) : NaN;
  };
  return { name, goal: 0, floor: 0, atMost: true, unit: "", measure };
}
