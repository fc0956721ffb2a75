/** What a setting is, and how the list of settings is made. */

import type { Reader } from "./readers.ts";
import type { RecipeName } from "./recipes.ts";

export type TaskName =
  | "gen-data"
  | "scale"
  | "train"
  | "train-mpi"
  | "tune"
  | "tune-mpi"
  | "compare"
  | "predict"
  | "evaluate"
  | "export"
  | "report"
  | "explain"
  | "lesson"
  | "gradcheck"
  | "playground"
  | "doctor";

/** Groups of settings, in the order in which they are listed. */
export const GROUPS = {
  data: "Data",
  network: "Network",
  training: "Training",
  search: "Search",
  ranks: "Ranks",
  run: "Run",
  view: "View",
};

export type Group = keyof typeof GROUPS;

/** What is said about a setting besides what its text may be. */
interface Details {
  /** Its text if nobody sets it; "" for none. */
  readonly default: string;
  /** Defaults that differ: under a recipe, or with DATA. */
  readonly presets?: Partial<Record<RecipeName | "DATA", string>>;
  readonly meaning: string;
  /** Whether `--help` lists it without `--all`. */
  readonly isEveryday?: true;
}

interface Scope {
  readonly group: Group;
  readonly tasks: readonly TaskName[];
  /** What it describes, if it describes only one of these. */
  readonly of?: "recipes" | "tables";
}

export type Setting<T = unknown> = Reader<T> & Details & Scope;

/** A setting: how its text is read, its default, and what is said of it. */
export function setting<T>(
  reader: Reader<T>,
  preset: string,
  meaning: string,
  details?: Partial<Details & Scope>,
): Reader<T> & Details & Partial<Scope> {
  return { ...reader, default: preset, meaning, ...details };
}

/** Adds where settings apply, unless they say it themselves. */
export function section<S extends Record<string, Reader<unknown> & Details & Partial<Scope>>>(
  scope: Scope,
  settings: S,
): { [K in keyof S]: S[K] & Scope } {
  const placed = Object.entries(settings).map(([key, setting]) => [key, { ...scope, ...setting }]);
  return Object.fromEntries(placed);
}
