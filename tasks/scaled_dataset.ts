/** The file of a scaled dataset: what its metadata says, how it relates to the settings, and its tensors. */

import { DataError } from "../lib/errors.ts";
import { readSafetensors, readSafetensorsHeader, type StoredTensor } from "../lib/safetensors.ts";
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

/** A scaled dataset. */
export interface ScaledDataset {
  /** Names of the input columns. */
  features: string[];
  /** Names of the target columns. */
  targets: string[];
  /** Takes raw units to those of the tensors and back. */
  scalers: Scalers;
  /** Scaled inputs x [n, features] and targets y [n, targets] of each part. */
  parts: Record<PartName, { x: StoredTensor; y: StoredTensor }>;
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
 * Reads a scaled dataset.
 *
 * @param path The file, as `scale` writes it.
 * @returns Columns, scalers and tensors.
 * @throws {DataError} If it is another kind of file.
 */
export async function readScaledDataset(path: string): Promise<ScaledDataset> {
  const { tensors, metadata } = await readSafetensors(path);
  if (metadata.format !== FORMAT) throw new DataError("this is no scaled dataset: run deno task scale", { file: path });
  const { inputs, targets } = JSON.parse(metadata.scaler);
  const part = (name: PartName) => ({ x: tensors.get(`${name}.x`)!, y: tensors.get(`${name}.y`)! });
  const missing = PARTS.find((name) => part(name).x === undefined || part(name).y === undefined);
  if (missing !== undefined) throw new DataError(`its part ${missing} is missing: run deno task scale`, { file: path });
  return {
    features: JSON.parse(metadata.features),
    targets: JSON.parse(metadata.targets),
    scalers: { inputs: Scaler.fromJSON(inputs), targets: Scaler.fromJSON(targets) },
    parts: { train: part("train"), validation: part("validation"), test: part("test") },
  };
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
