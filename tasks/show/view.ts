/** How a run is shown: all that train prints goes through one view. */

import type { Progress } from "./progress.ts";
import type { Spectator } from "./spectator.ts";

/** The contents of summary.json, and the run's folder. */
export type RunSummary = Record<"steps" | "seconds" | "stepsPerSecond", number> & { readonly run: string };

/** Where a run that was asked to end has been saved. */
export interface RunStop {
  readonly run: string;
  readonly step: number;
  /** The command that continues it. */
  readonly resume: string;
}

/** Shows a run: the stages before it, its training, and its results. */
export interface View extends Required<Omit<Spectator, "layers">> {
  /** Shows how far a job before training has come. */
  job(label: string): Progress;
  /** The end of a run that is done, for programs and for people. */
  summary(summary: RunSummary, text: string): void;
  /** The end of a run that was asked to end, for programs and for people. */
  stopped(stop: RunStop, text: string): void;
}
