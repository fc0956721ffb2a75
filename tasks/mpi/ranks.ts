/** What ranks agree on: settings, and what rank 0 does for all. */

import { VERSION } from "../../lib/base/version.ts";
import type { Communicator } from "../../lib/ranks/communicator.ts";
import { shareText, together } from "../../lib/ranks/together.ts";
import { ConfigError } from "../settings/config.ts";
import type { GpuOfRank } from "./gpu_of_rank.ts";
import type { Mailbox } from "./mailbox.ts";

/** Milliseconds between two signs of life of rank 0. */
const SIGN_OF_LIFE = 500;

/** The processes of one job, as one of them sees it. */
export interface Ranks {
  readonly communicator: Communicator;
  readonly mailbox: Mailbox;
  readonly host: string;
  /** Which of the ranks on this machine this is, from 0. */
  readonly localRank: number;
  /** What was found out about this rank's GPU; undefined before anybody looked. */
  readonly gpu?: GpuOfRank;
  /** Threads that a software adapter may take; undefined for all cores. */
  readonly threads?: number;
  /** How the task is started, to be told to users. */
  readonly command: string;
}

/**
 * Does something on rank 0 while the others wait, however long it takes: twice a second rank 0 broadcasts that it still works,
 * so none of these calls comes near RANK_TIMEOUT. A rank 0 that hangs sends nothing, and is noticed as in any other call.
 *
 * @throws As {@linkcode together}.
 */
export async function onFirst<T>(communicator: Communicator, work: () => Promise<T> | T): Promise<T | undefined> {
  const isDone = new Uint8Array(1);
  if (communicator.rank > 0) {
    while (isDone[0] === 0) await communicator.broadcast(isDone);
    return await together(communicator, () => undefined);
  }
  const working = (async () => await work())();
  const over = working.then(() => 1, () => 1);
  while (isDone[0] === 0) {
    const pause = Promise.withResolvers<number>();
    const timer = setTimeout(() => pause.resolve(0), SIGN_OF_LIFE);
    isDone[0] = await Promise.race([over, pause.promise]);
    clearTimeout(timer);
    await communicator.broadcast(isDone);
  }
  return await together(communicator, () => working);
}

/** Gives all ranks a value of rank 0 that JSON can hold. */
export async function shareValue<T>(communicator: Communicator, value: T): Promise<T> {
  const text = await shareText(communicator, JSON.stringify(value));
  return communicator.rank === 0 ? value : JSON.parse(text);
}

/**
 * Does something on rank 0, and gives all ranks the result.
 *
 * @throws As {@linkcode together}.
 */
export async function fromFirst<T>(communicator: Communicator, work: () => Promise<T> | T): Promise<T> {
  return await shareValue(communicator, await onFirst(communicator, work) as T);
}

/**
 * Refuses ranks that differ, because hosts have other .env files, other versions or other data.
 *
 * @throws {ConfigError} On the first rank that differs from rank 0, with everything that does; elsewhere {@linkcode RankFault}.
 */
export async function checkSame(
  communicator: Communicator,
  facts: Readonly<Record<string, string>>,
): Promise<void> {
  const own: Readonly<Record<string, string>> = { ...facts, "version of Backhand": VERSION };
  const first = await shareValue(communicator, own);
  await together(communicator, () => {
    const names = new Set([...Object.keys(first), ...Object.keys(own)]);
    const show = (text: string | undefined) => text === undefined ? "none" : JSON.stringify(text);
    const faults = [...names].filter((name) => own[name] !== first[name]).map((name) =>
      `${name} is ${show(own[name])} on rank ${communicator.rank}, and ${show(first[name])} on rank 0: ` +
      "all ranks need the same"
    );
    if (faults.length > 0) throw new ConfigError(faults);
  });
}
