/**
 * Predicts with a trained run, in the units of the data or as classes. Rows from the command line or a table are answered as
 * CSV, rows in JSON as JSON lines.
 *
 *   deno task predict 12.5 -40
 *   deno task predict --run-name cars year=1982 fuel=diesel
 *   deno task predict --run-name cars --row '{"year": 1982, "fuel": "diesel"}'
 *   deno task predict --input new.csv --output predicted.csv
 *   deno task predict --run-name cars --input - < rows.jsonl
 */

import { main } from "./predict/predict_run.ts";
import { runTask } from "./settings/run_task.ts";

if (import.meta.main) await runTask("predict", main);
