/** Which workers a run of the bench starts, and what they are asked. */

import { QUICK_SIZES, type Size, SIZES } from "./products.ts";
import type { Native } from "./native/programs.ts";
import type { Implementation, LookingResult } from "./results.ts";
import { CHECKED_STEPS, QUICK_CHECKED_STEPS, type Workload, type WorkloadName, WORKLOADS } from "./workloads.ts";

export interface Contestant extends Implementation {
  script: string;
  /** What its command line begins with. */
  args: readonly string[];
  permissions: readonly string[];
  /** On which workloads; all by default. */
  workloads?: readonly WorkloadName[];
  /** Whether its matrix products are timed. */
  multiplies: boolean;
}

export interface Plan {
  /** How long a round of steps or products lasts, about. */
  seconds: number;
  sizes: readonly Size[];
  /** Steps after which peers are checked; this project always takes all 100. */
  peerCheckedSteps: number;
  /** How often the start of training is timed. */
  starts: number;
  /** How PyTorch gets the gradients. */
  torchModes: readonly ("hand" | "eager")[];
  /** How often a whole run is timed next to scikit-learn's; never in a quick run. */
  wholeRuns: number;
  /** Steps; not in a quick run. */
  endurance?: number;
  /** Which views are timed, quiet first, how often each, and for how many seconds, about. */
  looking: { views: readonly LookingResult["view"][]; rounds: number; seconds: number };
  /** Rows of the large datasets; none in a quick run. */
  rows: readonly number[];
}

/** The full run: about thirteen minutes on two cores. */
export const FULL: Plan = {
  seconds: 2,
  sizes: SIZES,
  peerCheckedSteps: CHECKED_STEPS,
  starts: 3,
  torchModes: ["hand", "eager"],
  wholeRuns: 3,
  endurance: 100_000,
  // The start of a view and of the program that reads it is over after a second or two.
  looking: { views: ["quiet", "terminal", "live", "stalled"], rounds: 3, seconds: 20 },
  rows: [1_000_000, 10_000_000],
};

/** The quick run: a minute. */
export const QUICK: Plan = {
  seconds: 0.4,
  sizes: QUICK_SIZES,
  peerCheckedSteps: QUICK_CHECKED_STEPS,
  starts: 1,
  torchModes: ["hand"], // to load PyTorch takes seconds
  wholeRuns: 0,
  looking: { views: ["quiet", "terminal", "live"], rounds: 3, seconds: 0.4 },
  rows: [],
};

/** All implementations that are always there, this project first. */
export const CONTESTANTS: readonly Contestant[] = [
  {
    name: "backhand",
    backend: "webgpu",
    script: "tasks/bench/backhand.ts",
    args: [],
    // Only drivers read these variables; lib/gpu/adapter.ts sets them.
    permissions: ["--allow-env=XDG_RUNTIME_DIR,LP_NUM_THREADS"],
    multiplies: true,
  },
  peer("tfjs", "webgpu"),
  peer("jaxjs", "webgpu"),
  peer("tfjs", "wasm"),
  peer("jaxjs", "wasm"),
  // Plain JavaScript: the fastest TensorFlow.js where dispatching costs more than computing, and hopeless elsewhere.
  { ...peer("tfjs", "cpu"), multiplies: false, workloads: ["seed"] },
];

/** Who trains what, workload by workload, in turn. */
export function trainings(
  natives: readonly Native[] = [],
): { workload: Workload; contestant: Contestant | Native }[] {
  return WORKLOADS.flatMap((workload) =>
    [...CONTESTANTS.filter(({ workloads }) => workloads?.includes(workload.name) ?? true), ...natives]
      // Step by step is what WebGPU is slow at.
      .filter(({ backend }) => workload.name !== "hand" || backend === "webgpu")
      .map((contestant) => ({ workload, contestant }))
  );
}

/** Peers read the environment to see what they run on, and TensorFlow.js reads its .wasm file from Deno's cache. */
function peer(name: "tfjs" | "jaxjs", backend: Implementation["backend"]): Contestant {
  const permissions = ["--allow-env", "--allow-read"];
  return { name, backend, script: `tasks/bench/${name}.ts`, args: [backend], permissions, multiplies: true };
}
