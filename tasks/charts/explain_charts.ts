/// <reference lib="dom" />
/** Charts that explain a network: which columns matter, and what it predicts by one of them. */

import * as Plot from "@observablehq/plot";
import { colorOf, dashOf, type Draw, emptyFrame, frame, rangeOf, short, spread } from "./frame.ts";

/** How much worse a network gets without a column. */
export interface ImportanceBar {
  readonly name: string;
  readonly mean: number;
  readonly deviation: number;
}

/** The average prediction at one value of a column. */
export interface ValuePoint {
  readonly label: string;
  readonly at: number;
  /** Share of the rows that lie nearest to it. */
  readonly share: number;
  readonly predicted: readonly number[];
}

/** Part of the height that the rows take at the bottom of a curve. */
const FLOOR = 0.16;

/** How many times the middle density is drawn at most. */
const MOST_TIMES = 4;

/** A bar for each column, with its deviation on both sides of the end. */
export function importanceChart(bars: readonly ImportanceBar[], what: string, draw: Draw = {}): SVGSVGElement {
  const words = {
    title: "Importance of columns",
    description: bars.map(({ name, mean }) => `${name}: ${short(mean)}`).join(", ") + ".",
  };
  const size = { height: 46 + bars.length * 24, ...draw };
  if (bars.length === 0) return emptyFrame(words, "There are no columns.", size);
  const left = Math.min(220, 24 + Math.max(...bars.map(({ name }) => name.length)) * 7);
  const ends = (sign: number) => ({ mean, deviation }: ImportanceBar) => mean + sign * deviation;
  return frame(words, {
    marginLeft: left,
    marginRight: 70,
    marginTop: 8,
    x: { label: what, ticks: 5, tickFormat: short },
    // By number: names that were cut may be alike.
    y: { label: null, domain: bars.map((_, i) => i), tickFormat: (i: number) => bars[i].name, padding: 0.25 },
    marks: [
      Plot.barX(bars, { x: "mean", y: (_, i) => i, fill: colorOf(0), className: "importance" }),
      Plot.ruleY(bars, { x1: ends(-1), x2: ends(1), y: (_, i) => i, stroke: "var(--ink)", className: "deviations" }),
      Plot.ruleX([0], { stroke: "var(--soft)" }),
      Plot.text(bars, { x: ends(1), y: (_, i) => i, text: ({ mean }) => short(mean), textAnchor: "start", dx: 5 }),
    ],
  }, size);
}

/** What is predicted by the values of a column; grey bars at the bottom say how many rows have them. */
export function dependenceChart(
  { column, outputs, points, isNamed }: {
    readonly column: string;
    readonly outputs: readonly string[];
    readonly points: readonly ValuePoint[];
    /** Whether the values are names, which have no distance. */
    readonly isNamed: boolean;
  },
  what: string,
  draw: Draw = {},
): SVGSVGElement {
  const said = outputs.slice(0, 3).map((name, i) => {
    const ends = [points[0], points.at(-1)!].map(({ label, predicted }) => `${short(predicted[i])} at ${label}`);
    return `${name}: ${ends.join(", ")}`;
  });
  const words = { title: `Prediction by ${column}`, description: `${said.join("; ")}.` };
  const size = { width: 440, height: 300, ...draw };
  const ys = points.flatMap(({ predicted }) => predicted).filter(Number.isFinite);
  if (ys.length === 0) return emptyFrame(words, "There is nothing to draw.", size);
  const [low, high] = spread(rangeOf(ys));
  const floor = low - (high - low) * FLOOR;
  const edges = edgesOf(points, isNamed);
  const densities = points.map(({ share }, i) => share / (edges[i + 1] - edges[i]));
  // One value that very many rows have, such as a fill value, would flatten all others.
  const middle = densities.toSorted((a, b) => a - b)[Math.floor(densities.length / 2)];
  const most = Math.min(Math.max(...densities), MOST_TIMES * middle);
  const bars = densities.map((density, i) => ({
    x1: edges[i],
    x2: edges[i + 1],
    y: floor + (low - floor) * Math.min(1, density / most),
  }));
  const labels = points.map(({ label }) => label.length > 14 ? `${label.slice(0, 13)}…` : label);
  const ticks = isNamed ? points.map((_, i) => i) : fewPlaces(points);
  const curves = outputs.flatMap((_, i) => {
    const places = points.map(({ at, predicted }, j) => ({ x: isNamed ? j : at, y: predicted[i] }));
    const dots = Plot.dot(places, { x: "x", y: "y", r: 3, fill: colorOf(i), className: "values" });
    if (isNamed) return [dots];
    return [
      Plot.line(places, { x: "x", y: "y", stroke: colorOf(i), strokeDasharray: dashOf(i), className: "curve" }),
      dots,
    ];
  });
  const names = outputs.length < 2 ? [] : [
    Plot.text(outputs.map((name, i) => ({ name, i })), {
      x: edges.at(-1),
      y: ({ i }) => points.at(-1)!.predicted[i],
      text: ({ name }) => name,
      fill: ({ i }) => colorOf(i),
      textAnchor: "start",
      dx: 6,
      className: "output-names",
    }),
  ];
  return frame(words, {
    marginTop: 26,
    marginRight: outputs.length < 2 ? 24 : 110,
    marginBottom: isNamed ? 84 : 38,
    x: {
      type: "linear",
      label: column,
      domain: [edges[0], edges.at(-1)!],
      ticks: isNamed ? ticks : ticks.map((i) => points[i].at),
      tickFormat: (at: number) => labels[isNamed ? at : points.findIndex((point) => point.at === at)],
      tickRotate: isNamed ? -40 : 0,
    },
    y: { label: what, domain: [floor, high], ticks: 5, tickFormat: short, labelArrow: "none" },
    color: { type: "identity" },
    marks: [
      Plot.gridY({ ticks: 5, stroke: "var(--grid)", strokeOpacity: 1 }),
      Plot.rect(bars, {
        x1: "x1",
        x2: "x2",
        y1: floor,
        y2: "y",
        fill: "var(--soft)",
        fillOpacity: 0.35,
        className: "density",
      }),
      ...curves,
      ...names,
    ],
  }, size);
}

/** Halfway between the places, and as far beyond the outer ones. */
function edgesOf(points: readonly ValuePoint[], isNamed: boolean): number[] {
  const places = isNamed ? points.map((_, i) => i) : points.map(({ at }) => at);
  const middles = places.slice(1).map((place, i) => (place + places[i]) / 2);
  if (middles.length === 0) return [places[0] - 0.5, places[0] + 0.5];
  const last = places.at(-1)!;
  return [2 * places[0] - middles[0], ...middles, 2 * last - middles.at(-1)!];
}

/** Which points have a tick: the outer ones, and few between, far enough from each other. */
function fewPlaces(points: readonly ValuePoint[]): number[] {
  const width = points.at(-1)!.at - points[0].at;
  const chosen: number[] = [];
  points.forEach(({ at }, i) => {
    const before = chosen.at(-1);
    if (before === undefined || at - points[before].at >= width / 4) chosen.push(i);
  });
  return chosen;
}
