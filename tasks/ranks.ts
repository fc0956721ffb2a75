/** What the ranks of one training tell each other beside their gradients: that all are there, that all want the same. */

import { ALONE, type Communicator } from "../lib/communicator.ts";
import { isToldToAll, RankFault } from "../lib/ranks.ts";
import type { Model } from "../lib/model.ts";
import { ConfigError } from "./config.ts";
import type { Mailbox } from "./mailbox.ts";

/** The processes of one training, as one of them sees it. */
export interface Ranks {
  readonly communicator: Communicator;
  /** Messages to single ranks; one process by itself has none. */
  readonly mailbox?: Mailbox;
  /** This machine's name. */
  readonly host: string;
  /** Threads that a software adapter may take; undefined for all cores. */
  readonly threads?: number;
  /** How the task is started, to be told to users. */
  readonly command: string;
}

/** One process by itself. */
export const NO_RANKS: Ranks = { communicator: ALONE, host: "", command: "deno task train" };

/** Another rank has failed, and tells why. */
export class OtherRankFailed extends Error {
  override readonly name = "OtherRankFailed";
  /** What this rank exits with, too. */
  readonly code: number;

  constructor(rank: number, code: number) {
    super(`rank ${rank} has failed`);
    this.code = code;
  }
}

/** Errors of which all ranks know. */
const known = new WeakSet<object>();

/** Whether all ranks know of an error, and are about to end by it. */
export function isKnownToAll(error: unknown): boolean {
  return isOthers(error) || isToldToAll(error) || (error instanceof Error && known.has(error));
}

/** Whether another rank has failed, which tells of it. */
export function isOthers(error: unknown): boolean {
  return error instanceof OtherRankFailed || error instanceof RankFault;
}

/** What a task exits with by an error. */
export function exitCodeBy(error: unknown): 1 | 2 {
  if (error instanceof OtherRankFailed) return error.code === 2 ? 2 : 1;
  return error instanceof ConfigError || (error instanceof RankFault && error.kind === "ConfigError") ? 2 : 1;
}

/** More than there are exit codes. */
const CODES = 4;

/**
 * Does something on every rank, and goes on only where it worked on all.
 *
 * @param ranks The ranks.
 * @param work What this one does; it must not wait for other ranks.
 * @returns What that returns.
 * @throws What it throws, on the first rank on which it does; on the others {@linkcode OtherRankFailed}.
 */
export async function together<T>({ communicator, host }: Ranks, work: () => Promise<T> | T): Promise<T> {
  const { rank, size } = communicator, failed = Float64Array.of(Infinity);
  let done: { value: T } | undefined, error: Error | undefined;
  try {
    done = { value: await work() };
  } catch (thrown) {
    error = thrown instanceof Error ? thrown : new Error(`${thrown}`);
    failed[0] = CODES * rank + exitCodeBy(error);
  }
  await communicator.allReduce(failed, "min");
  if (failed[0] === Infinity) return done!.value;
  const first = Math.floor(failed[0] / CODES);
  if (first !== rank) throw new OtherRankFailed(first, failed[0] % CODES);
  if (rank > 0) error!.message = `rank ${rank} of ${size} on ${host}: ${error!.message}`;
  known.add(error!);
  throw error;
}

/**
 * Does something on rank 0 alone.
 *
 * @param ranks The ranks.
 * @param work What it does; it must not wait for other ranks.
 * @returns What that returns; undefined elsewhere.
 * @throws As {@linkcode together}.
 */
export async function onFirst<T>(ranks: Ranks, work: () => Promise<T> | T): Promise<T | undefined> {
  return await together(ranks, () => ranks.communicator.rank === 0 ? work() : undefined);
}

/**
 * Gives all ranks bytes of rank 0, as many as there are.
 *
 * @param communicator The ranks.
 * @param bytes They; what other ranks have does not count.
 * @returns They.
 */
export async function share(
  communicator: Communicator,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const length = Float64Array.of(bytes.length);
  await communicator.broadcast(new Uint8Array(length.buffer));
  const shared = communicator.rank === 0 ? bytes : new Uint8Array(length[0]);
  await communicator.broadcast(shared);
  return shared;
}

/**
 * Gives all ranks a value of rank 0 that JSON can tell.
 *
 * @param communicator The ranks.
 * @param value It; what other ranks have does not count.
 * @returns It.
 */
export async function shareValue<T>(communicator: Communicator, value: T): Promise<T> {
  const text = communicator.rank === 0 ? JSON.stringify(value) : "";
  const bytes = await share(communicator, new TextEncoder().encode(text));
  return communicator.rank === 0 ? value : JSON.parse(new TextDecoder().decode(bytes));
}

/**
 * Brings a text of each rank to rank 0.
 *
 * @param communicator The ranks.
 * @param text This rank's.
 * @returns Those of all, in order; undefined elsewhere.
 */
export async function gatherTexts(communicator: Communicator, text: string): Promise<string[] | undefined> {
  const all = await communicator.gather(new TextEncoder().encode(text));
  return all?.map((bytes) => new TextDecoder().decode(bytes));
}

/**
 * Refuses ranks that would train something else.
 *
 * @param ranks The ranks.
 * @param facts What has to be the same on all, as texts by name.
 * @throws {ConfigError} On rank 0, with all that differs from its own; elsewhere {@linkcode OtherRankFailed}.
 */
export async function checkSame(ranks: Ranks, facts: Readonly<Record<string, string>>): Promise<void> {
  const all = await gatherTexts(ranks.communicator, JSON.stringify({ host: ranks.host, facts }));
  await onFirst(ranks, () => {
    const others = all!.map((text): { host: string; facts: Record<string, string> } => JSON.parse(text));
    const faults = others.flatMap(({ host, facts: found }, rank) =>
      [...new Set([...Object.keys(facts), ...Object.keys(found)])]
        .filter((name) => facts[name] !== found[name])
        .map((name) => {
          const [here, there] = [facts[name], found[name]].map((text) => JSON.stringify(text ?? "not set"));
          return `rank ${rank} on ${host} has another ${name} than rank 0, ${there} in the place of ${here}: ` +
            "all ranks need the same";
        })
    );
    if (faults.length > 0) throw new ConfigError(faults);
  });
}

/**
 * Gives all ranks the parameters of rank 0, and makes sure that they have them.
 *
 * @param ranks The ranks.
 * @param model This rank's.
 * @throws {Error} If a rank has others all the same; elsewhere {@linkcode OtherRankFailed}.
 */
export async function shareWeights(ranks: Ranks, { values }: Model): Promise<void> {
  const numbers = await values.read() as Float32Array<ArrayBuffer>;
  await ranks.communicator.broadcast(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  values.write(numbers);
  await checkWeights(ranks, values);
}

/**
 * Makes sure that all ranks have the same parameters, bit for bit.
 *
 * @param ranks The ranks.
 * @param values This rank's.
 * @throws {Error} If they have not; elsewhere {@linkcode OtherRankFailed}.
 */
export async function checkWeights(ranks: Ranks, values: Model["values"]): Promise<void> {
  const numbers = await values.read() as Float32Array<ArrayBuffer>;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", numbers));
  const [low, high] = [Float64Array.from(hash), Float64Array.from(hash)];
  await ranks.communicator.allReduce(low, "min");
  await ranks.communicator.allReduce(high, "max");
  await together(ranks, () => {
    if (low.every((byte, i) => byte === high[i])) return;
    throw new Error("The ranks have different weights, which must never be: `deno task doctor` checks each machine");
  });
}

/**
 * Gives all ranks a checkpoint that rank 0 has read.
 *
 * @param communicator The ranks.
 * @param checkpoint It, or nothing.
 * @returns It, with the same bits.
 */
export async function shareCheckpoint<T extends SharedCheckpoint>(
  communicator: Communicator,
  checkpoint: T | undefined,
): Promise<T | undefined> {
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
