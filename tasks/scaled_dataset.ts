/** The file of a scaled dataset: what its metadata says, how it relates to the settings, and its tensors. */

import { constantTarget } from "../lib/diagnosis.ts";
import { DataError } from "../lib/errors.ts";
import { readSafetensorsHeader } from "../lib/safetensors.ts";
import { SafetensorsRows } from "../lib/safetensors_rows.ts";
import { type ColumnStatistics, Scaler, type ScalingMethod } from "../lib/scaler.ts";
import type { Table } from "../lib/table.ts";
import { parseTable } from "../lib/table_json.ts";
import type { Config, LossName } from "./config_types.ts";
import {
  csvPath,
  DATA_FOLDER,
  differences,
  type FileStamp,
  isSameStamp,
  parseObject,
  scaledPath,
  stampOf,
} from "./dataset_files.ts";
import { propertyOf, TABLE_KEYS } from "./keys.ts";
import { type PartName, PARTS } from "./split.ts";
import { fromUsersFolder } from "./users_files.ts";

/** Raised whenever the same settings would give other bytes. */
const FORMAT = "backhand scaled dataset 3";

/** The scalers of both sides. */
export interface Scalers {
  /** Of the input columns. */
  inputs: Scaler;
  /** Of the target columns. */
  targets: Scaler;
}

/** What training and predicting need to know of a dataset. */
export interface DatasetDescription {
  /** Takes raw units to those of the tensors and back. */
  scalers: Scalers;
  /** The columns of the CSV file, and what they are encoded as. */
  table: Table;
  /** The loss that suits the targets. */
  loss: LossName;
}

/** A scaled dataset, its rows in the file that stays open until it is disposed of. */
export interface ScaledDataset extends DatasetDescription, Disposable {
  /** Names of the network's inputs. */
  features: string[];
  /** Names of its outputs: of targets, or of classes. */
  targets: string[];
  /** Scaled inputs and targets of each part. */
  parts: Record<PartName, SafetensorsRows>;
}

/** How a scaled dataset on disk relates to the settings and to the CSV file. */
export interface ScaledState {
  /** "missing", "current", or "other settings" where something differs. */
  state: "missing" | "current" | "other settings";
  /** Under "other settings": which, "source" for the CSV file. */
  differs: string[];
}

/**
 * The scaler of targets that are numbers. One that is constant is refused where it would have to be scaled; under "none" it
 * goes through, and training warns of it in the same words.
 *
 * @param method The method.
 * @param columns Statistics of the training rows.
 * @returns The scaler.
 * @throws {RangeError} If a target cannot be scaled so.
 */
export function targetScaler(method: ScalingMethod, columns: readonly ColumnStatistics[]): Scaler {
  const [constant] = columns.flatMap(constantTarget);
  if (constant && method !== "none") throw new RangeError(`${constant.message}; ${constant.fix}`);
  return new Scaler(method, columns);
}

/** The settings that the content of the file depends on. */
export function settingsOf(config: Config): Record<string, unknown> {
  const { recipe, scalingMethod, split, seed, loss } = config, common = { scalingMethod, split, seed };
  if (config.data === "") return { recipe, ...common, binaryTargets: loss === "bce" };
  const table = Object.fromEntries(TABLE_KEYS.map((key) => [propertyOf(key), config[propertyOf(key)]]));
  return { ...table, ...common, loss };
}

/** Where the scaled dataset lies: under the name of its CSV file. */
export function scaledPathOf({ data, recipe }: Config): string {
  if (data === "") return scaledPath(recipe);
  const name = data.split(/[/\\]/).at(-1)!.replace(/\.(csv|tsv|txt)$/i, "");
  return `${DATA_FOLDER}/${name}.scaled.safetensors`;
}

/**
 * The files that the dataset is made of.
 *
 * @param config The settings.
 * @returns Size and time by path.
 * @throws {Deno.errors.NotFound} If one of the user's own files is not there.
 */
export async function sourcesOf(config: Config): Promise<Record<string, FileStamp>> {
  const { data, validation, test } = config;
  const paths = data === "" ? [csvPath(config.recipe)] : [data, validation, test].filter(Boolean).map(fromUsersFolder);
  const stamps: Record<string, FileStamp> = {};
  for (const path of paths) {
    const stamp = await stampOf(path);
    if (stamp) stamps[path] = stamp;
    else if (data !== "") throw new Deno.errors.NotFound(`Cannot read ${path}: there is no such file`);
  }
  return stamps;
}

/**
 * The metadata of a scaled dataset.
 *
 * @param config The settings.
 * @param description What the rows are.
 * @param sources Size and time of the CSV files.
 * @returns Texts by name.
 */
export function metadataOf(
  config: Config,
  { scalers, table, loss }: DatasetDescription,
  sources: Record<string, FileStamp>,
): Record<string, string> {
  const names = (scaler: Scaler) => JSON.stringify(scaler.columns.map(({ name }) => name));
  return {
    format: FORMAT,
    features: names(scalers.inputs),
    targets: names(scalers.targets),
    scaler: JSON.stringify(scalers),
    table: JSON.stringify(table),
    loss,
    settings: JSON.stringify(settingsOf(config)),
    source: JSON.stringify(sources),
  };
}

/**
 * Compares the scaled dataset on disk with the settings and with the CSV files.
 *
 * @param config The settings.
 * @returns How they relate.
 */
export async function scaledState(config: Config): Promise<ScaledState> {
  const path = scaledPathOf(config), sources = await sourcesOf(config);
  if (await stampOf(path) === undefined) return { state: "missing", differs: [] };
  const metadata = await metadataIn(path);
  if (metadata?.format !== FORMAT) return { state: "other settings", differs: ["format"] };
  const differs = differences(parseObject(metadata.settings) ?? {}, settingsOf(config));
  const made = (parseObject(metadata.source) ?? {}) as Record<string, FileStamp>;
  const isSame = Object.keys(sources).every((file) => isSameStamp(sources[file], made[file]));
  if (!isSame || Object.keys(sources).length !== Object.keys(made).length) differs.push("source");
  return { state: differs.length > 0 ? "other settings" : "current", differs };
}

/**
 * Opens a scaled dataset.
 *
 * @param path The file, as `scale` writes it.
 * @returns Columns, scalers and rows.
 * @throws {DataError} If it is another kind of file.
 */
export async function openScaledDataset(path: string): Promise<ScaledDataset> {
  const { shapes, metadata } = await readSafetensorsHeader(path);
  if (metadata.format !== FORMAT) throw new DataError("this is no scaled dataset: run deno task scale", { file: path });
  const missing = PARTS.find((name) => !shapes.has(`${name}.x`) || !shapes.has(`${name}.y`));
  if (missing !== undefined) throw new DataError(`its part ${missing} is missing: run deno task scale`, { file: path });
  const [scaler, features, targets] = [metadata.scaler, metadata.features, metadata.targets].map((text) =>
    JSON.parse(text)
  );
  const scalers = { inputs: Scaler.fromJSON(scaler.inputs), targets: Scaler.fromJSON(scaler.targets) };
  const table = parseTable(JSON.parse(metadata.table)), loss = metadata.loss as LossName;
  using stack = new DisposableStack();
  const open = async (name: PartName) => stack.use(await SafetensorsRows.open(path, `${name}.x`, `${name}.y`));
  const parts = { train: await open("train"), validation: await open("validation"), test: await open("test") };
  const files = stack.move();
  return { features, targets, scalers, table, loss, parts, [Symbol.dispose]: () => files.dispose() };
}

async function metadataIn(path: string): Promise<Record<string, string> | undefined> {
  try {
    return (await readSafetensorsHeader(path)).metadata;
  } catch (error) {
    // Whatever it is, it has to be made anew.
    if (error instanceof DataError) return undefined;
    throw error;
  }
}
