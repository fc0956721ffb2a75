/**
 * Searches as tune does, on the ranks of an MPI job: a rank that is free takes the next trial and trains it by itself. The
 * first rank keeps the list, prints, and works, too.
 *
 *   mpirun -n 4 deno task tune-mpi --trials 20 --learning-rate 1e-4..1e-1:log --hidden-size "32|64|128,64"
 *
 * A trial's folder stays on the machine of its rank; its results travel in a message.
 */

import { withGpu } from "./mpi/rank_devices.ts";
import { runRanks } from "./mpi/run_ranks.ts";
import { readConfig } from "./settings/config.ts";
import { tune } from "./tune/tune_ranks.ts";
import { splitRanges } from "./tune/trials.ts";

if (import.meta.main) {
  await runRanks(
    "tune-mpi",
    (config, ranks) => tune(config, withGpu(ranks)),
    (name, args) => readConfig(name, splitRanges(args).plain),
  );
}
