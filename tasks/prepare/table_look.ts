/** The first pass over a user's table: what its columns hold, and what splitting it needs to know of each row. */

import { isMissing, numberOf, showCell } from "../../lib/data/cells.ts";
import { readRecords, type RecordBlock, type Separator, SEPARATORS } from "../../lib/data/csv_records.ts";
import { DataError } from "../../lib/base/errors.ts";
import { MAX_NAME_CHARACTERS, NameRoom, ownText } from "../../lib/data/column_names.ts";
import { formatsOf } from "../../lib/data/date_formats.ts";
import { dateReader } from "../../lib/data/dates.ts";
import { nameKey } from "../../lib/data/names.ts";
import { ColumnProfile, MAX_CLASSES } from "../../lib/data/table_profile.ts";
import { dateFault } from "../../lib/data/cell_faults.ts";
import type { Config } from "../settings/settings.ts";
import { flagFor } from "./typed_names.ts";

/** What splitting a table needs to know of its rows. */
export interface RowLook {
  /** The file, or the folder of files. */
  path: string;
  /** The character between its cells; undefined if the header decides. */
  separator: Separator | undefined;
  /** How many rows it has. */
  rows: number;
  /** The number of each row's class, if the one target may be classes: at most 1,000 of them. */
  classes?: Uint16Array;
  /** When each row was, if there is a time column. */
  times?: Float64Array;
}

/** What a table holds. */
export interface TableLook extends RowLook {
  /** What was left out of it. */
  notes: readonly string[];
  /** Its columns by name, in the order of the header. */
  profiles: ReadonlyMap<string, ColumnProfile>;
}

/** Called with the bytes read so far in a pass, and those of the table. */
export type OnProgress = (bytes: number, size: number) => void;

/** The separator that a setting names; undefined if the header decides. */
export function separatorNamed(name: Config["separator"]): Separator | undefined {
  return [...SEPARATORS].find(([_, known]) => known === name)?.[0];
}

/** Counts the rows of a table whose columns are known. */
export async function countRows(path: string, config: Config, onProgress: OnProgress): Promise<TableLook> {
  const separator = separatorNamed(config.separator);
  let rows = 0;
  for await (const { records } of readRecords(path, { separator, onProgress })) rows += records.length;
  return { path, separator, rows, notes: [], profiles: new Map() };
}

/**
 * Reads a table through once. A byte or two per row stay in memory, eight more with a time column, and the different names of
 * columns of texts.
 *
 * @throws {DataError} If the file is no CSV file, or a time is missing or none.
 */
export async function lookAt(path: string, config: Config, onProgress: OnProgress): Promise<TableLook> {
  const separator = separatorNamed(config.separator);
  const profiles = new Map<string, ColumnProfile>();
  const ids: Uint16Array[] = [];
  const times: Float64Array[] = [];
  const notes: string[] = [];
  const classes = new ClassIds();
  const timeOf = timeReader(config);
  const room = new NameRoom();
  let rows = 0;
  const isIgnored = (name: string) => isUnusedColumn(name, config);
  const onNote = (note: string) => notes.push(note);
  for await (const block of readRecords(path, { separator, isIgnored, onProgress, onNote })) {
    const { columns, records, firstRow } = block;
    if (rows === 0) columns.forEach((name) => profiles.set(name, newProfile(name, config, room)));
    columns.forEach((name, place) => {
      const profile = profiles.get(name)!;
      for (let i = 0; i < records.length; i++) profile.add(records[i][place], firstRow + i);
    });
    const target = config.target.length === 1 ? columns.indexOf(config.target[0]) : -1;
    if (target !== -1 && !classes.areTooMany) {
      ids.push(Uint16Array.from(records, (record) => classes.idOf(record[target].trim())));
    }
    const time = columns.indexOf(config.timeColumn);
    if (time !== -1) times.push(Float64Array.from(records, (_, i) => timeOf(block, i, time)));
    rows += records.length;
  }
  const hasClasses = ids.length > 0 && !classes.areTooMany;
  return {
    path,
    separator,
    notes,
    profiles,
    rows,
    classes: hasClasses ? joined(new Uint16Array(rows), ids) : undefined,
    times: profiles.has(config.timeColumn) ? joined(new Float64Array(rows), times) : undefined,
  };
}

/** Whether settings say that a column is not used. */
function isUnusedColumn(name: string, { ignore, features, target, timeColumn }: Config): boolean {
  if (ignore.includes(name)) return true;
  return features.length > 0 && ![...features, ...target, timeColumn].includes(name);
}

function newProfile(name: string, config: Config, room: NameRoom): ColumnProfile {
  const { missingTexts, categorical, dates, target, task, loss } = config;
  const areClasses = task === "classification" || loss === "softmax" || loss === "bce";
  const isNames = categorical.includes(name) || (areClasses && target.includes(name));
  return new ColumnProfile(name, { missingTexts, isNames, room, dates: dates.find((column) => column.name === name) });
}

/** A number for each class, counted from 0. Names that mean the same are one class. */
class ClassIds {
  readonly #byKey = new Map<string, number>();
  /** Spares the keys of spellings that come again. */
  readonly #bySpelling = new Map<string, number>();

  get areTooMany(): boolean {
    return this.#byKey.size > MAX_CLASSES;
  }

  /** One more class than the most is enough to know that there are too many. */
  idOf(name: string): number {
    const text = name.slice(0, MAX_NAME_CHARACTERS);
    const known = this.#bySpelling.get(text);
    if (known !== undefined) return known;
    const key = ownText(nameKey(text));
    const id = this.#byKey.get(key) ?? this.#byKey.size;
    if (this.areTooMany) return MAX_CLASSES;
    this.#byKey.set(key, id);
    if (this.#bySpelling.size < 2 * MAX_CLASSES) this.#bySpelling.set(ownText(text), id);
    return id;
  }
}

/** Makes a reader of the time of a row: a number, or a date in days. */
function timeReader(
  { timeColumn, dates, missingTexts }: Config,
): (block: RecordBlock, i: number, at: number) => number {
  const said = dates.find(({ name }) => name === timeColumn);
  const dayOf = dateReader(said?.format);
  let areNumbers: boolean | undefined;
  return ({ columns, records, placeOf }, index, place) => {
    const text = records[index][place].trim();
    const isGone = isMissing(text, missingTexts);
    const number = said || isGone ? NaN : numberOf(text);
    const isNumber = !Number.isNaN(number);
    const time = isNumber ? number : isGone ? NaN : dayOf(text);
    if (!Number.isNaN(time) && (areNumbers ??= isNumber) === isNumber) return time;
    throw new DataError(timeFault(text), { ...placeOf(index), column: columns[place] });

    function timeFault(text: string): string {
      if (isGone) return "the time is missing: rows are split by it";
      const shown = showCell(text);
      if (isNumber) return `${shown} is a number, and the rows before hold dates: rows are split by it`;
      if (!Number.isNaN(time)) return `${shown} is a date, and the rows before hold numbers: rows are split by it`;
      if (said) return dateFault(text, said.format);
      const flags = formatsOf(text).map((format) => flagFor("--dates", timeColumn, format));
      const way = flags.length > 0 ? `; or say how dates are written: ${flags.join(" or ")}` : "";
      return `${shown} is no time: a number is, or a date such as 2026-01-31 or 2026-01-31T12:00${way}`;
    }
  };
}

function joined<T extends Uint16Array | Float64Array>(out: T, parts: readonly T[]): T {
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
