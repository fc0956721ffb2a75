/**
 * Locks between processes: files in data/.locks/ that are never removed. The system frees a lock when its process ends, in
 * whatever way. So a lock that a dead process left is free at once.
 */

import { resolve } from "node:path";
import { ConfigError } from "../settings/config.ts";
import { DATA_FOLDER } from "../settings/data_folder.ts";
import { parseObject } from "./dataset_files.ts";
import { isRefusal, naming } from "../settings/users_files.ts";
import { warnLine } from "../settings/lines.ts";

const LOCK_FOLDER = `${DATA_FOLDER}/.locks`;

/** Milliseconds between two tries for a lock that another process holds. */
const TRY_AGAIN = 50;

/** Milliseconds to wait for a process that may be about to end: mpirun returns before all its ranks are gone. */
const ENDING = 2_000;

/** Longest name that is written out: a file's name may have 255 bytes. */
const MAX_NAME = 200;

/** What is locked: a run that is trained, a search, a dataset's files, the files of an export. */
type LockKind = "run" | "search" | "dataset" | "export";

/** Tells the user something. */
type Tell = (text: string) => void;

/** Who holds a lock, for messages. */
interface Holder {
  pid: number;
  /** When it was taken, as ISO text. */
  since: string;
  /** What is done under it, to follow "which". */
  doing: string;
}

/**
 * Locks a run for training.
 *
 * @throws {ConfigError} If another process trains under this name and does not end soon.
 */
export async function lockRun(runName: string, tell?: Tell): Promise<Disposable> {
  return await lockOrRefuse("run", runName, "a training", tell);
}

/**
 * Locks the name of a search.
 *
 * @throws {ConfigError} If another process searches under this name and does not end soon.
 */
export async function lockSearch(runName: string): Promise<Disposable> {
  return await lockOrRefuse("search", runName, "a search");
}

/** Locks the CSV file and the scaled file of a dataset. Waits while another process has them, and says so once. */
export async function lockDataset(name: string, doing: string, tell?: Tell): Promise<Disposable> {
  return await lockOrWait("dataset", name, doing, tell);
}

/** Locks the files of an export, which belong together. Waits while another process writes them, and says so once. */
export async function lockExport(path: string): Promise<Disposable> {
  return await lockOrWait("export", resolve(path), `writes ${path}`);
}

/**
 * Takes a lock if it is free, until it is disposed of. On a file system that has no locks it says so, and continues without:
 * users must be able to train there, too.
 */
export async function takeLock(
  kind: LockKind,
  name: string,
  doing: string,
  tell: Tell = warnLine,
): Promise<Disposable | undefined> {
  const path = await lockPath(kind, name);
  let file: Deno.FsFile;
  try {
    file = await naming(LOCK_FOLDER, () => openLock(path));
  } catch (error) {
    // Of all that is locked, only exports may be written elsewhere.
    if (kind !== "export" || !isRefusal(error)) throw error;
    tell(`note: ${error.message}; so a second export could write the same files`);
    return { [Symbol.dispose]: () => {} };
  }
  try {
    if (!await file.tryLock(true)) {
      file.close();
      return undefined;
    }
  } catch (error) {
    const { message } = error as Error;
    tell(`note: ${path} cannot be locked (${message}): a second process could write the same files`);
  }
  const holder: Holder = { pid: Deno.pid, since: new Date().toISOString(), doing };
  try {
    await file.truncate();
    await file.write(new TextEncoder().encode(JSON.stringify(holder)));
  } catch {
    // A full disk. The lock holds, and others speak of "another process".
  }
  return { [Symbol.dispose]: () => free(file) };
}

async function openLock(path: string): Promise<Deno.FsFile> {
  await Deno.mkdir(LOCK_FOLDER, { recursive: true });
  return await Deno.open(path, { read: true, write: true, create: true });
}

function free(file: Deno.FsFile): void {
  try {
    file.truncateSync();
  } catch {
    // The note is only for messages.
  }
  file.close();
}

async function lockOrWait(
  kind: LockKind,
  name: string,
  doing: string,
  tell: Tell = warnLine,
): Promise<Disposable> {
  for (let isTold = false;; isTold = true) {
    const lock = await takeLock(kind, name, doing, tell);
    if (lock) return lock;
    if (!isTold) {
      const holder = await readHolder(kind, name);
      tell(`waiting for ${holder ? `process ${holder.pid}, which ${holder.doing}` : `another process`}`);
    }
    await wait();
  }
}

async function lockOrRefuse(kind: LockKind, runName: string, what: string, tell?: Tell): Promise<Disposable> {
  for (const end = performance.now() + ENDING; performance.now() < end; await wait()) {
    const lock = await takeLock(kind, runName, "", tell);
    if (lock) return lock;
  }
  const holder = await readHolder(kind, runName);
  const who = holder ? ` (process ${holder.pid}, since ${timeOf(holder.since)})` : "";
  throw new ConfigError([
    `RUN_NAME is "${runName}": ${what} with this name is running${who}: wait for it, or choose another name`,
  ]);
}

function wait(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, TRY_AGAIN));
}

/** Who holds a lock; undefined if the note cannot be read, as on Windows, which locks reading too. */
async function readHolder(kind: LockKind, name: string): Promise<Holder | undefined> {
  const holder = parseObject(await Deno.readTextFile(await lockPath(kind, name)).catch(() => ""));
  return typeof holder?.pid === "number" && typeof holder.since === "string" && typeof holder.doing === "string"
    ? holder as unknown as Holder
    : undefined;
}

/** A path that no other lock has, whatever the name holds. */
async function lockPath(kind: LockKind, name: string): Promise<string> {
  const safe = encodeURIComponent(name.toWellFormed()).replaceAll("*", "%2A");
  if (safe.length <= MAX_NAME) return `${LOCK_FOLDER}/${kind}.${safe}.lock`;
  // A name that is written out holds no "=".
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  return `${LOCK_FOLDER}/${kind}.=${new Uint8Array(hash).toHex()}.lock`;
}

/** The time of day, and the date if it is not today. */
function timeOf(iso: string): string {
  const time = new Date(iso);
  const two = (number: number) => `${number}`.padStart(2, "0");
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}`;
  if (time.toDateString() === new Date().toDateString()) return clock;
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock}`;
}
