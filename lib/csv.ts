/**
 * Numeric CSV files, read in blocks and checked cell by cell.
 *
 * @module
 */

import { parse } from "@std/csv";
import { cellFault, numberOf } from "./cells.ts";
import { type ReadOptions, recordsOf, type TextBlock, textBlocks } from "./csv_text.ts";
import { DataError } from "./errors.ts";

/** Some rows of a file. */
export interface NumericBlock {
  /** Names of the columns, in the order in which each row holds them. */
  columns: readonly string[];
  /** The values, row-major [count, columns]. */
  rows: Float64Array<ArrayBuffer>;
  /** How many rows these are. */
  count: number;
  /** Index of the first of them in the file, counted from 0 behind the header. */
  firstRow: number;
}

/** What {@linkcode readNumericCsv} may be told. */
export interface NumericCsvOptions extends ReadOptions {
  /** The columns that are wanted, in this order; others may be there and are not read. All of them if left out. */
  columns?: readonly string[];
  /** Rows of a block, all but the last; 4,096 if left out. */
  blockRows?: number;
}

/**
 * Reads a CSV file with a header in constant memory. Cells are decimal numbers, quoted or not, with spaces around them or
 * not; a byte-order mark and both kinds of line ends are accepted, blank lines are skipped.
 *
 * @param path The file.
 * @param options Wanted columns, size of the blocks, signal and progress.
 * @returns The blocks, in order; at least one row.
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {DataError} With line and column, if the file is empty, ends behind the header, lacks a wanted column, names a
 * column twice or not at all, has a row of another length, a quote out of place, or a wanted cell that is blank, not a
 * number or not finite.
 *
 * @example
 * ```ts
 * import { readNumericCsv } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * await Deno.mkdir("data", { recursive: true });
 * await Deno.writeTextFile("data/example.csv", "x,note,y\n1,first,2\n-3,second,4.5e1\n");
 * for await (const { rows, count } of readNumericCsv("data/example.csv", { columns: ["y", "x"] })) {
 *   assertEquals(count, 2);
 *   assertEquals(rows, Float64Array.of(2, 1, 45, -3));
 * }
 * await Deno.remove("data/example.csv");
 * ```
 */
export async function* readNumericCsv(path: string, options: NumericCsvOptions = {}): AsyncGenerator<NumericBlock> {
  const { blockRows = 4096 } = options;
  let header: Header | undefined;
  let rows = new Float64Array(0);
  let [filled, firstRow] = [0, 0];
  for await (const block of textBlocks(path, options)) {
    const records = parseBlock(path, block);
    for (let index = 0; index < records.length; index++) {
      if (header === undefined) {
        header = readHeader(path, block, records[0], options.columns);
        rows = new Float64Array(blockRows * header.columns.length);
        continue;
      }
      if (!readRow(records[index], header, rows, filled)) throw rowFault(path, block, index, records[index], header);
      filled += header.columns.length;
      if (filled < rows.length) continue;
      yield { columns: header.columns, rows, count: blockRows, firstRow };
      rows = new Float64Array(rows.length);
      firstRow += blockRows;
      filled = 0;
    }
  }
  if (header === undefined) throw new DataError("the file is empty: a header and rows are needed", { file: path });
  if (firstRow + filled === 0) throw new DataError("there are no rows behind the header", { file: path });
  if (filled === 0) return;
  yield { columns: header.columns, rows: rows.slice(0, filled), count: filled / header.columns.length, firstRow };
}

/**
 * The line in which a row begins; reads the file up to there.
 *
 * @param path The file.
 * @param row Index of the row, counted from 0 behind the header.
 * @returns The line, counted from 1.
 * @throws {RangeError} If the file has no such row.
 */
export async function lineOfRow(path: string, row: number): Promise<number> {
  let left = row + 1;
  for await (const block of textBlocks(path)) {
    for (const { line } of recordsOf(block)) if (left-- === 0) return line;
  }
  throw new RangeError(`Cannot find row ${row} of ${path}: it has fewer`);
}

/** Which cells of a record are wanted. */
interface Header {
  /** Names of all columns. */
  all: string[];
  /** Names of the wanted ones. */
  columns: readonly string[];
  /** Their places in a record. */
  places: number[];
}

function parseBlock(path: string, block: TextBlock): string[][] {
  try {
    return parse(block.text);
  } catch (error) {
    let { line } = block;
    for (const record of recordsOf(block)) {
      line = record.line;
      if (!canParse(record.text)) break;
    }
    const problem = "a quote is out of place or never closed; quote a whole cell, or none of it";
    throw new DataError(problem, { file: path, line }, { cause: error });
  }
}

function canParse(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

function readHeader(path: string, block: TextBlock, cells: string[], wanted?: readonly string[]): Header {
  const place = { file: path, line: lineOfRecord(block, 0) };
  const all = cells.map((cell) => cell.trim());
  const hasWanted = wanted?.every((name) => all.includes(name)) ?? false;
  if (!hasWanted && all.every((name) => !Number.isNaN(numberOf(name)))) {
    throw new DataError("a header with the names of the columns is needed, and this line holds numbers", place);
  }
  const blank = all.indexOf("");
  if (blank !== -1) throw new DataError(`column ${blank + 1} of the header has no name`, place);
  const repeated = all.find((name, index) => all.indexOf(name) !== index);
  if (repeated !== undefined) throw new DataError(`the header names column ${JSON.stringify(repeated)} twice`, place);
  const missing = wanted?.find((name) => !all.includes(name));
  if (missing !== undefined) {
    throw new DataError(`there is no column ${JSON.stringify(missing)}; there are ${all.join(", ")}`, place);
  }
  const columns = wanted ?? all;
  return { all, columns, places: columns.map((name) => all.indexOf(name)) };
}

/** Reads one record into rows; false where something is wrong with it. */
function readRow(record: string[], header: Header, rows: Float64Array, offset: number): boolean {
  let isGood = record.length === header.all.length;
  for (const place of header.places) {
    const value = isGood ? numberOf(record[place]) : NaN;
    rows[offset++] = value;
    isGood = !Number.isNaN(value);
  }
  return isGood;
}

function rowFault(path: string, block: TextBlock, index: number, record: string[], header: Header): DataError {
  const place = { file: path, line: lineOfRecord(block, index) };
  const [cells, names] = [record.length, header.all.length];
  if (cells !== names) {
    return new DataError(`this row has ${cells} cell${cells === 1 ? "" : "s"}, the header has ${names}`, place);
  }
  const at = header.places.find((place) => Number.isNaN(numberOf(record[place])))!;
  return new DataError(cellFault(record[at]), { ...place, column: header.all[at] });
}

function lineOfRecord(block: TextBlock, index: number): number {
  for (const { line } of recordsOf(block)) if (index-- === 0) return line;
  return block.line;
}
