/**
 * The files of a table: one, or all that lie in a folder.
 *
 * @module
 */

import { DataError } from "../base/errors.ts";

/** How the names of a folder's tables end. */
const ENDINGS = "*.csv, *.tsv, *.jsonl, *.ndjson, each also with .gz, or *.parquet";

/** Whether a file of that name, without its folder's, is one of the folder's table. */
export function isTableName(name: string): boolean {
  return /^[^.].*\.((csv|tsv|jsonl|ndjson)(\.gz)?|parquet)$/is.test(name);
}

/**
 * The files of a table: one, or those in a folder whose names end in .csv, .tsv, .jsonl or .ndjson, each also with .gz, or in
 * .parquet, in the order of their names' UTF-16 code units. Folders in it, other files, and names that begin with a dot are
 * skipped.
 *
 * @throws {Deno.errors.NotFound} If it is a folder without such a file.
 * @throws {DataError} If it is a pipe, a device or a socket.
 */
export async function csvPaths(path: string): Promise<string[]> {
  const found = await statOf(path);
  // Opening a path that leads nowhere says so.
  if (!found || found.isFile) return [path];
  if (!found.isDirectory) throw isPipe(path);
  const names: string[] = [];
  for await (const { name, isFile, isSymlink } of Deno.readDir(path)) {
    if (!isTableName(name)) continue;
    // A link that leads nowhere stays in the list, so that opening it says so.
    const isLinked = isSymlink && await Deno.stat(`${path}/${name}`).then((found) => found.isFile, () => true);
    if (isFile || isLinked) names.push(name);
  }
  if (names.length > 0) return names.sort().map((name) => `${path.replace(/\/+$/, "")}/${name}`);
  throw new Deno.errors.NotFound(
    `Cannot read ${path}: it is a folder without tables (${ENDINGS}); put the files of the table directly into it`,
  );
}

/** What is at a path; undefined where opening it says what is wrong. */
async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    // Deno wants all permissions for the paths of pipes and devices, such as /dev/stdin and what <(...) stands for.
    if (error instanceof Deno.errors.NotCapable && error.message.includes("--allow-all")) {
      throw path.startsWith("/dev/shm/") ? error : isPipe(path, error);
    }
    return undefined;
  }
}

function isPipe(file: string, cause?: Error): DataError {
  const problem = "it is a pipe or a device, which can be read only once: write it to a file first, and name that file";
  return new DataError(problem, { file }, { cause });
}
