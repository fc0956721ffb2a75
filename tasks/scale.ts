/**
 * Splits and scales data/<recipe>.csv into data/<recipe>.scaled.safetensors, and prints the columns before and after.
 *
 *   deno task scale --recipe cubic --scaling-method standardize --split 0.8,0.1,0.1 --seed 42
 *   deno task scale --data houses.csv --target price
 */

import { main } from "./prepare/scale.ts";
import { runTask } from "./settings/run_task.ts";

if (import.meta.main) await runTask("scale", main);
