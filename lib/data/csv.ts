/**
 * Numeric CSV files, read in blocks and checked cell by cell.
 *
 * @module
 */

import { cellFault, numberOf } from "./cells.ts";
import { type CsvOptions, readRecords, type RecordBlock } from "./csv_records.ts";
import { DataError } from "../base/errors.ts";

/** Some rows of a file. */
export interface NumericBlock {
  /** Names of the columns, in the order in which each row holds them. */
  columns: readonly string[];
  /** The values, row-major [count, columns]. */
  rows: Float64Array<ArrayBuffer>;
  /** How many rows these are. */
  count: number;
  /** Index of the first of them in the table, counted from 0 after the header. */
  firstRow: number;
}

/** Options of {@linkcode readNumericCsv}. */
export interface NumericCsvOptions extends CsvOptions {
  /** The columns that are wanted, in this order; others may be there and are not read. All of them if left out. */
  columns?: readonly string[];
  /** Rows of a block, all but the last; 4,096 if left out. */
  blockRows?: number;
}

/**
 * Reads a CSV file with a header in constant memory. Cells are decimal numbers, quoted or not, with spaces around them or
 * not; a byte-order mark and both kinds of line ends are accepted, blank lines are skipped. Other formats are read, and files
 * of a folder are one table, as in {@linkcode readRecords}.
 *
 * @param path The file, or the folder.
 * @param options Wanted columns, separator, size of the blocks, signal and progress.
 * @returns The blocks, in order; at least one row in the whole table.
 * @throws {Deno.errors.NotFound} If there is no such file, or the folder has none.
 * @throws {DataError} With file, line and column, if the file is empty, ends after the header, lacks a wanted column, names a
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
  let columns: readonly string[] = [];
  let rows = new Float64Array(0);
  let filled = 0;
  let firstRow = 0;
  for await (const block of readRecords(path, options)) {
    if (rows.length === 0) {
      columns = block.places.map((place) => block.columns[place]);
      rows = new Float64Array(blockRows * columns.length);
    }
    for (let index = 0; index < block.records.length; index++) {
      for (const place of block.places) rows[filled++] = numberIn(block, index, place);
      if (filled < rows.length) continue;
      yield { columns, rows, count: blockRows, firstRow };
      firstRow += blockRows;
      rows = new Float64Array(rows.length);
      filled = 0;
    }
  }
  if (filled > 0) yield { columns, rows: rows.slice(0, filled), count: filled / columns.length, firstRow };
}

function numberIn(block: RecordBlock, index: number, place: number): number {
  const cell = block.records[index][place];
  const value = numberOf(cell);
  if (!Number.isNaN(value)) return value;
  throw new DataError(cellFault(cell), { ...block.placeOf(index), column: block.columns[place] });
}
