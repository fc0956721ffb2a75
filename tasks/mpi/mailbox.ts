/**
 * Questions of the first rank to the others, and their answers: JSON in messages of MPI, looked for now and then. So a rank
 * may take as long as it needs for an answer, and nobody holds a core while it waits.
 */

/** Messages between ranks, as `Mpi` has them. */
export interface Mailbox {
  /** Sends a message, not to be changed before the promise is fulfilled. */
  send(bytes: Uint8Array<ArrayBuffer>, to: number): Promise<void>;
  /** The next message of any rank; undefined where none has arrived. */
  poll(): { from: number; bytes: Uint8Array<ArrayBuffer> } | undefined;
}

/** Milliseconds between two looks for a message. */
const LOOK_AGAIN = 20;

/** How many signs of life a rank gives in the time after which it counts as lost. */
const SIGNS = 4;

/** What a message is: a rank that works on an answer says now and then that it does. */
type Kind = "question" | "answer" | "at work" | "end";

/** An answer that is awaited. */
interface Awaited {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** When its rank was last heard of, in milliseconds. */
  heard: number;
}

/** The first rank's side. */
export class Questions {
  readonly #mailbox: Mailbox;
  readonly #timeoutSeconds: number;
  readonly #awaited = new Map<number, Awaited>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(mailbox: Mailbox, timeoutSeconds: number) {
    this.#mailbox = mailbox;
    this.#timeoutSeconds = timeoutSeconds;
  }

  /**
   * Asks a rank that has answered what it was asked before.
   *
   * @throws {Deno.errors.TimedOut} If it falls silent.
   */
  ask(to: number, question: unknown): Promise<unknown> {
    if (this.#awaited.has(to)) throw new Error(`Cannot ask rank ${to}: it still works on an answer`);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#awaited.set(to, { resolve, reject, heard: performance.now() });
    this.#timer ??= setInterval(() => this.#look(), LOOK_AGAIN);
    post(this.#mailbox, to, "question", question).catch((error) => this.#fail(error));
    return promise;
  }

  /** Tells other ranks that nothing more will be asked. */
  async end(ranks: readonly number[], value: unknown): Promise<void> {
    for (const rank of ranks) await post(this.#mailbox, rank, "end", value);
  }

  #look(): void {
    try {
      for (let letter = read(this.#mailbox); letter !== undefined; letter = read(this.#mailbox)) {
        const awaited = this.#awaited.get(letter.from);
        if (!awaited) continue; // a sign of life that was on its way
        awaited.heard = performance.now();
        if (letter.kind === "answer") this.#close(letter.from).resolve(letter.value);
      }
      for (const [rank, { heard }] of this.#awaited) {
        if (performance.now() - heard < 1000 * this.#timeoutSeconds) continue;
        const text = `rank ${rank} has given no sign of life for ${this.#timeoutSeconds} s`;
        this.#close(rank).reject(new Deno.errors.TimedOut(text));
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #close(rank: number): Awaited {
    const awaited = this.#awaited.get(rank)!;
    this.#awaited.delete(rank);
    if (this.#awaited.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    return awaited;
  }

  #fail(error: unknown): void {
    for (const rank of [...this.#awaited.keys()]) this.#close(rank).reject(error);
  }
}

/** Another rank's side: answers what the first one asks, until that asks no more. */
export async function answerQuestions(
  mailbox: Mailbox,
  timeoutSeconds: number,
  answer: (question: unknown) => Promise<unknown>,
): Promise<unknown> {
  for (;;) {
    const letter = read(mailbox);
    if (letter?.kind === "end") return letter.value;
    if (letter === undefined) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
      continue;
    }
    const { promise: failed, reject } = Promise.withResolvers<never>();
    const sign = setInterval(() => post(mailbox, 0, "at work").catch(reject), 1000 * timeoutSeconds / SIGNS);
    try {
      await post(mailbox, 0, "answer", await Promise.race([answer(letter.value), failed]));
    } finally {
      clearInterval(sign);
    }
  }
}

async function post(mailbox: Mailbox, to: number, kind: Kind, value: unknown = null): Promise<void> {
  await mailbox.send(new TextEncoder().encode(JSON.stringify({ kind, value })), to);
}

function read(mailbox: Mailbox): { from: number; kind: Kind; value: unknown } | undefined {
  const letter = mailbox.poll();
  return letter && { from: letter.from, ...JSON.parse(new TextDecoder().decode(letter.bytes)) };
}
