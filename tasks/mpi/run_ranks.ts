/** Runs a task on the ranks of an MPI job: one of them tells what is wrong, and all end. */

import { Mpi } from "../../lib/ranks/mpi.ts";
import { isToldToAll, RankFault, together } from "../../lib/ranks/together.ts";
import { readConfig, type TaskConfig, type TaskName } from "../settings/config.ts";
import { isFirst, launchCommand } from "./launcher.ts";
import { exitCodeBy, type Ranks } from "./ranks.ts";
import { describeError, exitCodeOf } from "../settings/run_task.ts";

/** Milliseconds that ranks leave to the first one, which may be about to tell the same. */
const PRECEDENCE = 1_000;

/** Milliseconds in which the launcher passes on what was said. */
const PASSING_ON = 100;

/** Runs a task's main function on every rank and ends the process, as `runTask` does for one. */
export async function runRanks(
  name: TaskName,
  main: (config: TaskConfig, ranks: Ranks) => Promise<number | void>,
  read: typeof readConfig = readConfig,
): Promise<never> {
  if (Deno.args.includes("--help") || Deno.args.includes("-h")) {
    // The launcher would show it once for each rank.
    Deno.exit(isFirst() ? await exitCodeOf(name, Deno.args, () => Promise.resolve(), read) : 0);
  }
  let settings: { config: TaskConfig } | { error: unknown };
  try {
    settings = { config: read(name, Deno.args) };
  } catch (error) {
    settings = { error };
  }
  const timeoutSeconds = "config" in settings ? settings.config.rankTimeout : undefined;
  const mpi = await Mpi.open({ timeoutSeconds }).catch((error): never => {
    console.error(describeError(name, error));
    Deno.exit(1);
  });
  Deno.exit(await runRank(name, mpi, settings, main));
}

async function runRank(
  name: TaskName,
  mpi: Mpi,
  settings: { config: TaskConfig } | { error: unknown },
  main: (config: TaskConfig, ranks: Ranks) => Promise<number | void>,
): Promise<number> {
  const place = mpi.rank > 0 ? `rank ${mpi.rank} of ${mpi.size} on ${mpi.host}: ` : "";
  const tell = (error: unknown) => console.error(describeError(name, error).replace(/^(error: )?/, `$1${place}`));
  try {
    const config = await together(mpi, () => {
      if ("error" in settings) throw settings.error;
      return settings.config;
    });
    const code = await main(config, ranksOf(name, mpi)) ?? 0;
    await mpi.close();
    return code;
  } catch (error) {
    if (isToldToAll(error) || mpi.size === 1) {
      if (!(error instanceof RankFault)) tell(error);
      await mpi.close();
      return exitCodeBy(error);
    }
    // The others do not know, and wait for this rank; or all have failed alike, and the first one tells it.
    if (mpi.rank > 0) await new Promise((resolve) => setTimeout(resolve, PRECEDENCE));
    tell(error);
    await new Promise((resolve) => setTimeout(resolve, PASSING_ON));
    return await mpi.abort(exitCodeBy(error));
  }
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
