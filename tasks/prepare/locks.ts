/**
 * Locks between processes: files in data/.locks/ that are never removed, locked by the system, which frees them when a
 * process ends in any way. So a lock that a dead process left is free at once.
 */

import { resolve } from "node:path";
import { ConfigError } from "../settings/config.ts";
import { DATA_FOLDER, parseObject } from "./dataset_files.ts";

/** The folder of the locks. */
export const LOCK_FOLDER = `${DATA_FOLDER}/.locks`;

/** Milliseconds between two looks at a lock that another process holds. */
const LOOK_AGAIN = 50;

/** Milliseconds for which a process that holds a lock may be about to end: mpirun returns before all its ranks are gone. */
const ENDING = 2_000;

/** Longest name that is written out: a file's may have 255 bytes. */
const MAX_NAME = 200;

/** What is locked: a run that is trained, a search, a dataset's files, the files of an export. */
type LockKind = "run" | "search" | "dataset" | "export";

/** Tells the user something. */
type Tell = (text: string) => void;

/** Who holds a lock. */
interface Holder {
  pid: number;
  /** When it was taken, as ISO text. */
  since: string;
  /** What is done under it, as of "which ...". */
  doing: string;
}

/** A lock that this process holds until it is disposed of. */
export class Lock implements Disposable {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Takes a lock if it is free. On a file system that has no locks this says so, and goes on without: whoever trains there
   * must not be kept from it.
   */
  static async take(
    kind: LockKind,
    name: string,
    doing: string,
    tell: Tell = console.error,
  ): Promise<Lock | undefined> {
    await Deno.mkdir(LOCK_FOLDER, { recursive: true });
    const path = await lockPath(kind, name);
    const lock = new Lock(await Deno.open(path, { read: true, write: true, create: true }));
    try {
      if (!await lock.#file.tryLock(true)) {
        lock.#file.close();
        return undefined;
      }
    } catch (error) {
      const { message } = error as Error;
      tell(`note: ${path} cannot be locked (${message}): nothing keeps a second process from the same files`);
    }
    await lock.#note({ pid: Deno.pid, since: new Date().toISOString(), doing });
    return lock;
  }

  /** Sets the lock free. */
  [Symbol.dispose](): void {
    try {
      this.#file.truncateSync();
    } catch {
      // The note is only for messages.
    }
    this.#file.close();
  }

  /** Notes the holder for others to read; a full disk may keep it out, and the lock still holds. */
  async #note(holder: Holder): Promise<void> {
    try {
      await this.#file.truncate();
      await this.#file.write(new TextEncoder().encode(JSON.stringify(holder)));
    } catch {
      // Others then speak of "another process".
    }
  }
}

/**
 * Locks a run for training.
 *
 * @throws {ConfigError} If another process trains under this name, and goes on to do so.
 */
export async function lockRun(runName: string, tell?: Tell): Promise<Lock> {
  return await lockOrRefuse("run", runName, "a training", tell);
}

/**
 * Locks the name of a search.
 *
 * @throws {ConfigError} If another process searches under this name, and goes on to do so.
 */
export async function lockSearch(runName: string): Promise<Lock> {
  return await lockOrRefuse("search", runName, "a search");
}

/**
 * Locks the files of a dataset, its CSV file and the scaled one, for whoever writes or scales them. Waits while another
 * process has them, and says so once.
 */
export async function lockDataset(name: string, doing: string, tell?: Tell): Promise<Lock> {
  return await lockOrWait("dataset", name, doing, tell);
}

/** Locks the files of an export, which belong together. Waits while another process writes them, and says so once. */
export async function lockExport(path: string): Promise<Lock> {
  return await lockOrWait("export", resolve(path), `writes ${path}`);
}

async function lockOrWait(kind: LockKind, name: string, doing: string, tell: Tell = console.error): Promise<Lock> {
  for (let isTold = false;; isTold = true) {
    const lock = await Lock.take(kind, name, doing, tell);
    if (lock) return lock;
    if (!isTold) {
      const holder = await readHolder(kind, name);
      tell(`waiting for ${holder ? `process ${holder.pid}, which ${holder.doing}` : `another process`}`);
    }
    await wait();
  }
}

async function lockOrRefuse(kind: LockKind, runName: string, what: string, tell?: Tell): Promise<Lock> {
  for (const end = performance.now() + ENDING; performance.now() < end; await wait()) {
    const lock = await Lock.take(kind, runName, "", tell);
    if (lock) return lock;
  }
  const holder = await readHolder(kind, runName);
  const who = holder ? ` (process ${holder.pid}, since ${timeOf(holder.since)})` : "";
  throw new ConfigError([
    `RUN_NAME is "${runName}": ${what} under this name is under way${who}: wait for it, or choose another name`,
  ]);
}

function wait(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
}

/** The note of whoever holds a lock; undefined where none can be read, as on Windows, which locks reading too. */
async function readHolder(kind: LockKind, name: string): Promise<Holder | undefined> {
  const text = await Deno.readTextFile(await lockPath(kind, name)).catch(() => "");
  const holder = parseObject(text);
  return typeof holder?.pid === "number" && typeof holder.since === "string" && typeof holder.doing === "string"
    ? holder as unknown as Holder
    : undefined;
}

/** A path that no other lock has, whatever the name holds. */
async function lockPath(kind: LockKind, name: string): Promise<string> {
  const safe = encodeURIComponent(name.toWellFormed()).replaceAll("*", "%2A");
  const bytes = new TextEncoder().encode(name);
  // Written out, a name has no "=".
  const short = safe.length <= MAX_NAME
    ? safe
    : `=${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
  return `${LOCK_FOLDER}/${kind}.${short}.lock`;
}

/** The hour, and the day where it was another one. */
function timeOf(iso: string): string {
  const time = new Date(iso);
  const two = (number: number) => `${number}`.padStart(2, "0");
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}`;
  if (time.toDateString() === new Date().toDateString()) return clock;
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock}`;
}
