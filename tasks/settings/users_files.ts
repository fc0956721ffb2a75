/** Files that users name: where they are, and how they are written. */

import { dirname, resolve } from "node:path";
import { writeFully } from "../../lib/base/files.ts";

/** A path from the folder that the user was in: `deno task` changes to the project's, and keeps the name of the other. */
export function fromUsersFolder<T extends string | undefined>(path: T): T | string {
  const folder = Deno.env.get("INIT_CWD");
  return path === undefined || !folder || folder === Deno.cwd() ? path : resolve(folder, path);
}

/** Writes a file that appears under its name only when it is whole. */
export async function writeAside<T>(
  path: string,
  write: (sink: (piece: string | Uint8Array) => Promise<void>) => Promise<T>,
): Promise<T> {
  // The name is this process's own, so that two that write to one path do not mix: the last one's file stays.
  const partial = `${path}.${Deno.pid}.partial`;
  // The system would tell only after everything is written.
  if (await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false)) {
    throw new Deno.errors.IsADirectory(`Cannot write ${path}: it is a folder`);
  }
  try {
    using file = await create(partial, path);
    const result = await write((piece) =>
      writeFully(file, typeof piece === "string" ? new TextEncoder().encode(piece) : piece)
    );
    await Deno.rename(partial, path);
    return result;
  } catch (error) {
    await Deno.remove(partial).catch(() => {}); // the first error is the one to report
    throw error;
  }
}

async function create(partial: string, path: string): Promise<Deno.FsFile> {
  try {
    await Deno.remove(partial).catch(() => {}); // opening says what is wrong
    // Never opens what is there: it may be a link to another file.
    return await Deno.open(partial, { write: true, createNew: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot write ${path}: there is no folder ${dirname(path)}`, { cause: error });
  }
}
