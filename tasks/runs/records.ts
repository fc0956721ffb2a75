/** What a run has left to be read: its settings, its epochs and its end. */

import { DataError } from "../../lib/base/errors.ts";
import type { Evaluation } from "../../lib/evaluate/evaluation.ts";
import { ConfigError } from "../settings/config.ts";
import type { Key } from "../settings/config_types.ts";
import { parseObject } from "../prepare/dataset_files.ts";
import type { LayersLine } from "../show/spectator.ts";
import { RunFolder } from "./folder.ts";
import type { Spectator } from "../show/spectator.ts";
import type { PARTS } from "../prepare/split.ts";
import type { EpochLine } from "../show/train_report.ts";

/** A run. */
export interface RunRecords {
  readonly run: string;
  /** Texts by key. */
  readonly settings: Readonly<Partial<Record<Key, string>>>;
  /** Epochs that are done. */
  readonly epochs: readonly EpochLine[];
  /** How it ended; undefined where it has not. */
  readonly summary?: RunSummary;
}

/** What summary.json says of a run. */
export type RunSummary =
  & Readonly<Record<"steps" | "seconds" | "stepsPerSecond", number>>
  & { readonly device: string }
  & { readonly [part in typeof PARTS[number]]?: Evaluation };

/**
 * Reads what runs have left.
 *
 * @throws {ConfigError} If some are not there; it says which, and which are.
 * @throws {DataError} If a file is damaged.
 */
export async function readRuns(runs: readonly string[]): Promise<RunRecords[]> {
  const texts = await Promise.all(runs.map((run) => textOf(run, "config.json")));
  const there = texts.includes(undefined) ? await runsThere() : "";
  const faults = runs.filter((_, i) => texts[i] === undefined).map((run) =>
    `there is no run "${run}": ${new RunFolder(run).path}/config.json is not there; ${there}`
  );
  if (faults.length > 0) throw new ConfigError(faults);
  return await Promise.all(runs.map(async (run, i) => {
    const summary = await textOf(run, "summary.json");
    return {
      run,
      settings: objectOf(texts[i]!, run, "config.json"),
      epochs: parseEpochs(await textOf(run, "metrics.jsonl") ?? "", new RunFolder(run).logs.metrics.path),
      ...summary === undefined ? {} : { summary: objectOf(summary, run, "summary.json") as unknown as RunSummary },
    };
  }));
}

/**
 * Tells somebody who looks on from now on what a run has done before.
 *
 * @throws {DataError} If a file is damaged.
 */
export async function recall(run: string, spectator: Spectator): Promise<void> {
  const { logs } = new RunFolder(run);
  const metrics = await textOf(run, "metrics.jsonl") ?? "";
  const looks = parseLooks(await textOf(run, "layers.jsonl") ?? "", logs.layers.path);
  for (const line of parseEpochs(metrics, logs.metrics.path)) spectator.epoch?.(line, 0, false);
  for (const look of looks) spectator.layers?.(look);
}

/** Text of a run's file; undefined where there is none. A link is not followed: a run from elsewhere may hold some. */
async function textOf(run: string, name: string): Promise<string | undefined> {
  const folder = new RunFolder(run).path;
  const path = `${folder}/${name}`;
  try {
    for (const file of [folder, path]) {
      if (!(await Deno.lstat(file)).isSymlink) continue;
      throw new DataError("this is a link, and a run lies in data/runs itself: copy there what it leads to", { file });
    }
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function objectOf(text: string, run: string, name: string): Record<string, string> {
  const value = parseObject(text);
  if (value) return value as Record<string, string>;
  throw new DataError("it holds no JSON object: it was damaged, train the run anew", {
    file: `${new RunFolder(run).path}/${name}`,
  });
}

/** Lines of metrics.jsonl; of a run that is under way, or was killed, the last one may not be whole. */
function parseEpochs(text: string, file: string): EpochLine[] {
  return text.split("\n").slice(0, -1).map((line, i) => {
    const epoch = parseObject(line) as EpochLine | undefined;
    const isSound = typeof epoch?.epoch === "number" && typeof epoch.trainLoss === "number" &&
      (epoch.valLoss === null || typeof epoch.valLoss === "number");
    if (isSound) return epoch;
    throw new DataError("this is no epoch of a run: the file was damaged, train the run anew", { file, line: i + 1 });
  });
}

/** Lines of layers.jsonl. */
function parseLooks(text: string, file: string): LayersLine[] {
  return text.split("\n").slice(0, -1).map((line, i) => {
    const look = parseObject(line) as LayersLine | undefined;
    const isSound = typeof look?.epoch === "number" &&
      [look.weights, look.gradients, look.dead].every((norms) => typeof norms === "object" && norms !== null);
    if (isSound) return look;
    throw new DataError("this is no look at layers: the file was damaged", { file, line: i + 1 });
  });
}

/** The runs that there are, in words. */
async function runsThere(): Promise<string> {
  const folder = new RunFolder("").path;
  const most = 10;
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name, isDirectory }) => isDirectory ? [name] : [])
    .catch((error) => {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    });
  const runs = names.flat().filter((name) => !name.startsWith(".")).sort();
  if (runs.length === 0) return "there is none yet: `deno task train` makes one";
  return `there are ${runs.slice(0, most).join(", ")}${runs.length > most ? ` and ${runs.length - most} more` : ""}`;
}
