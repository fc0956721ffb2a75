/** The file of a scaled dataset: what its metadata says, how it relates to the settings, and its tensors. */

import { DATA_FOLDER } from "../settings/data_folder.ts";
import { CONSTANT_TARGET_FIX, constantTarget } from "../../lib/inspect/diagnosis.ts";
import { csvPaths } from "../../lib/data/csv_files.ts";
import { DataError } from "../../lib/base/errors.ts";
import { parseBoundedJson } from "../../lib/safetensors/bounded_json.ts";
import { showJson } from "../../lib/base/printable.ts";
import { readSafetensorsHeader } from "../../lib/safetensors/reader.ts";
import { SafetensorsRows } from "../../lib/safetensors/rows.ts";
import { Scaler, type ScalingMethod } from "../../lib/data/scaler.ts";
import { type ColumnStatistics, isSame } from "../../lib/data/statistics.ts";
import type { Table } from "../../lib/data/table.ts";
import { parseTable } from "../../lib/data/table_json.ts";
import { parseTableNotes, type TableNotes } from "../../lib/data/table_notes.ts";
import { csvPath, differences, type FileStamp, isSameStamp, parseObject, stampOf } from "./dataset_files.ts";
import { type Config, type LossName, propertyOf, TABLE_KEYS } from "../settings/settings.ts";
import { foldsAsked, foldsTried } from "./folds.ts";
import { hashOfRows, sealOf, UNSEALED } from "./seal.ts";
import { type PartName, PARTS } from "./split.ts";
import { fromUsersFolder } from "../settings/users_files.ts";

/** Endings of tables, which say nothing of what is in them. */
const ENDINGS = /(?<=.)(?:\.(?:csv|tsv|tab|psv|txt|dat|json|jsonl|ndjson|parquet|pq))?(?:\.gz)?$/i;

/** Raised whenever the same settings would give other bytes. */
const FORMAT = "backhand scaled dataset 7";

/** The losses that rows may be made for. */
const LOSSES: readonly LossName[] = ["mse", "mae", "huber", "bce", "softmax"];

/** Where pooled rows come from [rows, 2]: of each its table, 0 for DATA and 1 for VALIDATION, and its row there, from 0. */
export const PLACES = "train.place";

/** The scalers of both sides. */
export interface Scalers {
  /** Of the input columns. */
  inputs: Scaler;
  /** Of the target columns. */
  targets: Scaler;
}

/** What training and predicting need to know of a dataset. */
interface DatasetDescription {
  /** Takes raw units to those of the tensors and back. */
  scalers: Scalers;
  /** The columns of the CSV file, and what they are encoded as. */
  table: Table;
  /** The loss that suits the targets. */
  loss: LossName;
  /** What was made of the table; nothing of a recipe. */
  notes: TableNotes;
  /** Why the settings ask for folds and there are none, in words that follow "because". */
  whyApart?: string;
}

/** A scaled dataset, its rows in the file that stays open until it is disposed of. */
export interface ScaledDataset extends DatasetDescription, Disposable {
  /** Names of the network's inputs. */
  features: string[];
  /** Names of its outputs: of targets, or of classes. */
  targets: string[];
  /** Scaled inputs and targets of each part. */
  parts: Record<PartName, SafetensorsRows>;
  /**
   * Where the rows are pooled for folds, so that those of training hold those of validation: as inputs, where each comes
   * from, its table, 0 for DATA and 1 for VALIDATION, and its row there, from 0.
   */
  places?: SafetensorsRows;
  /** Of shapes and values, in hexadecimal: the same for the same rows, whatever file they come from. */
  sha256: string;
  /** What it was made of, as its user named that. */
  madeOf: string;
}

/** How a scaled dataset on disk relates to the settings and to the CSV file. */
interface ScaledState {
  /** "missing", "damaged", "current", or "other settings" if something differs. Rows are not read for it. */
  state: "missing" | "damaged" | "current" | "other settings";
  /** Under "other settings": which, "source" for the CSV file. */
  differs: string[];
}

/**
 * The scaler of targets that are numbers. Where inputs are scaled by "robust", targets are standardized: predictions come back
 * by the inverse, which has to be linear. A constant target cannot be scaled; under "none" it is taken, and training warns of
 * it in the same words.
 *
 * @throws {RangeError} If a target cannot be scaled so.
 */
export function targetScaler(method: ScalingMethod, columns: readonly ColumnStatistics[]): Scaler {
  const [constant] = columns.flatMap(constantTarget);
  if (constant && method !== "none") throw new RangeError(`${constant.message}; ${constant.fix}`);
  const near = columns.find(isSame);
  if (near && method !== "none") {
    const values = `${near.min} to ${near.max} in the training rows, the same but for rounding`;
    throw new RangeError(
      `target ${JSON.stringify(near.name)} is ${values}: there is nothing to learn; ${CONSTANT_TARGET_FIX}`,
    );
  }
  return new Scaler(method === "robust" ? "standardize" : method, columns);
}

/** The settings that the content of the file depends on. */
function settingsOf(config: Config): Record<string, unknown> {
  const { recipe, scalingMethod, split, seed, loss } = config;
  const common = { scalingMethod, split, seed };
  if (config.data === "") return { recipe, ...common, binaryTargets: loss === "bce" };
  const table = Object.fromEntries(TABLE_KEYS.map((key) => [propertyOf(key), config[propertyOf(key)]]));
  // Only whether there are folds: which row is in which is found where they are used.
  return { ...table, ...common, folds: foldsAsked(config) > 0, loss };
}

/** The dataset's name, that of its CSV file or folder: its files in data/ and its lock have it. */
export function datasetName({ data, recipe }: Pick<Config, "data" | "recipe">): string {
  if (data === "") return recipe;
  return data.replace(/[/\\]+$/, "").split(/[/\\]/).at(-1)!.replace(ENDINGS, "")
    // Names of files that a system cannot hold, or takes for a part of another.
    .replaceAll(/[<>:"|?*\p{Cc}]/gu, "_");
}

/** Where the scaled dataset lies. */
export function scaledPathOf(config: Config): string {
  return `${DATA_FOLDER}/${datasetName(config)}.scaled.safetensors`;
}

/** What the dataset is made of, as its user names it. */
export function sourceName({ data, recipe }: Pick<Config, "data" | "recipe">): string {
  return data || csvPath(recipe);
}

/** The tables that the dataset is made of: first the one that is split, then those whose rows are all of one part. */
export function tablesOf(config: Config): { path: string; part: number }[] {
  if (config.data === "") return [{ path: csvPath(config.recipe), part: 0 }];
  return [config.data, config.validation, config.test]
    .map((name, part) => ({ path: name && fromUsersFolder(name), part }))
    .filter(({ path }) => path !== "");
}

/**
 * Sizes and times of the files that the dataset is made of, those of a folder each.
 *
 * @throws {Deno.errors.NotFound} If one of them is not there.
 */
export async function sourcesOf(config: Config): Promise<Record<string, FileStamp>> {
  const stamps: Record<string, FileStamp> = {};
  for (const path of (await Promise.all(tablesOf(config).map(({ path }) => csvPaths(path)))).flat()) {
    const stamp = await stampOf(path);
    if (!stamp) {
      const hint = config.data === "" ? "; deno task gen-data makes it" : "";
      throw new Deno.errors.NotFound(`Cannot read ${path}: there is no such file${hint}`);
    }
    stamps[path] = stamp;
  }
  return stamps;
}

/** A source file that has changed, come or gone. */
export function changedSource(
  before: Record<string, FileStamp>,
  now: Record<string, FileStamp>,
): string | undefined {
  return Object.keys({ ...before, ...now }).find((file) => !isSameStamp(before[file], now[file]));
}

/** The metadata of a scaled dataset, whose rarest class has so many training rows. */
export function metadataOf(
  config: Config,
  { scalers, table, loss, notes, whyApart }: DatasetDescription,
  sources: Record<string, FileStamp>,
  leastOfClass: number,
): Record<string, string> {
  const names = (scaler: Scaler) => JSON.stringify(scaler.columns.map(({ name }) => name));
  return {
    sha256: UNSEALED, // first: `seal` knows its place
    format: FORMAT,
    features: names(scalers.inputs),
    targets: names(scalers.targets),
    scaler: JSON.stringify(scalers),
    table: JSON.stringify(table),
    loss,
    notes: JSON.stringify(notes),
    ...(whyApart === undefined ? {} : { whyApart, foldsTried: foldsTried(config) }),
    leastOfClass: `${leastOfClass}`,
    settings: JSON.stringify(settingsOf(config)),
    source: JSON.stringify(sources),
  };
}

/** Compares the scaled dataset on disk with the settings and with the CSV files. */
export async function scaledState(config: Config): Promise<ScaledState> {
  const path = scaledPathOf(config);
  const sources = await sourcesOf(config);
  if (await stampOf(path) === undefined) return { state: "missing", differs: [] };
  const metadata = await metadataIn(path);
  if (metadata?.format === undefined) return { state: "damaged", differs: [] };
  if (metadata.format !== FORMAT) return { state: "other settings", differs: ["format"] };
  const differs = differences(parseObject(metadata.settings) ?? {}, settingsOf(config));
  // Whether the rows were cut into folds was decided for another number of them.
  const { whyApart, foldsTried: tried, leastOfClass } = metadata;
  const isLess = config.folds === "auto" && foldsAsked(config) > Number(leastOfClass);
  if (differs.length === 0 && (whyApart === undefined ? isLess : tried !== foldsTried(config))) differs.push("folds");
  const made = (parseObject(metadata.source) ?? {}) as Record<string, FileStamp>;
  if (changedSource(sources, made) !== undefined) differs.push("source");
  return { state: differs.length > 0 ? "other settings" : "current", differs };
}

/**
 * Opens a scaled dataset.
 *
 * @throws {DataError} If it is another kind of file, or was damaged since it was written.
 */
export async function openScaledDataset(path: string): Promise<ScaledDataset> {
  const { shapes, metadata } = await readSafetensorsHeader(path);
  if (metadata.format !== FORMAT) throw new DataError("this is no scaled dataset: run deno task scale", { file: path });
  const missing = PARTS.find((name) => !shapes.has(`${name}.x`) || !shapes.has(`${name}.y`));
  if (missing !== undefined) throw new DataError(`its part ${missing} is missing: run deno task scale`, { file: path });
  const { scalers, table, features, targets, loss, notes } = parseDescription(path, metadata);
  const odd = PARTS.find((name) =>
    shapes.get(`${name}.x`)![1] !== features.length || shapes.get(`${name}.y`)![1] !== targets.length
  );
  if (odd !== undefined) {
    throw new DataError(`the columns of its part ${odd} are not those of its scalers: run deno task scale`, {
      file: path,
    });
  }
  const sha256 = await hashOfRows(path);
  if (metadata.sha256 !== sealOf(sha256, metadata)) {
    const problem = "it was damaged: what it holds does not have the hash that it gives. Run deno task scale";
    throw new DataError(problem, { file: path });
  }
  const settings = parseObject(metadata.settings ?? "") ?? {};
  const madeOf = `${sourceName(settings as unknown as Config)}`;
  using stack = new DisposableStack();
  const open = async (name: PartName) => stack.use(await SafetensorsRows.open(path, `${name}.x`, `${name}.y`));
  const parts = { train: await open("train"), validation: await open("validation"), test: await open("test") };
  const isPooled = shapes.has(PLACES);
  const places = isPooled ? stack.use(await SafetensorsRows.open(path, PLACES, "train.y")) : undefined;
  const files = stack.move();
  return {
    features,
    targets,
    scalers,
    table,
    loss,
    notes,
    parts,
    places,
    whyApart: metadata.whyApart,
    sha256,
    madeOf,
    [Symbol.dispose]: () => files.dispose(),
  };
}

function parseDescription(file: string, metadata: Record<string, string>) {
  try {
    const json = (name: string) => parseBoundedJson(metadata[name] ?? "");
    const { inputs, targets } = Object(json("scaler")) as Record<"inputs" | "targets", unknown>;
    const scalers = { inputs: Scaler.fromJSON(inputs), targets: Scaler.fromJSON(targets) };
    const namesOf = (scaler: Scaler) => scaler.columns.map(({ name }) => name);
    const { loss } = metadata;
    if (!LOSSES.includes(loss as LossName)) throw new SyntaxError(`its loss is ${showJson(loss)}`);
    return {
      scalers,
      table: parseTable(json("table")),
      features: namesOf(scalers.inputs),
      targets: namesOf(scalers.targets),
      loss: loss as LossName,
      notes: parseTableNotes(json("notes")),
    };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
    const problem = `its description does not fit together: run deno task scale (${error.message})`;
    throw new DataError(problem, { file }, { cause: error });
  }
}

async function metadataIn(path: string): Promise<Record<string, string> | undefined> {
  try {
    return (await readSafetensorsHeader(path)).metadata;
  } catch (error) {
    // Whatever it is, it has to be made again.
    if (error instanceof DataError) return undefined;
    throw error;
  }
}
