/**
 * The live page of a run. It is served on 127.0.0.1, gets news by server-sent events, and sends what the user asks for: pause,
 * stop, another learning rate. News goes out at most ten times per second, and training never waits for a page.
 */

import { Absence, type AbsenceOptions } from "./absence.ts";
import { LiveClient } from "./client.ts";
import { HEADERS, type PageRequest, randomToken, refusalOf } from "../loopback/guard.ts";
import { answerEvents, answerWith, LoopbackServer, say } from "../loopback/server.ts";
import { LiveHistory, type LiveStatus } from "./history.ts";
import type { LayerRecord } from "../charts/charts.ts";
import script from "./page.bundle.js" with { type: "text" };
import ownStyle from "./page.css" with { type: "text" };
import html from "./page.html" with { type: "text" };
import style from "../charts/style.css" with { type: "text" };
import type { EpochLine, HeldRun, RunControl, RunFacts, View } from "../show/view.ts";

const INTERVAL = 100;

/** Milliseconds over which steps per second are measured. */
const RATE_SPAN = 3_000;
const MAX_CLIENTS = 16;

/** The largest factor and divisor of the learning rate. */
const MAX_FACTOR = 100;

/** The files that need no token. */
const FILES: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "/": ["text/html", html],
  "/live.js": ["text/javascript", script],
  "/style.css": ["text/css", style + ownStyle],
};

interface LiveOptions extends Omit<AbsenceOptions, "url"> {
  /** The port; a free one by default. */
  readonly port?: number;
  readonly run: Pick<HeldRun, "step" | "rateFactor">;
  /** The learning rate of a step, from 0. */
  readonly rateOf: (step: number) => number;
  readonly learningRate: number;
  /** Shows the user a note, on this page, too. */
  readonly note: (text: string) => void;
  /** Whether the run must end, even if it is paused. */
  readonly isEnding?: () => boolean;
  /** Milliseconds after which a page that does not read is given up; 10,000 by default. */
  readonly patience?: number;
}

/** Serves the page until it is disposed. */
export class LiveServer implements View, RunControl, AsyncDisposable {
  /** The page's address. The token after # never leaves the browser, except in the page's own requests. */
  readonly url: string;
  readonly #options: LiveOptions;
  readonly #token = randomToken();
  readonly #history = new LiveHistory();
  readonly #clients = new Set<LiveClient>();
  readonly #server: LoopbackServer;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** What the user asked for. */
  #pause = false;
  #stop = false;
  #factor: number | undefined;
  readonly #absence: Absence;
  #isHeld = false;
  #isOver = false;
  #step: number;
  #samples: { time: number; step: number }[] = [];
  #hasNews = false;
  #wake = Promise.withResolvers<void>();

  /**
   * Starts to listen, on loopback only.
   *
   * @throws {ConfigError} If the port is taken.
   */
  constructor(options: LiveOptions) {
    this.#options = options;
    this.#step = options.run.step;
    const { port = 0, patience } = options;
    this.#server = new LoopbackServer({
      port,
      flag: "--live",
      other: "--live without a number",
      patience,
      answer: (request) => this.#answer(request),
    });
    this.url = `http://${this.#server.host}/#${this.#token}`;
    this.#absence = new Absence({ ...options, url: this.url });
  }

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

  layers(record: LayerRecord): void {
    this.#history.layers(record);
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
    this.#absence.seen();
    try {
      while (true) {
        await this.#changeRate(run);
        if (this.#stop) return 0;
        if (!this.#pause || this.#options.isEnding?.()) return;
        this.#hasNews = true;
        if (this.#clients.size > 0) this.#absence.seen();
        else if (this.#absence.isOver(run.step)) this.#pause = false;
        await this.#nextWish();
      }
    } finally {
      this.#isHeld = false;
      this.#samples = [];
      this.progress(run.step);
    }
  }

  /** Tells the pages that the run is over, and stops. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
    this.#flush();
    for (const client of this.#clients) {
      client.send("end", null);
      client.close();
    }
    clearInterval(this.#timer);
    await this.#server[Symbol.asyncDispose]();
  }

  #tell(kind: "warning" | "note", text: string): void {
    this.#history.message(kind, text, this.#step);
    this.#hasNews = true;
  }

  /** Waits until the user asks for something, or for a moment. */
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
      this.#options.note(`learning rate: ${rate}, ${factor} times the settings', from step ${run.step + 1} on`);
    }
    if (this.#factor === factor) this.#factor = undefined;
  }

  get #status(): LiveStatus {
    const { run, rateOf } = this.#options;
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const paused = this.#isHeld ? "paused" : "pausing";
    const phase = this.#isOver ? "over" : this.#stop ? "stopping" : this.#pause ? paused : "training";
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

  /** Sends the news to all pages that have read the last event. */
  #flush(): void {
    const hasNews = this.#hasNews;
    this.#hasNews = false;
    for (const client of this.#clients) {
      client.isBehind ||= hasNews;
      if (client.isReady && client.isBehind) this.#update(client);
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

  #answer(request: PageRequest): Response {
    const { method, path, search } = request;
    const refusal = refusalOf(request, this.#server.host, this.#token, Object.keys(FILES));
    if (refusal) return say(refusal.status, refusal.text);
    if (method === "POST") return this.#obey(path, search);
    if (path === "/events") return this.#listen();
    return path in FILES ? answerWith(...FILES[path]) : say(404, "there is no such page");
  }

  #listen(): Response {
    if (this.#clients.size >= MAX_CLIENTS) return say(503, `${MAX_CLIENTS} pages listen already: close one`);
    const client = new LiveClient(() => this.#drop(client));
    this.#clients.add(client);
    this.#update(client);
    this.#timer ??= setInterval(() => this.#flush(), INTERVAL);
    return answerEvents(client.body);
  }

  #obey(path: string, search: URLSearchParams): Response {
    if (path === "/pause") this.#pause = true;
    else if (path === "/resume") this.#pause = false;
    else if (path === "/stop") this.#stop = true;
    else if (path === "/here") this.#absence.seenHidden();
    else if (path !== "/rate") return say(404, "there is no such page");
    else {
      const factor = Number(search.get("factor") ?? NaN);
      const rate = Math.fround(factor * this.#options.learningRate);
      if (!(factor >= 1 / MAX_FACTOR && factor <= MAX_FACTOR) || !(rate > 0 && rate < Infinity)) {
        const allowed = "allowed is 0.01 to 100, with a learning rate that float32 can hold";
        return say(400, `factor is ${search.get("factor")}: ${allowed}`);
      }
      this.#factor = factor;
    }
    this.#hasNews = true;
    this.#wake.resolve();
    return new Response(null, { status: 204, headers: HEADERS });
  }
}
