/** Chooses how a run is shown. */

import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { JsonView } from "./json_view.ts";
import { PlainView, QuietView } from "./plain_view.ts";
import { stderrScreen } from "./screen.ts";
import { TerminalView } from "./terminal_view.ts";
import type { RunView } from "./view.ts";

/** The view that was asked for, or the one that suits stdout and stderr. */
export function createView({ extras }: Pick<TaskConfig, "extras">): RunView {
  const isQuiet = extras.QUIET === "true";
  const isJson = extras.JSON === "true";
  if (isQuiet && isJson) throw new ConfigError(["--quiet and --json exclude each other: give one of them"]);
  if (isQuiet) return new QuietView();
  if (isJson) return new JsonView();
  const screen = stderrScreen();
  return screen.isTerminal ? new TerminalView(screen) : new PlainView(screen);
}
