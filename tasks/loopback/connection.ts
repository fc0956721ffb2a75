/** One connection of a page's server: one request, one answer, and its end. HTTP/1.1, as much as a page needs. */

import type { PageRequest } from "./guard.ts";

/** The most bytes of a request's head. */
const MAX_HEAD = 16_384;

const REASONS: Readonly<Record<number, string>> = { 200: "OK", 204: "No Content" };

export class Connection {
  readonly #socket: Deno.Conn;
  readonly #patience: number;

  /** @param patience Milliseconds for the whole head of the request, and in which some of the answer must be read. */
  constructor(socket: Deno.Conn, patience: number) {
    this.#socket = socket;
    this.#patience = patience;
  }

  /** The request; undefined if it is none that can be understood. What follows its head is not read. */
  async request(): Promise<PageRequest | undefined> {
    const head = await this.#within(this.#readHead());
    const [first, ...lines] = head.split("\r\n");
    const [_, method, target] = first.match(/^([A-Z]+) (\S+) HTTP\/1\.[01]$/) ?? [];
    const address = target === undefined ? null : URL.parse(target, "http://localhost");
    const pairs = lines.map((line) => line.match(/^([\w-]+):[ \t]*(.*?)[ \t]*$/)?.slice(1) as [string, string]);
    if (!address || pairs.includes(undefined!)) return undefined;
    const headers = new Headers();
    for (const [name, value] of pairs) headers.append(name, value);
    return { method, headers, path: address.pathname, search: address.searchParams };
  }

  /** Sends an answer, whose body may take as long as it likes to come. */
  async send({ status, headers, body }: Response): Promise<void> {
    const lines = [...headers, ["connection", "close"]].map(([name, value]) => `${name}: ${value}\r\n`);
    await this.#write(`HTTP/1.1 ${status} ${REASONS[status] ?? "Error"}\r\n${lines.join("")}\r\n`);
    const reader = body?.getReader();
    const gone = this.#gone().then(() => undefined);
    try {
      for (let piece; (piece = await Promise.race([reader?.read(), gone])) && !piece.done;) {
        await this.#write(piece.value);
      }
    } finally {
      await reader?.cancel();
    }
  }

  close(): void {
    try {
      this.#socket.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error; // it is closed
    }
  }

  async #readHead(): Promise<string> {
    const decoder = new TextDecoder();
    const bytes = new Uint8Array(4_096);
    let head = "";
    while (!head.includes("\r\n\r\n")) {
      const count = await this.#socket.read(bytes);
      if (count === null || head.length > MAX_HEAD) return "";
      head += decoder.decode(bytes.subarray(0, count), { stream: true });
    }
    return head.slice(0, head.indexOf("\r\n\r\n"));
  }

  async #write(data: string | Uint8Array): Promise<void> {
    let rest = typeof data === "string" ? new TextEncoder().encode(data) : data;
    while (rest.length > 0) rest = rest.subarray(await this.#within(this.#socket.write(rest)));
  }

  /** Resolves when the other side has closed. */
  async #gone(): Promise<void> {
    const bytes = new Uint8Array(4_096);
    try {
      while (await this.#socket.read(bytes) !== null);
    } catch {
      // Closed by this side, or reset.
    }
  }

  /** Closes the connection if something takes too long. */
  async #within<T>(work: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.close(), this.#patience);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }
}
