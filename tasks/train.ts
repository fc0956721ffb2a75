/**
 * Trains a network on a table of your own or on a recipe's dataset, prepared first where needed, and keeps it in
 * data/runs/<run-name>/.
 *
 *   deno task train
 *   deno task train --data houses.csv --target price
 *   deno task train --recipe xor --hidden-size 3 --seed 7 --run-name narrow
 *   deno task train --resume narrow
 *
 * What is printed hangs on where it goes: a picture that is redrawn on a terminal, lines elsewhere; see tasks/show/create_view.ts.
 */

import { NO_RANKS } from "./mpi/ranks.ts";
import { runTask } from "./settings/run_task.ts";
import { readTrainConfig } from "./training/resume.ts";
import { train } from "./training/train_run.ts";
import { threadsOfTrial } from "./tune/trial_environment.ts";

if (import.meta.main) {
  await runTask("train", (config) => train(config, { ...NO_RANKS, threads: threadsOfTrial() }), readTrainConfig);
}
