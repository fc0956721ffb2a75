/**
 * The text of CSV files as records of cells.
 *
 * @module
 */

import { parse } from "@std/csv";
import { areNumbers, checkColumns, type Columns, UnnamedColumns } from "./columns.ts";
import { headerHint, type Separator, SEPARATORS, widthHint } from "./csv_hints.ts";
import { type ReadOptions, recordsOf, type TextBlock } from "./csv_text.ts";
import { DataError, type DataPlace } from "../base/errors.ts";

export { type Separator, SEPARATORS } from "./csv_hints.ts";

/** A first line that names the separator, as Excel writes and obeys it. */
const SEPARATOR_LINE = /^"?sep=([^"\r\n])"?\r?\n/i;

/** Options of `readRecords`. */
export interface CsvOptions extends ReadOptions {
  /** The character between two cells; if left out, the one that the header has most of. */
  separator?: Separator;
  /** Columns that must be there. */
  columns?: readonly string[];
  /** Whether a column is not used: its values may be lists or groups then. */
  isIgnored?: (name: string) => boolean;
  /** Called once with each thing that was left out of the table, a sentence. */
  onNote?: (note: string) => void;
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
  /** The line of the file in which a record of the block begins, of a Parquet file its row; slow, for messages. */
  readonly lineOf: (index: number) => number;
  /** The same as the place of an error. */
  readonly placeOf: (index: number) => DataPlace;
}

/** Where a row begins: in a line, counted from 1, or in a Parquet file as a row, counted from 1. */
export type RowPlace = Pick<DataPlace, "file" | "line" | "row">;

/** What a header says. */
interface Header {
  /** Its cells as they stand there. */
  readonly cells: readonly string[];
  readonly columns: Columns;
  readonly unnamed: UnnamedColumns;
}

/**
 * Reads the text of a CSV file, such as one that was pasted, as `readRecords` reads a file.
 *
 * @param text The text, without a byte-order mark.
 * @param options Separator, wanted columns and what to do with notes; `name`: what the text is called in messages.
 * @returns The blocks, in order; at least one record.
 * @throws {DataError} As `readRecords` does.
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
  options: Omit<CsvOptions, keyof ReadOptions> & { readonly name?: string } = {},
): AsyncGenerator<RecordBlock> {
  const file = options.name ?? "the text";
  yield* recordBlocks(file, [{ file, text, line: 1 }], options);
}

/** The same for text that comes in blocks, such as that of stdin. */
export async function* recordBlocks(
  name: string,
  blocks: AsyncIterable<TextBlock> | Iterable<TextBlock>,
  options: CsvOptions,
): AsyncGenerator<RecordBlock> {
  checkRows(name, yield* csvBlocks(blocks, options, 0));
}

/** What is known of a table, or a file of it, when all of it has been read. */
export interface TableEnd {
  /** How many rows there are. */
  readonly rows: number;
  /** The names of the columns; undefined if there is no header. */
  readonly columns?: readonly string[];
}

/**
 * Refuses a table without rows.
 *
 * @throws {DataError} If it has none.
 */
export function checkRows(file: string, { rows, columns }: TableEnd): void {
  if (!columns) throw new DataError("the file is empty: a header and rows are needed", { file });
  if (rows > 0) return;
  throw new DataError("there are no rows after the header", { file });
}

/** The records of one CSV file, whose text comes in blocks; what it is all told is returned. */
export async function* csvBlocks(
  blocks: AsyncIterable<TextBlock> | Iterable<TextBlock>,
  { separator: given, columns: wanted, onNote }: CsvOptions,
  firstRow: number,
): AsyncGenerator<RecordBlock, TableEnd> {
  let separator: string | undefined = given;
  let header: Header | undefined;
  let row = firstRow;
  let isFirst = true;
  for await (const block of blocks) {
    if (isFirst) separator ??= SEPARATOR_LINE.exec(block.text)?.[1];
    const text = isFirst ? withoutSeparatorLine(block) : block;
    isFirst = false;
    const { file } = text;
    separator ??= separatorOf(text, wanted);
    let records = parseBlock(text, separator);
    if (records.length === 0) continue;
    if (!header && /^[^\n]*\r[^\n]+$/.test(text.text)) {
      const problem = "its lines end in CR alone: save it with lines that end in LF or CRLF";
      throw new DataError(problem, { file, line: lineOfRecord(text, 0) });
    }
    const skipped = header ? 0 : 1;
    header ??= readHeader(records[0], { file, line: lineOfRecord(text, 0) }, separator, wanted);
    if (skipped) records = records.slice(1);
    const lineOf = (index: number) => lineOfRecord(text, index + skipped);
    const bad = firstBad(records, header.cells);
    if (bad !== -1) records = records.slice(0, bad + 1);
    const fault = bad === -1
      ? undefined
      : rowFault(records.pop()!, header.cells, separator, { file, line: lineOf(bad) });
    const good = header.unnamed.leaveOut(records, lineOf);
    if (row === firstRow && good.length > 0) header.unnamed.notes().forEach((note) => onNote?.(note));
    const placeOf = (index: number) => ({ file, line: lineOf(index) });
    if (good.length > 0) yield { file, ...header.columns, records: good, firstRow: row, lineOf, placeOf };
    row += good.length;
    if (fault) throw fault;
  }
  return { rows: row - firstRow, columns: header?.columns.columns };
}

/** The first record that has not as many cells as the header, or that is the header again. */
function firstBad(records: readonly string[][], header: readonly string[]): number {
  const [first] = header;
  const width = header.length;
  return records.findIndex((record) =>
    record.length !== width || (record[0] === first && record.every((cell, i) => cell === header[i]))
  );
}

/** The first block of a file without a line that names the separator. */
export function withoutSeparatorLine(block: TextBlock): TextBlock {
  const text = block.text.replace(SEPARATOR_LINE, "");
  return text.length === block.text.length ? block : { file: block.file, text, line: block.line + 1 };
}

/** The separator that the header has most of, outside of quotes, and that gives the wanted columns; a comma if it has none. */
function separatorOf(block: TextBlock, wanted: readonly string[] = []): string {
  const header = recordsOf(block).next().value?.text ?? "";
  const bare = header.replaceAll(/"[^"]*"/g, "");
  const count = (separator: string) => bare.split(separator).length;
  const sorted = [...SEPARATORS.keys()].sort((a, b) => count(b) - count(a));
  const hasWanted = (separator: string) => {
    const names = tryParse(header, separator)?.[0]?.map((cell) => cell.trim()) ?? [];
    return wanted.every((name) => names.includes(name));
  };
  return (wanted.length > 0 && sorted.find(hasWanted)) || sorted[0];
}

function parseBlock(block: TextBlock, separator: string): string[][] {
  // Without quotes there is nothing to parse, and this is several times as fast.
  if (!block.text.includes('"')) return splitBlock(block.text, separator);
  const records = tryParse(block.text, separator);
  if (records) return records;
  const { file } = block;
  let { line } = block;
  for (const record of recordsOf(block)) {
    line = record.line;
    if (!tryParse(record.text, separator)) break;
  }
  const problem = "a quote is out of place or never closed; quote a whole cell, or none of it";
  throw new DataError(problem, { file, line });
}

/** Records of a text; undefined where a quote is out of place, even without the spaces next to it. */
function tryParse(text: string, separator: string): string[][] | undefined {
  for (const trial of [() => text, () => withoutSpaces(text, separator)]) {
    try {
      return parseText(trial(), separator);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error; // the parser's own are
    }
  }
}

/** A text without the spaces around quoted cells, as in `1, "a" ,2`. What quotes hold stays as it is. */
function withoutSpaces(text: string, separator: string): string {
  const mark = separator.replace(/[^\w\s]/, "\\$&");
  const pattern = new RegExp(`"[^"]*"|(?<=^|\n|${mark}) +(?=")|(?<=") +(?=${mark}|\r?\n|\r?$)`, "g");
  return text.replaceAll(pattern, (found) => found.startsWith('"') ? found : "");
}

/** The parser takes a byte-order mark away: here the file's is gone, and any other belongs to a cell. */
function parseText(text: string, separator: string): string[][] {
  return parse(text.startsWith("\ufeff") ? `\ufeff${text}` : text, { separator });
}

function splitBlock(text: string, separator: string): string[][] {
  const records: string[][] = [];
  for (const ended of text.split("\n")) {
    const line = ended.endsWith("\r") ? ended.slice(0, -1) : ended;
    if (line !== "") records.push(line.split(separator));
  }
  return records;
}

function readHeader(
  cells: readonly string[],
  place: DataPlace,
  separator: string,
  wanted?: readonly string[],
): Header {
  const names = cells.map((cell) => cell.trim());
  const hasWanted = wanted?.every((name) => names.includes(name)) ?? false;
  if (!hasWanted && areNumbers(names)) {
    throw new DataError("a header with the names of the columns is needed, and this line holds numbers", place);
  }
  const unnamed = new UnnamedColumns(names, place);
  const named = unnamed.named.map((index) => names[index]);
  return { cells, columns: checkColumns(named, place, wanted, headerHint(named, separator)), unnamed };
}

/** What is wrong with a row that the header does not fit. */
function rowFault(row: readonly string[], header: readonly string[], separator: string, place: RowPlace): DataError {
  const { length } = row;
  const width = header.length;
  if (length === width) {
    const problem =
      "this row is the header again, as where files are joined: take it out, or give a folder of the files";
    return new DataError(problem, place);
  }
  const problem = `this row has ${length} cell${length === 1 ? "" : "s"}, the header has ${width}`;
  return new DataError(problem + widthHint(row, header, separator), place);
}

function lineOfRecord(block: TextBlock, index: number): number {
  for (const { line } of recordsOf(block)) if (index-- === 0) return line;
  return block.line;
}
