/// <reference lib="dom" />
/** What all charts share: size, fonts, scales, texts for screen readers, and the sentence in an empty one. */

import * as Plot from "@observablehq/plot";
import { type Place, thin } from "./thin.ts";

/** Where and how large to draw. */
export interface Draw {
  /** Makes the elements; the browser's own document by default. */
  readonly document?: Document;
  /** Pixels; 640 by default. */
  readonly width?: number;
  readonly height?: number;
}

/** What a chart is, in words. */
interface Words {
  readonly title: string;
  /** What it shows, for people who cannot see it. */
  readonly description: string;
}

export interface Curve {
  readonly name: string;
  readonly color: string;
  readonly places: readonly Place[];
  readonly dash?: string;
}

/** Colours of series that style.css has. */
const COLORS = 8;

/** After these colours the lines are dashed. */
const DASHES = [undefined, "6 3", "2 3"];

/** Pixels between the names at the ends of two lines. */
const LINE_HEIGHT = 14;

/** Curves of at most so many points show each point. */
const FEW_POINTS = 40;

/** The colour of a series, as style.css has it. */
export function colorOf(series: number): string {
  return `var(--series-${series % COLORS + 1})`;
}

export function dashOf(series: number): string | undefined {
  return DASHES[Math.floor(series / COLORS) % DASHES.length];
}

export function frame(words: Words, options: Plot.PlotOptions, draw: Draw = {}): SVGSVGElement {
  const { width = 640, height = 280 } = draw;
  const svg = Plot.plot({
    className: "chart",
    marginLeft: 56,
    marginTop: 30,
    marginBottom: 38,
    ...options,
    width,
    height,
    ...(draw.document ? { document: draw.document } : {}),
  }) as SVGSVGElement & Plot.Plot;
  describe(svg, words);
  return svg;
}

/** A frame with a sentence instead of a chart. */
export function emptyFrame(words: Words, sentence: string, { document = globalThis.document, ...size }: Draw) {
  const { width = 640, height = 280 } = size;
  const svg = element(document, "svg", { class: "chart empty", width, height });
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const text = element(document, "text", { x: width / 2, y: height / 2, "text-anchor": "middle", fill: "var(--soft)" });
  text.textContent = sentence;
  svg.append(text);
  describe(svg as SVGSVGElement, { ...words, description: sentence });
  return svg as SVGSVGElement;
}

export function element(document: Document, name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, `${value}`);
  return made as SVGElement;
}

/** Gives a chart its text for screen readers, and the fonts of the page. */
export function describe(svg: SVGSVGElement, { title, description }: Words): void {
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${title}. ${description}`);
  svg.setAttribute("font-family", "inherit");
  svg.setAttribute("font-size", "12");
}

interface CurveOptions {
  readonly xLabel: string;
  readonly yLabel: string;
  /** A logarithmic y, if there is something above 0. */
  readonly log?: boolean;
  readonly yDomain?: readonly [number, number];
  readonly percent?: boolean;
  /** Marks that lie under the curves, and over them. */
  readonly under?: readonly Plot.Markish[];
  readonly marks?: readonly Plot.Markish[];
}

/** Draws curves with their names at their ends; long ones are thinned to what pixels show. */
export function curveChart(words: Words, curves: readonly Curve[], options: CurveOptions, draw: Draw): SVGSVGElement {
  const { xLabel, yLabel, yDomain, percent, under = [], marks = [] } = options;
  const { width = 640, height = 280 } = draw;
  const log = options.log === true && curves.some(({ places }) => places.some(({ y }) => isDrawable(y, true)));
  const shown = curves.map((curve) => ({
    ...curve,
    places: thin(curve.places.map(({ x, y }) => ({ x, y: isDrawable(y, log) ? y : null })), width / 2),
  })).filter(({ places }) => places.some(({ y }) => y !== null));
  if (shown.length === 0) return emptyFrame(words, "There is nothing to draw.", draw);
  const xs = rangeOf(shown.flatMap(({ places }) => places.map(({ x }) => x)));
  const ys = yDomain ?? spread(rangeOf(shown.flatMap(({ places }) => places.flatMap(({ y }) => y ?? []))), log);
  const longest = Math.max(...shown.map(({ name }) => name.length));
  const svg = frame(words, {
    marginRight: Math.min(160, 18 + longest * 7),
    x: {
      label: xLabel,
      domain: xs[0] === xs[1] ? [xs[0] - 0.5, xs[1] + 0.5] : xs,
      ticks: ticksOf(xs, width),
      tickFormat: short,
    },
    y: { label: yLabel, type: log ? "log" : "linear", domain: ys, axis: null },
    marks: [
      ...axisMarks(log ? logTicks(ys) : niceTicks(ys, height / 55), yLabel, percent),
      ...under,
      ...shown.flatMap(curveMarks),
      ...marks,
    ],
  }, draw) as SVGSVGElement & Plot.Plot;
  nameEnds(svg, shown, draw);
  return svg;
}

/** The grid and the axis of y. Ticks are given as texts, because a logarithmic scale would leave out some. */
function axisMarks(ticks: readonly number[], label: string, percent = false): Plot.Markish[] {
  const text = (value: number) => percent ? `${short(value * 100)}%` : short(value);
  return [
    Plot.gridY(ticks, { stroke: "var(--grid)", strokeOpacity: 1 }),
    Plot.axisY(ticks, { text, label, labelArrow: "none" }),
  ];
}

function curveMarks({ places, color, dash }: Curve): Plot.Markish[] {
  const points = [...places];
  const single = points.filter(({ y }) => y !== null).length <= FEW_POINTS;
  const line = Plot.line(points, { x: "x", y: "y", stroke: color, strokeDasharray: dash, className: "curve" });
  return single ? [line, Plot.dot(points, { x: "x", y: "y", r: 2.2, fill: color, className: "curve-points" })] : [line];
}

/** Writes names at the ends of curves, moved apart; of very many only some, evenly chosen. */
function nameEnds(svg: SVGSVGElement & Plot.Plot, curves: readonly Curve[], { document, ...size }: Draw): void {
  const { width = 640, height = 280 } = size;
  const right = Number([...svg.scale("x")!.range!][1]);
  const y = svg.scale("y")!;
  const room = Math.max(1, Math.floor((height - 60) / LINE_HEIGHT));
  const step = Math.max(1, (curves.length - 1) / (room - 1));
  const chosen = curves.length <= room ? curves : Array.from({ length: room }, (_, i) => curves[Math.round(i * step)]);
  const ends = chosen.map(({ name, color, places }) => ({
    name,
    color,
    at: Number(y.apply(places.findLast((place) => place.y !== null)!.y)),
  })).sort((a, b) => a.at - b.at);
  for (let i = 1; i < ends.length; i++) ends[i].at = Math.max(ends[i].at, ends[i - 1].at + LINE_HEIGHT);
  let most = height - 34;
  for (const end of ends.toReversed()) {
    end.at = Math.min(end.at, most);
    most = end.at - LINE_HEIGHT;
  }
  const maker = document ?? globalThis.document;
  const group = element(maker, "g", { class: "curve-names", "text-anchor": "start" });
  for (const { name, color, at } of ends) {
    const place = { x: right + 8, y: at.toFixed(1), dy: "0.32em", fill: color };
    const text = element(maker, "text", place);
    const letters = Math.floor((width - right - 10) / 6.5);
    text.textContent = name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
    group.append(text);
  }
  svg.append(group);
}

function isDrawable(y: number | null | undefined, log: boolean): y is number {
  return typeof y === "number" && Number.isFinite(y) && (!log || y > 0);
}

export function rangeOf(values: Iterable<number>): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

/** A range with a margin, never empty. */
export function spread([low, high]: readonly [number, number], log = false): [number, number] {
  // There is no room for ticks between two neighbouring floats.
  const isOne = !(high - low > 1e-12 * Math.max(Math.abs(low), Math.abs(high)));
  if (log) {
    const air = isOne ? 2 : (high / low) ** 0.04;
    const { MIN_VALUE, MAX_VALUE } = Number;
    return [Math.max(low / air, MIN_VALUE), Math.min(high * air, MAX_VALUE)];
  }
  const air = isOne ? Math.abs(low) / 2 || 0.5 : (high - low) * 0.04;
  return [low - air, high + air];
}

/** Whole numbers if there are few; else as many ticks as there is room for. */
function ticksOf([low, high]: readonly [number, number], width: number): number[] | number {
  const whole = Number.isInteger(low) && high - low <= 10;
  return whole
    ? Array.from({ length: Math.floor(high - low) + 1 }, (_, i) => low + i)
    : Math.min(7, Math.round(width / 90));
}

/** Powers of ten, of few decades also 2 and 5 times these; within one decade as on a linear scale. */
function logTicks([low, high]: readonly [number, number]): number[] {
  const decades = Math.log10(high) - Math.log10(low);
  if (decades < 0.8) return niceTicks([low, high]);
  const steps = decades < 2.5 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / 7));
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    if (power % every === 0) ticks.push(...steps.map((step) => Number(`${step}e${power}`)));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

function niceTicks([low, high]: readonly [number, number], count = 5): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((times) => times * power >= rough * 0.8) ?? 10);
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return ticks;
}

/** A number in a few characters. */
export function short(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return `${value}`;
  const size = Math.abs(value);
  const text = size >= 1e6 || size < 1e-4
    ? value.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e")
    : `${Number(value.toPrecision(4))}`;
  return text.replaceAll("-", "−");
}
