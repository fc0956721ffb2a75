/**
 * Trains as train does, on the ranks of an MPI job. Each rank takes its share of every batch, and a GPU of its own if its
 * machine has several:
 *
 *   mpirun -n 4 deno task train-mpi --recipe cubic --batch-size 4000
 *   mpirun -n 4 deno task train-mpi --data houses.csv --target price --sync-every 16
 */

import { withGpu } from "./mpi/rank_devices.ts";
import { runRanks } from "./mpi/run_ranks.ts";
import { trainRanks } from "./mpi/train_ranks.ts";
import { readTrainConfig } from "./training/resume.ts";

if (import.meta.main) {
  await runRanks("train-mpi", (config, ranks) => trainRanks(config, withGpu(ranks)), readTrainConfig);
}
