/// <reference lib="dom" />
/** What the network makes of its one input, over the rows: the report's chart of it. */

import { type DrawnRow, fitChart } from "../charts/data_charts.ts";
import type { PlayData } from "./datasets.ts";
import { extentOf } from "./grid.ts";

/** Pixels, which the style sheet fits to its place. */
const SIZE = { width: 380, height: 340 } as const;

/** Most rows that are drawn: each picture makes all of them anew. */
export const MOST_ROWS = 600;

/** Draws the fitted curve; of classes one for each, the probability. */
export function fittedCurve(data: PlayData, predicted: ArrayLike<number>): SVGSVGElement {
  const { features: [x], targets, rows: { table: { target } } } = data;
  const outputs = targets.length;
  const count = predicted.length / outputs;
  const [left, right] = extentOf(data).x;
  const curves = targets.map((name, output) => ({
    name: outputs > 1 ? name : "network",
    places: Array.from({ length: count }, (_, i) => ({
      x: left + (right - left) * (i + 0.5) / count,
      y: predicted[i * outputs + output],
    })),
  }));
  const y = target.kind === "numeric" ? targets.join(", ") : outputs > 1 ? "probability" : `is ${target.classes[1]}`;
  return fitChart({ x, y }, curves, targets.map((_, output) => rowsOf(data, output)), SIZE);
}

/** Rows as one output has them; of several classes those that are of this one. */
function rowsOf({ rows: { x, y, loss }, targets, training, validation }: PlayData, output: number): DrawnRow[] {
  const every = Math.ceil((training.length + validation.length) / MOST_ROWS);
  const drawn = (rows: readonly number[], isHollow: boolean) =>
    rows.filter((_, i) => i % every === 0).map((row) => ({ x: x[row], y: y[row * targets.length + output], isHollow }));
  return [...drawn(training, false), ...drawn(validation, true)].filter((row) => loss !== "softmax" || row.y === 1);
}
