/** Runs a task on the ranks of an MPI job: one of them says what is wrong, and all end. */

import { Mpi } from "../../lib/ranks/mpi.ts";
import { isToldToAll, RankFault, together } from "../../lib/ranks/together.ts";
import { warnLine } from "../settings/lines.ts";
import { ConfigError, readConfig, type TaskConfig, type TaskName } from "../settings/config.ts";
import { checkDataFolder } from "../settings/data_folder.ts";
import { describeError, exitCodeOf } from "../settings/run_task.ts";
import type { Ranks } from "./ranks.ts";

/** Milliseconds that ranks wait for rank 0, which may be about to say the same. */
const PRECEDENCE = 3_000;

/** Milliseconds that the launcher has to pass on what was printed. */
const PASSING_ON = 100;

/** Where each launcher tells a process its number: mpirun, also within a job of Slurm; PMIx, by which srun makes ranks; srun. */
const PLACES = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_PROCID"];

/** Whether this process is the first one that its launcher has started; MPI can only be asked later. */
export function isFirst(env: Pick<Deno.Env, "get"> = Deno.env): boolean {
  const place = PLACES.map((name) => env.get(name)).find((value) => value !== undefined);
  return place === undefined || place === "0";
}

/** How a task is started on so many ranks, with the launcher that started this one. */
export function launchCommand(size: number, env: Pick<Deno.Env, "get"> = Deno.env): string {
  const isSrun = env.get("OMPI_COMM_WORLD_RANK") === undefined && env.get("SLURM_PROCID") !== undefined;
  return isSrun ? `srun --mpi=pmix -n ${size}` : `mpirun -n ${size}`;
}

/** Runs a task's main function on every rank and ends the process, as `runTask` does for one process. */
export async function runRanks(
  name: TaskName,
  main: (config: TaskConfig, ranks: Ranks) => Promise<number | void>,
  read: typeof readConfig = readConfig,
): Promise<never> {
  if (Deno.args.includes("--help") || Deno.args.includes("-h")) {
    // Else it would appear once for each rank.
    Deno.exit(isFirst() ? await exitCodeOf(name, Deno.args, () => Promise.resolve(), read) : 0);
  }
  let config: TaskConfig | undefined;
  let fault: unknown;
  try {
    checkDataFolder();
    config = read(name, Deno.args);
  } catch (error) {
    fault = error;
  }
  const settings = () => {
    if (config) return config;
    throw fault;
  };
  const timeoutSeconds = config?.rankTimeout;
  const mpi = await Mpi.open({ timeoutSeconds }).catch((error): never => {
    warnLine(describeError(name, error));
    Deno.exit(1);
  });
  Deno.exit(await runRank(name, mpi, settings, main));
}

async function runRank(
  name: TaskName,
  mpi: Mpi,
  settings: () => TaskConfig,
  main: (config: TaskConfig, ranks: Ranks) => Promise<number | void>,
): Promise<number> {
  const place = mpi.rank > 0 ? `rank ${mpi.rank} of ${mpi.size} on ${mpi.host}: ` : "";
  const tell = (error: unknown) => warnLine(describeError(name, error).replace(/^(error: )?/, `$1${place}`));
  try {
    const config = await together(mpi, settings);
    const code = await main(config, ranksOf(name, mpi)) ?? 0;
    await mpi.close();
    return code;
  } catch (error) {
    if (isToldToAll(error) || mpi.size === 1) {
      if (!(error instanceof RankFault)) tell(error);
      await mpi.close();
      return exitCodeBy(error);
    }
    // The others do not know, and wait for this rank; or all have failed alike, and rank 0 says it.
    if (mpi.rank > 0) await new Promise((resolve) => setTimeout(resolve, PRECEDENCE));
    tell(error);
    await new Promise((resolve) => setTimeout(resolve, PASSING_ON));
    return await mpi.abort(exitCodeBy(error));
  }
}

function exitCodeBy(error: unknown): 1 | 2 {
  return error instanceof ConfigError || (error instanceof RankFault && error.kind === "ConfigError") ? 2 : 1;
}

function ranksOf(name: TaskName, mpi: Mpi): Ranks {
  const { host, localRank, localSize, size } = mpi;
  return {
    communicator: mpi,
    mailbox: mpi,
    host,
    localRank,
    threads: localSize > 1 ? Math.max(1, Math.floor(navigator.hardwareConcurrency / localSize)) : undefined,
    command: size > 1 ? `${launchCommand(size)} deno task ${name}` : `deno task ${name}`,
  };
}
