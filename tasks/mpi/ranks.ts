/** What the ranks of one training tell each other beside their gradients: that all are there, that all want the same. */

import { ALONE, type Communicator } from "../../lib/ranks/communicator.ts";
import { RankFault, shareText, together } from "../../lib/ranks/together.ts";
import type { Model } from "../../lib/core/model.ts";
import { VERSION } from "../../lib/base/version.ts";
import { ConfigError } from "../settings/config.ts";
import type { GpuOfRank } from "./gpu_of_rank.ts";
import type { Mailbox } from "./mailbox.ts";

/** Milliseconds for which NFS, as it is usually set, may believe that there is no such file. */
const LATEST_FILE = 60_000;

/** Milliseconds between two looks for a file. */
const LOOK_AGAIN = 100;

/** The processes of one training, as one of them sees it. */
export interface Ranks {
  readonly communicator: Communicator;
  /** Messages to single ranks; one process by itself has none. */
  readonly mailbox?: Mailbox;
  /** This machine's name. */
  readonly host: string;
  /** Which of the ranks on this machine this is, from 0; one process by itself is none. */
  readonly localRank?: number;
  /** What was found out about this rank's GPU; undefined where nobody looked. */
  readonly gpu?: GpuOfRank;
  /** Threads that a software adapter may take; undefined for all cores. */
  readonly threads?: number;
  /** How the task is started, to be told to users. */
  readonly command: string;
}

/** One process by itself. */
export const NO_RANKS: Ranks = { communicator: ALONE, host: "", command: "deno task train" };

/** What a task exits with by an error. */
export function exitCodeBy(error: unknown): 1 | 2 {
  return error instanceof ConfigError || (error instanceof RankFault && error.kind === "ConfigError") ? 2 : 1;
}

/**
 * Does something on rank 0 alone.
 *
 * @throws As {@linkcode together}.
 */
export async function onFirst<T>(communicator: Communicator, work: () => Promise<T> | T): Promise<T | undefined> {
  return await together(communicator, () => communicator.rank === 0 ? work() : undefined);
}

/** Gives all ranks a value of rank 0 that JSON can tell. */
export async function shareValue<T>(communicator: Communicator, value: T): Promise<T> {
  const text = await shareText(communicator, JSON.stringify(value));
  return communicator.rank === 0 ? value : JSON.parse(text);
}

/**
 * Does something on rank 0 alone, and gives all ranks what came of it.
 *
 * @throws As {@linkcode together}.
 */
export async function fromFirst<T>(communicator: Communicator, work: () => Promise<T> | T): Promise<T> {
  return await shareValue(communicator, await onFirst(communicator, work) as T);
}

/**
 * Opens, at every rank, what rank 0 has written. A network file system may show it late on other hosts: they wait a while.
 *
 * @throws As {@linkcode together}; where a rank does not see the file, the message says what that means.
 */
export async function openWritten<T>(
  communicator: Communicator,
  open: () => Promise<T>,
  patience: number = LATEST_FILE,
): Promise<T> {
  const until = performance.now() + patience;
  return await together(communicator, async () => {
    for (;;) {
      try {
        return await open();
      } catch (error) {
        if (communicator.rank === 0 || !(error instanceof Deno.errors.NotFound)) throw error;
        if (performance.now() < until) {
          await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
          continue;
        }
        error.message +=
          `; rank 0 has it, and this rank has not seen it for ${patience / 1000} s: all ranks need the ` +
          "same data folder, and where a network file system shows files later still, start again";
        throw error;
      }
    }
  });
}

/**
 * Refuses ranks that want different things, as they do where hosts have other .env files, or are of other versions.
 *
 * @throws {ConfigError} On the first rank that differs from rank 0, with all that does; elsewhere {@linkcode RankFault}.
 */
export async function checkSame(
  communicator: Communicator,
  facts: Readonly<Record<string, string>>,
): Promise<void> {
  const own: Readonly<Record<string, string>> = { ...facts, "version of Backhand": VERSION };
  const first = await shareValue(communicator, own);
  await together(communicator, () => {
    const differing = [...new Set([...Object.keys(first), ...Object.keys(own)])].filter((name) =>
      own[name] !== first[name]
    );
    const faults = differing.map((name) => {
      const [here, there] = [own[name], first[name]].map((text) => text === undefined ? "none" : JSON.stringify(text));
      return `${name} is ${here} on rank ${communicator.rank}, and ${there} on rank 0: all ranks need the same`;
    });
    if (faults.length > 0) throw new ConfigError(faults);
  });
}

/**
 * Gives all ranks the parameters of rank 0, and makes sure that they have them.
 *
 * @throws {Error} If a rank has others all the same; elsewhere {@linkcode RankFault}.
 */
export async function shareWeights(communicator: Communicator, { values }: Model): Promise<void> {
  const numbers = await values.read() as Float32Array<ArrayBuffer>;
  await communicator.broadcast(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  values.write(numbers);
  await checkWeights(communicator, values);
}

/**
 * Makes sure that all ranks have the same parameters, bit for bit.
 *
 * @throws {Error} If they have not; elsewhere {@linkcode RankFault}.
 */
export async function checkWeights(communicator: Communicator, values: Model["values"]): Promise<void> {
  const numbers = await values.read() as Float32Array<ArrayBuffer>;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", numbers));
  const low = Float64Array.from(hash);
  const high = Float64Array.from(hash);
  await communicator.allReduce(low, "min");
  await communicator.allReduce(high, "max");
  await together(communicator, () => {
    if (low.every((byte, i) => byte === high[i])) return;
    throw new Error("The ranks have different weights, which must never be: `deno task doctor` checks each machine");
  });
}

/** Gives all ranks a checkpoint that rank 0 has read. */
export async function shareCheckpoint<T extends SharedCheckpoint>(
  communicator: Communicator,
  checkpoint: T | undefined,
): Promise<T | undefined> {
  if (communicator.size === 1) return checkpoint;
  const { tensors = {}, losses = new Float32Array(), ...rest } = checkpoint?.state ?? {};
  const shapes = Object.entries(tensors).map(([name, { shape, data }]) => ({ name, shape, length: data.length }));
  const told = checkpoint ? { ...checkpoint, state: rest, shapes, count: losses.length } : null;
  const head = await shareValue(communicator, told);
  if (!head) return undefined;
  const all = new Float32Array(head.shapes.reduce((sum, { length }) => sum + length, head.count));
  if (communicator.rank === 0) placeAll(all, [losses, ...Object.values(tensors).map(({ data }) => data)]);
  await communicator.broadcast(new Uint8Array(all.buffer));
  if (communicator.rank === 0) return checkpoint;
  let at = head.count;
  const shared = Object.fromEntries(head.shapes.map(({ name, shape, length }) => {
    at += length;
    return [name, { shape, data: all.slice(at - length, at) }];
  }));
  const { shapes: _, count, ...others } = head;
  return { ...others, state: { ...others.state, losses: all.slice(0, count), tensors: shared } } as unknown as T;
}

/** What of a checkpoint is more than JSON can tell. */
interface SharedCheckpoint {
  readonly state: {
    readonly losses: Float32Array<ArrayBuffer>;
    readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number> }>>;
  };
}

function placeAll(target: Float32Array, parts: readonly ArrayLike<number>[]): void {
  let at = 0;
  for (const part of parts) {
    target.set(part, at);
    at += part.length;
  }
}
