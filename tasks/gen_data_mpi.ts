/**
 * Makes a recipe's dataset as gen-data does, on the ranks of an MPI job that see the same folder:
 *
 *   mpirun -n 4 deno task gen-data-mpi --recipe cubic --num-dataset 100000000
 */

import { main } from "./prepare/generate.ts";
import { runRanks } from "./mpi/run_ranks.ts";

if (import.meta.main) await runRanks("gen-data-mpi", (config, { communicator }) => main(config, communicator));
