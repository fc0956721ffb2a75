/**
 * CSV files as records of text cells, read in blocks.
 *
 * @module
 */

import { parse } from "@std/csv";
import { numberOf, showCell } from "./cells.ts";
import { type ReadOptions, recordsOf, type TextBlock, textBlocks } from "./csv_text.ts";
import { DataError, type DataPlace } from "../base/errors.ts";
import { MAX_NAME_LENGTH } from "./table.ts";

/** A character between two cells. */
export type Separator = "," | ";" | "\t";

/** The separators with their names, the most usual first. */
export const SEPARATORS: ReadonlyMap<Separator, string> = new Map([[",", "comma"], [";", "semicolon"], ["\t", "tab"]]);

/** Most columns: what is known of each takes a kilobyte. */
const MAX_COLUMNS = 100_000;

/** Options of {@linkcode readRecords}. */
export interface CsvOptions extends ReadOptions {
  /** The character between two cells; if left out, the one that the header has most of. */
  separator?: Separator;
  /** Columns that must be there. */
  columns?: readonly string[];
}

/** Some records of a file. */
export interface RecordBlock {
  /** The file: of a folder, the one that holds these records. */
  readonly file: string;
  /** Names of all columns, without spaces around them. */
  readonly columns: readonly string[];
  /** Places in a record of the columns that were asked for, or of all. */
  readonly places: readonly number[];
  /** The records: each as many cells as there are columns. */
  readonly records: readonly (readonly string[])[];
  /** Index of the first of them in the table, counted from 0 after the header. */
  readonly firstRow: number;
  /** The line of the file in which a record of the block begins; slow, for messages. */
  readonly lineOf: (index: number) => number;
}

/** Where a row begins. */
export type RowPlace = Required<Pick<DataPlace, "file" | "line">>;

/** What a header says. */
type Header = Pick<RecordBlock, "columns" | "places">;

/**
 * Reads a CSV file with a header in constant memory. Cells may be quoted and then hold separators, quotes (doubled) and line
 * breaks; a byte-order mark and both kinds of line ends are accepted, blank lines are skipped. Of a folder, the `*.csv` files
 * that lie right in it are read as one table, in the order of their names' UTF-16 code units; each has the same header line.
 *
 * @param path The file, or the folder.
 * @param options Separator, wanted columns, signal and progress.
 * @returns The blocks, in order, each of one file; at least one record in the whole table.
 * @throws {Deno.errors.NotFound} If there is no such file, or the folder has none.
 * @throws {DataError} With file and line, if the file is empty, ends after the header, lacks a wanted column, names a column twice
 * or not at all, has a row of another length, or a quote out of place; or if a file of a folder has another header.
 *
 * @example
 * ```ts
 * import { readRecords } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * await Deno.mkdir("data", { recursive: true });
 * await Deno.writeTextFile("data/prices.csv", 'name;price\n"a;b";1,5\n');
 * const [block] = await Array.fromAsync(readRecords("data/prices.csv"));
 * assertEquals(block.columns, ["name", "price"]);
 * assertEquals(block.records, [["a;b", "1,5"]]);
 * await Deno.remove("data/prices.csv");
 * ```
 */
export async function* readRecords(path: string, options: CsvOptions = {}): AsyncGenerator<RecordBlock> {
  yield* recordBlocks(path, textBlocks(path, options), options);
}

/**
 * The same for a text in memory, such as one that was pasted.
 *
 * @param text The text, without a byte-order mark.
 * @param options Separator and wanted columns; `name`: what the text is called in messages.
 * @returns The blocks, in order; at least one record.
 * @throws {DataError} As {@linkcode readRecords} does.
 *
 * @example
 * ```ts
 * import { parseRecords } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const [{ columns, records }] = await Array.fromAsync(parseRecords("x,y\n1,2\n3,4\n"));
 * assertEquals([columns, records], [["x", "y"], [["1", "2"], ["3", "4"]]]);
 * ```
 */
export async function* parseRecords(
  text: string,
  options: Pick<CsvOptions, "separator" | "columns"> & { readonly name?: string } = {},
): AsyncGenerator<RecordBlock> {
  const file = options.name ?? "the text";
  yield* recordBlocks(file, [{ file, text, line: 1 }], options);
}

/** The same for blocks of text that come from elsewhere, such as stdin. */
export async function* recordBlocks(
  path: string,
  blocks: AsyncIterable<TextBlock> | Iterable<TextBlock>,
  options: CsvOptions,
): AsyncGenerator<RecordBlock> {
  let { separator } = options;
  let header: Header | undefined;
  let firstRow = 0;
  for await (const text of blocks) {
    const { file } = text;
    separator ??= separatorOf(text);
    let records = parseBlock(text, separator);
    if (records.length === 0) continue;
    const skipped = header ? 0 : 1;
    header ??= readHeader(records[0], { file, line: lineOfRecord(text, 0) }, separator, options.columns);
    if (skipped) records = records.slice(1);
    const width = header.columns.length;
    const ragged = records.findIndex((record) => record.length !== width);
    const good = ragged === -1 ? records : records.slice(0, ragged);
    if (good.length > 0) {
      yield { file, ...header, records: good, firstRow, lineOf: (index) => lineOfRecord(text, index + skipped) };
    }
    firstRow += good.length;
    if (ragged !== -1) throw raggedRow(records[ragged], header, separator, file, lineOfRecord(text, ragged + skipped));
  }
  if (!header) throw new DataError("the file is empty: a header and rows are needed", { file: path });
  if (firstRow > 0) return;
  const hint = header.columns.some((name) => name.includes("\r")) ? ": lines end in LF or CRLF, not in CR alone" : "";
  throw new DataError(`there are no rows after the header${hint}`, { file: path });
}

/**
 * The places at which rows begin; reads the table up to the last of them.
 *
 * @throws {RangeError} If the table has no such row.
 */
export async function placesOfRows(path: string, rows: readonly number[]): Promise<RowPlace[]> {
  const places: RowPlace[] = [];
  let row = -1;
  for await (const block of textBlocks(path)) {
    if (places.length === rows.length) break;
    for (const { file, line } of recordsOf(block)) {
      if (row++ === rows[places.length]) places.push({ file, line });
      if (places.length === rows.length) break;
    }
  }
  if (places.length === rows.length) return places;
  throw new RangeError(`Cannot find row ${rows[places.length]} of ${path}: it has fewer`);
}

/** The separator that the header has most of, outside of quotes; a comma if it has none. */
function separatorOf(block: TextBlock): Separator {
  const header = recordsOf(block).next().value?.text.replaceAll(/"[^"]*"/g, "") ?? "";
  const count = (separator: string) => header.split(separator).length;
  return [...SEPARATORS.keys()].reduce((best, separator) => count(separator) > count(best) ? separator : best);
}

function parseBlock(block: TextBlock, separator: Separator): string[][] {
  // Without quotes there is nothing to parse, and this is several times as fast.
  if (!block.text.includes('"')) return splitBlock(block.text, separator);
  try {
    return parseText(block.text, separator);
  } catch (error) {
    const { file } = block;
    let { line } = block;
    for (const record of recordsOf(block)) {
      line = record.line;
      if (!canParse(record.text, separator)) break;
    }
    const problem = "a quote is out of place or never closed; quote a whole cell, or none of it";
    throw new DataError(problem, { file, line }, { cause: error });
  }
}

/** The parser takes a byte-order mark away: here the file's is gone, and any other belongs to a cell. */
function parseText(text: string, separator: Separator): string[][] {
  return parse(text.startsWith("\ufeff") ? `\ufeff${text}` : text, { separator });
}

function splitBlock(text: string, separator: Separator): string[][] {
  const records: string[][] = [];
  for (const ended of text.split("\n")) {
    const line = ended.endsWith("\r") ? ended.slice(0, -1) : ended;
    if (line !== "") records.push(line.split(separator));
  }
  return records;
}

function canParse(text: string, separator: Separator): boolean {
  try {
    parseText(text, separator);
    return true;
  } catch {
    return false;
  }
}

function readHeader(cells: string[], place: DataPlace, separator: Separator, wanted?: readonly string[]): Header {
  const columns = cells.map((cell) => cell.trim());
  if (columns.length > MAX_COLUMNS) {
    throw new DataError(`the header has ${columns.length} columns, at most ${MAX_COLUMNS} are read`, place);
  }
  const places = new Map(columns.map((name, index) => [name, index]));
  const hasWanted = wanted?.every((name) => places.has(name)) ?? false;
  if (!hasWanted && columns.every((name) => !Number.isNaN(numberOf(name)))) {
    throw new DataError("a header with the names of the columns is needed, and this line holds numbers", place);
  }
  const long = columns.find((name) => name.length > MAX_NAME_LENGTH);
  if (long !== undefined) {
    const problem = `a column's name of ${long.length} characters, at most ${MAX_NAME_LENGTH} are read: ${
      showCell(long)
    }`;
    throw new DataError(problem, place);
  }
  const blank = columns.indexOf("");
  if (blank !== -1) throw new DataError(`column ${blank + 1} of the header has no name: give it one`, place);
  const repeated = columns.find((name, index) => places.get(name) !== index);
  if (repeated !== undefined) throw new DataError(`the header names column ${showCell(repeated)} twice`, place);
  const missing = wanted?.filter((name) => !places.has(name)) ?? [];
  if (missing.length > 0) {
    const hint = separatorHint(columns, separator);
    const names = missing.map((name) => JSON.stringify(name)).join(", ");
    throw new DataError(`there is no column ${names}; there are ${columns.join(", ")}${hint}`, place);
  }
  return { columns, places: (wanted ?? columns).map((name) => places.get(name)!) };
}

/** A hint, if a header of one column holds other separators than the one that was used. */
export function separatorHint(columns: readonly string[], used: Separator): string {
  if (columns.length > 1) return "";
  const other = [...SEPARATORS].find(([separator]) => separator !== used && columns[0].includes(separator));
  return other ? `; is the separator a ${other[1]}, not a ${SEPARATORS.get(used)}?` : "";
}

function raggedRow(
  { length }: readonly string[],
  { columns }: Header,
  separator: Separator,
  file: string,
  line: number,
): DataError {
  const hint = separatorHint(columns, separator) ||
    (length > columns.length ? `; quote a cell that holds a ${SEPARATORS.get(separator)}` : "");
  const problem = `this row has ${length} cell${length === 1 ? "" : "s"}, the header has ${columns.length}${hint}`;
  return new DataError(problem, { file, line });
}

function lineOfRecord(block: TextBlock, index: number): number {
  for (const { line } of recordsOf(block)) if (index-- === 0) return line;
  return block.line;
}
