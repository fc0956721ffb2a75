/** Which columns of a table go into the network, as what, and what comes out. */

import { closest } from "fastest-levenshtein";
import { cellFault, isWrittenNumber } from "../../lib/data/cells.ts";
import { placesOfRows, type RowPlace, separatorHint } from "../../lib/data/csv_records.ts";
import { CONSTANT_TARGET_FIX } from "../../lib/inspect/diagnosis.ts";
import { DataError } from "../../lib/base/errors.ts";
import type { InputColumn } from "../../lib/data/table.ts";
import type { ColumnNote, TableNotes } from "../../lib/data/table_notes.ts";
import { type ColumnProfile, MAX_CATEGORIES } from "../../lib/data/table_profile.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import type { Config, LossName } from "../settings/settings.ts";
import { pointTo } from "../settings/faults.ts";
import { recipeOf } from "../settings/recipes.ts";
import { formatNumber, formatTable } from "../show/text_table.ts";
import type { TableLook } from "./table_look.ts";

/** An input column, and as what it is taken. */
export interface PlannedInput {
  name: string;
  kind: InputColumn["kind"];
  /** How dates are written; undefined for year-month-day. */
  format?: string;
}

/** The columns and what becomes of them. */
export interface TablePlan {
  /** The inputs, in the order of the header. */
  inputs: PlannedInput[];
  /** The columns to predict. */
  targets: string[];
  /** Whether they are numbers or classes. */
  kind: "numeric" | "classes";
  loss: LossName;
  /** Whether a look at the table has found its cells to be what is planned. */
  isLookedAt: boolean;
  /** What each column is taken as, and what else to know of the table; nothing where that was known. */
  notes: TableNotes;
}

/** The settings, and where they were set, if that is known. */
type Asked = Config & Partial<Pick<TaskConfig, "given">>;

/**
 * Chooses inputs and target.
 *
 * @throws {ConfigError} If settings name columns that are not there, or ask for what the columns cannot be.
 * @throws {DataError} If a column of numbers holds texts, the target says nothing, or cells are missing and may not be.
 */
export async function planColumns(config: Asked, look: TableLook): Promise<TablePlan> {
  checkNames(config, look);
  const kind = await targetKind(config, look);
  const columns: ColumnNote[] = [];
  for (const profile of look.profiles.values()) columns.push(await roleOf(profile, config, look, kind));
  const inputs = columns.flatMap(({ name, as }): PlannedInput[] => isInput(as) ? [{ name, kind: as }] : []);
  if (inputs.length === 0) {
    const problem = "no column is left to predict from: give one that differs from row to row, or name it in FEATURES";
    throw new DataError(`${problem}\n${formatColumns(columns)}`, { file: look.path });
  }
  await checkMissing(config, look, inputs.map(({ name }) => name));
  const loss = kind === "numeric" ? regressionLoss(config) ?? "mse" : config.loss === "bce" ? "bce" : "softmax";
  return { inputs, targets: config.target, kind, loss, isLookedAt: true, notes: { columns, notes: look.notes } };
}

/** A recipe's columns: all of them numbers, none missing. */
export function recipePlan({ recipe, loss }: Config): TablePlan {
  const { features, targets } = recipeOf(recipe);
  return {
    inputs: features.map((name) => ({ name, kind: "numeric" })),
    targets: [...targets],
    kind: "numeric",
    loss: loss === "auto" ? "mse" : loss,
    isLookedAt: false,
    notes: { columns: [], notes: [] },
  };
}

/** Refuses names that are no columns, and columns that are asked for two things. */
function checkNames(
  { target, features, ignore, categorical, timeColumn, given = {} }: Asked,
  { profiles, separator }: TableLook,
): void {
  const columns = [...profiles.keys()];
  const faults: string[] = [];
  const hint = separator ? separatorHint(columns, separator) : "";
  if (target.length === 0) {
    faults.push(`TARGET is not given: say which of the columns is predicted; there are ${columns.join(", ")}`);
  }
  const asked = {
    TARGET: target,
    FEATURES: features,
    IGNORE: ignore,
    CATEGORICAL: categorical,
    TIME_COLUMN: [timeColumn],
  };
  for (const [key, names] of Object.entries(asked) as [keyof typeof asked, string[]][]) {
    for (const name of names.filter((name) => name !== "" && !columns.includes(name))) {
      const near = columns.length > 1 ? `did you mean ${JSON.stringify(nearest(name, columns))}? ` : "";
      faults.push(
        `${pointTo(key, given[key])} names ${JSON.stringify(name)}, which is no column: ` +
          `${near}there are ${columns.join(", ")}${hint}`,
      );
    }
  }
  const clashes = [
    ["TARGET", "FEATURES"],
    ["TARGET", "IGNORE"],
    ["FEATURES", "IGNORE"],
    ["CATEGORICAL", "IGNORE"],
    ["TIME_COLUMN", "TARGET"],
  ] as const;
  for (const [key, other] of clashes) {
    for (const name of asked[key].filter((name) => asked[other].includes(name))) {
      const both = `${pointTo(key, given[key])} and ${pointTo(other, given[other])}`;
      faults.push(`${both} both name ${JSON.stringify(name)}: take it out of one`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
}

/** The column that a name most likely means: one that holds it, else the one of fewest changes, both in any case. */
function nearest(name: string, columns: readonly string[]): string {
  const lower = columns.map((column) => column.toLowerCase());
  const wanted = name.toLowerCase();
  const holding = lower.filter((column) => column.includes(wanted));
  return columns[lower.indexOf(closest(wanted, holding.length > 0 ? holding : lower))];
}

/** The loss that was asked for, if it is one for numbers. */
function regressionLoss({ loss }: Config): LossName | undefined {
  return loss === "mse" || loss === "mae" || loss === "huber" ? loss : undefined;
}

/** Whether the target is numbers or classes. */
async function targetKind(config: Asked, look: TableLook): Promise<TablePlan["kind"]> {
  const profiles = config.target.map((name) => look.profiles.get(name)!);
  const [{ name, values }] = profiles;
  const isSaid = config.task === "classification" || config.loss === "softmax" || config.loss === "bce" ||
    (profiles.length === 1 && config.categorical.includes(name));
  const isNumeric = config.task === "regression" || regressionLoss(config) !== undefined || profiles.length > 1;
  if (!isSaid && !isNumeric && profiles[0].look === "mixed") {
    throw await mixedColumn(profiles[0], look, "--task classification");
  }
  const kind = isSaid || (!isNumeric && profiles[0].texts > 0) ? "classes" : "numeric";
  for (const profile of profiles) {
    const column = profile.name;
    if (kind === "numeric" && profile.texts > 0) throw await mixedColumn(profile, look, "--task classification");
    if (profile.numbers + profile.texts === 0) {
      throw new DataError("every cell of the target is missing", { file: look.path, column });
    }
    if (profile.isConstant) {
      const value = profile.values![0];
      const what = kind === "classes" ? "class" : "value";
      throw new DataError(
        `the target has the one ${what} ${value}: there is nothing to learn; ${CONSTANT_TARGET_FIX}`,
        {
          file: look.path,
          column,
        },
      );
    }
  }
  if (kind === "classes" && values === undefined) {
    const problem =
      `the target has more than ${MAX_CATEGORIES} different classes, or very long ones: too many to learn; ` +
      "give a target of fewer, or of numbers";
    throw new DataError(problem, { file: look.path, column: name });
  }
  if (config.loss === "bce" && values!.length !== 2) {
    const asked = pointTo("LOSS", config.given?.LOSS, "bce");
    throw new ConfigError([`${asked}: it takes two classes, and ${name} has ${values!.length}; allowed is softmax`]);
  }
  return kind;
}

function isInput(as: string): as is InputColumn["kind"] {
  return as === "numeric" || as === "categorical" || as === "date";
}

async function roleOf(
  profile: ColumnProfile,
  config: Asked,
  look: TableLook,
  kind: TablePlan["kind"],
): Promise<ColumnNote> {
  const { name, missing } = profile;
  const { target, features, ignore, categorical, timeColumn } = config;
  const leftOut = (holds: string) => ({ name, as: "left out", holds, missing });
  if (target.includes(name)) {
    return { name, as: kind === "numeric" ? "target" : "classes", holds: noteOf(profile, kind === "classes"), missing };
  }
  if (ignore.includes(name)) return leftOut("as IGNORE says");
  if (features.length > 0 && !features.includes(name)) return leftOut("not among FEATURES");
  const isAsked = features.includes(name);
  const isCategorical = categorical.includes(name);
  if (name === timeColumn && !isAsked) return leftOut("rows are split by it");
  if (profile.isConstant) {
    return leftOut(profile.numbers + profile.texts === 0 ? "no cell holds anything" : "one value throughout");
  }
  if (isCategorical || (isAsked && profile.texts > 0 && profile.look === "identifier")) {
    if (profile.values) return { name, as: "categorical", holds: noteOf(profile, true), missing };
    const key = isCategorical ? "CATEGORICAL" : "FEATURES";
    const found = `more than ${MAX_CATEGORIES} different values`;
    const place = pointTo(key, config.given?.[key]);
    throw new ConfigError([`${place} names ${JSON.stringify(name)}, which has ${found}: too many for categories`]);
  }
  if (profile.look === "mixed") throw await mixedColumn(profile, look, `--categorical ${name}`, `--ignore ${name}`);
  if (profile.look === "identifier" && !isAsked) {
    const what = profile.texts > 0 ? "texts that nearly all differ" : "whole numbers that only go up";
    return leftOut(`${what}: an identifier`);
  }
  const isNames = profile.texts > 0;
  return { name, as: isNames ? "categorical" : "numeric", holds: noteOf(profile, isNames), missing };
}

function noteOf({ values, min, max }: ColumnProfile, isCategorical: boolean): string {
  if (!isCategorical || !values) return `${formatNumber(min)} to ${formatNumber(max)}`;
  const shown = values.slice(0, 6).join(", ");
  return values.length > 6 ? `${values.length} categories: ${shown}, ...` : shown;
}

/** What each column is taken as, as a table. */
export function formatColumns(columns: readonly ColumnNote[]): string {
  const rows = columns.map(({ name, as, holds, missing }) => [name, as, holds, `${missing || ""}`]);
  return formatTable([["column", "taken as", "holds", "missing"], ...rows], 3);
}

async function mixedColumn(profile: ColumnProfile, look: TableLook, ...ways: string[]): Promise<DataError> {
  const { text, row } = profile.firstText!;
  const [place] = await placesOfRows(look.path, [row]);
  const counts = profile.numbers > 0 ? `, and ${profile.numbers} cells of the column are` : "";
  const mend = isWrittenNumber(text) ? "write it with a point before decimals, without other signs" : "correct it";
  const problem = `${cellFault(text)}${counts}: ${mend}, or say ${ways.join(" or ")}`;
  return new DataError(problem, { ...place, column: profile.name });
}

/** Under "error" no cell of the inputs may be missing; under all but "drop" none of the targets. */
async function checkMissing(config: Config, look: TableLook, inputs: readonly string[]): Promise<void> {
  if (config.missing === "drop") return;
  const count = async (names: readonly string[]) => {
    const counts: string[] = [];
    for (const { name, missing, firstMissing } of names.map((name) => look.profiles.get(name)!)) {
      if (missing === 0) continue;
      const places = formatPlaces(look, await placesOfRows(look.path, firstMissing));
      counts.push(`${name}: ${missing}, ${places}${missing > firstMissing.length ? ", ..." : ""}`);
    }
    return counts.map((text) => `\n  ${text}`).join("");
  };
  const targets = await count(config.target);
  if (targets !== "") {
    const problem = "the target is missing in some rows; fill it in, or leave these rows out with --missing drop";
    throw new DataError(problem + targets, { file: look.path });
  }
  const cells = config.missing === "error" ? await count(inputs) : "";
  if (cells !== "") {
    const problem = "cells are missing; fill them in, or say --missing mean, median, category or drop";
    throw new DataError(problem + cells, { file: look.path });
  }
}

/** Places of rows: lines of the one file, or of files of a folder; a Parquet file has rows. */
function formatPlaces({ path }: TableLook, places: readonly RowPlace[]): string {
  if (places.some(({ file }) => file !== path)) {
    return `at ${places.map(({ file, line, row }) => row ? `${file}, row ${row}` : `${file}:${line}`).join(", ")}`;
  }
  const what = places[0].row ? "row" : "line";
  return `in ${what}${places.length === 1 ? "" : "s"} ${places.map(({ line, row }) => row ?? line).join(", ")}`;
}
