/** The folder of everything that the tasks make. */

import { DataError } from "../../lib/base/errors.ts";

export const DATA_FOLDER = "data";

/**
 * Looks whether the folder can be used. It may be missing, or a link to a folder elsewhere.
 *
 * @throws {DataError} If it is a file, or a link that leads nowhere; the same of data/runs.
 */
export function checkDataFolder(): void {
  for (const file of [DATA_FOLDER, `${DATA_FOLDER}/runs`]) {
    const found = look(() => Deno.lstatSync(file));
    if (!found) return;
    const is = found.isSymlink ? `this is a link to ${Deno.readLinkSync(file)}` : "this is";
    const there = look(() => Deno.statSync(file));
    if (there?.isDirectory) continue;
    if (there) {
      throw new DataError(`${is}${found.isSymlink ? ", " : " "}a file, and must be a folder: move it away`, { file });
    }
    throw new DataError(`${is}, where no folder is: make that folder, or remove the link`, { file });
  }
}

/** What is there, if anything is. */
function look(see: () => Deno.FileInfo): Deno.FileInfo | undefined {
  try {
    return see();
  } catch (error) {
    // A link that leads to itself is one of the errors for which Deno has no class.
    if (error instanceof Deno.errors.NotFound || `${error}`.includes("levels of symbolic links")) return undefined;
    throw error;
  }
}
