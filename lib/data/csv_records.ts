/**
 * Tables in files as records of text cells, read in blocks: CSV, JSON Lines and Parquet.
 *
 * @module
 */

import { type ByteSource, openSource } from "../formats/byte_source.ts";
import { csvPaths } from "./csv_files.ts";
import {
  checkRows,
  csvBlocks,
  type CsvOptions,
  type RecordBlock,
  type RowPlace,
  type TableEnd,
  withoutSeparatorLine,
} from "./csv_parse.ts";
import { recordsOf, textBlocks } from "./csv_text.ts";
import { jsonBlocks } from "./json_records.ts";
import { DataError } from "../base/errors.ts";
import { shorten, showName } from "../base/printable.ts";

export { headerHint } from "./csv_hints.ts";
export {
  type CsvOptions,
  parseRecords,
  type RecordBlock,
  recordBlocks,
  type RowPlace,
  type Separator,
  SEPARATORS,
} from "./csv_parse.ts";

/**
 * Reads a table in constant memory. Its first bytes say what it is: CSV with a header, JSON Lines, or Parquet; the first two
 * also packed by gzip, or in UTF-16. Cells of CSV may be quoted and then hold separators, quotes (doubled) and line breaks; a
 * byte-order mark and both kinds of line ends are accepted, blank lines are skipped. Of a folder, the files of tables that lie
 * right in it are read as one table, in the order of their names' UTF-16 code units; all have the same columns.
 *
 * @param path The file, or the folder.
 * @param options Separator, wanted columns, signal, progress, and what to do with notes on columns that are left out.
 * @returns The blocks, in order, each of one file; at least one record in the whole table.
 * @throws {Deno.errors.NotFound} If there is no such file, or the folder has none.
 * @throws {DataError} With file and line, if the file is empty, ends after the header, lacks a wanted column, names a column
 * twice or not at all, has a row of another length, or a quote out of place; if it is no table, or a pipe; or if a file of a
 * folder has other columns.
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
  const paths = await csvPaths(path);
  const sizes = paths[0] === path ? [] : await checkFolder(paths);
  const size = sizes.reduce((sum, size) => sum + size, 0);
  let rows = 0;
  let before = 0;
  let expected: readonly string[] | undefined;
  for (const [index, file] of paths.entries()) {
    using source = await openSource(file);
    const onProgress = options.onProgress &&
      ((bytes: number, own: number) => options.onProgress?.(before + bytes, sizes.length > 0 ? size : own));
    const onNote = index === 0 ? options.onNote : undefined;
    const end = yield* inOrder(
      blocksOf(source, file, { ...options, onProgress, onNote }, rows),
      expected,
    );
    rows += end.rows;
    expected ??= end.columns;
    before += sizes[index] ?? 0;
  }
  checkRows(path, { rows, columns: expected });
}

/** The blocks of one file, by what it holds. */
async function* blocksOf(
  source: ByteSource,
  file: string,
  options: CsvOptions,
  firstRow: number,
): AsyncGenerator<RecordBlock, TableEnd> {
  if (source.kind === "csv") {
    return yield* csvBlocks(textBlocks(source, file, { ...options, isQuoted: true }), options, firstRow);
  }
  if (source.kind === "json") {
    return yield* jsonBlocks(textBlocks(source, file, { ...options, isQuoted: false }), options, firstRow);
  }
  // Not at the top: few tables need it.
  const { parquetBlocks } = await import("./parquet_records.ts");
  return yield* parquetBlocks(file, options, firstRow);
}

/** Blocks whose cells are in the order of the table's first file. */
async function* inOrder(
  blocks: AsyncGenerator<RecordBlock, TableEnd>,
  expected: readonly string[] | undefined,
): AsyncGenerator<RecordBlock, TableEnd> {
  if (!expected) return yield* blocks;
  for (let next = await blocks.next();; next = await blocks.next()) {
    if (next.done) return next.value;
    const block = next.value;
    const { file, columns } = block;
    if (columns.every((name, i) => name === expected[i]) && columns.length === expected.length) {
      yield block;
      continue;
    }
    const order = expected.map((name) => columns.indexOf(name));
    const lacks = expected.find((_, i) => order[i] === -1);
    const other = columns.find((name) => !expected.includes(name));
    if (lacks !== undefined || other !== undefined) {
      const found = lacks === undefined ? `it has a column ${showName(other!)}` : `it has no column ${showName(lacks)}`;
      throw new DataError(`${found}, unlike the files before it: all files of a folder need the same columns`, {
        file,
      });
    }
    const places = block.places.map((place) => expected.indexOf(columns[place]));
    yield { ...block, columns: expected, places, records: block.records.map((cells) => order.map((at) => cells[at])) };
  }
}

/** Checks that all CSV files of a folder have the same header line, and gives the sizes of all files. */
async function checkFolder(paths: readonly string[]): Promise<number[]> {
  const sizes: number[] = [];
  let first: { file: string; header: string } | undefined;
  for (const file of paths) {
    using source = await openSource(file);
    sizes.push(source.size);
    if (source.kind !== "csv") continue;
    const { value: block } = await textBlocks(source, file, { isQuoted: true }).next();
    const record = block && recordsOf(withoutSeparatorLine(block)).next().value;
    const header = record?.text.replace(/\r?\n$/, "") ?? "";
    if (header === "") {
      throw new DataError("the file is empty: a header is needed, the same as in all files of the folder", { file });
    }
    first ??= { file, header };
    if (header === first.header) continue;
    const [found, expected] = [header, first.header].map((text) => JSON.stringify(shorten(text)));
    throw new DataError(
      `its header is ${found}, and that of ${first.file} is ${expected}: all files of a folder need the same header line`,
      { file },
    );
  }
  return sizes;
}

/**
 * The places at which rows begin; reads the table up to the last of them.
 *
 * @param path The file, or the folder.
 * @param rows Indices of rows, rising, counted from 0.
 * @throws {RangeError} If the table has no such row.
 */
export async function placesOfRows(path: string, rows: readonly number[]): Promise<RowPlace[]> {
  const places: RowPlace[] = [];
  let row = 0;
  for (const file of await csvPaths(path)) {
    if (places.length === rows.length) break;
    using source = await openSource(file);
    for await (const place of placesIn(source, file)) {
      if (row++ === rows[places.length]) places.push(place);
      if (places.length === rows.length) break;
    }
  }
  if (places.length === rows.length) return places;
  throw new RangeError(`Cannot find row ${rows[places.length]} of ${path}: it has fewer`);
}

/** The places of all rows of one file. */
async function* placesIn(source: ByteSource, file: string): AsyncGenerator<RowPlace> {
  if (source.kind !== "csv") {
    for await (const { records, placeOf } of blocksOf(source, file, { isIgnored: () => true }, 0)) {
      for (let i = 0; i < records.length; i++) yield placeOf(i);
    }
    return;
  }
  // Where records begin does not depend on what separates their cells.
  let isHeader = true;
  let isFirst = true;
  for await (const block of textBlocks(source, file, { isQuoted: true })) {
    for (const { line } of recordsOf(isFirst ? withoutSeparatorLine(block) : block)) {
      if (!isHeader) yield { file, line };
      isHeader = false;
    }
    isFirst = false;
  }
}
