/** Which columns of a table go into the network, as what, and what comes out. */

import { placesOfRows, type RowPlace } from "../../lib/data/csv_records.ts";
import { MAX_NAME_CHARACTERS, MAX_NAMES } from "../../lib/data/column_names.ts";
import { showCell } from "../../lib/data/cells.ts";
import { formatDate } from "../../lib/data/dates.ts";
import { CONSTANT_TARGET_FIX } from "../../lib/inspect/diagnosis.ts";
import { DataError } from "../../lib/base/errors.ts";
import { shorten, showName } from "../../lib/base/printable.ts";
import type { InputColumn } from "../../lib/data/table.ts";
import type { ColumnNote, TableNotes } from "../../lib/data/table_notes.ts";
import { type ColumnProfile, MAX_CLASSES } from "../../lib/data/table_profile.ts";
import { ConfigError } from "../settings/config.ts";
import type { Config, LossName } from "../settings/settings.ts";
import { pointTo } from "../settings/faults.ts";
import { recipeOf } from "../settings/recipes.ts";
import { formatNear, formatTable } from "../show/text_table.ts";
import { columnFault, missingTextsFlag } from "./column_faults.ts";
import { notesOf } from "./column_notes.ts";
import { type Asked, checkNames } from "./column_settings.ts";
import { sharedFileNotes } from "./shared_files.ts";
import type { TableLook } from "./table_look.ts";
import { flagFor, listNames } from "./typed_names.ts";

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
  const inputs = columns.flatMap(({ name, as }): PlannedInput[] => isInput(as) ? [plannedInput(name, as, config)] : []);
  const all = [...look.notes, ...await sharedFileNotes(config), ...notesOf(config, look, columns)];
  const notes = { columns, notes: all };
  if (inputs.length === 0) throw noColumnLeft(notes, look.path);
  await checkMissing(config, look, inputs.map(({ name }) => name));
  const loss = kind === "numeric" ? regressionLoss(config) ?? "mse" : config.loss === "bce" ? "bce" : "softmax";
  return { inputs, targets: config.target, kind, loss, isLookedAt: true, notes };
}

function plannedInput(name: string, kind: InputColumn["kind"], { dates }: Config): PlannedInput {
  const format = kind === "date" ? dates.find((column) => column.name === name)?.format : undefined;
  return format === undefined ? { name, kind } : { name, kind, format };
}

/** What is wrong if no column is left, with what became of each. */
export function noColumnLeft({ columns, notes }: TableNotes, file: string): DataError {
  const problem = "no column is left to predict from: give one that differs from row to row, or name it in FEATURES";
  return new DataError([problem, formatColumns(columns), ...notes].join("\n"), { file });
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

/** The loss that was asked for, if it is one for numbers. */
function regressionLoss({ loss }: Config): LossName | undefined {
  return loss === "mse" || loss === "mae" || loss === "huber" ? loss : undefined;
}

/** Whether the target is numbers or classes. */
async function targetKind(config: Asked, look: TableLook): Promise<TablePlan["kind"]> {
  const profiles = config.target.map((name) => look.profiles.get(name)!);
  const [first] = profiles;
  const isSaid = config.task === "classification" || config.loss === "softmax" || config.loss === "bce" ||
    (profiles.length === 1 && config.categorical.includes(first.name));
  const isNumeric = config.task === "regression" || regressionLoss(config) !== undefined || profiles.length > 1;
  // Texts are classes, unless they are numbers or dates to a person.
  const isNames = first.texts > 0 && !["mixed", "placeholders", "other dates", "date"].includes(first.look);
  const kind = isSaid || (!isNumeric && isNames) ? "classes" : "numeric";
  for (const profile of profiles) {
    const { name: column, look: found } = profile;
    if (kind === "numeric" && found === "date") {
      const { text, row } = profile.first.date!;
      const [place] = await placesOfRows(look.path, [row]);
      const problem = `the target holds dates such as ${text}: give numbers, such as days since a date`;
      throw new DataError(`${problem}, or say --task classification`, { ...place, column });
    }
    if (kind === "numeric" && profile.texts > 0) {
      throw await columnFault(profile, config, look, "--task classification");
    }
    if (profile.numbers + profile.texts === 0) {
      throw new DataError("every cell of the target is missing", { file: look.path, column });
    }
    if (profile.isConstant) {
      const value = profile.values![0];
      const what = kind === "classes" ? "class" : "value";
      const problem = `the target has the one ${what} ${value}: there is nothing to learn; ${CONSTANT_TARGET_FIX}`;
      throw new DataError(problem, { file: look.path, column });
    }
  }
  if (kind === "numeric") return kind;
  const { name, different = Infinity } = first;
  if (different > MAX_CLASSES) {
    const problem =
      `the target has more than ${MAX_CLASSES} different classes, or very long ones: too many to learn; ` +
      "give a target of fewer, or of numbers";
    throw new DataError(problem, { file: look.path, column: name });
  }
  if (config.loss === "bce" && different !== 2) {
    const asked = pointTo("LOSS", config.given?.LOSS, "bce");
    throw new ConfigError([`${asked}: it takes two classes, and ${name} has ${different}; allowed is softmax`]);
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
  const { look: found, numbers, texts } = profile;
  // Missing cells that are a category of their own tell rows apart.
  const holdsNames = isCategorical || (texts > 0 && profile.count("date") === 0);
  const areTwo = holdsNames && numbers + texts > 0 && missing > 0 && config.missing === "category";
  if (found === "constant" && !areTwo) {
    if (numbers + texts === 0) return leftOut("no cell holds anything");
    const value = shorten(profile.values?.[0] ?? `${profile.range.min}`);
    // Long numbers may differ as texts.
    const isOne = texts > 0 || profile.different === 1;
    const one = missing > 0 ? `${value}, or missing` : `one value throughout: ${value}`;
    return leftOut(isOne ? one : `numbers that are the same to 15 digits, such as ${value}`);
  }
  const isNames = isCategorical || (texts > 0 && isAsked && (found === "identifier" || found === "prose"));
  if (isNames && profile.different !== undefined) {
    return { name, as: "categorical", holds: noteOf(profile, true), missing };
  }
  if (isNames) {
    const key = isCategorical ? "CATEGORICAL" : "FEATURES";
    const place = pointTo(key, config.given?.[key]);
    throw new ConfigError([
      `${place} names ${showName(name)}, which has ${excessOf(profile)}: that is too much for names`,
    ]);
  }
  if (found === "mixed" || found === "placeholders" || found === "other dates") {
    const isSaid = config.dates.some((column) => column.name === name);
    const ways = isSaid ? [] : [flagFor("--categorical", name)];
    throw await columnFault(profile, config, look, ...ways, flagFor("--ignore", name));
  }
  if (found === "identifier" && texts === 0 && !isAsked) return leftOut("whole numbers that only go up: an identifier");
  if (found === "identifier" && texts > 0) {
    const { different, isNamesCut } = profile;
    const count = `${isNamesCut ? "more than " : ""}${different} different`;
    const example = showCell(profile.firstBut("number")?.text ?? "");
    return leftOut(`${count} texts in ${numbers + texts} rows, such as ${example}: more than half, an identifier`);
  }
  if (found === "prose") return leftOut(excessOf(profile));
  if (found === "date") {
    const { min, max } = profile.days;
    return { name, as: "date", holds: `${formatDate(min)} to ${formatDate(max)}`, missing };
  }
  return { name, as: texts > 0 ? "categorical" : "numeric", holds: noteOf(profile, texts > 0), missing };
}

/** What a column has too much of to be one of names. */
function excessOf({ namesFault }: ColumnProfile): string {
  if (namesFault === "long") return `a text of more than ${MAX_NAME_CHARACTERS.toLocaleString("en")} characters`;
  if (namesFault === "many") return `more than ${MAX_NAMES.toLocaleString("en")} different texts`;
  return "more different texts than there is room for: with the other columns over 400 MB";
}

function noteOf({ values, range: { min, max } }: ColumnProfile, isNames: boolean): string {
  if (!isNames || !values) return `${formatNear(min, max - min)} to ${formatNear(max, max - min)}`;
  const shown = values.slice(0, 6).map((value) => shorten(value)).join(", ");
  return values.length > 6 ? `${values.length.toLocaleString("en-US")} categories: ${shown}, ...` : shown;
}

/** What each column is taken as, as a table. */
export function formatColumns(columns: readonly ColumnNote[]): string {
  const rows = columns.map(({ name, as, holds, missing }) => [listNames([name]), as, holds, `${missing || ""}`]);
  return formatTable([["column", "taken as", "holds", "missing"], ...rows], 3);
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
    if (counts.length > 0) counts.push(...valueHint(names, look));
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

/** What to say where a text that means missing may be a name, as NA is a country. */
function valueHint(names: readonly string[], { profiles }: TableLook): string[] {
  const areNames = (profile: ColumnProfile) => profile.texts > 0 && profile.look !== "date";
  const found = (isWanted: (profile: ColumnProfile) => boolean) =>
    [...profiles.values()].filter(isWanted).flatMap(({ missingFound }) => [...missingFound]);
  const others = new Set(found((profile) => !areNames(profile)));
  const values = new Set(found((profile) => areNames(profile) && names.includes(profile.name))).difference(others);
  if (values.size === 0) return [];
  const flag = others.size > 0 ? missingTextsFlag([...others]) : "--missing-texts none";
  return [`if ${[...values].map(showCell).join(" or ")} is a name, say ${flag}`];
}

/** Places of rows: lines of the one file, or of files of a folder; a Parquet file has rows. */
function formatPlaces({ path }: TableLook, places: readonly RowPlace[]): string {
  if (places.some(({ file }) => file !== path)) {
    return `at ${places.map(({ file, line, row }) => row ? `${file}, row ${row}` : `${file}:${line}`).join(", ")}`;
  }
  const what = places[0].row ? "row" : "line";
  return `in ${what}${places.length === 1 ? "" : "s"} ${places.map(({ line, row }) => row ?? line).join(", ")}`;
}
