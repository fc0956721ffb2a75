/**
 * The live page of a run: serves it on 127.0.0.1, tells it what happens by server-sent events, and takes what its user asks
 * for: pause, stop, another learning rate. Pages are told ten times a second at most, whatever they make of it, and training
 * never waits for one.
 */

import { ConfigError } from "../settings/config.ts";
import { LiveClient } from "./client.ts";
import { HEADERS, randomToken, refusalOf } from "./guard.ts";
import { LiveHistory, type LiveStatus } from "./history.ts";
import type { LayerLook } from "../charts/charts.ts";
import script from "./page.bundle.js" with { type: "text" };
import ownStyle from "./page.css" with { type: "text" };
import html from "./page.html" with { type: "text" };
import style from "../charts/style.css" with { type: "text" };
import type { HeldRun, RunControl, RunFacts, Spectator } from "../show/spectator.ts";
import type { EpochLine } from "../show/train_report.ts";

/** Milliseconds between two updates. */
const INTERVAL = 100;

/** Milliseconds over which steps are counted for their rate. */
const RATE_SPAN = 3_000;

/** Pages that may listen at once. */
const MAX_CLIENTS = 16;

/** What the learning rate may be multiplied by at most, and divided. */
export const MAX_FACTOR = 100;

/** What can be had without the token. */
const FILES: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "/": ["text/html", html],
  "/live.js": ["text/javascript", script],
  "/style.css": ["text/css", style + ownStyle],
};

/** What the server needs of a run. */
export interface LiveOptions {
  /** Where to listen; a free port if left out. */
  readonly port?: number;
  /** The run, to be looked at. */
  readonly run: Pick<HeldRun, "step" | "rateFactor">;
  /** The learning rate of a step, from 0. */
  readonly rateOf: (step: number) => number;
  /** That of the settings. */
  readonly learningRate: number;
  /** Tells the user something: this server too, as one of those who look on. */
  readonly note: (text: string) => void;
  /** Whether somebody else wants the run to end, who must not wait for a run that is paused. */
  readonly isEnding?: () => boolean;
  /** Milliseconds after which a page that does not read is given up; 10,000 if left out. */
  readonly patience?: number;
}

/** Serves the page until it is disposed of. */
export class LiveServer implements Spectator, RunControl, AsyncDisposable {
  /** The page's address; what stands behind # lets it ask, and never leaves the browser. */
  readonly url: string;
  readonly #options: LiveOptions;
  readonly #token = randomToken();
  readonly #history = new LiveHistory();
  readonly #clients = new Set<LiveClient>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #host: string;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** What the user asked for. */
  #pause = false;
  #stop = false;
  #factor: number | undefined;
  #isHeld = false;
  #isOver = false;
  #step: number;
  #samples: { time: number; step: number }[] = [];
  #hasNews = false;
  #wake = Promise.withResolvers<void>();

  /**
   * Begins to listen, on loopback only.
   *
   * @throws {ConfigError} If the port is taken.
   */
  constructor(options: LiveOptions) {
    this.#options = options;
    this.#step = options.run.step;
    const { port = 0 } = options;
    try {
      this.#server = Deno.serve({
        hostname: "127.0.0.1",
        port,
        onListen: () => {},
        handler: (request) => this.#answer(request),
        onError: () => new Response("it failed\n", { status: 500, headers: HEADERS }),
      });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.PermissionDenied)) throw error;
      const why = error instanceof Deno.errors.AddrInUse ? "another program listens there" : "it is not given to you";
      throw new ConfigError([`--live is ${port}: ${why}; --live without a number takes a port that is free`]);
    }
    this.#host = `127.0.0.1:${this.#server.addr.port}`;
    this.url = `http://${this.#host}/#${this.#token}`;
  }

  /** Pages that listen. */
  get listeners(): number {
    return this.#clients.size;
  }

  begin(facts: RunFacts): void {
    this.#history.facts = facts;
    this.progress(facts.firstStep);
  }

  progress(step: number): void {
    const time = performance.now();
    this.#step = step;
    this.#samples.push({ time, step });
    while (this.#samples.length > 2 && time - this.#samples[1].time > RATE_SPAN) this.#samples.shift();
    this.#hasNews = true;
  }

  epoch(line: EpochLine): void {
    this.#history.epoch(line);
    this.#hasNews = true;
  }

  /** A look at the layers, where there is one. */
  layers(look: LayerLook): void {
    this.#history.layers(look);
    this.#hasNews = true;
  }

  warning(text: string): void {
    this.#tell("warning", text);
  }

  note(text: string): void {
    this.#tell("note", text);
  }

  end(): void {
    this.#isOver = true;
    this.#hasNews = true;
  }

  get isAsking(): boolean {
    return this.#pause || this.#stop || this.#factor !== undefined;
  }

  async attend(run: HeldRun): Promise<number | void> {
    this.#isHeld = true;
    try {
      while (true) {
        await this.#changeRate(run);
        if (this.#stop) return 0;
        if (!this.#pause || this.#options.isEnding?.()) return;
        this.#hasNews = true;
        await this.#nextWish();
      }
    } finally {
      this.#isHeld = false;
      this.#samples = [];
      this.progress(run.step);
    }
  }

  /** Tells the pages that it is over, and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
    this.#flush();
    for (const client of this.#clients) {
      client.send("end", null);
      client.close();
    }
    clearInterval(this.#timer);
    const gone = this.#server.shutdown();
    gone.catch(() => {}); // the process ends
    // A page that does not read what was sent is not waited for.
    await Promise.race([gone, wait(INTERVAL)]);
  }

  #tell(kind: "warning" | "note", text: string): void {
    this.#history.message(kind, text, this.#step);
    this.#hasNews = true;
  }

  /** Waits until the user asks for something else, and looks up now and then. */
  async #nextWish(): Promise<void> {
    const { promise, resolve } = this.#wake = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, INTERVAL);
    await promise;
    clearTimeout(timer);
  }

  async #changeRate(run: HeldRun): Promise<void> {
    const factor = this.#factor;
    if (factor === undefined) return;
    if (factor !== run.rateFactor) {
      await run.setRateFactor(factor);
      const rate = this.#options.rateOf(run.step).toPrecision(3);
      this.#options.note(`learning rate: ${rate}, ${factor} of the settings', from step ${run.step + 1} on`);
    }
    if (this.#factor === factor) this.#factor = undefined;
  }

  get #status(): LiveStatus {
    const { run, rateOf } = this.#options;
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const phase = this.#isOver
      ? "over"
      : this.#stop
      ? "stopping"
      : this.#pause
      ? this.#isHeld ? "paused" : "pausing"
      : "training";
    return {
      phase,
      step: this.#step,
      stepsPerSecond: first && last && last.step > first.step
        ? (last.step - first.step) / (last.time - first.time) * 1000
        : null,
      rateFactor: run.rateFactor,
      askedFactor: this.#factor ?? run.rateFactor,
      learningRate: rateOf(run.step),
    };
  }

  /** Sends what is new to all pages that have room for it. */
  #flush(): void {
    if (this.#hasNews) { for (const client of this.#clients) client.isBehind = true; }
    this.#hasNews = false;
    for (const client of this.#clients) {
      if (client.isReady && client.isBehind) this.#update(client);
      else if (client.isStalled) this.#drop(client);
    }
  }

  #update(client: LiveClient): void {
    const [update, cursor] = this.#history.since(client.cursor, this.#status);
    client.send("update", update);
    client.cursor = cursor;
    client.isBehind = false;
  }

  #drop(client: LiveClient): void {
    client.close();
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #answer(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    const refusal = refusalOf(request, this.#host, this.#token, Object.keys(FILES));
    if (refusal) return say(refusal.status, refusal.text);
    if (request.method === "POST") return this.#obey(pathname, searchParams);
    if (pathname === "/events") return this.#listen();
    const file = FILES[pathname];
    if (!file) return say(404, "there is nothing");
    return new Response(file[1], { headers: { ...HEADERS, "content-type": `${file[0]}; charset=utf-8` } });
  }

  #listen(): Response {
    if (this.#clients.size >= MAX_CLIENTS) return say(503, `${MAX_CLIENTS} pages listen already`);
    const client = new LiveClient(() => this.#drop(client), this.#options.patience ?? 10_000);
    this.#clients.add(client);
    this.#update(client);
    this.#timer ??= setInterval(() => this.#flush(), INTERVAL);
    return new Response(client.body, { headers: { ...HEADERS, "content-type": "text/event-stream" } });
  }

  #obey(path: string, search: URLSearchParams): Response {
    if (path === "/pause") this.#pause = true;
    else if (path === "/resume") this.#pause = false;
    else if (path === "/stop") this.#stop = true;
    else if (path !== "/rate") return say(404, "there is nothing");
    else {
      const factor = Number(search.get("factor") ?? NaN);
      const rate = Math.fround(factor * this.#options.learningRate);
      if (!(factor >= 1 / MAX_FACTOR && factor <= MAX_FACTOR) || !(rate > 0 && rate < Infinity)) {
        return say(
          400,
          `factor is ${search.get("factor")}: allowed is 0.01 to 100, with a learning rate that float32 has`,
        );
      }
      this.#factor = factor;
    }
    this.#hasNews = true;
    this.#wake.resolve();
    return new Response(null, { status: 204, headers: HEADERS });
  }
}

function say(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8" } });
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
