/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The script of the live page: draws what the server sends, and sends what the user asks for. */

import type { LiveMessage, LiveStatus, LiveUpdate } from "./history.ts";
import { deadChart, type Draw, lossChart, normChart, rateChart } from "../charts/charts.ts";
import { short as shortNumber } from "../charts/frame.ts";

/** The least milliseconds between two drawings of the charts. */
const DRAW_INTERVAL = 500;

/** Milliseconds within which the training should answer. */
const PATIENCE = 10_000;

/** Milliseconds between two signs of life of a hidden page; and until the first, because a page that is closed is hidden first. */
const HERE_INTERVAL = 20_000;
const CLOSING = 1_000;

const CROWD = "A browser allows six connections to it: close or hide other windows of this page.";

/** The most messages on the page, and the most epochs in the table. */
const MAX_MESSAGES = 100;
const MAX_ROWS = 20;

const PHASES: Record<LiveStatus["phase"] | "lost", string> = {
  training: "training",
  pausing: "pausing after the current steps",
  paused: "paused",
  stopping: "stopping after the current steps",
  over: "over",
  lost: "no connection to the training: it may be over; reconnecting",
};

const token = location.hash.slice(1);

/** Everything received so far. */
let state: LiveUpdate | undefined;
let drawnAt = 0;
let drawing: ReturnType<typeof setTimeout> | undefined;

function element<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const pause = element<HTMLButtonElement>("pause");
const stop = element<HTMLButtonElement>("stop");
const slider = element<HTMLInputElement>("factor");

function merge(update: LiveUpdate): void {
  const { points = [], layers = [], messages = [] } = update.isWhole || !state ? {} : state;
  state = {
    ...update,
    points: [...points, ...update.points],
    layers: [...layers, ...update.layers],
    messages: [...messages, ...update.messages].slice(-MAX_MESSAGES),
  };
}

function showUpdate(update: LiveUpdate): void {
  merge(update);
  showStatus(state!);
  if (update.isWhole) element("messages").replaceChildren();
  showMessages(update.messages);
  scheduleCharts();
}

function showStatus({ facts, status, last, best }: LiveUpdate): void {
  const { phase, step, stepsPerSecond } = status;
  showPhase(phase);
  if (!facts) return;
  const { runName, stepsPerEpoch, epochs } = facts;
  const total = stepsPerEpoch * epochs;
  document.title = `${runName}: ${phase === "training" ? `${Math.floor(100 * step / total)}%` : phase}`;
  const texts: Record<string, string> = {
    run: runName,
    epoch: `${Math.min(Math.floor(step / stepsPerEpoch) + 1, epochs)} of ${epochs}`,
    step: `${count(step)} of ${count(total)}`,
    speed: stepsPerSecond === null ? "–" : count(Math.round(stepsPerSecond)),
    left: stepsPerSecond === null || phase !== "training" ? "–" : duration((total - step) / stepsPerSecond),
    "train-loss": last ? short(last.trainLoss) : "–",
    "val-loss": last?.valLoss == null ? "–" : short(last.valLoss),
    best: best ? `${best.epoch}, ${short(best.valLoss!)}` : "–",
  };
  for (const [id, text] of Object.entries(texts)) write(element(id), text);
  element<HTMLProgressElement>("progress").value = step / total;
  showControls(status);
}

function showPhase(phase: keyof typeof PHASES): void {
  write(element("phase"), PHASES[phase]);
  element("phase").dataset.phase = phase;
}

function showControls({ phase, rateFactor, askedFactor, learningRate }: LiveStatus): void {
  const isPaused = phase === "paused" || phase === "pausing";
  const isEnding = phase === "stopping" || phase === "over";
  write(pause, isPaused ? "Resume" : "Pause");
  for (const control of [pause, stop, slider]) control.disabled = isEnding;
  // While the user moves the slider, it must not jump.
  if (!slider.matches(":active") && pendingFactor === undefined) slider.value = `${Math.log10(askedFactor)}`;
  const change = askedFactor === rateFactor ? "" : `, then ×${short(askedFactor)}`;
  write(element("rate"), `${short(learningRate)} now (×${short(rateFactor)}${change})`);
  // It may change with every step, so screen readers read it only as the slider's description.
  slider.ariaValueText = `×${short(askedFactor)}`;
}

/** Changes a text only if it differs, so that screen readers do not read it again. */
function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function showMessages(messages: readonly LiveMessage[]): void {
  const list = element("messages");
  const isAtEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 4;
  for (const { kind, step, text } of messages) {
    const item = document.createElement("li");
    const place = document.createElement("span");
    item.className = kind;
    place.className = "step";
    place.textContent = `step ${count(step)}`;
    item.append(place, text);
    list.append(item);
  }
  while (list.children.length > MAX_MESSAGES) list.firstChild!.remove();
  if (messages.length > 0 && isAtEnd) list.scrollTop = list.scrollHeight;
}

/** Draws soon, but not too often, and not while the page is hidden. */
function scheduleCharts(): void {
  if (drawing !== undefined || document.hidden) return;
  const pause = Math.max(0, drawnAt + DRAW_INTERVAL - performance.now());
  drawing = setTimeout(() => requestAnimationFrame(drawCharts), pause);
}

function drawCharts(): void {
  drawing = undefined;
  drawnAt = performance.now();
  if (!state) return;
  const { layers, best } = state;
  const points = allPoints(state);
  if (points.length > 0) {
    draw("loss", (options) => lossChart(points, { ...options, bestEpoch: best?.epoch }));
    draw("rates", (options) => rateChart(points, options));
  }
  if (layers.length > 0) {
    draw("weights", (options) => normChart(layers, "weights", options));
    draw("gradients", (options) => normChart(layers, "gradients", options));
    const hasUnits = layers.some(({ dead }) => Object.keys(dead).length > 0);
    if (hasUnits) draw("dead", (options) => deadChart(layers, options));
  }
  showEpochs(points.slice(-MAX_ROWS));
}

/** The points, with the best and the last epoch. */
function allPoints({ points, best, last }: LiveUpdate): LiveUpdate["points"] {
  const all = new Map(points.map((point) => [point.epoch, point]));
  for (const point of [best, last]) if (point) all.set(point.epoch, point);
  return [...all.values()].sort((a, b) => a.epoch - b.epoch);
}

function draw(id: string, chart: (options: Draw) => SVGSVGElement): void {
  const figure = element(id);
  const place = figure.querySelector(".place")!;
  const height = id === "loss" ? 300 : 230;
  figure.hidden = false;
  place.replaceChildren(chart({ document, width: Math.max(280, place.clientWidth), height }));
}

function showEpochs(points: LiveUpdate["points"]): void {
  const rows = points.toReversed().map(({ epoch, step, trainLoss, valLoss, learningRate }) => {
    const row = document.createElement("tr");
    for (const text of [count(epoch), count(step), short(trainLoss), short(valLoss), short(learningRate)]) {
      row.insertCell().textContent = text;
    }
    return row;
  });
  element("epochs").replaceChildren(...rows);
}

async function ask(path: string): Promise<void> {
  try {
    const headers = { "x-backhand-token": token };
    const signal = AbortSignal.timeout(PATIENCE);
    const answer = await fetch(path, { method: "POST", headers, signal });
    tellProblem(answer.ok ? "" : `The training refused this: ${await answer.text()}`);
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    tellProblem(`The training does not answer.${isLate ? ` ${CROWD}` : ""}`);
  }
}

function tellProblem(text: string): void {
  const place = element("problem");
  write(place, text);
  place.hidden = text === "";
}

/** The last factor that the slider asks for, while an earlier request is on its way. */
let pendingFactor: number | undefined;

async function askForFactor(): Promise<void> {
  const isBusy = pendingFactor !== undefined;
  pendingFactor = Number((10 ** Number(slider.value)).toPrecision(3));
  if (isBusy) return;
  let sent: number | undefined;
  while (sent !== pendingFactor) {
    sent = pendingFactor;
    await ask(`/rate?factor=${sent}`);
  }
  pendingFactor = undefined;
}

/** While the page is hidden: when it says again that it is there. */
let saying: ReturnType<typeof setTimeout> | undefined;

/** Says that the page is there though it does not listen, because a paused run continues without a page. */
function sayHere(wait: number): void {
  saying = setTimeout(async () => {
    await ask("/here");
    if (document.hidden) sayHere(HERE_INTERVAL);
  }, wait);
}

/** The connection while the page is visible, and whether the training has ended. */
let events: EventSource | undefined;
let isOver = false;

/** Listens while the page is visible: the browser has only a few connections. */
function listenWhileSeen(): void {
  if (document.hidden) {
    events?.close();
    events = undefined;
    if (!isOver) sayHere(CLOSING);
    if (!isOver && state?.facts) document.title = state.facts.runName; // its progress is unknown now
  } else {
    clearTimeout(saying);
    if (!events && !isOver) events = listen();
  }
}

function listen(): EventSource {
  const events = new EventSource(`/events?token=${encodeURIComponent(token)}`);
  const waiting = setTimeout(() => {
    if (events.readyState === EventSource.CONNECTING) tellProblem(`The training does not answer. ${CROWD}`);
  }, PATIENCE);
  events.addEventListener("open", () => {
    clearTimeout(waiting);
    tellProblem("");
  });
  events.addEventListener("update", ({ data }) => showUpdate(JSON.parse(data)));
  events.addEventListener("end", () => {
    isOver = true;
    events.close();
  });
  events.addEventListener("error", () => {
    clearTimeout(waiting);
    if (isOver) return;
    showPhase("lost");
    for (const control of [pause, stop, slider]) control.disabled = true;
    if (events.readyState === EventSource.CLOSED) {
      tellProblem(
        "The training refuses this page: open the complete address that it printed, with everything after #.",
      );
    }
  });
  return events;
}

const count = (value: number): string => value.toLocaleString("en");

function short(value: number | null): string {
  return value === null ? "–" : shortNumber(value);
}

function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

pause.addEventListener("click", () => ask(pause.textContent === "Pause" ? "/pause" : "/resume"));
stop.addEventListener("click", () => ask("/stop"));
slider.addEventListener("change", askForFactor);
document.addEventListener("visibilitychange", () => {
  listenWhileSeen();
  scheduleCharts();
});
addEventListener("resize", scheduleCharts);
listenWhileSeen();
