/** The files of a recipe, and how to notice that a file on disk has changed. */

import { parseBoundedJson } from "../../lib/safetensors/bounded_json.ts";
import { DATA_FOLDER } from "../settings/data_folder.ts";
import type { RecipeName } from "../settings/recipes.ts";

/** Size and time of a file: enough to notice that it has changed. */
export interface FileStamp {
  /** Bytes. */
  size: number;
  /** Time of the last change, in milliseconds since 1970. */
  mtime: number;
}

/** The recipe's dataset. */
export function csvPath(recipe: RecipeName): string {
  return `${DATA_FOLDER}/${recipe}.csv`;
}

/** The note of what made the dataset. */
export function sidecarPath(recipe: RecipeName): string {
  return `${csvPath(recipe)}.json`;
}

/** Size and time of a file. */
export async function stampOf(path: string): Promise<FileStamp | undefined> {
  try {
    const { size, mtime } = await Deno.stat(path);
    return { size, mtime: mtime?.getTime() ?? 0 };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Removes what a killed process left of a file that it was writing. Hold the dataset's lock, so that nobody else is writing
 * it now.
 */
export async function removeAbandoned(path: string): Promise<void> {
  if (await stampOf(`${path}.partial`) !== undefined) await Deno.remove(`${path}.partial`);
}

/** Whether two stamps are the same. */
export function isSameStamp(a: FileStamp | undefined, b: FileStamp | undefined): boolean {
  return a !== undefined && b !== undefined && a.size === b.size && a.mtime === b.mtime;
}

/** The keys under which two groups of settings differ. */
export function differences(made: Record<string, unknown>, wanted: Record<string, unknown>): string[] {
  return Object.keys(wanted).filter((key) => JSON.stringify(made[key]) !== JSON.stringify(wanted[key]));
}

/** Names of differences that are not named as settings are. */
const DIFFERENCE_NAMES: Record<string, string> = {
  source: "dataset",
  binaryTargets: "LOSS",
  format: "version of this program",
};

/** Differences in the user's words: `numDataset` is NUM_DATASET. */
export function describeDifferences(differs: readonly string[]): string {
  const names = differs.map((key) => DIFFERENCE_NAMES[key] ?? key.replaceAll(/[A-Z]/g, "_$&").toUpperCase());
  return `another ${names.join(", ")}`;
}

/** A text as a JSON object; undefined if it is none. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = parseBoundedJson(text);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
