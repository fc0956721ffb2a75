/** Reads what a run has written: its settings, its epochs and its end. */

import { DataError } from "../../lib/base/errors.ts";
import { parseTableNotes, type TableNotes } from "../../lib/data/table_notes.ts";
import { ConfigError } from "../settings/config.ts";
import type { Key } from "../settings/settings.ts";
import { parseObject, stampOf } from "../prepare/dataset_files.ts";
import { RunFolder } from "./folder.ts";
import { parseRecord, type RunRecord } from "./origin.ts";
import { refuseLink } from "./saved_run.ts";
import type { ShortEvaluation } from "../show/short_evaluation.ts";
import type { EpochLine, LayerRecord, View } from "../show/view.ts";
import type { PARTS } from "../prepare/split.ts";

export interface RunRecords {
  readonly run: string;
  readonly settings: Readonly<Partial<Record<Key, string>>>;
  readonly epochs: readonly EpochLine[];
  /** What its result depends on; undefined in runs of earlier versions. */
  readonly origin?: RunRecord;
  /** How it ended; undefined if it has not. */
  readonly summary?: RunSummary;
}

export type RunSummary =
  & Readonly<Record<"steps" | "seconds" | "stepsPerSecond", number>>
  & { readonly device: string }
  & { readonly [part in typeof PARTS[number]]?: Omit<ShortEvaluation, "confusion"> }
  & { readonly notes?: TableNotes };

/**
 * Reads the records of runs.
 *
 * @throws {ConfigError} If some are not there; the message says which, and lists those that are.
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
    const origin = await textOf(run, "origin.json");
    return {
      run,
      settings: objectOf(texts[i]!, run, "config.json"),
      epochs: parseEpochs(await textOf(run, "metrics.jsonl") ?? "", new RunFolder(run).logs.metrics.path),
      ...origin === undefined ? {} : { origin: parseRecord(origin, `${new RunFolder(run).path}/origin.json`) },
      ...summary === undefined ? {} : { summary: summaryOf(summary, run) },
    };
  }));
}

/**
 * Tells a view what a run did before it was resumed.
 *
 * @throws {DataError} If a file is damaged.
 */
export async function recall(run: string, view: View): Promise<void> {
  const { logs } = new RunFolder(run);
  const metrics = await textOf(run, "metrics.jsonl") ?? "";
  const records = parseLayers(await textOf(run, "layers.jsonl") ?? "", logs.layers.path);
  for (const line of parseEpochs(metrics, logs.metrics.path)) view.epoch?.(line, 0, false);
  for (const record of records) view.layers?.(record);
}

/** Text of a run's file; undefined if there is none. Links are refused: a run from elsewhere may hold some. */
async function textOf(run: string, name: string): Promise<string | undefined> {
  const folder = new RunFolder(run).path;
  const path = `${folder}/${name}`;
  for (const file of [folder, path]) await refuseLink(file);
  return await stampOf(path) === undefined ? undefined : await Deno.readTextFile(path);
}

function objectOf(text: string, run: string, name: string): Record<string, string> {
  const value = parseObject(text);
  if (value) return value as Record<string, string>;
  throw new DataError("it holds no JSON object: the file is damaged, train the run again", {
    file: `${new RunFolder(run).path}/${name}`,
  });
}

function summaryOf(text: string, run: string): RunSummary {
  const summary = objectOf(text, run, "summary.json") as unknown as RunSummary;
  try {
    return summary.notes === undefined ? summary : { ...summary, notes: parseTableNotes(summary.notes) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const file = `${new RunFolder(run).path}/summary.json`;
    throw new DataError(`${error.message}: the file is damaged, train the run again`, { file }, { cause: error });
  }
}

function parseEpochs(text: string, file: string): EpochLine[] {
  const isSound = ({ epoch, trainLoss, valLoss }: EpochLine) =>
    typeof epoch === "number" && typeof trainLoss === "number" && (valLoss === null || typeof valLoss === "number");
  return parseLines(text, file, "this is no epoch of a run", isSound);
}

function parseLayers(text: string, file: string): LayerRecord[] {
  const isSound = ({ epoch, weights, gradients, dead }: LayerRecord) =>
    typeof epoch === "number" &&
    [weights, gradients, dead].every((norms) => typeof norms === "object" && norms !== null);
  return parseLines(text, file, "this is no record of layers", isSound);
}

/** Whole lines of a log: the last one of a run that was killed, or still trains, may be cut off. */
function parseLines<T>(text: string, file: string, fault: string, isSound: (value: T) => boolean): T[] {
  return text.split("\n").slice(0, -1).map((line, i) => {
    const value = parseObject(line) as T | undefined;
    if (value && isSound(value)) return value;
    throw new DataError(`${fault}: the file is damaged, train the run again`, { file, line: i + 1 });
  });
}

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
