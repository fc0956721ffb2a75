/** The live page's server: who may talk to it, what it tells, and that nobody who listens holds up who trains. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { ConfigError } from "../../../tasks/settings/config.ts";
import { LiveServer } from "../../../tasks/live/server.ts";
import type { HeldRun } from "../../../tasks/show/view.ts";
import { Listener, send } from "./live_client.ts";
import { permitted } from "../../support/permitted.ts";

const FACTS = { runName: "r", stepsPerEpoch: 10, epochs: 1_000, firstStep: 0 };

/** A run that does what it is told, and its server. */
interface Options {
  port?: number;
  patience?: number;
  absence?: number;
  isEnding?: () => boolean;
  learningRate?: number;
}

function serve(options: Options = {}) {
  const { learningRate = 0.1 } = options;
  const notes: string[] = [];
  const told: string[] = [];
  const run = {
    step: 0,
    rateFactor: 1,
    setRateFactor: (factor: number) => Promise.resolve(void (run.rateFactor = factor)),
  } satisfies HeldRun;
  const note = (text: string) => void notes.push(text);
  const rateOf = () => learningRate * run.rateFactor;
  const live = new LiveServer({
    ...options,
    run,
    learningRate,
    note,
    rateOf,
    tell: (text) => void told.push(text),
    resume: "train --resume r",
  });
  live.begin(FACTS);
  const doEpoch = (epoch: number) => {
    run.step = 10 * epoch;
    live.progress(run.step);
    live.epoch({ epoch, step: run.step, trainLoss: 1 / epoch, valLoss: 2 / epoch, learningRate: rateOf() });
  };
  const token = new URL(live.url).hash.slice(1);
  return { live, run, notes, told, doEpoch, token, at: (path: string) => new URL(path, live.url) };
}

/** Addresses of this machine beside 127.0.0.1 at which a port answers: a process of its own may ask. */
async function answersElsewhere(port: number): Promise<string[]> {
  const script = `
    const all = Deno.networkInterfaces().filter(({ family, address }) => family === "IPv4" && address !== "127.0.0.1");
    const hosts = [...all.map(({ address }) => address), "127.0.0.2"], open = [];
    for (const hostname of hosts) {
      await Deno.connect({ hostname, port: ${port} }).then((c) => { c.close(); open.push(hostname); }, () => {});
    }
    console.log(JSON.stringify(open));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", script] }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

permitted("LiveServer listens on loopback alone and serves a page that may load nothing from elsewhere", async () => {
  const { live, at } = serve();
  await using _ = live;
  assertMatch(live.url, /^http:\/\/127\.0\.0\.1:\d+\/#[0-9a-f]{32}$/);
  const port = Number(new URL(live.url).port);
  assertEquals(await answersElsewhere(port), []);
  assertThrows(() => serve({ port }), ConfigError, `--live is ${port}: another program uses this port`);
  let bytes = 0;
  for (const [path, type] of [["/", "html"], ["/live.js", "javascript"], ["/style.css", "css"]]) {
    const { status, headers, text } = await send(at(path), "GET");
    assertEquals([status, headers.get("content-type")], [200, `text/${type}; charset=utf-8`]);
    const policy = headers.get("content-security-policy")!;
    assertMatch(policy, /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$/);
    assertEquals([...policy.matchAll(/https?:|\*|script-src[^;]*unsafe/g)], []);
    for (const name of headers.keys()) assert(!name.startsWith("access-control"), name);
    assertEquals(headers.get("cache-control"), "no-store");
    // Namespaces are names, not addresses; Plot's one is of a help text.
    const urls = [...text.matchAll(/https?:\/\/[\w.-]+/g)].map(([url]) => url);
    assertEquals(urls.filter((url) => !/w3\.org|observablehq|github|developer\.mozilla/.test(url)), [], path);
    bytes += text.length;
  }
  assert(bytes < 400_000, `the page has ${bytes} bytes`);
});

permitted("LiveServer refuses other hosts, origins, sites, methods, paths, and a missing token", async () => {
  const { live, token, at } = serve();
  await using _ = live;
  const { host, origin } = new URL(live.url);
  const right = { origin, "x-backhand-token": token };
  const events = `/events?token=${token}`;
  const other = "http://evil.example";
  const cases: [status: number, method: string, path: string, headers?: Record<string, string>][] = [
    [403, "GET", "/", { host: "evil.example" }],
    [403, "GET", "/", { host: `evil.example:${new URL(live.url).port}` }],
    [403, "GET", "/", { host: "127.0.0.1" }],
    [403, "GET", "/live.js", { origin: other }],
    [403, "GET", "/live.js", { origin: "null" }],
    [403, "GET", "/live.js", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
    [403, "GET", "/live.js", { "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate" }],
    [200, "GET", "/live.js", { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" }],
    [200, "GET", "/", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }],
    [403, "GET", "/events"],
    [403, "GET", `/events?token=${token.slice(1)}`],
    [403, "GET", events, { host: "evil.example" }],
    [403, "GET", events, { origin: other }],
    [403, "GET", events, { "sec-fetch-site": "cross-site" }],
    [403, "POST", "/pause", { "x-backhand-token": token }],
    [403, "POST", "/pause", { origin }],
    [403, "POST", `/pause?token=${token}`, { origin }],
    [403, "POST", "/pause", { ...right, "x-backhand-token": token.toUpperCase() + "0" }],
    [403, "POST", "/stop", { ...right, origin: other }],
    [403, "POST", "/stop", { ...right, origin: `https://${host}` }],
    [403, "POST", "/stop", { ...right, host: "evil.example" }],
    [404, "POST", "/nothing", right],
    [403, "GET", "/pause"],
    [404, "GET", `/pause?token=${token}`],
    [404, "GET", `/../../../../etc/passwd?token=${token}`],
  ];
  for (const method of ["OPTIONS", "PUT", "DELETE", "HEAD", "PATCH"]) cases.push([405, method, "/pause", right]);
  for (const [status, method, path, headers] of cases) {
    const answer = await send(at(path), method, headers);
    const call = `${method} ${path} ${JSON.stringify(headers)}`;
    assertEquals(answer.status, status, call);
    assertEquals(answer.headers.get("access-control-allow-origin"), null, call);
    assert(!answer.text.includes(token), call);
  }
  assertEquals([live.isAsking, live.listeners], [false, 0]);
  assertEquals((await send(at("/pause"), "POST", right)).status, 204);
  assertEquals(live.isAsking, true);
});

permitted("LiveServer tells all pages the same, late ones too, at most ten times a second", async () => {
  const { live, doEpoch } = serve();
  await using _ = live;
  await using first = await Listener.open(live.url);
  const start = performance.now();
  for (let epoch = 1; epoch <= 200; epoch++) {
    doEpoch(epoch);
    await wait(2);
  }
  live.warning("slow");
  await using second = await Listener.open(live.url);
  for (const listener of [first, second]) await listener.until(({ last }) => last?.epoch === 200);
  const most = (performance.now() - start) / 100 + 2;
  assert(first.updates.length > 2 && first.updates.length <= most, `${first.updates.length} updates, at most ${most}`);
  for (const listener of [first, second]) {
    await listener.until(() => listener.updates.some(({ messages }) => messages.length > 0));
    assertEquals(listener.epochs, Array.from({ length: 200 }, (_, i) => i + 1));
    assertEquals([listener.last!.status.step, listener.last!.best?.epoch], [2_000, 200]);
  }
});

permitted("LiveServer holds on to no page that goes, and ends the streams of those that stay", async () => {
  const { live, doEpoch } = serve();
  const stays = await Listener.open(live.url);
  {
    await using _goes = await Listener.open(live.url);
    assertEquals(live.listeners, 2);
  }
  for (let epoch = 1; live.listeners > 1; epoch++) {
    assert(epoch < 500, "a page that was closed is kept");
    doEpoch(epoch);
    await wait(10);
  }
  live.end();
  await live[Symbol.asyncDispose]();
  await stays.done;
  assertEquals([stays.hasEnded, stays.last!.status.phase], [true, "over"]);
  await assertRejects(() => fetch(live.url));
});

permitted("LiveServer gives up a page that does not read, and never waits for it", async () => {
  const patience = 1_000;
  const { live, at, token } = serve({ patience });
  await using _ = live;
  await using reads = await Listener.open(live.url);
  using silent = await Deno.connect({ hostname: "127.0.0.1", port: Number(at("/").port) });
  const head = `GET /events?token=${token} HTTP/1.1\r\nhost: ${at("/").host}\r\n\r\n`;
  await silent.write(new TextEncoder().encode(head));
  while (live.listeners < 2) await wait(5);
  const since = performance.now();
  const rounds: { ended: number; took: number }[] = [];
  while (live.listeners === 2) {
    assert(performance.now() - since < 20_000, "a page that does not read is kept");
    const began = performance.now();
    for (let i = 0; i < 100; i++) live.note("x".repeat(2_000));
    const ended = performance.now();
    rounds.push({ ended, took: ended - began });
    await wait(20);
  }
  // A share of the time in which the page was waited for: one round may lose its core to another test.
  const stalled = rounds.filter(({ ended }) => ended > performance.now() - patience);
  const held = stalled.reduce((sum, { took }) => sum + took, 0);
  assert(held < patience / 4, `who trains was held up for ${held} of ${patience} ms`);
  live.note("the last");
  await reads.until(({ messages }) => messages.at(-1)?.text === "the last");
});

permitted("LiveServer refuses more pages than it can tell", async () => {
  const { live, at, token } = serve();
  const pages = await Promise.all(Array.from({ length: 16 }, () => Listener.open(live.url)));
  assertEquals((await send(at(`/events?token=${token}`), "GET")).status, 503);
  await live[Symbol.asyncDispose]();
  for (const page of pages) await page.done;
});

permitted("LiveServer.attend() holds a run until it may continue or end, and changes its learning rate", async () => {
  let isEnding = false;
  const { live, run, notes } = serve({ isEnding: () => isEnding });
  await using _ = live;
  await using page = await Listener.open(live.url);
  assertEquals(live.isAsking, false);
  await page.ask("/pause");
  assertEquals(live.isAsking, true);
  await page.until(({ status }) => status.phase === "pausing");
  run.step = 70;
  let isHeld = true;
  const held = live.attend(run).finally(() => isHeld = false);
  await page.until(({ status }) => status.phase === "paused");
  await page.ask("/rate?factor=0.5");
  await page.until(({ status }) => status.rateFactor === 0.5 && status.askedFactor === 0.5);
  assertEquals([run.rateFactor, page.last!.status.learningRate, isHeld], [0.5, 0.05, true]);
  assertEquals(notes, ["learning rate: 0.0500, 0.5 times the settings', from step 71 on"]);
  await page.ask("/resume");
  assertEquals([await held, live.isAsking], [undefined, false]);
  await page.until(({ status }) => status.phase === "training");
  // While it trains.
  for (const factor of [3, 4, 5]) await page.ask(`/rate?factor=${factor}`);
  assertEquals([live.isAsking, run.rateFactor], [true, 0.5]);
  assertEquals([await live.attend(run), run.rateFactor, live.isAsking], [undefined, 5, false]);
  await page.ask("/rate?factor=5");
  await live.attend(run);
  assertEquals(notes.length, 2);
  // Somebody else wants a paused run to end.
  await page.ask("/pause");
  const paused = live.attend(run);
  await wait(150);
  isEnding = true;
  assertEquals(await Promise.race([paused, wait(5_000).then(() => "held")]), undefined);
  await page.ask("/resume");
  await live.attend(run);
  await page.ask("/stop");
  assertEquals([live.isAsking, await live.attend(run)], [true, 0]);
});

permitted(
  "LiveServer.attend() ends a pause without a page, later if one is hidden",
  async () => {
    const { live, run, told } = serve({ absence: 1_000 });
    await using _ = live;
    run.step = 70;
    const page = await Listener.open(live.url);
    await page.ask("/pause");
    const held = live.attend(run);
    const isHeld = () => Promise.race([held.then(() => false), wait(0).then(() => true)]);
    await wait(1_500);
    assertEquals([await isHeld(), told], [true, []], "a page is open");
    await page[Symbol.asyncDispose]();
    while (live.listeners > 0) await wait(5);
    assertEquals(await page.ask("/here"), 204);
    const hidden = performance.now();
    await held;
    assert(performance.now() - hidden > 2_500, "a page that is hidden is waited for as if it were closed");
    assertEquals([told.at(-1), live.isAsking], ["no page was open for 1 s: the paused run continues", false]);
  },
);

permitted("LiveServer refuses factors beyond 100, and learning rates that float32 does not have", async () => {
  const { live } = serve({ learningRate: 1e37 });
  await using _ = live;
  await using page = await Listener.open(live.url);
  for (const factor of ["", "0", "-1", "0.00999", "100.1", "Infinity", "NaN", "1e", "35"]) {
    assertEquals([factor, await page.ask(`/rate?factor=${factor}`)], [factor, 400]);
  }
  assertEquals(await page.ask("/rate"), 400);
  assertEquals(live.isAsking, false);
  for (const factor of ["0.01", "1", "33"]) assertEquals(await page.ask(`/rate?factor=${factor}`), 204);
});
