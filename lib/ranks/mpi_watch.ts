/**
 * Says which ranks keep the others waiting. A call that all ranks make together returns only when all have come, so without a
 * time limit one rank that hangs, or cannot be reached, would hold all others for ever.
 *
 * A rank that has waited too long asks every other how far it is and gives them a moment to answer. Then the lowest of those
 * that wait says who has not come.
 *
 * @module
 */

/** How ranks reach each other apart from the call that hangs. */
export interface Post {
  /** Sends a message without waiting for its arrival. */
  send(message: Float64Array<ArrayBuffer>, to: number): void;
  /** The next message that has arrived, if there is one. */
  poll(): { from: number; message: Float64Array<ArrayBuffer> } | undefined;
}

/** What a watch knows of its rank. */
interface WatchOptions {
  rank: number;
  hosts: readonly string[];
  /** The longest time that a call waits for other ranks, in seconds. */
  timeoutSeconds: number;
  post: Post;
  /** Ends all ranks, for the reason that the text gives. */
  giveUp: (reason: string) => void;
}

/** The calls that all ranks make together; messages hold their place in this list. */
const CALLS = ["allReduce", "broadcast", "barrier", "gather", "close"] as const;

/** A call that all ranks make together. */
export type CallName = typeof CALLS[number];

/** How far a rank is: how many calls it has made, which was the last, and whether it waits in it. */
interface Answer {
  calls: number;
  name: CallName;
  waits: boolean;
}

/** A message is its kind, then the sender's {@linkcode Answer}. */
const QUESTION = 0;
const ANSWER = 1;

/** Most ranks that a message names. */
const MOST_NAMED = 20;

/** Watches the calls of one rank. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  /** Milliseconds: between two looks, and how long the others have for an answer. */
  readonly #every: number;
  readonly #grace: number;
  readonly #answers = new Map<number, Answer>();
  #calls = 0;
  #name: CallName = "barrier";
  #since: number | undefined;
  #asked: number | undefined;

  /** Starts to answer the questions of other ranks; does not keep the process alive. */
  constructor(options: WatchOptions) {
    this.#options = options;
    this.#every = Math.min(1000, 100 * options.timeoutSeconds);
    this.#grace = 3 * this.#every;
    this.#timer = setInterval(() => this.#look(), this.#every);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** A call that all ranks make begins. */
  begin(name: CallName): void {
    this.#calls++;
    this.#name = name;
    this.#since = performance.now();
  }

  /** The call has returned. */
  end(): void {
    this.#since = this.#asked = undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    try {
      this.#answer();
      // Ranks that have finished wait for rank 0, which writes, as long as that takes.
      if (this.#since === undefined || this.#name === "close") return;
      const { timeoutSeconds, giveUp } = this.#options;
      const now = performance.now();
      if (this.#asked === undefined) {
        if (now - this.#since >= 1000 * timeoutSeconds) this.#ask(now);
        return;
      }
      // The others wait twice as long, in case the first is cut off.
      if (now - this.#asked < (this.#isFirst() ? 1 : 2) * this.#grace) return;
      this.stop();
      giveUp(this.#describe((now - this.#since) / 1000));
    } catch (error) {
      // Nobody awaits this timer: an error would go unseen.
      this.stop();
      this.#options.giveUp((error as Error).message);
    }
  }

  #answer(): void {
    const { post } = this.#options;
    for (let letter = post.poll(); letter !== undefined; letter = post.poll()) {
      const { from, message: [kind, calls, name, waits] } = letter;
      if (kind === QUESTION) this.#tell(ANSWER, from);
      this.#answers.set(from, { calls, name: CALLS[name], waits: waits === 1 });
    }
  }

  #ask(now: number): void {
    const { hosts, rank } = this.#options;
    this.#asked = now;
    this.#answers.clear(); // earlier answers may be out of date
    for (let other = 0; other < hosts.length; other++) if (other !== rank) this.#tell(QUESTION, other);
  }

  #tell(kind: number, to: number): void {
    const waits = this.#since === undefined ? 0 : 1;
    this.#options.post.send(Float64Array.of(kind, this.#calls, CALLS.indexOf(this.#name), waits), to);
  }

  /** Whether no lower rank waits. */
  #isFirst(): boolean {
    return ![...this.#answers].some(([other, { waits }]) => other < this.#options.rank && waits);
  }

  #describe(seconds: number): string {
    const { rank, hosts } = this.#options;
    const nameOf = (other: number) => `rank ${other} (${hosts[other]})`;
    const missing = hosts.flatMap((_, other) => {
      const how = other === rank ? undefined : this.#absence(this.#answers.get(other));
      return how === undefined ? [] : [`${nameOf(other)} ${how}`];
    });
    const named = missing.slice(0, MOST_NAMED);
    const more = missing.length - named.length;
    if (more > 0) named.push(`${more} more`);
    const reason = named.length > 0 ? `not there: ${named.join("; ")}` : "all are there, yet nothing gets through";
    const waited = `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
    return `${nameOf(rank)} has waited ${waited} for the others in ${this.#name}, its call ${this.#calls}; ${reason}`;
  }

  /** Why another rank is not in this call; undefined if it is, or was. */
  #absence(answer: Answer | undefined): string | undefined {
    if (answer === undefined) return "does not answer";
    const { calls, name, waits } = answer;
    if (calls < this.#calls) return `${waits ? "waits in" : "works on after"} ${name}, its call ${calls}`;
    return calls === this.#calls && name !== this.#name ? `calls ${name} instead` : undefined;
  }
}
