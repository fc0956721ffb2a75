/**
 * Explains a trained run: which columns matter, what it predicts by them, and whether one gives the target away.
 *
 *   deno task explain
 *   deno task explain cars
 *   deno task explain cars --json
 */

import { main } from "./explain/explain_run.ts";
import { runTask } from "./settings/run_task.ts";

if (import.meta.main) await runTask("explain", main);
