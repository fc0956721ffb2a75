/** What shows a run: all that train says goes through one view. */

import type { Progress } from "./progress.ts";
import type { Spectator } from "./spectator.ts";

/** What is in summary.json, and the run's folder. */
export type RunSummary = Record<"steps" | "seconds" | "stepsPerSecond", number> & { readonly run: string };

/** Where a run that was asked to end is kept. */
export interface RunStop {
  readonly run: string;
  readonly step: number;
  /** The command that goes on with it. */
  readonly resume: string;
}

/** Shows a run: the stages before it, its training, and what came of it. */
export interface View extends Required<Omit<Spectator, "layers">> {
  /** Shows how far a job before training has come. */
  job(label: string): Progress;
  /** The last of a run that is over, for programs and for people. */
  summary(summary: RunSummary, text: string): void;
  /** The last of a run that was asked to end, for programs and for people. */
  stopped(stop: RunStop, text: string): void;
}
