/** The file of a scaled dataset: what its metadata says, how it relates to the settings, and its tensors. */

import { DataError } from "../lib/errors.ts";
import { readSafetensorsHeader } from "../lib/safetensors.ts";
import { SafetensorsRows } from "../lib/safetensors_rows.ts";
import { Scaler } from "../lib/scaler.ts";
import type { Config } from "./config.ts";
import { csvPath, differences, isSameStamp, parseObject, scaledPath, stampOf } from "./dataset_files.ts";
import { type PartName, PARTS } from "./split.ts";

/** Raised whenever the same settings would give other bytes. */
const FORMAT = "backhand scaled dataset 1";

/** The scalers of both sides. */
export interface Scalers {
  /** Of the input columns. */
  inputs: Scaler;
  /** Of the target columns. */
  targets: Scaler;
}

/** A scaled dataset, its rows in the file that stays open until it is disposed of. */
export interface ScaledDataset extends Disposable {
  /** Names of the input columns. */
  features: string[];
  /** Names of the target columns. */
  targets: string[];
  /** Takes raw units to those of the tensors and back. */
  scalers: Scalers;
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

/** The settings that the content of the file depends on. */
export function settingsOf({ recipe, scalingMethod, split, seed, loss }: Config): Record<string, unknown> {
  return { recipe, scalingMethod, split, seed, binaryTargets: loss === "bce" };
}

/**
 * The metadata of a scaled dataset.
 *
 * @param config The settings.
 * @param scalers The scalers.
 * @param source Size and time of the CSV file.
 * @returns Texts by name.
 */
export function metadataOf(config: Config, scalers: Scalers, source: unknown): Record<string, string> {
  const names = (scaler: Scaler) => JSON.stringify(scaler.columns.map(({ name }) => name));
  return {
    format: FORMAT,
    features: names(scalers.inputs),
    targets: names(scalers.targets),
    scaler: JSON.stringify(scalers),
    settings: JSON.stringify(settingsOf(config)),
    source: JSON.stringify(source),
  };
}

/**
 * Compares the scaled dataset on disk with the settings and with the CSV file.
 *
 * @param config The settings.
 * @returns How they relate.
 */
export async function scaledState(config: Config): Promise<ScaledState> {
  const path = scaledPath(config.recipe);
  if (await stampOf(path) === undefined) return { state: "missing", differs: [] };
  const metadata = await metadataIn(path);
  if (metadata?.format !== FORMAT) return { state: "other settings", differs: ["format"] };
  const differs = differences(parseObject(metadata.settings) ?? {}, settingsOf(config));
  const source = parseObject(metadata.source) as { size: number; mtime: number } | undefined;
  if (!isSameStamp(await stampOf(csvPath(config.recipe)), source)) differs.push("source");
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
  using stack = new DisposableStack();
  const open = async (name: PartName) => stack.use(await SafetensorsRows.open(path, `${name}.x`, `${name}.y`));
  const parts = { train: await open("train"), validation: await open("validation"), test: await open("test") };
  const files = stack.move();
  return { features, targets, scalers, parts, [Symbol.dispose]: () => files.dispose() };
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
