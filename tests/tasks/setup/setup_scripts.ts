/** How tests run the scripts of setup that look for one program. */

import { pathInProject } from "../../support/run_task_process.ts";

/** The environment in which they install nothing. */
export const CHECKING = { NO_SETUP: "1" };

/** Arguments of deno. */
export function scriptOf(name: "chromium" | "open_mpi"): string[] {
  const permissions = ["--no-prompt", "--allow-read", "--allow-env", "--allow-run", "--allow-sys=uid"];
  return ["run", "--no-lock", "--quiet", ...permissions, pathInProject(`tasks/setup/${name}.ts`)];
}
