/**
 * Trains a network on a table of your own or on a recipe's dataset, which is prepared first if needed. The run is written to
 * data/runs/<run-name>/.
 *
 *   deno task train
 *   deno task train --data houses.csv --target price
 *   deno task train --recipe xor --hidden-size 3 --seed 7 --run-name narrow
 *   deno task train --resume narrow
 *
 * On a terminal it draws a picture; elsewhere it prints lines (tasks/show/create_view.ts).
 */

import { runTask } from "./settings/run_task.ts";
import { readTrainConfig } from "./training/resume.ts";
import { train } from "./training/train_run.ts";
import { endOfSearch, threadsOfTrial } from "./tune/trial_environment.ts";

if (import.meta.main) {
  const start = () => ({ command: "deno task train", threads: threadsOfTrial(), searchEnd: endOfSearch() });
  await runTask("train", (config) => train(config, start()), readTrainConfig);
}
