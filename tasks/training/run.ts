/** A run, with all that belongs to it. */

import type { LiveServer } from "../live/server.ts";
import type { Origin, RunFiles } from "../runs/checkpoints.ts";
import type { TaskConfig } from "../settings/config.ts";
import type { RunView } from "../show/view.ts";
import type { RunState } from "./run_state.ts";
import type { StopSignal } from "./stop_signal.ts";
import type { Training } from "./training.ts";

export interface Run extends RunFiles {
  readonly config: TaskConfig;
  readonly view: RunView;
  /** The live page, if it is served. */
  readonly live?: LiveServer;
  readonly signal: StopSignal;
  readonly training: Training;
  readonly state: RunState;
  readonly origin: Origin;
  /** The command that starts such a run; messages tell it. */
  readonly command: string;
}
