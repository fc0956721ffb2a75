/** What this project's speed is held to, and how the results compare with it. */

import { isGolden } from "./golden.ts";
import { formatSize } from "./products.ts";
import {
  type Implementation,
  type LookingResult,
  median,
  nameOf,
  type NativeName,
  type ProductResult,
} from "./results.ts";
import type { Results, TrainingResult, WholeRun } from "./results.ts";
import type { WorkloadName } from "./workloads.ts";

interface Goal {
  name: string;
  /** What is to be reached: at least, or with `atMost` at most. */
  goal: number;
  /** What every run is held to: half of the goal where that makes sense. */
  floor?: number;
  atMost?: true;
  /** Whether a quick run is too short for the goal, and is held to the floor only. */
  fullOnly?: true;
  unit: "x" | "" | "s" | "bytes" | "%";
  /** Undefined if the run does not measure it; NaN if it should have, and there is no valid result. */
  measure: (results: Results) => number | undefined;
}

/** With whom this project is compared: the best of some peers in JavaScript, or a native peer. */
export type Peers = "webgpu" | "javascript" | NativeName;

/** Who these peers are, for a table. */
export function namePeers(peers: Peers): string {
  if (peers === "webgpu") return "the best WebGPU peer";
  return peers === "javascript" ? "the best JavaScript peer" : peers;
}

/** By how much the heap of JavaScript grows and shrinks. */
const FLAT_BYTES = 32 * 2 ** 20;

/**
 * What watching may cost, in per cent of the steps per second, where each view trains for 20 seconds a round. In a few seconds
 * the start of a view shows, which happens once in a run: runs of 4 seconds were 7 to 14 % slower, runs of 20 and 31 seconds
 * not at all. The speed of equal runs drifts by a tenth within minutes, so each round is compared with its own quiet run, and
 * the median counts.
 */
const LOOKING_GOAL = 3;

/** The bound for every run. A quick one trains for less than a second a round, and on busy cores equal runs differ by half. */
const LOOKING_FLOOR = 60;

/** All goals, for the software adapter. Those that need a native peer have no floor: it may not be there. */
export const GOALS: readonly Goal[] = [
  training("seed", "javascript", 2, 1),
  training("seed", "webgpu", 30, 15),
  training("hand", "webgpu", 1, 0.5),
  {
    name: "hand, to TensorFlow.js",
    goal: 10,
    floor: 5,
    unit: "x",
    measure: ({ training }) => trainingRatio(training.filter(({ name }) => name !== "jaxjs"), "hand", "webgpu"),
  },
  training("wide", "webgpu", 4, 2),
  training("wide", "javascript", 1, 0.5),
  training("deep", "webgpu", 3, 1.5),
  training("deep", "javascript", 1, 0.5),
  native("seed", "burn ndarray", 1),
  native("wide", "candle cpu", 1),
  native("deep", "candle cpu", 1),
  native("wide", "torch hand", 0.5),
  native("deep", "torch hand", 0.5),
  {
    name: "matrix product 1024, to the best WebGPU peer",
    goal: 3.5,
    floor: 1.75,
    unit: "x",
    measure: ({ products }) => productRatio(products, "1024", "webgpu"),
  },
  {
    name: "matrix product 1024, to the adapter's multiply-adds",
    goal: 0.5,
    unit: "x",
    measure: ({ products, limits }) => {
      const own = products.find((row) => row.name === "backhand" && formatSize(row.size) === "1024" && row.error <= 1);
      return own ? own.gflops / limits.fmaGflops : NaN;
    },
  },
  none("allocations a step", ({ allocations }) => allocations),
  none("bind groups a step", ({ bindGroups }) => bindGroups),
  none("waits a step", ({ waits }) => waits),
  growth("GPU bytes more after 100,000 steps", "bytes", 0, 0),
  growth("resident bytes more after 100,000 steps", "resident", FLAT_BYTES, 2 * FLAT_BYTES),
  {
    name: "first steps after the start of the process",
    goal: 1.5,
    atMost: true,
    unit: "s",
    measure: ({ firstStep }) => firstStep.length > 0 ? median(firstStep) : NaN,
  },
  {
    name: "train with all defaults, time to scikit-learn's",
    goal: 2,
    atMost: true,
    unit: "x",
    measure: ({ wholeRun }) => wholeRun && wholeRunRatio(wholeRun),
  },
  looking("the terminal view", "terminal"),
  looking("the live page", "live"),
  looking("a page that never reads", "stalled", false),
];

export interface Standing extends Goal {
  value: number | undefined;
  /** Undefined if a run is too short for the goal. */
  isMet: boolean | undefined;
  /** False if the value is below the floor, or missing though it should be there. */
  holdsFloor: boolean;
}

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

/** This project's speed over that of the fastest of these peers. */
export function ratio<T extends Implementation>(rows: readonly T[], peers: Peers, speedOf: (row: T) => number): number {
  const own = rows.find(({ name }) => name === "backhand");
  const speeds = rows
    .filter((row) => row.name !== "backhand" && isAmong(row, peers)).map(speedOf);
  return own && speeds.length > 0 ? speedOf(own) / Math.max(...speeds) : NaN;
}

function isAmong(row: Implementation, peers: Peers): boolean {
  if (peers === "webgpu") return row.backend === "webgpu";
  return peers === "javascript" ? row.name === "tfjs" || row.name === "jaxjs" : nameOf(row) === peers;
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

/** What a view costs, in per cent of the steps per second. */
export function lookingCost(results: readonly LookingResult[], view: LookingResult["view"]): number {
  const roundsOf = (view: string) => results.find((result) => result.view === view)?.rounds ?? [];
  const quiet = roundsOf("quiet");
  const own = roundsOf(view);
  if (own.length === 0 || own.length !== quiet.length) return NaN;
  return median(own.map((rate, round) => 100 * (1 - rate / quiet[round])));
}

/** How many times as long as scikit-learn's a whole run takes. Each is compared with that of its own round. */
export function wholeRunRatio({ own, sklearn }: WholeRun): number {
  return median(own.map((seconds, round) => seconds / sklearn[round]));
}

function looking(name: string, view: LookingResult["view"], isQuick = true): Goal {
  const measure = ({ looking, quick }: Results) => quick && !isQuick ? undefined : lookingCost(looking, view);
  const bounds = { goal: LOOKING_GOAL, floor: LOOKING_FLOOR, atMost: true, fullOnly: true } as const;
  return { name: `speed that ${name} costs`, ...bounds, unit: "%", measure };
}

function growth(name: string, what: "bytes" | "resident", goal: number, floor: number): Goal {
  const measure = ({ endurance, quick }: Results) =>
    quick ? undefined : endurance ? Math.max(0, endurance.after[what] - endurance.before[what]) : NaN;
  return { name, goal, floor, atMost: true, unit: "bytes", measure };
}

function training(workload: WorkloadName, peers: Peers, goal: number, floor?: number): Goal {
  const name = `${workload}, to ${namePeers(peers)}`;
  return { name, goal, floor, unit: "x", measure: (results) => trainingRatio(results.training, workload, peers) };
}

/** Not measured where the peer is not there. */
function native(workload: WorkloadName, peer: NativeName, goal: number): Goal {
  const { measure, ...rest } = training(workload, peer, goal);
  const isThere = ({ training }: Results) => training.some((row) => nameOf(row) === peer);
  return { ...rest, measure: (results) => isThere(results) ? measure(results) : undefined };
}

function none(name: string, count: (costs: NonNullable<TrainingResult["costs"]>) => number): Goal {
  const measure = ({ training }: Results) => {
    const costs = training.flatMap(({ costs }) => costs ?? []);
    return costs.length > 0 ? Math.max(...costs.map(count)) : NaN;
  };
  return { name, goal: 0, floor: 0, atMost: true, unit: "", measure };
}
