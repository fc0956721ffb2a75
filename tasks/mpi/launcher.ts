/** What started this process as one of many, as far as its environment tells. */

/** Where each says which one it is: mpirun, also within a job of Slurm; PMIx, by which srun makes ranks; srun itself. */
const PLACES = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_PROCID"];

/** Whether this process is the first of those that its launcher has started, before MPI is there to be asked. */
export function isFirst(env: Pick<Deno.Env, "get"> = Deno.env): boolean {
  const place = PLACES.map((name) => env.get(name)).find((value) => value !== undefined);
  return place === undefined || place === "0";
}

/** How a task is started on so many ranks, by the launcher that started this one. */
export function launchCommand(size: number, env: Pick<Deno.Env, "get"> = Deno.env): string {
  const isSrun = env.get("OMPI_COMM_WORLD_RANK") === undefined && env.get("SLURM_PROCID") !== undefined;
  return isSrun ? `srun --mpi=pmix -n ${size}` : `mpirun -n ${size}`;
}
