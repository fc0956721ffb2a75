/// <reference lib="dom" />
/** Charts of data and of predictions: what columns hold, the fitted curve, predicted against actual. */

import * as Plot from "@observablehq/plot";
import { colorOf, type Curve, curveChart, type Draw, emptyFrame, frame, rangeOf, short, spread } from "./frame.ts";

/** How many values of a column lie in each of its bins. */
export interface Histogram {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  /** From low to high, all as wide. */
  readonly counts: readonly number[];
}

/** A row's truth and what was predicted. */
export interface Pair {
  readonly actual: number;
  readonly predicted: number;
}

/** A row of the data beside a fitted curve. */
export interface DrawnRow {
  readonly x: number;
  readonly y: number;
  /** Whether it only measures, and so is a ring. */
  readonly isHollow?: boolean;
}

/** How the values of a column are spread. */
export function histogramChart({ name, low, high, counts }: Histogram, draw: Draw = {}): SVGSVGElement {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const most = counts.indexOf(Math.max(...counts));
  const words = { title: `Values of ${name}`, description: "There are no values." };
  if (total === 0) return emptyFrame(words, "There are no values.", { width: 300, height: 150, ...draw });
  const width = (high - low) / counts.length || 1;
  const edge = (bin: number) => low + bin * width;
  words.description = `${total} values from ${short(low)} to ${short(high)}; most, ${counts[most]}, lie from ` +
    `${short(edge(most))} to ${short(edge(most + 1))}.`;
  return frame(words, {
    marginLeft: 44,
    marginRight: 12,
    marginTop: 14,
    marginBottom: 24,
    x: { label: null, ticks: 4, tickFormat: short },
    y: { label: null, ticks: 3, tickFormat: short },
    marks: [
      Plot.gridY({ ticks: 3, stroke: "var(--grid)", strokeOpacity: 1 }),
      Plot.rectY(counts.map((count, bin) => ({ x1: edge(bin), x2: edge(bin + 1), count })), {
        x1: "x1",
        x2: "x2",
        y: "count",
        fill: colorOf(0),
        inset: 0.4,
        className: "bins",
      }),
      Plot.ruleY([0], { stroke: "var(--soft)" }),
    ],
  }, { width: 300, height: 150, ...draw });
}

/** How many rows each class has. */
export function classChart(classes: readonly { name: string; rows: number }[], draw: Draw = {}): SVGSVGElement {
  const words = {
    title: "Rows of each class",
    description: classes.map(({ name, rows }) => `${name}: ${rows}`).join(", ") + ".",
  };
  const size = { height: 46 + classes.length * 24, ...draw };
  if (classes.length === 0) return emptyFrame(words, "There are no classes.", size);
  const left = Math.min(200, 24 + Math.max(...classes.map(({ name }) => name.length)) * 7);
  return frame(words, {
    marginLeft: left,
    marginRight: 70,
    marginTop: 8,
    x: { label: "rows", ticks: 5, tickFormat: short },
    // By number: names that were cut may be alike.
    y: { label: null, domain: classes.map((_, i) => i), tickFormat: (i: number) => classes[i].name, padding: 0.25 },
    marks: [
      Plot.barX(classes, { x: "rows", y: (_, i) => i, fill: colorOf(0), className: "bars" }),
      Plot.text(classes, { x: "rows", y: (_, i) => i, text: ({ rows }) => `${rows}`, textAnchor: "start", dx: 5 }),
    ],
  }, size);
}

/** What the network makes of its one input, over the data. */
export function fitChart(
  names: { x: string; y: string },
  curves: readonly Omit<Curve, "color">[],
  rows: readonly (readonly DrawnRow[])[],
  draw: Draw = {},
): SVGSVGElement {
  const isFinite = ({ x, y }: DrawnRow) => Number.isFinite(x) && Number.isFinite(y);
  const shown = rows.map((some) => some.filter(isFinite));
  const all = shown.flat();
  const words = {
    title: `${names.y} by ${names.x}, as predicted`,
    description: `${curves.length} curves of predictions over ${all.length} rows of the data.`,
  };
  const dots = shown.flatMap((some, i) => {
    const color = colorOf(rows.length > 1 ? i : 7);
    const { r, fillOpacity } = dotsOf(all.length);
    const full = some.filter(({ isHollow }) => !isHollow);
    const hollow = some.filter(({ isHollow }) => isHollow);
    const place = { x: "x", y: "y", r, className: "rows" };
    return [
      Plot.dot(full, { ...place, fillOpacity, fill: color }),
      ...hollow.length > 0 ? [Plot.dot(hollow, { ...place, fill: "var(--paper)", stroke: color })] : [],
    ];
  });
  const ys = [...all.map(({ y }) => y), ...curves.flatMap(({ places }) => places.flatMap(({ y }) => y ?? []))];
  const colored = curves.map((curve, i) => ({ ...curve, color: colorOf(rows.length > 1 ? i : i + 1) }));
  const yDomain = ys.some(Number.isFinite) ? spread(rangeOf(ys.filter(Number.isFinite))) : undefined;
  return curveChart(words, colored, { xLabel: names.x, yLabel: names.y, under: dots, yDomain }, {
    height: 340,
    ...draw,
  });
}

/** Predictions beside the truth; on the diagonal they are right. */
export function predictedChart(name: string, pairs: readonly Pair[], draw: Draw = {}): SVGSVGElement {
  const words = { title: `${name}: predicted against actual`, description: "There are no rows." };
  const shown = finite(pairs);
  const size = { width: 400, height: 380, ...draw };
  if (shown.length === 0) return emptyFrame(words, "There are no rows.", size);
  const range = spread(rangeOf(shown.flatMap(({ actual, predicted }) => [actual, predicted])));
  words.description = `${shown.length} rows; the correlation is ${correlation(shown).toFixed(3)}. ` +
    "Points on the diagonal are predicted exactly.";
  return scatter(words, shown, (pair) => pair.predicted, {
    xLabel: `actual ${name}`,
    yLabel: "predicted",
    x: range,
    y: range,
    marks: [Plot.line([[range[0], range[0]], [range[1], range[1]]], { stroke: "var(--soft)", strokeDasharray: "4 3" })],
  }, size);
}

/** What predictions miss the truth by. */
export function residualChart(name: string, pairs: readonly Pair[], draw: Draw = {}): SVGSVGElement {
  const words = { title: `${name}: residuals`, description: "There are no rows." };
  const shown = finite(pairs);
  const size = { width: 400, height: 380, ...draw };
  if (shown.length === 0) return emptyFrame(words, "There are no rows.", size);
  const residual = ({ actual, predicted }: Pair) => predicted - actual;
  const all = shown.map(residual);
  const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
  const range = rangeOf(all);
  words.description = `Predicted minus actual over actual, ${shown.length} rows: mean ${short(mean)}, from ` +
    `${short(range[0])} to ${short(range[1])}.`;
  const options = { x: spread(rangeOf(shown.map(({ actual }) => actual))), y: spread(rangeOf([...range, 0])) };
  return scatter(words, shown, residual, {
    xLabel: `actual ${name}`,
    yLabel: "predicted − actual",
    ...options,
    marks: [Plot.ruleY([0], { stroke: "var(--soft)", strokeDasharray: "4 3" })],
  }, size);
}

interface ScatterOptions {
  xLabel: string;
  yLabel: string;
  x: [number, number];
  y: [number, number];
  marks: Plot.Markish[];
}

function scatter(
  words: { title: string; description: string },
  pairs: readonly Pair[],
  y: (pair: Pair) => number,
  options: ScatterOptions,
  draw: Draw,
): SVGSVGElement {
  const dots = { x: (pair: Pair) => pair.actual, y, ...dotsOf(pairs.length), fill: colorOf(0), className: "rows" };
  return frame(words, {
    marginRight: 20,
    marginTop: 26,
    x: { label: options.xLabel, domain: options.x, ticks: 5, tickFormat: short },
    y: { label: options.yLabel, domain: options.y, ticks: 6, tickFormat: short, labelArrow: "none" },
    marks: [Plot.gridY({ ticks: 6, stroke: "var(--grid)", strokeOpacity: 1 }), ...options.marks, Plot.dot(pairs, dots)],
  }, draw);
}

/** Few rows are drawn large, many so that one sees where they lie dense. */
function dotsOf(rows: number): { r: number; fillOpacity: number } {
  return rows > 400 ? { r: 1.7, fillOpacity: 0.45 } : { r: 2.6, fillOpacity: 0.85 };
}

function finite(pairs: readonly Pair[]): Pair[] {
  return pairs.filter(({ actual, predicted }) => Number.isFinite(actual) && Number.isFinite(predicted));
}

/** Pearson's, 0 where one side is constant. */
function correlation(pairs: readonly Pair[]): number {
  const mean = (of: (pair: Pair) => number) => pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length;
  const a = mean(({ actual }) => actual);
  const p = mean(({ predicted }) => predicted);
  const product = mean((pair) => (pair.actual - a) * (pair.predicted - p));
  const squares = mean((pair) => (pair.actual - a) ** 2) * mean((pair) => (pair.predicted - p) ** 2);
  return squares > 0 ? product / Math.sqrt(squares) : 0;
}
