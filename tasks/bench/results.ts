/** What the workers find and the bench collects. */

import type { WorkloadName } from "./workloads.ts";

export interface Implementation {
  /** "backhand" is this project; the others are its peers. */
  name: "backhand" | "tfjs" | "jaxjs" | "torch" | "burn" | "candle";
  /** What it computes with; for PyTorch, which is on the CPU, how it gets the gradients. */
  backend: "webgpu" | "wasm" | "cpu" | "hand" | "eager" | "ndarray";
}

/** The native peers, which are on the CPU. */
export const NATIVES = [
  { name: "torch", backend: "hand" },
  { name: "torch", backend: "eager" },
  { name: "burn", backend: "ndarray" },
  { name: "candle", backend: "cpu" },
] as const satisfies readonly Implementation[];

export type NativeName = `${typeof NATIVES[number]["name"]} ${typeof NATIVES[number]["backend"]}`;

/** An implementation's name in tables. */
export function nameOf({ name, backend }: Implementation): string {
  return name === "backhand" ? name : `${name} ${backend}`;
}

export interface TrainingResult extends Implementation {
  workload: WorkloadName;
  stepsPerSecond: number;
  rounds: number[];
  /** Steps after which it was checked. */
  checkedSteps: number;
  /** Loss of the first batch after them, in float64. */
  loss: number;
  /** Peak resident memory of its process, in bytes; unknown of native peers. */
  peakBytes?: number;
  costs?: StepCosts;
}

/** What a step costs besides time, without the reads of losses, which need one wait and one buffer each. */
export interface StepCosts {
  dispatches: number;
  allocations: number;
  bindGroups: number;
  waits: number;
  /** Reads of losses. */
  reads: number;
}

export interface ProductResult extends Implementation {
  /** m, k, n: a [m, k] times b [k, n]. */
  size: readonly [number, number, number];
  /** 10^9 additions and multiplications per second, median over the rounds. */
  gflops: number;
  /** Largest error of the checked outputs over the bound on rounding errors; above 1 it is wrong. */
  error: number;
}

export interface LimitsResult {
  device: string;
  software: boolean;
  /** 10^9 additions and multiplications per second, in registers. */
  fmaGflops: number;
  /** 10^9 bytes per second copied from buffer to buffer. */
  copyGigabytes: number;
}

/** What a process holds before and after many steps. */
export interface EnduranceResult {
  steps: number;
  before: Held;
  after: Held;
}

/** GPU buffers, their bytes, and resident bytes of the process. */
export interface Held {
  buffers: number;
  bytes: number;
  resident: number;
}

export interface DataResult {
  stage: "gen-data" | "scale";
  rows: number;
  rowsPerSecond: number;
  /** Peak resident memory of its process, in bytes. */
  peakBytes: number;
}

/** Training that is watched, or not. */
export interface LookingResult {
  /** Nothing printed; a terminal of 80 columns; a page that reads all it is sent; a page that never reads. */
  view: "quiet" | "terminal" | "live" | "stalled";
  rounds: number[];
}

/** `train` with all defaults on a small table, and scikit-learn with as many hidden units, epochs and rows a batch. */
export interface WholeRun {
  /** Seconds from the start of the process to its end, round by round. */
  own: number[];
  sklearn: number[];
  /** What the run made of its defaults. */
  epochs: number;
  members: number;
}

export interface Failure {
  worker: string;
  message: string;
}

export interface Results {
  /** When it began, ISO 8601. */
  date: string;
  quick: boolean;
  /** Of this project, of Deno and of each peer, by name. */
  versions: Record<string, string>;
  cores: number;
  limits: LimitsResult;
  training: TrainingResult[];
  products: ProductResult[];
  /** Seconds from the start of the process to its first training steps, each time. */
  firstStep: number[];
  looking: LookingResult[];
  /** Not with --quick; nor are data. */
  endurance?: EnduranceResult;
  data?: DataResult[];
  /** Only in a full run, where `python3` has scikit-learn. */
  wholeRun?: WholeRun;
  /** Native peers that are not on this machine, a line each. */
  missing: string[];
  failures: Failure[];
}

/** The middle one; of an even number, the upper of the two in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
