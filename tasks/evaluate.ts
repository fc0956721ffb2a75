/**
 * Measures a trained run on new rows whose target is known, next to the baseline: the training rows' mean or majority class.
 *
 *   deno task evaluate --data new.csv
 *   deno task evaluate --data new.csv --run-name cars --json
 */

import { main } from "./predict/evaluate_run.ts";
import { runTask } from "./settings/run_task.ts";

if (import.meta.main) await runTask("evaluate", main);
