/** What is written must not be what is read. */

import { basename, dirname } from "node:path";
import { csvPaths, isTableName } from "../../lib/data/csv_files.ts";
import { ConfigError } from "../settings/config.ts";
import { isPipeOrDevice } from "../settings/users_files.ts";

/** A flag and its path. */
type Named = readonly [flag: string, path: string];

/**
 * Refuses to write over what is read.
 *
 * @throws {ConfigError} If the output is the input, or would be a file of its folder.
 */
export async function checkOutput([reads, input]: Named, [writes, output]: Named): Promise<void> {
  if (await isPipeOrDevice(output)) return;
  for (const path of input === "-" ? [] : await csvPaths(input)) {
    if (!await isSameFile(path, output)) continue;
    throw new ConfigError([`${writes} ${output} is the same file as ${reads} ${path}: give it another name`]);
  }
  if (isTableName(basename(output)) && await isSameFile(input, dirname(output))) {
    throw new ConfigError([`${writes} ${output} would be a file of the table in ${reads} ${input}: put it elsewhere`]);
  }
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  try {
    return await Deno.realPath(a) === await Deno.realPath(b);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
