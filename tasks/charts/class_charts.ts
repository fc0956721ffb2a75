/// <reference lib="dom" />
/** Charts of a classifier: its confusion matrix, and whether its probabilities are true. */

import * as Plot from "@observablehq/plot";
import { colorOf, type Draw, emptyFrame, frame, short } from "./frame.ts";

/** Rows whose predicted probability is in one range. */
export interface ReliabilityBin {
  readonly predicted: number;
  /** Share of the rows for which it was true. */
  readonly actual: number;
  readonly rows: number;
}

/** What happens to two classes at one threshold. */
export interface ThresholdPoint {
  readonly threshold: number;
  readonly falsePositiveRate: number;
  readonly recall: number;
  readonly precision: number;
}

/** A chart with a dot at the point of this threshold; 0.5 by default. */
interface ThresholdDraw extends Draw {
  readonly threshold?: number;
}

/** With at most so many classes the cells are wide enough for numbers. */
export const MAX_NUMBERED = 14;

/** How many rows of each class were predicted as which. */
export function confusionChart(
  classes: readonly string[],
  confusion: readonly (readonly number[])[],
  draw: Draw = {},
): SVGSVGElement {
  const sums = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  const total = sums.reduce((sum, count) => sum + count, 0);
  const right = confusion.reduce((sum, row, i) => sum + row[i], 0);
  const words = {
    title: "Confusion matrix",
    description: `${right} of ${total} rows are on the diagonal, that is, right.`,
  };
  // Shortened names may be equal, so places go by number.
  const cells = confusion.flatMap((row, i) =>
    row.map((rows, j) => ({ i, j, rows, share: sums[i] ? rows / sums[i] : 0 }))
  );
  const left = Math.min(150, 40 + Math.max(0, ...classes.map((name) => name.length)) * 7);
  const side = Math.max(24, Math.min(76, 460 / classes.length));
  const places = classes.map((_, i) => i);
  const tall = side * Math.min(1, 46 / side);
  const size = { width: left + 20 + side * classes.length, height: 64 + tall * classes.length, ...draw };
  if (total === 0) return emptyFrame(words, "There are no rows.", { ...size, width: 400, height: 120 });
  const axis = { domain: places, tickFormat: (i: number) => classes[i], padding: 0.06 };
  const isTurned = classes.some((name) => name.length * 7 > side);
  return frame(words, {
    marginLeft: left,
    marginRight: 20,
    marginTop: 14,
    marginBottom: isTurned ? 100 : 44,
    x: { ...axis, label: "predicted", tickRotate: isTurned ? -40 : 0 },
    y: { ...axis, label: "actual" },
    marks: [
      Plot.cell(cells, { x: "j", y: "i", fill: "var(--panel)", stroke: "var(--grid)", className: "cells" }),
      Plot.cell(cells.filter(({ rows }) => rows > 0), {
        x: "j",
        y: "i",
        fill: ({ i, j }) => i === j ? colorOf(0) : colorOf(1),
        className: "shares",
        fillOpacity: ({ share }) => 0.08 + 0.52 * share,
      }),
      ...classes.length > MAX_NUMBERED ? [] : [Plot.text(cells, { x: "j", y: "i", text: ({ rows }) => `${rows}` })],
    ],
    color: { type: "identity" },
    opacity: { type: "identity" },
  }, isTurned ? { ...size, height: size.height + 56 } : size);
}

/**
 * How often a prediction with some probability was true (as in "Predicting Good Probabilities With Supervised Learning",
 * Niculescu-Mizil and Caruana 2005); each point with its number of rows.
 */
export function reliabilityChart(bins: readonly ReliabilityBin[], what: string, draw: Draw = {}): SVGSVGElement {
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
  const size = { width: 400, height: 380, ...draw };
  const said = bins.map((bin) => `${percent(bin.predicted)} predicted, ${percent(bin.actual)} true (${bin.rows} rows)`);
  const words = { title: "Reliability of probabilities", description: said.join("; ") + "." };
  if (rows === 0) return emptyFrame(words, "There are no rows.", size);
  const axis = { domain: [0, 1], ticks: 5, tickFormat: percent };
  return frame(words, {
    marginTop: 26,
    marginRight: 30,
    x: { ...axis, label: what },
    y: { ...axis, label: "share that was true", labelArrow: "none" },
    r: { range: [3, 11], domain: [0, Math.max(...bins.map((bin) => bin.rows))] },
    marks: [
      Plot.gridY({ ticks: 5, stroke: "var(--grid)", strokeOpacity: 1 }),
      Plot.line([[0, 0], [1, 1]], { stroke: "var(--soft)", strokeDasharray: "4 3" }),
      Plot.line(bins, { x: "predicted", y: "actual", stroke: colorOf(0), strokeOpacity: 0.5 }),
      Plot.dot(bins, { x: "predicted", y: "actual", r: "rows", fill: colorOf(0), className: "reliability" }),
      Plot.text(bins, {
        x: "predicted",
        y: "actual",
        text: (bin) => short(bin.rows),
        dy: -16,
        fontSize: 11,
        stroke: "var(--paper)",
        strokeWidth: 3,
        fill: "var(--ink)",
      }),
    ],
  }, size);
}

/** The recall of the second class by the share of the other's rows that count as it, from the highest threshold to the lowest. */
export function rocChart(points: readonly ThresholdPoint[], name: string, draw: ThresholdDraw = {}): SVGSVGElement {
  const words = { title: "ROC curve", description: saidOf(points, name, draw) };
  const labels = { x: "false positive rate", y: `recall of ${name}` };
  const chance = Plot.line([[0, 0], [1, 1]], { stroke: "var(--soft)", strokeDasharray: "4 3" });
  const start = { threshold: Infinity, falsePositiveRate: 0, recall: 0, precision: 1 };
  const placed = ({ falsePositiveRate, recall }: ThresholdPoint) => ({ x: falsePositiveRate, y: recall });
  return thresholdChart(words, [start, ...points], placed, labels, [chance], draw);
}

/** The precision of the second class by its recall. */
export function precisionRecallChart(
  points: readonly ThresholdPoint[],
  name: string,
  draw: ThresholdDraw = {},
): SVGSVGElement {
  const words = { title: "Precision and recall", description: saidOf(points, name, draw) };
  const labels = { x: `recall of ${name}`, y: `precision of ${name}` };
  return thresholdChart(words, points, ({ recall, precision }) => ({ x: recall, y: precision }), labels, [], draw);
}

function thresholdChart(
  words: { title: string; description: string },
  points: readonly ThresholdPoint[],
  placed: (point: ThresholdPoint) => { x: number; y: number },
  labels: { x: string; y: string },
  under: Plot.Markish[],
  { threshold, ...draw }: ThresholdDraw,
): SVGSVGElement {
  const axis = { domain: [0, 1], ticks: 5, tickFormat: percent };
  const point = pointAt(points, threshold);
  return frame(words, {
    marginTop: 26,
    marginRight: 30,
    x: { ...axis, label: labels.x },
    y: { ...axis, label: labels.y, labelArrow: "none" },
    marks: [
      Plot.gridY({ ticks: 5, stroke: "var(--grid)", strokeOpacity: 1 }),
      ...under,
      Plot.line(points.map(placed), { x: "x", y: "y", stroke: colorOf(0), className: "curve" }),
      ...point ? [Plot.dot([placed(point)], { x: "x", y: "y", r: 5, fill: colorOf(1), className: "threshold" })] : [],
    ],
  }, { width: 400, height: 380, ...draw });
}

/** The last point whose rows all reach a threshold. */
function pointAt(points: readonly ThresholdPoint[], threshold = 0.5): ThresholdPoint | undefined {
  return points.findLast((point) => point.threshold >= threshold);
}

function saidOf(points: readonly ThresholdPoint[], name: string, { threshold = 0.5 }: ThresholdDraw): string {
  const point = pointAt(points, threshold);
  if (!point) return `No row has a probability of ${short(threshold)}.`;
  return `From a probability of ${short(threshold)} on, ${percent(point.recall)} of the rows of ${name} are found, ` +
    `${percent(point.precision)} of the rows found are right, and ${percent(point.falsePositiveRate)} of the others ` +
    "are taken for it.";
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
