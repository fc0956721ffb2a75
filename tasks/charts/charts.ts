/// <reference lib="dom" />
/**
 * Charts of a training, for report and live page: plain data in, an SVG element out. They run in a browser, or elsewhere with
 * a `document` that is passed. The colours are those of style.css.
 */

import * as Plot from "@observablehq/plot";
import { colorOf, type Curve, curveChart, dashOf, type Draw, short } from "./frame.ts";

export type { Draw };

/** A line of metrics.jsonl. */
export interface EpochPoint {
  readonly epoch: number;
  readonly step: number;
  /** Not finite in an epoch that failed; null in JSON. */
  readonly trainLoss: number | null;
  readonly valLoss: number | null;
  readonly learningRate: number;
}

/** A line of layers.jsonl: the layers at the end of an epoch. */
export interface LayerRecord {
  readonly epoch: number;
  readonly step: number;
  /** L2 norms by name of the parameter. */
  readonly weights: Readonly<Record<string, number>>;
  readonly gradients: Readonly<Record<string, number>>;
  /** Shares of units that are 0 on all sampled rows, by name of the ReLU layer. */
  readonly dead: Readonly<Record<string, number>>;
}

export function lossChart(
  points: readonly EpochPoint[],
  options: Draw & { bestEpoch?: number; log?: boolean } = {},
): SVGSVGElement {
  const { bestEpoch, log = true, ...draw } = options;
  const curveOf = (name: string, color: string, key: "trainLoss" | "valLoss"): Curve => ({
    name,
    color,
    places: points.map((point) => ({ x: point.epoch, y: point[key] })),
  });
  const curves = [curveOf("training", colorOf(0), "trainLoss"), curveOf("validation", colorOf(1), "valLoss")];
  const best = points.find(({ epoch }) => epoch === bestEpoch);
  const y = best?.valLoss ?? best?.trainLoss;
  const isMarked = best && typeof y === "number" && Number.isFinite(y) && (!log || y > 0);
  const marks = isMarked
    ? [
      Plot.ruleX([best.epoch], { stroke: "var(--soft)", strokeDasharray: "2 3", className: "best-rule" }),
      Plot.dot([[best.epoch, y]], {
        r: 4.5,
        fill: "var(--paper)",
        stroke: "var(--ink)",
        strokeWidth: 1.5,
        className: "best",
      }),
      Plot.text([best.epoch], {
        x: (epoch: number) => epoch,
        frameAnchor: "top",
        dy: -14,
        text: [`best: epoch ${best.epoch}`],
        fill: "var(--ink)",
        className: "best-name",
      }),
    ]
    : [];
  const description = [
    `${points.length} epochs${log ? ", loss on a logarithmic scale" : ""}`,
    `at the end ${lossesIn(points.at(-1))}`,
    ...isMarked ? [`the best epoch is ${best.epoch} with ${short(y)}`] : [],
  ].join("; ") + ".";
  const words = { title: "Loss by epoch", description };
  return curveChart(words, curves, { xLabel: "epoch", yLabel: "loss", log, marks }, draw);
}

export function rateChart(points: readonly EpochPoint[], options: Draw = {}): SVGSVGElement {
  const places = points.map(({ epoch, learningRate }) => ({ x: epoch, y: learningRate }));
  const rates = points.map(({ learningRate }) => learningRate);
  const description = rates.length === 0 ? "No epoch is done." : `From ${short(rates[0])} to ${short(rates.at(-1)!)}.`;
  const curve = { name: "rate", color: colorOf(2), places };
  const words = { title: "Learning rate by epoch", description };
  return curveChart(words, [curve], { xLabel: "epoch", yLabel: "learning rate" }, { height: 180, ...options });
}

/** The norms of weights or gradients by epoch, a curve for each parameter. */
export function normChart(
  records: readonly LayerRecord[],
  what: "weights" | "gradients",
  options: Draw = {},
): SVGSVGElement {
  const words = { title: `Norms of ${what} by epoch`, description: saidAtTheEnd(records, what) };
  const labels = { xLabel: "epoch", yLabel: what === "weights" ? "L2 norm" : "L2 norm of the gradient", log: true };
  return curveChart(words, curvesOf(records, what), labels, options);
}

/** The share of dead units by epoch, a curve for each ReLU layer. */
export function deadChart(records: readonly LayerRecord[], options: Draw = {}): SVGSVGElement {
  const words = {
    title: "Share of dead units by epoch",
    description: saidAtTheEnd(records, "dead", (v) => `${short(v * 100)}%`),
  };
  const labels = { xLabel: "epoch", yLabel: "dead units", yDomain: [0, 1] as const, percent: true };
  return curveChart(words, curvesOf(records, "dead"), labels, { height: 220, ...options });
}

function curvesOf(records: readonly LayerRecord[], what: "weights" | "gradients" | "dead"): Curve[] {
  const names = [...new Set(records.flatMap((record) => Object.keys(record[what] ?? {})))];
  return names.map((name, i) => ({
    name,
    color: colorOf(i),
    dash: dashOf(i),
    places: records.map((record) => ({ x: record.epoch, y: record[what]?.[name] ?? null })),
  }));
}

function saidAtTheEnd(records: readonly LayerRecord[], what: "weights" | "gradients" | "dead", format = short): string {
  const last = records.at(-1);
  const entries = Object.entries(last?.[what] ?? {});
  if (!last || entries.length === 0) return "There is nothing to draw.";
  const more = entries.length > 12 ? `, and ${entries.length - 12} more` : "";
  const said = entries.slice(0, 12).map(([name, value]) => `${name} ${format(value)}`).join(", ");
  return `${records.length} epochs; at epoch ${last.epoch} ${said}${more}.`;
}

function lossesIn(point: EpochPoint | undefined): string {
  if (!point) return "no epoch is done";
  const training = point.trainLoss === null ? "training is not finite" : `training ${short(point.trainLoss)}`;
  return point.valLoss === null ? training : `${training}, validation ${short(point.valLoss)}`;
}
