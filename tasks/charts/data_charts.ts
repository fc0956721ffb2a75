/// <reference lib="dom" />
/** Charts of data and predictions: columns, classes, the fitted curve, predicted against actual. */

import * as Plot from "@observablehq/plot";
import { colorOf, type Curve, curveChart, type Draw, emptyFrame, frame, rangeOf, short, spread } from "./frame.ts";

/** The number of values in each bin of a column. */
export interface Histogram {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  /** From low to high, all as wide. */
  readonly counts: readonly number[];
}

export interface Pair {
  readonly actual: number;
  readonly predicted: number;
}

/** A row of the data, drawn with a fitted curve. */
export interface DrawnRow {
  readonly x: number;
  readonly y: number;
  /** Whether it is a validation row, drawn as a ring. */
  readonly isHollow?: boolean;
}

export function histogramChart({ name, low, high, counts }: Histogram, draw: Draw = {}): SVGSVGElement {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const most = counts.indexOf(Math.max(...counts));
  const words = { title: `Values of ${name}`, description: "There are no values." };
  if (total === 0) return emptyFrame(words, "There are no values.", { width: 300, height: 150, ...draw });
  const width = (high - low) / counts.length || 1;
  const edge = (bin: number) => low + bin * width;
  words.description = `${total} values from ${short(low)} to ${short(high)}; most of them, ${counts[most]}, from ` +
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

/** Rows of each class, or of each category of a column. */
export function classChart(
  classes: readonly { name: string; rows: number }[],
  draw: Draw = {},
  title = "Rows of each class",
): SVGSVGElement {
  const words = {
    title,
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

/** The predictions of a network with one input, over the data. */
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

/** Predicted against actual values; predictions on the diagonal are right. */
export function predictedChart(name: string, pairs: readonly Pair[], draw: Draw = {}): SVGSVGElement {
  return scatter(`${name}: predicted against actual`, name, pairs, draw, (shown) => {
    const range = spread(rangeOf(shown.flatMap(({ actual, predicted }) => [actual, predicted])));
    const description = `${shown.length} rows; the correlation is ${correlation(shown).toFixed(3)}. ` +
      "Points on the diagonal are predicted exactly.";
    const diagonal = Plot.line([[range[0], range[0]], [range[1], range[1]]], DASHED);
    return { description, of: ({ predicted }) => predicted, yLabel: "predicted", x: range, y: range, mark: diagonal };
  });
}

export function residualChart(name: string, pairs: readonly Pair[], draw: Draw = {}): SVGSVGElement {
  return scatter(`${name}: residuals`, name, pairs, draw, (shown) => {
    const of = ({ actual, predicted }: Pair) => predicted - actual;
    const all = shown.map(of);
    const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
    const range = rangeOf(all);
    const description = `Predicted minus actual over actual, ${shown.length} rows: mean ${short(mean)}, from ` +
      `${short(range[0])} to ${short(range[1])}.`;
    const x = spread(rangeOf(shown.map(({ actual }) => actual)));
    const y = spread(rangeOf([...range, 0]));
    return { description, of, yLabel: "predicted − actual", x, y, mark: Plot.ruleY([0], DASHED) };
  });
}

const DASHED = { stroke: "var(--soft)", strokeDasharray: "4 3" };

/** What differs between charts of pairs: a value over the actual one, the ranges, and the line of right predictions. */
interface Scatter {
  readonly description: string;
  readonly of: (pair: Pair) => number;
  readonly yLabel: string;
  readonly x: [number, number];
  readonly y: [number, number];
  readonly mark: Plot.Markish;
}

function scatter(
  title: string,
  name: string,
  pairs: readonly Pair[],
  draw: Draw,
  optionsOf: (shown: readonly Pair[]) => Scatter,
): SVGSVGElement {
  const size = { width: 400, height: 380, ...draw };
  const shown = pairs.filter(({ actual, predicted }) => Number.isFinite(actual) && Number.isFinite(predicted));
  if (shown.length === 0) return emptyFrame({ title, description: "" }, "There are no rows.", size);
  const { description, of, yLabel, x, y, mark } = optionsOf(shown);
  const dots = { x: (pair: Pair) => pair.actual, y: of, ...dotsOf(shown.length), fill: colorOf(0), className: "rows" };
  return frame({ title, description }, {
    marginRight: 20,
    marginTop: 26,
    x: { label: `actual ${name}`, domain: x, ticks: 5, tickFormat: short },
    y: { label: yLabel, domain: y, ticks: 6, tickFormat: short, labelArrow: "none" },
    marks: [Plot.gridY({ ticks: 6, stroke: "var(--grid)", strokeOpacity: 1 }), mark, Plot.dot(shown, dots)],
  }, size);
}

/** Few rows are large dots, many are small and transparent, so that dense places show. */
function dotsOf(rows: number): { r: number; fillOpacity: number } {
  return rows > 400 ? { r: 1.7, fillOpacity: 0.45 } : { r: 2.6, fillOpacity: 0.85 };
}

/** Pearson's correlation; 0 if one side is constant. */
function correlation(pairs: readonly Pair[]): number {
  const mean = (of: (pair: Pair) => number) => pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length;
  const a = mean(({ actual }) => actual);
  const p = mean(({ predicted }) => predicted);
  const product = mean((pair) => (pair.actual - a) * (pair.predicted - p));
  const squares = mean((pair) => (pair.actual - a) ** 2) * mean((pair) => (pair.predicted - p) ** 2);
  return squares > 0 ? product / Math.sqrt(squares) : 0;
}
