/**
 * Measures how good the answers are that `train` gives with its defaults: trains real tables with several seeds, and holds each
 * to a limit.
 *
 *     deno task quality [--tables A,B] [--seeds N] [--set "members=1,dropout=0"] [--folder F] [--output G] [--json]
 *
 * Tables go to stdout, progress to stderr. The exit code is 1 if a training fails or an error is over its limit.
 */

import { resolve } from "node:path";
import { interruptWorkers } from "./bench/processes.ts";
import { measure, type Measuring, type Result } from "./quality/measure.ts";
import { type QualityOptions, readOptions } from "./quality/options.ts";
import { faultsOf, formatResults } from "./quality/results.ts";
import { folderTables, npmTables, type Table } from "./quality/tables.ts";
import { ConfigError } from "./settings/config.ts";
import { describeError } from "./settings/run_task.ts";
import { fromUsersFolder } from "./settings/users_files.ts";

const USAGE = `deno task quality [flags]: trains real tables with the defaults, and holds their errors to limits

  --tables A,B  only these tables
  --seeds N     seeds 1 to N, each with another split of the rows (3; with --folder 1)
  --set TEXT    other settings than the defaults of train, such as "members=1,dropout=0"
  --folder F    the tables of folder F instead: each a folder with train, val and test.csv or .csv.gz, and target y
  --output G    with --folder: predictions of the test rows as G/TABLE.csv; of seed 2 as G/seed_2/TABLE.csv, and so on
  --json        print the results as JSON
  --help        print this`;

/** Measures in a folder of its own, and removes it. */
async function quality(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  const place = await Deno.makeTempDir({ prefix: "backhand_quality_" });
  Deno.addSignalListener("SIGINT", interruptWorkers);
  try {
    const tables = await openTables(options, place);
    const results: Result[] = [];
    const faults: string[] = [];
    for (const table of tables) {
      for (let seed = 1; seed <= options.seeds; seed++) {
        const where = `${table.name}, seed ${seed}`;
        try {
          const result = await measure(table, seed, measuringOf(options, place, seed));
          results.push(result);
          console.error(`${where}: error ${result.errors.error.toFixed(4)}, ${result.seconds.toFixed(1)} s`);
        } catch (error) {
          if (error instanceof Deno.errors.Interrupted) throw error;
          faults.push(`${where}: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
    faults.push(...faultsOf(results));
    console.log(options.json ? JSON.stringify({ results, faults }, null, 2) : formatResults(results));
    for (const fault of faults) console.error(`error: ${fault}`);
    return faults.length > 0 ? 1 : 0;
  } finally {
    Deno.removeSignalListener("SIGINT", interruptWorkers);
    await Deno.remove(place, { recursive: true });
  }
}

/** The tables that are asked for, as files. */
async function openTables({ folder, tables }: QualityOptions, place: string): Promise<readonly Table[]> {
  if (folder === undefined) return await npmTables(place, tables);
  const all = await folderTables(resolve(fromUsersFolder(folder)));
  const unknown = tables.filter((name) => all.every((table) => table.name !== name));
  if (unknown.length > 0) {
    const there = all.map(({ name }) => name).join(", ");
    throw new ConfigError(unknown.map((name) => `--tables: ${folder} has no table ${name}; it has ${there}`));
  }
  return all.filter(({ name }) => tables.length === 0 || tables.includes(name));
}

function measuringOf({ set, output }: QualityOptions, folder: string, seed: number): Measuring {
  if (output === undefined) return { folder, set };
  const named = resolve(fromUsersFolder(output));
  return { folder, set, output: seed === 1 ? named : `${named}/seed_${seed}` };
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  try {
    return await quality(args);
  } catch (error) {
    if (error instanceof Deno.errors.Interrupted) return 130;
    console.error(describeError("quality", error));
    return error instanceof ConfigError ? 2 : 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
