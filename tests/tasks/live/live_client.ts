/** Talks to the live page's server as browsers do, and as they never would. */

import type { LiveUpdate } from "../../../tasks/live/history.ts";
import { argumentsOf, type Outcome, type Workplace } from "../../support/run_task_process.ts";

/** An answer as it came over the wire. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** Sends a request with exactly these headers, which fetch would not; Host is the server's own unless it is among them. */
export async function send(url: URL, method: string, headers: Record<string, string> = {}): Promise<Answer> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(url.port) });
  const all = { host: url.host, connection: "close", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines}\r\n`;
  await connection.write(new TextEncoder().encode(head));
  const said = await new Response(connection.readable).text();
  const [first, ...rest] = said.slice(0, said.indexOf("\r\n\r\n")).split("\r\n");
  return {
    status: Number(first.split(" ")[1]),
    headers: new Headers(rest.map((line) => line.split(/: (.*)/, 2) as [string, string])),
    text: said.slice(said.indexOf("\r\n\r\n") + 4),
  };
}

/** A page's side of the server, without the page. */
export class Listener implements AsyncDisposable {
  readonly updates: LiveUpdate[] = [];
  /** Whether the server said that it is over. */
  hasEnded = false;
  readonly #url: URL;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** Settles once the server ends the stream. */
  readonly done: Promise<void>;

  private constructor(url: URL, body: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#url = url;
    this.#reader = body.getReader();
    this.done = this.#read().catch(() => {}); // the server is gone
  }

  static async open(address: string): Promise<Listener> {
    const url = new URL(address);
    const response = await fetch(new URL(`/events?token=${url.hash.slice(1)}`, url));
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return new Listener(url, response.body!);
  }

  get last(): LiveUpdate | undefined {
    return this.updates.at(-1);
  }

  /** Epochs of all points that were told and hold. */
  get epochs(): number[] {
    return this.updates.slice(this.updates.findLastIndex(({ isWhole }) => isWhole)).flatMap(({ points }) =>
      points.map(({ epoch }) => epoch)
    );
  }

  /** Asks for something, as the page does. */
  async ask(path: string): Promise<number> {
    const headers = { origin: this.#url.origin, "x-backhand-token": this.#url.hash.slice(1) };
    const response = await fetch(new URL(path, this.#url), { method: "POST", headers });
    await response.body?.cancel();
    return response.status;
  }

  /** Waits until what was told last is as it should be. */
  async until(isIt: (update: LiveUpdate) => boolean, seconds = 20): Promise<LiveUpdate> {
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      if (this.last && isIt(this.last)) return this.last;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`waited ${seconds} s; the last was ${JSON.stringify(this.last)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel().catch(() => {});
    await this.done;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    for (let piece = await this.#reader.read(); !piece.done; piece = await this.#reader.read()) {
      text += decoder.decode(piece.value, { stream: true });
      const events = text.split("\n\n");
      text = events.pop()!;
      for (const event of events) {
        const [_, name, data] = event.match(/^event: (\w+)\ndata: (.*)$/)!;
        if (name === "update") this.updates.push(JSON.parse(data));
        if (name === "end") this.hasEnded = true;
      }
    }
  }
}

/** A training with a live page, and one who listens to it. */
export interface LiveTraining {
  child: Deno.ChildProcess;
  url: string;
  listener: Listener;
  done: Promise<Outcome>;
}

/** Starts training with a live page, and listens to it. */
export async function startLive(
  place: Workplace,
  args: readonly string[],
  limits?: { files: number },
): Promise<LiveTraining> {
  const child = place.startDeno([...await argumentsOf("train", []), ...args, "--live"], limits);
  const url = Promise.withResolvers<string>();
  const listenTo = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    let said = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      said += text;
      const found = said.match(/^live: (\S+)\n/m); // on stderr with --quiet
      if (found) url.resolve(found[1]);
    }
    return said;
  };
  const done = (async () => {
    const [stdout, stderr] = await Promise.all([child.stdout, child.stderr].map(listenTo));
    url.reject(new Error(`no address: ${stdout}${stderr}`));
    return { code: (await child.status).code, stdout, stderr };
  })();
  const address = await url.promise;
  return { child, url: address, listener: await Listener.open(address), done };
}
