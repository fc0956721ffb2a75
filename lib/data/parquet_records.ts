/**
 * Parquet files as records of text cells, a row group at a time.
 *
 * @module
 */

import type { DecodedArray, FileMetaData, RowGroup, SchemaTree } from "hyparquet";
import { checkColumns, isUnused, orIgnore } from "./columns.ts";
import type { CsvOptions, RecordBlock, TableEnd } from "./csv_parse.ts";
import { DataError, type DataPlace } from "../base/errors.ts";
import { openFile } from "../base/files.ts";
import { type CellForm, cellForm } from "../formats/parquet_cells.ts";
import { decodeColumn, ParquetFault } from "../formats/parquet_pages.ts";

/** Rows of a block. */
const BLOCK_ROWS = 4096;

/** Cells of a column that is not used, and whose values are none. */
const NOT_READ = "(not read)";

/** Names under which pandas writes an index that has none. */
const INDEX_NAME = /^__index_level_\d+__$/;

/** An open file, with what its end says of it. */
interface ParquetFile {
  readonly name: string;
  readonly file: Deno.FsFile;
  readonly size: number;
  readonly metadata: FileMetaData;
  readonly root: SchemaTree;
}

/** A column that is read. */
interface Column {
  readonly name: string;
  readonly index: number;
  /** Undefined if its values are no cells, and it is not used. */
  readonly form: CellForm | undefined;
}

/**
 * The records of one file. Missing values are empty cells, dates and times are ISO 8601. What it is all told is returned.
 *
 * @throws {DataError} If the file is damaged, or a column is nested or holds values that are no cells; with the column.
 */
export async function* parquetBlocks(
  path: string,
  { columns: wanted, isIgnored, signal, onProgress, onNote }: CsvOptions,
  firstRow: number,
): AsyncGenerator<RecordBlock, TableEnd> {
  using file = await openFile(path);
  const parquet = await guarded({ file: path }, () => readMetadata(path, file));
  const columns = await guarded({ file: path }, () => columnsOf(parquet, wanted, isUnused(wanted, isIgnored), onNote));
  const header = checkColumns(columns.map(({ name }) => name), { file: path }, wanted);
  let row = 0;
  for (const group of parquet.metadata.row_groups) {
    const rows = Number(group.num_rows);
    const decoded: DecodedArray[][] = [];
    for (const column of columns) {
      signal?.throwIfAborted();
      const place = { file: path, row: row + 1, column: column.name };
      decoded.push(
        column.form ? await guarded(place, () => readColumn(parquet, group, column, column.form!, rows)) : [],
      );
    }
    const cursors = decoded.map((pages) => valuesOf(pages));
    for (let done = 0; done < rows; done += BLOCK_ROWS) {
      const count = Math.min(BLOCK_ROWS, rows - done);
      const records = Array.from({ length: count }, () => new Array<string>(columns.length));
      for (const [place, { name, form }] of columns.entries()) {
        for (let i = 0; i < count; i++) {
          const value = cursors[place].next().value;
          try {
            records[i][place] = form ? form.textOf(value) : NOT_READ;
          } catch (error) {
            throw faultOf(error, { file: path, row: row + done + i + 1, column: name });
          }
        }
      }
      const first = row + done;
      const lineOf = (index: number) => first + index + 1;
      const placeOf = (index: number) => ({ file: path, row: lineOf(index) });
      yield { file: path, ...header, records, firstRow: firstRow + first, lineOf, placeOf };
    }
    row += rows;
    onProgress?.(Math.round(parquet.size * row / Number(parquet.metadata.num_rows)), parquet.size);
  }
  onProgress?.(parquet.size, parquet.size);
  return { rows: row, columns: header.columns };
}

async function readMetadata(name: string, file: Deno.FsFile): Promise<ParquetFile> {
  const { parquetMetadataAsync, parquetSchema } = await import("hyparquet");
  const { size } = await file.stat();
  const slice = async (from: number, to: number = size) => (await bytesOf(file, from, to)).buffer;
  const metadata = await parquetMetadataAsync({ byteLength: size, slice }, { geoparquet: false });
  const rows = metadata.row_groups.reduce((sum, group) => sum + BigInt(group.num_rows), 0n);
  if (rows !== BigInt(metadata.num_rows) || metadata.row_groups.some(({ num_rows }) => num_rows < 0n)) {
    throw new ParquetFault(`it says ${metadata.num_rows} rows, and its parts have ${rows}`);
  }
  return { name, file, size, metadata, root: parquetSchema(metadata) };
}

/** The columns, without an index that has no name. */
function columnsOf(
  { name: file, root, metadata }: ParquetFile,
  wanted: readonly string[] | undefined,
  isFree: (name: string) => boolean,
  onNote?: (note: string) => void,
): Column[] {
  const columns: Column[] = [];
  for (const [index, { element, children }] of root.children.entries()) {
    const name = element.name.trim();
    if (INDEX_NAME.test(name) && metadata.key_value_metadata?.some(({ key }) => key === "pandas")) {
      onNote?.(`column ${name} is an index without a name that pandas wrote: left out`);
      continue;
    }
    const place = { file, column: name };
    const isNested = children.length > 0 || element.repetition_type === "REPEATED";
    if (isNested && !isFree(name)) {
      throw new DataError(`it is a list or a group: write its parts as columns${orIgnore(name, wanted)}`, place);
    }
    try {
      columns.push({ name, index, form: isNested ? undefined : cellForm(element) });
    } catch (error) {
      if (!(error instanceof ParquetFault)) throw error;
      if (!isFree(name)) {
        throw new DataError(`${error.message}: write it as text${orIgnore(name, wanted)}`, place, { cause: error });
      }
      columns.push({ name, index, form: undefined });
    }
  }
  return columns;
}

async function readColumn(
  { file, size, root }: ParquetFile,
  group: RowGroup,
  { index }: Column,
  form: CellForm,
  rows: number,
): Promise<DecodedArray[]> {
  const tree = root.children[index];
  const metadata = group.columns.find(({ meta_data }) => meta_data?.path_in_schema.join(".") === tree.element.name)
    ?.meta_data;
  if (!metadata) throw new ParquetFault("a part of the file lacks it");
  const from = Number(metadata.dictionary_page_offset || metadata.data_page_offset);
  const to = from + Number(metadata.total_compressed_size);
  if (!(from >= 0 && from <= to && to <= size)) throw new ParquetFault("it lies outside of the file");
  const bytes = await bytesOf(file, from, to);
  return await decodeColumn({
    bytes,
    metadata: { ...metadata, type: tree.element.type! },
    schemaPath: [root, { ...tree, element: form.element }],
    parsers: form.parsers,
    rows,
  });
}

function* valuesOf(pages: readonly DecodedArray[]): Generator<unknown> {
  for (const page of pages) yield* page;
}

async function bytesOf(file: Deno.FsFile, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(to - from);
  await file.seek(from, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) {
    const count = await file.read(bytes.subarray(done));
    if (count === null) throw new ParquetFault("it has become shorter while it was read");
    done += count;
  }
  return bytes;
}

/** Does some of the reading. What the decoder throws is the file's fault. */
async function guarded<T>(place: DataPlace, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw faultOf(error, place);
  }
}

function faultOf(error: unknown, place: DataPlace): unknown {
  // What the system says of a file stays as it is.
  const isOwn = error instanceof Error && !(error instanceof DataError) && !/os error/.test(error.message);
  if (!isOwn) return error;
  // Errors of the engine itself say nothing to a reader.
  const why = error instanceof TypeError || error instanceof RangeError ? "" : `: ${error.message}`;
  const problem = `this Parquet file is damaged, or cannot be read${why}`;
  return new DataError(`${problem}; if other programs read it, write it anew with them, or as CSV`, place, {
    cause: error,
  });
}
