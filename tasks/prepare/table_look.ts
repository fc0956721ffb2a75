/** The first pass over a user's table: what its columns hold, and what splitting it needs to know of each row. */

import { isMissing, numberOf, showCell } from "../../lib/data/cells.ts";
import { readRecords, type RecordBlock, type Separator, SEPARATORS } from "../../lib/data/csv_records.ts";
import { DataError } from "../../lib/base/errors.ts";
import { ColumnProfile, MAX_CATEGORIES, MAX_CATEGORY_LENGTH, ownText } from "../../lib/data/table_profile.ts";
import type { Config } from "../settings/settings.ts";

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

/** A date, with the time of day or without, in the order of ISO 8601. */
const DATE = /^(\d{4}-\d\d(?:-\d\d)?)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/;

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
 * Reads a table through once. A byte or two per row stay in memory, eight more with a time column.
 *
 * @throws {DataError} If the file is no CSV file, or a time is missing or none.
 */
export async function lookAt(path: string, config: Config, onProgress: OnProgress): Promise<TableLook> {
  const separator = separatorNamed(config.separator);
  const profiles = new Map<string, ColumnProfile>();
  const ids: Uint16Array[] = [];
  const times: Float64Array[] = [];
  const known = new Map<string, number>();
  const notes: string[] = [];
  let rows = 0;
  for await (const block of readRecords(path, { separator, onProgress, onNote: (note) => notes.push(note) })) {
    const { columns, records, firstRow } = block;
    if (rows === 0) columns.forEach((name) => profiles.set(name, new ColumnProfile(name)));
    columns.forEach((name, place) => {
      const profile = profiles.get(name)!;
      for (let i = 0; i < records.length; i++) profile.add(records[i][place], firstRow + i);
    });
    const target = config.target.length === 1 ? columns.indexOf(config.target[0]) : -1;
    if (target !== -1 && known.size <= MAX_CATEGORIES) {
      ids.push(Uint16Array.from(records, (record) => idOf(record[target].trim(), known)));
    }
    const time = columns.indexOf(config.timeColumn);
    if (time !== -1) times.push(Float64Array.from(records, (_, i) => timeIn(block, i, time)));
    rows += records.length;
  }
  const hasClasses = known.size > 0 && known.size <= MAX_CATEGORIES;
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

/** A number for each text, counted from 0; one more than the limit is enough to know that there are too many. */
function idOf(text: string, known: Map<string, number>): number {
  const id = known.get(text = text.slice(0, MAX_CATEGORY_LENGTH));
  if (id !== undefined) return id;
  if (known.size <= MAX_CATEGORIES) known.set(ownText(text), known.size);
  return known.size - 1;
}

function timeIn({ file, columns, records, lineOf }: RecordBlock, index: number, place: number): number {
  const text = records[index][place].trim();
  const number = numberOf(text);
  if (!Number.isNaN(number)) return number;
  const [_, day, clock, zone] = text.match(DATE) ?? [];
  const time = day === undefined ? NaN : Date.parse(clock === undefined ? day : `${day}T${clock}${zone ?? "Z"}`);
  if (!Number.isNaN(time)) return time;
  const problem = isMissing(text)
    ? "the time is missing: rows are split by it"
    : `${showCell(text)} is no time: a number is, or a date such as 2026-01-31 or 2026-01-31T12:00`;
  throw new DataError(problem, { file, line: lineOf(index), column: columns[place] });
}

function joined<T extends Uint16Array | Float64Array>(out: T, parts: readonly T[]): T {
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
