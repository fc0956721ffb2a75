/** What a task writes must be neither what it reads nor a file that belongs to a run. */

import { basename, dirname, isAbsolute, relative, resolve } from "node:path";
import { DataError } from "../../lib/base/errors.ts";
import { csvPaths, isTableName } from "../../lib/data/csv_files.ts";
import { csvPath, parseObject } from "../prepare/dataset_files.ts";
import { ConfigError, type RecipeName } from "../settings/config.ts";
import { DATA_FOLDER } from "../settings/data_folder.ts";
import { RECIPES } from "../settings/recipes.ts";
import { fromUsersFolder, isPipeOrDevice } from "../settings/users_files.ts";
import { RunFolder } from "./folder.ts";

/** A flag or setting and its path. */
type Named = readonly [name: string, path: string];

/** What else is known of an output. */
interface OutputUse {
  /** The table that the task reads. */
  readonly reads?: Named;
  /** How the name of a file ends that may lie in a run's folder; none may if it is left out. */
  readonly ending?: string;
}

/**
 * Refuses to write over a table that is read, over the tables that the run was trained on, and over files of any run.
 *
 * @param runName The run that is used.
 * @param written The flag that names the output, and its path.
 * @param use The table that is read, and what may lie in a run's folder.
 * @throws {ConfigError} If the output is one of these files, or would be a file of a table's folder.
 */
export async function checkOutput(runName: string, written: Named, { reads, ending }: OutputUse = {}): Promise<void> {
  const [flag, output] = written;
  if (await isPipeOrDevice(output)) return;
  if (reads && reads[1] !== "-") await checkTable(reads, written, await csvPaths(reads[1]));
  for (const table of await tablesOfRun(runName)) await checkTable(table, written, await filesOf(table[1]));
  if (!await isInRun(output) || (ending !== undefined && output.endsWith(ending))) return;
  const allowed = ending === undefined ? "" : ` and files that end in ${ending}`;
  const problem = `${flag} ${output} is in the folder of a run, which holds the run's own files${allowed}`;
  throw new ConfigError([`${problem}: put it elsewhere`]);
}

async function checkTable([name, table]: Named, [flag, output]: Named, files: readonly string[]): Promise<void> {
  for (const file of files) {
    if (!await isSameFile(file, output)) continue;
    throw new ConfigError([`${flag} ${output} is the same file as ${name} ${file}: give it another name`]);
  }
  if (isTableName(basename(output)) && await isSameFile(table, dirname(output))) {
    throw new ConfigError([`${flag} ${output} would be a file of the table in ${name} ${table}: put it elsewhere`]);
  }
}

/** The tables that a run was trained on, as far as its files say. Reading the run tells what is wrong with them. */
async function tablesOfRun(runName: string): Promise<Named[]> {
  const { path } = new RunFolder(runName);
  const config = await readObject(`${path}/config.json`);
  const { folder } = await readObject(`${path}/origin.json`);
  const tables: Named[] = [];
  for (const key of ["DATA", "VALIDATION", "TEST"]) {
    const table = config[key];
    if (typeof table !== "string" || table === "") continue;
    // The run may have moved together with its tables.
    const places = new Set([fromUsersFolder(table), ...(typeof folder === "string" ? [resolve(folder, table)] : [])]);
    for (const place of places) tables.push([`the run's ${key}`, place]);
  }
  if (tables.length === 0 && `${config.RECIPE}` in RECIPES) {
    tables.push(["the run's table", csvPath(config.RECIPE as RecipeName)]);
  }
  return tables;
}

async function readObject(path: string): Promise<Record<string, unknown>> {
  try {
    return parseObject(await Deno.readTextFile(path)) ?? {};
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

/** The files of a table; none if it is gone, or is no table any more. */
async function filesOf(table: string): Promise<string[]> {
  try {
    return await csvPaths(table);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof DataError) return [];
    throw error;
  }
}

/** Whether a path lies in the folder of a run, whatever links lead there. */
async function isInRun(path: string): Promise<boolean> {
  const runs = await realPathOf(`${DATA_FOLDER}/runs`);
  const folder = await realPathOf(dirname(path));
  if (runs === undefined || folder === undefined) return false;
  const way = relative(runs, folder);
  return way !== "" && !isAbsolute(way) && way.split(/[/\\]/)[0] !== "..";
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const real = await realPathOf(a);
  return real !== undefined && real === await realPathOf(b);
}

/** A path without links; undefined if nothing is there, or Deno opens it for nobody: then writing says so. */
async function realPathOf(path: string): Promise<string | undefined> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
    const isOfSystem = error instanceof Deno.errors.NotCapable && error.message.includes("--allow-all");
    if (isMissing || isOfSystem) return undefined;
    throw error;
  }
}
