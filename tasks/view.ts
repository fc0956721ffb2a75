/** How a run is shown: all that train says goes through one view. */

import { ConfigError, type TaskConfig } from "./config.ts";
import { JsonView } from "./json_view.ts";
import { PlainView } from "./plain_view.ts";
import type { Progress } from "./progress.ts";
import { QuietView } from "./quiet_view.ts";
import { stderrScreen } from "./screen.ts";
import type { Spectator } from "./spectator.ts";
import { TerminalView } from "./terminal_view.ts";

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
export interface View extends Required<Spectator> {
  /** Shows how far a job before training has come. */
  job(label: string): Progress;
  /** The last of a run that is over, for programs and for people. */
  summary(summary: RunSummary, text: string): void;
  /** The last of a run that was asked to end, for programs and for people. */
  stopped(stop: RunStop, text: string): void;
}

/**
 * The view that was asked for, or that fits where stdout and stderr go.
 *
 * @param config The settings; --quiet and --json count.
 * @returns The view.
 * @throws {ConfigError} If both were asked for.
 */
export function createView({ extras }: Pick<TaskConfig, "extras">): View {
  const isQuiet = extras.QUIET === "true", isJson = extras.JSON === "true";
  if (isQuiet && isJson) throw new ConfigError(["--quiet prints nothing, --json all that happens: take one of them"]);
  if (isQuiet) return new QuietView();
  if (isJson) return new JsonView();
  const screen = stderrScreen();
  return screen.isTerminal ? new TerminalView(screen) : new PlainView(screen);
}
