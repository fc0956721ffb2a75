/**
 * Makes a recipe's dataset, data/<recipe>.csv, and next to it a note of what made it.
 *
 *   deno task gen-data --recipe cubic --num-dataset 100000 --noise 0 --seed 42
 */

import { main } from "./prepare/generate.ts";
import { runTask } from "./settings/run_task.ts";

if (import.meta.main) await runTask("gen-data", main);
