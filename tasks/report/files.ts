/** What a report reads from the files of a run besides its model. Links are refused. */

import { DataError } from "../../lib/base/errors.ts";
import type { CurvePoint } from "../../lib/evaluate/two_classes.ts";
import { printable } from "../../lib/base/printable.ts";
import { parseObject } from "../prepare/dataset_files.ts";
import type { EpochPoint, LayerRecord } from "../charts/charts.ts";
import type { ManyClasses, ReportFacts } from "./page/facts.ts";
import { named } from "./predictions.ts";
import { formatCoverage } from "../show/evaluation_report.ts";
import { MEASURE_NAMES } from "../show/measure_names.ts";
import type { RunFolder } from "../runs/folder.ts";
import { PART_NAMES, PARTS } from "../prepare/split.ts";

/** The measures of numbers and of classes, in this order. */
const NUMBERS = ["mse", "rmse", "mae", "r2"];
const CLASSES = ["accuracy", "macroF1", "rocAuc", "averagePrecision", "brier"];

export interface RunFiles {
  readonly settings: Record<string, string>;
  readonly summary: Record<string, unknown>;
  readonly points: EpochPoint[];
  readonly layerRecords: LayerRecord[];
}

/**
 * Reads the files; a missing one is empty.
 *
 * @throws {DataError} If one is a link.
 */
export async function readRunFiles({ path, logs }: RunFolder): Promise<RunFiles> {
  const [config, summary, epochs, layers] = await Promise.all([
    readOwn(`${path}/config.json`),
    readOwn(`${path}/summary.json`),
    readOwn(logs.metrics.path),
    readOwn(logs.layers.path),
  ]);
  const settings = Object.entries(parseObject(config) ?? {});
  const isEpoch = (line: Record<string, unknown>) => Number.isFinite(line.epoch);
  return {
    settings: Object.fromEntries(settings.map(([key, text]) => [printable(key), printable(`${text}`)])),
    summary: parseObject(summary) ?? {},
    points: linesOf(epochs).filter(isEpoch).map((line) => ({ valLoss: null, ...line })) as unknown as EpochPoint[],
    layerRecords: linesOf(layers).filter(isEpoch).map(layerRecordOf),
  };
}

/** The epoch with the lowest validation loss, if there is one. */
export function bestEpochOf(points: readonly EpochPoint[]): number | undefined {
  const judged = points.filter(({ valLoss }) => valLoss !== null && Number.isFinite(valLoss));
  return judged.reduce<EpochPoint | undefined>(
    (best, one) => best && best.valLoss! <= one.valLoss! ? best : one,
    undefined,
  )
    ?.epoch;
}

/** The measures of each part in a summary, and the classes of the last one. */
export function measuresIn(
  summary: Record<string, unknown>,
): Pick<ReportFacts, "parts" | "confusion" | "classes" | "many" | "threshold" | "curve"> {
  const present = PARTS.filter((name) => typeof summary[name] === "object" && summary[name] !== null);
  const parts = present.map((name) => {
    const { rows, loss, baseline, ...rest } = summary[name] as Record<string, unknown>;
    const folds = name === "validation" ? foldsIn(summary.folds) : undefined;
    return {
      part: folds ? "out-of-fold" : PART_NAMES[name],
      folds,
      rows: Number(rows),
      loss: Number(loss),
      measures: measuresOf(rest),
      baseline: typeof baseline === "object" && baseline !== null
        ? { ...measuresOf(baseline), loss: Number((baseline as { loss?: unknown }).loss) }
        : undefined,
    };
  });
  const last = (summary[present.at(-1) ?? ""] ?? {}) as Record<string, unknown>;
  if (!Array.isArray(last.perClass)) return { parts };
  const classes = last.perClass.map((line: Record<string, unknown>) => ({
    name: named(`${line.class}`),
    rows: Number(line.rows),
    precision: Number(line.precision),
    recall: Number(line.recall),
    f1: Number(line.f1),
  }));
  if (Array.isArray(last.confusions)) return { parts, classes, many: manyIn(last, last.confusions) };
  if (!Array.isArray(last.confusion)) return { parts };
  const confusion = last.confusion.map((row: unknown) => Array.isArray(row) ? row.map(Number) : []);
  const threshold = typeof last.threshold === "number" ? last.threshold : undefined;
  return { parts, classes, confusion, threshold, curve: Array.isArray(last.curve) ? curveIn(last.curve) : undefined };
}

/** The points of a curve; a file may hold anything. */
function curveIn(points: readonly unknown[]): CurvePoint[] {
  return points.map((point) => Object(point) as Record<string, unknown>).map((point) => ({
    threshold: Number(point.threshold),
    falsePositiveRate: Number(point.falsePositiveRate),
    recall: Number(point.recall),
    precision: Number(point.precision),
  }));
}

/** What stands instead of the matrix of many classes. */
function manyIn({ classes, confusedPairs }: Record<string, unknown>, confusions: readonly unknown[]): ManyClasses {
  const pairs = confusions.map((line) => Object(line) as Record<string, unknown>);
  return {
    classes: Number(classes),
    pairs: Number(confusedPairs),
    confusions: pairs.map(({ actual, predicted, rows, share }) => ({
      actual: named(`${actual}`),
      predicted: named(`${predicted}`),
      rows: Number(rows),
      share: Number(share),
    })),
  };
}

/** What a summary says of temperature, clipping and intervals, as sentences. */
export function answersIn({ output, interval }: Record<string, unknown>): string[] {
  const { temperature, clippedTo } = Object(output) as Record<string, unknown>;
  const { level, isOfClasses, targets } = Object(interval) as Record<string, unknown>;
  const coverages = Array.isArray(targets) ? targets.map((one) => Object(one) as Record<string, unknown>) : [];
  const lines = formatCoverage({
    level: Number(level),
    isOfClasses: isOfClasses === true,
    targets: coverages.map(({ target, coverage, width }) => ({
      target: named(`${target}`),
      coverage: Number(coverage),
      width: Number(width),
    })),
  });
  return [
    ...(temperature === undefined ? [] : [`Logits are divided by a temperature of ${Number(temperature)}.`]),
    ...(clippedTo === undefined ? [] : ["Predictions are clipped to the range of the training rows."]),
    ...lines.map((line) => `Test rows: ${line}.`),
  ];
}

/** The mean of each measure over the folds, and its deviation. */
function foldsIn(value: unknown): ReportFacts["parts"][number]["folds"] {
  if (typeof value !== "object" || value === null) return undefined;
  const { folds, measures } = value as Record<string, unknown>;
  const found = Object.entries(Object(measures)).map(([name, of]) => [named(name), Object(of)] as const);
  const all = (key: "mean" | "deviation") => Object.fromEntries(found.map(([name, of]) => [name, Number(of[key])]));
  // A fold that cannot have a measure has null there.
  const fewer = found.flatMap(([name, { each }]) => {
    const had = Array.isArray(each) ? each.filter((value) => value !== null).length : Number(folds);
    return had < Number(folds) ? [`${MEASURE_NAMES[name] ?? name} over ${had}`] : [];
  });
  return { count: Number(folds), fewer, mean: all("mean"), deviation: all("deviation") };
}

function measuresOf(values: unknown): Record<string, number> {
  const found = numbersOf(values);
  const names = "accuracy" in found ? CLASSES : NUMBERS;
  return Object.fromEntries(names.filter((name) => name in found).map((name) => [name, found[name]]));
}

/** The numbers among the values of an object. */
function numbersOf(values: unknown): Record<string, number> {
  const entries = Object.entries(Object(values)).filter(([_, value]) => typeof value === "number");
  return Object.fromEntries(entries.map(([name, value]) => [named(name), value as number]));
}

function layerRecordOf({ epoch, step, weights, gradients, dead }: Record<string, unknown>): LayerRecord {
  return {
    epoch: Number(epoch),
    step: Number(step),
    weights: numbersOf(weights),
    gradients: numbersOf(gradients),
    dead: numbersOf(dead),
  };
}

/** Leaves out a line that a full disk cut short. */
function linesOf(text: string): Record<string, unknown>[] {
  return text.split("\n").map(parseObject).filter((line) => line !== undefined);
}

async function readOwn(path: string): Promise<string> {
  const stat = await Deno.lstat(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  if (stat?.isSymlink) {
    throw new DataError("this is a link; a run must be in data/runs itself: copy the file there", { file: path });
  }
  return stat ? await Deno.readTextFile(path) : "";
}
