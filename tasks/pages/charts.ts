/// <reference lib="dom" />
/** Charts of a run: a stand-in until the report's own are merged. */

import * as Plot from "@observablehq/plot";

export interface Draw {
  document?: Document;
  width?: number;
  height?: number;
}

/** A line of metrics.jsonl. */
export interface EpochPoint {
  epoch: number;
  step: number;
  trainLoss: number;
  valLoss: number | null;
  learningRate: number;
}

export interface LayerLook {
  epoch: number;
  step: number;
  weights: Record<string, number>;
  gradients: Record<string, number>;
  dead: Record<string, number>;
}

export function lossChart(
  points: readonly EpochPoint[],
  options: Draw & { bestEpoch?: number; log?: boolean } = {},
): SVGSVGElement {
  const { bestEpoch, log = true, ...draw } = options;
  return chart(draw, { type: log ? "log" : "linear", label: "loss" }, [
    Plot.lineY(points, { x: "epoch", y: "trainLoss", stroke: "var(--series-1)" }),
    Plot.lineY(points.filter(({ valLoss }) => valLoss !== null), {
      x: "epoch",
      y: "valLoss",
      stroke: "var(--series-2)",
    }),
    Plot.dot(points.filter(({ epoch }) => epoch === bestEpoch), { x: "epoch", y: "valLoss", fill: "var(--series-2)" }),
  ]);
}

export function rateChart(points: readonly EpochPoint[], options: Draw = {}): SVGSVGElement {
  return chart(options, { label: "learning rate" }, [
    Plot.lineY(points, { x: "epoch", y: "learningRate", stroke: "var(--series-3)" }),
  ]);
}

export function normChart(
  looks: readonly LayerLook[],
  what: "weights" | "gradients",
  options: Draw = {},
): SVGSVGElement {
  return chart(options, { type: "log", label: what }, seriesOf(looks, what));
}

export function deadChart(looks: readonly LayerLook[], options: Draw = {}): SVGSVGElement {
  return chart(options, { label: "dead", domain: [0, 1] }, seriesOf(looks, "dead"));
}

function seriesOf(looks: readonly LayerLook[], what: "weights" | "gradients" | "dead"): Plot.Markish[] {
  return Object.keys(looks[0]?.[what] ?? {}).map((name, i) =>
    Plot.lineY(looks, { x: "epoch", y: (look) => look[what][name], stroke: `var(--series-${i % 8 + 1})` })
  );
}

function chart(draw: Draw, y: Plot.ScaleOptions, marks: Plot.Markish[]): SVGSVGElement {
  return Plot.plot({ ...draw, y: { grid: true, ...y }, marks }) as SVGSVGElement;
}
