/**
 * Questions of rank 0 to the others, and their answers: JSON in messages of MPI, looked for now and then. So an answer may
 * take as long as it needs, and nobody keeps a core busy while it waits.
 */

/** Messages between ranks, as `Mpi` has them. */
export interface Mailbox {
  /** Sends a message, which must not be changed before the promise is fulfilled. */
  send(bytes: Uint8Array<ArrayBuffer>, to: number): Promise<void>;
  /** The next message of any rank; undefined if none has arrived. */
  poll(): { from: number; bytes: Uint8Array<ArrayBuffer> } | undefined;
}

/** Milliseconds between two looks for a message. */
const LOOK_AGAIN = 20;

/** Signs of life that a rank gives in the time after which it counts as lost. */
const SIGNS = 4;

/** A message; one that is "at work" is a sign of life. */
interface Letter {
  readonly kind: "question" | "answer" | "at work" | "end";
  readonly value: unknown;
}

export class Questions {
  readonly #mailbox: Mailbox;
  readonly #timeoutSeconds: number;
  readonly #arrived = new Map<number, Letter[]>();

  constructor(mailbox: Mailbox, timeoutSeconds: number) {
    this.#mailbox = mailbox;
    this.#timeoutSeconds = timeoutSeconds;
  }

  /**
   * Asks a rank that has answered all earlier questions.
   *
   * @throws {Deno.errors.TimedOut} If it gives no sign of life.
   */
  async ask(to: number, question: unknown): Promise<unknown> {
    const failed: unknown[] = [];
    post(this.#mailbox, to, "question", question).catch((error) => failed.push(error)); // may wait for the other rank
    for (let heard = performance.now(); failed.length === 0;) {
      const letter = this.#next(to);
      if (letter?.kind === "answer") return letter.value;
      if (letter) heard = performance.now();
      else await sleep();
      if (performance.now() - heard < 1000 * this.#timeoutSeconds) continue;
      throw new Deno.errors.TimedOut(`rank ${to} has given no sign of life for ${this.#timeoutSeconds} s`);
    }
    throw failed[0];
  }

  /** Tells other ranks that nothing more will be asked. */
  async end(ranks: readonly number[], value: unknown): Promise<void> {
    for (const rank of ranks) await post(this.#mailbox, rank, "end", value);
  }

  #next(from: number): Letter | undefined {
    for (let letter = read(this.#mailbox); letter !== undefined; letter = read(this.#mailbox)) {
      this.#arrived.getOrInsertComputed(letter.from, () => []).push(letter);
    }
    return this.#arrived.get(from)?.shift();
  }
}

/** The side of another rank: answers what rank 0 asks, until it ends. */
export async function answerQuestions(
  mailbox: Mailbox,
  timeoutSeconds: number,
  answer: (question: unknown) => Promise<unknown>,
): Promise<unknown> {
  for (;;) {
    const letter = read(mailbox);
    if (letter?.kind === "end") return letter.value;
    if (letter === undefined) {
      await sleep();
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

async function post(mailbox: Mailbox, to: number, kind: Letter["kind"], value: unknown = null): Promise<void> {
  await mailbox.send(new TextEncoder().encode(JSON.stringify({ kind, value })), to);
}

function read(mailbox: Mailbox): Letter & { from: number } | undefined {
  const message = mailbox.poll();
  return message && { from: message.from, ...JSON.parse(new TextDecoder().decode(message.bytes)) };
}

function sleep(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
}
