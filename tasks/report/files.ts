/** What a report takes from the files of a run beside its model. None is followed where it is a link. */

import { DataError } from "../../lib/base/errors.ts";
import { printable } from "../../lib/base/printable.ts";
import { parseObject } from "../prepare/dataset_files.ts";
import type { EpochPoint, LayerLook } from "../charts/charts.ts";
import type { ClassLine, PartMeasures } from "./page/facts.ts";
import { named } from "./predictions.ts";
import type { RunFolder } from "../runs/folder.ts";
import { PARTS } from "../prepare/split.ts";

/** Measures that are shown of numbers and of classes, in this order. */
const NUMBERS = ["mse", "rmse", "mae", "r2"];
const CLASSES = ["accuracy", "macroF1"];

/** The parts as people say. */
export const PART_NAMES = { train: "training", validation: "validation", test: "test" };

/** The files. */
export interface RunFiles {
  readonly settings: Record<string, string>;
  readonly summary: Record<string, unknown>;
  readonly points: EpochPoint[];
  readonly looks: LayerLook[];
}

/**
 * Reads them; what is not there is empty.
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
  const settings = Object.entries(parseObject(config) ?? {}).map((
    [key, text],
  ) => [printable(key), printable(`${text}`)]);
  const isEpoch = (line: Record<string, unknown>) => Number.isFinite(line.epoch);
  return {
    settings: Object.fromEntries(settings),
    summary: parseObject(summary) ?? {},
    points: linesOf(epochs).filter(isEpoch).map((line) => ({ valLoss: null, ...line })) as unknown as EpochPoint[],
    looks: linesOf(layers).filter(isEpoch).map(lookOf),
  };
}

/** The epoch with the lowest validation loss; undefined where there is none. */
export function bestEpochOf(points: readonly EpochPoint[]): number | undefined {
  let best: EpochPoint | undefined;
  for (const point of points) {
    if (point.valLoss !== null && Number.isFinite(point.valLoss) && !(best && best.valLoss! <= point.valLoss)) {
      best = point;
    }
  }
  return best?.epoch;
}

/** The measures of each part in a summary, and the classes of the last one. */
export function measuresIn(summary: Record<string, unknown>): {
  parts: PartMeasures[];
  confusion?: number[][];
  classes?: ClassLine[];
} {
  const present = PARTS.filter((name) => typeof summary[name] === "object" && summary[name] !== null);
  const parts = present.map((name) => {
    const { rows, loss, baseline, ...rest } = summary[name] as Record<string, unknown>;
    return {
      part: PART_NAMES[name],
      rows: Number(rows),
      loss: Number(loss),
      measures: numbersIn(rest),
      baseline: typeof baseline === "object" && baseline !== null
        ? { ...numbersIn(baseline), loss: lossIn(baseline) }
        : undefined,
    };
  });
  const last = (summary[present.at(-1) ?? ""] ?? {}) as Record<string, unknown>;
  if (!Array.isArray(last.perClass) || !Array.isArray(last.confusion)) return { parts };
  const classes = last.perClass.map((line: Record<string, unknown>) => ({
    name: named(`${line.class}`),
    rows: Number(line.rows),
    precision: Number(line.precision),
    recall: Number(line.recall),
    f1: Number(line.f1),
  }));
  const confusion = last.confusion.map((row: unknown) => Array.isArray(row) ? row.map(Number) : []);
  return { parts, confusion, classes };
}

function lossIn(measures: object): number {
  return Number((measures as { loss?: unknown }).loss);
}

function numbersIn(measures: object): Record<string, number> {
  const found = measures as Record<string, unknown>;
  const names = found.accuracy === undefined ? NUMBERS : CLASSES;
  return Object.fromEntries(
    names.filter((name) => typeof found[name] === "number").map((name) => [name, found[name] as number]),
  );
}

function lookOf(line: Record<string, unknown>): LayerLook {
  const numbers = (value: unknown) =>
    Object.fromEntries(
      Object.entries(Object(value)).filter(([_, one]) => typeof one === "number").map((
        [name, one],
      ) => [named(name), one]),
    ) as Record<string, number>;
  const { epoch, step, weights, gradients, dead } = line;
  return {
    epoch: Number(epoch),
    step: Number(step),
    weights: numbers(weights),
    gradients: numbers(gradients),
    dead: numbers(dead),
  };
}

/** A line that a full disk cut short is left out. */
function linesOf(text: string): Record<string, unknown>[] {
  return text.split("\n").map(parseObject).filter((line) => line !== undefined);
}

async function readOwn(path: string): Promise<string> {
  try {
    if ((await Deno.lstat(path)).isSymlink) {
      throw new DataError("this is a link, and a run lies in data/runs itself: copy there what it leads to", {
        file: path,
      });
    }
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "";
  }
}
