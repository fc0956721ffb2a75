/** Files that users name: where they are, and how they are written. */

import { dirname, resolve } from "node:path";
import { writeFully } from "../../lib/base/files.ts";

/** Takes pieces of what is written. */
type Sink = (piece: string | Uint8Array) => Promise<void>;

/** This process' own streams. By these names Deno opens them only for tasks that may do everything. */
const STREAMS = new Map<string, typeof Deno.stdout>([
  ["/dev/stdout", Deno.stdout],
  ["/dev/fd/1", Deno.stdout],
  ["/proc/self/fd/1", Deno.stdout],
  ["/dev/stderr", Deno.stderr],
  ["/dev/fd/2", Deno.stderr],
  ["/proc/self/fd/2", Deno.stderr],
]);

/** The folder that the user was in: `deno task` changes to the project's, and keeps the name of the other. */
export function usersFolder(): string {
  return Deno.env.get("INIT_CWD") || Deno.cwd();
}

/** A path from the folder that the user was in. */
export function fromUsersFolder<T extends string | undefined>(path: T): T | string {
  return path === undefined || usersFolder() === Deno.cwd() ? path : resolve(usersFolder(), path);
}

/** The stream of this process that a path names, such as /dev/stdout. */
export function streamAt(path: string): typeof Deno.stdout | undefined {
  return STREAMS.get(resolve(path));
}

/** Says that a file is written: on stdout, unless that is the file. */
export function tellWritten(path: string, text: string): void {
  const tell = streamAt(path) === Deno.stdout ? console.error : console.log;
  tell(text);
}

/** Whether a path leads to a pipe or a device, which takes bytes and holds none. */
export async function isPipeOrDevice(path: string): Promise<boolean> {
  const there = streamAt(path) ? undefined : await lookAt(path);
  return streamAt(path) !== undefined || there?.isFifo === true || there?.isCharDevice === true;
}

/**
 * Writes a file that appears under its name only when it is whole, with the mode and, where the system lets it, the owner of
 * the file that it replaces. A link is replaced, too. Pipes and devices are written to.
 *
 * @param path The file.
 * @param write Writes the pieces.
 */
export async function writeAside<T>(path: string, write: (sink: Sink) => Promise<T>): Promise<T> {
  const stream = streamAt(path);
  if (stream) return await write(sinkTo(stream));
  const there = await lookAt(path);
  // The system would tell only after everything is written.
  if (there?.isDirectory) throw new Deno.errors.IsADirectory(`Cannot write ${path}: it is a folder`);
  if (there && await isPipeOrDevice(path)) {
    using file = await naming(path, () => Deno.open(path, { write: true }));
    return await write(sinkTo(file));
  }
  // The name is this process's own, so that two that write to one path do not mix: the last one's file stays.
  const partial = `${path}.${Deno.pid}.partial`;
  try {
    using file = await naming(path, () => create(partial, path));
    const result = await write(sinkTo(file));
    if (there?.isFile) await keepOwner(partial, there);
    await naming(path, () => Deno.rename(partial, path));
    return result;
  } catch (error) {
    await Deno.remove(partial).catch(() => {}); // the first error is the one to report
    throw error;
  }
}

function sinkTo(file: Pick<Deno.FsFile, "write">): Sink {
  return (piece) => writeFully(file, typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
}

/** What is at a path; a link is not followed, as a run from elsewhere may hold some. */
async function lookAt(path: string): Promise<Deno.FileInfo | undefined> {
  return await Deno.lstat(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }).then((found) => found?.isSymlink ? undefined : found);
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

/** Gives a new file the owner and the mode of the one that it replaces. */
async function keepOwner(partial: string, { mode, uid, gid }: Deno.FileInfo): Promise<void> {
  if (Deno.build.os === "windows" || mode === null) return;
  const own = await Deno.stat(partial);
  // Only an administrator may give files away, and not every disk has modes: the file counts more than they do.
  if (own.uid !== uid || own.gid !== gid) await Deno.chown(partial, uid, gid).catch(() => {});
  await Deno.chmod(partial, mode & 0o777).catch(() => {});
}

/**
 * Does work that writes a file, and names the file if the system refuses.
 *
 * @throws {Deno.errors.PermissionDenied} If it is not allowed to write there, or the disk is read-only.
 */
export async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const [reason] = error.message.split(/: (?:open|mkdir|rename) '/);
    throw new Deno.errors.PermissionDenied(`Cannot write ${path}: ${reason}`, { cause: error });
  }
}

/** Whether the system does not let this process write: Deno has no class of error for a disk that is read-only. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Deno.errors.PermissionDenied ||
    error instanceof Error && error.message.includes("(os error 30)") && Deno.build.os !== "windows";
}
