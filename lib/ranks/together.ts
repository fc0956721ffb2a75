/**
 * What ranks do together, on top of what a {@linkcode Communicator} can.
 *
 * @module
 */

import type { Communicator } from "./communicator.ts";

/** What went wrong at another rank: its message. */
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

/** Errors of this rank that all others have heard of. */
const told = new WeakSet<object>();

/** Whether all ranks have heard of what {@linkcode together} threw. */
export function isToldToAll(error: unknown): boolean {
  return error instanceof RankFault || (error instanceof Error && told.has(error));
}

/**
 * Does something at every rank, and goes on only where it went well at all of them: so none waits for one that has ended. The
 * work itself must not speak with other ranks.
 *
 * @throws What the work of this rank threw, if it is the first that failed; else a {@linkcode RankFault} with the message of
 * the first that did. All ranks throw, or none.
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

/** Gives all ranks the numbers of each. */
export async function gatherNumbers(
  communicator: Communicator,
  values: readonly number[],
): Promise<Float64Array<ArrayBuffer>> {
  const all = new Float64Array(communicator.size * values.length);
  all.set(values, communicator.rank * values.length);
  await communicator.allReduce(all);
  return all;
}

/** Gives all ranks a text of rank 0. */
export async function shareText(communicator: Communicator, text: string): Promise<string> {
  if (communicator.size === 1) return text;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    await shareBytes(communicator, new TextEncoder().encode(text)),
  );
}

/** Gives all ranks the bytes of rank 0, however many. */
export async function shareBytes(
  communicator: Communicator,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const length = new Float64Array(1);
  await communicator.broadcast(setLength(length, bytes.length));
  const shared = communicator.rank === 0 ? bytes : new Uint8Array(length[0]);
  await communicator.broadcast(shared);
  return shared;
}

/** Brings a text of each rank to rank 0; elsewhere nothing. */
export async function gatherTexts(communicator: Communicator, text: string): Promise<string[] | undefined> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return (await communicator.gather(new TextEncoder().encode(text)))?.map((bytes) => decoder.decode(bytes));
}

function setLength(length: Float64Array<ArrayBuffer>, value: number): Uint8Array<ArrayBuffer> {
  length[0] = value;
  return new Uint8Array(length.buffer);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`${thrown}`);
}
