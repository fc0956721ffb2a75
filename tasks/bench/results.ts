/** What the workers find and the bench collects. */

import type { WorkloadName } from "./workloads.ts";

/** Who was measured. */
export interface Implementation {
  /** "backhand" is this project; the others are its peers. */
  name: "backhand" | "tfjs" | "jaxjs";
  backend: "webgpu" | "wasm" | "cpu";
}

/** An implementation's name in tables. */
export function nameOf({ name, backend }: Implementation): string {
  return name === "backhand" ? name : `${name} ${backend}`;
}

/** Training steps of one implementation on one workload. */
export interface TrainingResult extends Implementation {
  workload: WorkloadName;
  /** Median over the rounds. */
  stepsPerSecond: number;
  /** Steps per second of each round. */
  rounds: number[];
  /** Steps after which it was checked. */
  checkedSteps: number;
  /** Loss of the first batch after them, in float64. */
  loss: number;
  /** Peak resident memory of its process, in bytes. */
  peakBytes: number;
  /** This project alone. */
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

/** Matrix products of one implementation at one size. */
export interface ProductResult extends Implementation {
  /** m, k, n: a [m, k] times b [k, n]. */
  size: readonly [number, number, number];
  /** 10^9 additions and multiplications per second, median over the rounds. */
  gflops: number;
  /** Largest error of the checked outputs over the bound on rounding errors; above 1 it is wrong. */
  error: number;
}

/** What the adapter can do at best. */
export interface LimitsResult {
  device: string;
  /** Whether it is a software adapter. */
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

/** A stage of making data. */
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
  /** Steps per second of each round. */
  rounds: number[];
}

/** A worker that gave no result. */
export interface Failure {
  worker: string;
  message: string;
}

/** All of one run. */
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
  failures: Failure[];
}

/** The middle one; of an even number, the upper of the two in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
