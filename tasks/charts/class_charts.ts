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

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
