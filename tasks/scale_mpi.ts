/**
 * Splits and scales a dataset as scale does, on the ranks of an MPI job that see the same folder:
 *
 *   mpirun -n 4 deno task scale-mpi --recipe cubic
 *   mpirun -n 4 deno task scale-mpi --data houses.csv --target price
 */

import { runRanks } from "./mpi/run_ranks.ts";
import { main } from "./prepare/scale_recipe.ts";

if (import.meta.main) await runRanks("scale-mpi", (config, { communicator }) => main(config, communicator));
