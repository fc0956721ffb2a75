/**
 * The server of a page on this machine. Every program here can open connections to it, so their number is bounded: a training
 * that runs out of open files would end. Deno.serve has no bound, and fails when it cannot accept a connection.
 */

import { ConfigError } from "../settings/config.ts";
import { Connection } from "./connection.ts";
import { HEADERS, type PageRequest } from "./guard.ts";

/** Only programs on this machine can reach it. */
const HOST = "127.0.0.1";

/** The most connections without a stream of events; one more closes the oldest. */
const MAX_CONNECTIONS = 32;

/** Milliseconds until the next try where no connection could be accepted. */
const TRY_AGAIN = 100;

/** Milliseconds for answers that are on their way when the server ends. */
const ENDING = 100;

const EVENTS = "text/event-stream";

export interface LoopbackOptions {
  /** The port; 0 for a free one. */
  readonly port: number;
  /** The flag that names the port, and what takes a free one, for messages. */
  readonly flag: string;
  readonly other: string;
  readonly answer: (request: PageRequest) => Response;
  /** Milliseconds after which a connection that does not send or read is closed; 10,000 by default. */
  readonly patience?: number;
}

export class LoopbackServer implements AsyncDisposable {
  readonly port: number;
  /** Address and port, as its page's requests name them. */
  readonly host: string;
  readonly #listener: Deno.TcpListener;
  readonly #options: LoopbackOptions;
  /** All connections, the oldest first, each with its end; and those of them that carry no events. */
  readonly #open = new Map<Connection, Promise<void>>();
  readonly #short = new Set<Connection>();
  #isOver = false;

  /**
   * Starts to listen.
   *
   * @throws {ConfigError} If the port is taken.
   */
  constructor(options: LoopbackOptions) {
    this.#options = options;
    const { port, flag, other } = options;
    try {
      this.#listener = Deno.listen({ hostname: HOST, port });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.PermissionDenied)) throw error;
      const why = error instanceof Deno.errors.AddrInUse ? "another program uses" : "you may not use";
      throw new ConfigError([`${flag} is ${port}: ${why} this port; ${other} takes a free one`]);
    }
    this.port = this.#listener.addr.port;
    this.host = `${HOST}:${this.port}`;
    void this.#accept();
  }

  /** Stops to listen, and ends what is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#listener.close();
    const ends = Promise.all(this.#open.values());
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ENDING);
    await Promise.race([ends, late]);
    clearTimeout(timer);
    for (const connection of this.#open.keys()) connection.close();
    await ends;
  }

  async #accept(): Promise<void> {
    while (!this.#isOver) {
      try {
        await this.#admit(new Connection(await this.#listener.accept(), this.#options.patience ?? 10_000));
      } catch {
        // It is over, or no file is left for a connection: the training needs them more.
        if (!this.#isOver) await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN));
      }
    }
  }

  async #admit(connection: Connection): Promise<void> {
    this.#short.add(connection);
    this.#open.set(connection, this.#serve(connection));
    if (this.#short.size <= MAX_CONNECTIONS) return;
    const [oldest] = this.#short;
    const end = this.#open.get(oldest);
    oldest.close();
    await end; // until then the system counts it
  }

  async #serve(connection: Connection): Promise<void> {
    try {
      const request = await connection.request();
      const answer = request ? this.#answer(request) : say(400, "this is no request");
      if (answer.headers.get("content-type") === EVENTS) this.#short.delete(connection);
      await connection.send(request?.method === "HEAD" ? new Response(null, answer) : answer);
    } catch {
      // The connection is gone: nobody is left to tell, and it is no fault of the training.
    } finally {
      connection.close();
      this.#short.delete(connection);
      this.#open.delete(connection);
    }
  }

  #answer(request: PageRequest): Response {
    try {
      return this.#options.answer(request);
    } catch {
      return say(500, "the server failed");
    }
  }
}

/** An answer in words. */
export function say(status: number, text: string): Response {
  return answerWith("text/plain", `${text}\n`, status);
}

/** A page, or a file of one. */
export function answerWith(type: string, text: string, status = 200): Response {
  return new Response(text, { status, headers: { ...HEADERS, "content-type": `${type}; charset=utf-8` } });
}

/** A stream of events. */
export function answerEvents(body: ReadableStream<Uint8Array<ArrayBuffer>>): Response {
  return new Response(body, { headers: { ...HEADERS, "content-type": EVENTS } });
}
