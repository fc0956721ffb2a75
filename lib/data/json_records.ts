/**
 * JSON Lines as records of text cells: an object a line, whose keys are the columns.
 *
 * @module
 */

import { checkColumns, type Columns, isUnused, orIgnore } from "./columns.ts";
import type { CsvOptions, RecordBlock, TableEnd } from "./csv_parse.ts";
import type { TextBlock } from "./csv_text.ts";
import { DataError, type DataPlace } from "../base/errors.ts";
import { shorten, showJson, showName } from "../base/printable.ts";

/** A value that Python or JavaScript writes, and that JSON does not have. */
const NO_JSON = /[\s:,[][+-]?(NaN|Infinity|None|undefined|True|False)\s*[,}\]]/;

/** What the parser tells of a value. */
type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

/**
 * The records of one file. The columns are the keys of its first block; a row without one of them
 * has no value there. Numbers stay as they are written. What it is all told is returned.
 *
 * @throws {DataError} With the line, if it is no object, holds another one or a list, or has a key of no column.
 */
export async function* jsonBlocks(
  blocks: AsyncIterable<TextBlock>,
  { columns: wanted, isIgnored }: CsvOptions,
  firstRow: number,
): AsyncGenerator<RecordBlock, TableEnd> {
  let header: Columns | undefined;
  let row = firstRow;
  const isFree = isUnused(wanted, isIgnored);
  for await (const { file, text, line } of blocks) {
    const rows: { cells: Map<string, string>; line: number }[] = [];
    text.split("\n").forEach((source, i) => {
      if (source.trim() !== "") {
        rows.push({ cells: cellsOf(source, { file, line: line + i }, wanted, isFree), line: line + i });
      }
    });
    if (rows.length === 0) continue;
    header ??= checkColumns(keysOf(rows), { file, line: rows[0].line }, wanted);
    const { columns } = header;
    const known = new Set(columns);
    const records = rows.map(({ cells, line }) => {
      const other = cells.keys().find((key) => !known.has(key) && !isFree(key));
      if (other !== undefined) throw unknownKey(other, columns, { file, line });
      return columns.map((name) => cells.get(name) ?? "");
    });
    const lineOf = (index: number) => rows[index].line;
    yield { file, ...header, records, firstRow: row, lineOf, placeOf: (index) => ({ file, line: lineOf(index) }) };
    row += records.length;
  }
  return { rows: row - firstRow, columns: header?.columns };
}

/** All keys, in the order in which they come. */
function keysOf(rows: readonly { cells: ReadonlyMap<string, string> }[]): string[] {
  const keys = new Set<string>();
  for (const { cells } of rows) for (const key of cells.keys()) keys.add(key);
  return [...keys];
}

/** The cells of a line, by column; those of some columns may be lists and objects. */
function cellsOf(
  source: string,
  place: DataPlace,
  wanted: readonly string[] | undefined,
  isFree: (name: string) => boolean,
): Map<string, string> {
  const cells = new Map<string, string>();
  const object = parseObject(source, place);
  const repeated = repeatedKey(source, object);
  if (repeated !== undefined) throw new DataError(repetition(repeated), place);
  for (const [key, value] of Object.entries(object)) {
    const name = key.trim();
    if (cells.has(name)) throw new DataError(repetition(name), place);
    const isNested = typeof value === "object" && value !== null;
    cells.set(name, isNested && isFree(name) ? showJson(value) : cellOf(value, name, place, wanted));
  }
  return cells;
}

/** That a key is there twice. */
export function repetition(key: string): string {
  return `the key ${showName(key)} is there twice`;
}

/**
 * The first key that an object's own text has twice, of which `JSON.parse` keeps only the last value.
 *
 * @param source The text, from which the value was parsed.
 * @param value The value; what is no object has no keys.
 */
export function repeatedKey(source: string, value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  // A quote before a colon ends a key, or is within a text or an object inside: as many as there are keys is none too many.
  if ((source.match(/"\s*:/g)?.length ?? 0) <= Object.keys(value).length) return undefined;
  const keys = new Set<string>();
  let depth = 0;
  for (const [token, text, colon] of source.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (colon !== undefined && depth === 1) {
      const key = JSON.parse(text) as string;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
}

function parseObject(source: string, place: DataPlace): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(source, asWritten as (key: string, value: unknown) => unknown);
  } catch (error) {
    const isDeep = error instanceof RangeError;
    const what = isDeep ? "is nested too deep" : "is no JSON";
    const hint = jsonHint(source);
    if (hint !== "") {
      throw new DataError(`this line ${what}: ${shorten(source.trim())}${hint}`, place, { cause: error });
    }
    const problem = `this line ${what}: ${shorten(source.trim())}; write one object a line, such as {"x": 1, "y": 2}`;
    throw new DataError(problem, place, { cause: error });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  const problem = `this line is no object: ${
    shorten(source.trim())
  }; write one object a line, such as {"x": 1, "y": 2}`;
  throw new DataError(problem, place);
}

/** Keeps numbers as they are written: 64-bit identifiers have more digits than a number of JavaScript. */
const asWritten: Reviver = (_, value, { source }) => typeof value === "number" ? source : value;

function cellOf(value: unknown, column: string, place: DataPlace, wanted: readonly string[] | undefined): string {
  if (typeof value === "string") return value;
  if (value === null) return "";
  if (typeof value === "boolean") return `${value}`;
  const what = Array.isArray(value) ? "a list" : "an object";
  const problem = `it is ${what}: a cell is a number, a text, true, false or null`;
  throw new DataError(`${problem}; write its parts as columns${orIgnore(column, wanted)}`, { ...place, column });
}

/** What to write in a text that is no JSON, if that is known: `: JSON has no NaN, write null`. */
export function jsonHint(text: string): string {
  const word = NO_JSON.exec(text)?.[1];
  if (word === undefined) return "";
  const isTruth = word === "True" || word === "False";
  return `: JSON has no ${word}, write ${isTruth ? word.toLowerCase() : "null for a missing cell"}`;
}

function unknownKey(key: string, columns: readonly string[], place: DataPlace): DataError {
  const why = "the columns are the keys of the first rows";
  const problem = `the key ${showName(key)} is no column; there are ${columns.map(showName).join(", ")}: ${why}`;
  return new DataError(`${problem}; write all keys in the first row, with null for what is missing`, place);
}
