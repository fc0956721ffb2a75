/** Chooses how a run is shown. */

import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { JsonView } from "./json_view.ts";
import { PlainView } from "./plain_view.ts";
import { QuietView } from "./quiet_view.ts";
import { stderrScreen } from "./screen.ts";
import { TerminalView } from "./terminal_view.ts";
import type { View } from "./view.ts";

/**
 * The view that was asked for, or that fits where stdout and stderr go.
 *
 * @throws {ConfigError} If both were asked for.
 */
export function createView({ extras }: Pick<TaskConfig, "extras">): View {
  const isQuiet = extras.QUIET === "true";
  const isJson = extras.JSON === "true";
  if (isQuiet && isJson) throw new ConfigError(["--quiet prints nothing, --json all that happens: take one of them"]);
  if (isQuiet) return new QuietView();
  if (isJson) return new JsonView();
  const screen = stderrScreen();
  return screen.isTerminal ? new TerminalView(screen) : new PlainView(screen);
}
