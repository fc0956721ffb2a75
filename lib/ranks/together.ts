/**
 * What ranks do together, by the calls of a {@linkcode Communicator}.
 *
 * @module
 */

import type { Communicator } from "./communicator.ts";

/** The error of another rank: its message. */
export class RankFault extends Error {
  /** Always "RankFault". */
  override readonly name: string = "RankFault";
  /** Name of the error there, such as "DataError". */
  readonly kind: string;

  constructor({ kind, message }: { kind: string; message: string }) {
    super(message);
    this.kind = kind;
  }
}

/** Errors of this rank that all others know of. */
const told = new WeakSet<object>();

/** Whether all ranks know of an error, because {@linkcode together} threw it. */
export function isToldToAll(error: unknown): boolean {
  return error instanceof RankFault || (error instanceof Error && told.has(error));
}

/**
 * Does something at every rank. If it fails at one, all throw, so that none waits for a rank that has ended. The work itself
 * must not call other ranks.
 */
export async function together<T>(communicator: Communicator, work: () => T | Promise<T>): Promise<T> {
  const { rank, size } = communicator;
  if (size === 1) return await work();
  let done: { readonly result: T } | { readonly error: unknown };
  try {
    done = { result: await work() };
  } catch (error) {
    done = { error };
  }
  const failed = Float64Array.of("error" in done ? rank : size);
  await communicator.allReduce(failed, "min");
  if ("result" in done && failed[0] === size) return done.result;
  const [first] = failed;
  const own = "error" in done && rank === first ? asError(done.error) : undefined;
  const texts = await gatherTexts(communicator, JSON.stringify({ kind: own?.name, message: own?.message }));
  const fault = new RankFault(JSON.parse(await shareText(communicator, texts?.[first] ?? "")));
  if (own) told.add(own);
  throw own ?? fault;
}

/** Gives all ranks a text of rank 0. */
export async function shareText(communicator: Communicator, text: string): Promise<string> {
  const own = new TextEncoder().encode(text);
  const length = Float64Array.of(own.length);
  await communicator.broadcast(new Uint8Array(length.buffer));
  const shared = communicator.rank === 0 ? own : new Uint8Array(length[0]);
  await communicator.broadcast(shared);
  return decode(shared);
}

/** Gathers a text of each rank at rank 0; elsewhere nothing. */
export async function gatherTexts(communicator: Communicator, text: string): Promise<string[] | undefined> {
  return (await communicator.gather(new TextEncoder().encode(text)))?.map(decode);
}

function decode(bytes: Uint8Array<ArrayBuffer>): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`${thrown}`);
}
