/**
 * A table in one CSV file, or in all that lie in a folder: which files these are, and where their headers end.
 *
 * @module
 */

import { DataError } from "../base/errors.ts";
import { openFile } from "../base/files.ts";
import { shorten } from "../base/printable.ts";

/** Bytes of a file that hold whole records. */
export interface CsvPiece {
  /** The file. */
  readonly file: string;
  /** The first byte. */
  readonly begin: number;
  /** The byte behind the last; infinite where the file is read to wherever it ends. */
  readonly end: number;
  /** The line of the file, counted from 1, in which they begin. */
  readonly line: number;
}

/** Records of a table, or all of them. */
export interface Pieces {
  /** The header, where no piece begins with it. */
  readonly header?: CsvPiece;
  /** The records, in order. */
  readonly pieces: readonly CsvPiece[];
}

/** One file of a table. */
export interface CsvFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** The first record. */
  readonly header: Header;
}

/** The first record of a file. */
interface Header {
  /** The byte behind it. */
  end: number;
  /** Line feeds up to there. */
  lines: number;
  /** Its text, without the line's end; a very long one is cut. */
  text: string;
}

/** Bytes read at a time: headers are short. */
const CHUNK_BYTES = 1 << 14;

/** Most bytes of a header that are compared. */
const HEADER_LIMIT = 1 << 24;

/** Bytes that count when a file is cut into records. */
export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;
export const QUOTE = 0x22;
const MARK = [0xef, 0xbb, 0xbf];

/** Whether a path leads to a folder; where it leads nowhere, opening it says so. */
async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}

/** Whether a file of that name, without its folder's, is one of the folder's table. */
export function isTableName(name: string): boolean {
  return /^[^.].*\.csv$/is.test(name);
}

/**
 * The files of a table: one, or those in a folder whose names end in .csv, in the order of their names' UTF-16 code units.
 * Folders in it, other files, and names that begin with a dot are passed over.
 *
 * @throws {Deno.errors.NotFound} If it is a folder without such a file.
 */
export async function csvPaths(path: string): Promise<string[]> {
  if (!await isFolder(path)) return [path];
  const names: string[] = [];
  for await (const { name, isFile, isSymlink } of Deno.readDir(path)) {
    if (!isTableName(name)) continue;
    // A link that leads nowhere is kept, so that opening it says so.
    const isLinked = isSymlink && await Deno.stat(`${path}/${name}`).then((found) => found.isFile, () => true);
    if (isFile || isLinked) names.push(name);
  }
  if (names.length > 0) return names.sort().map((name) => `${path.replace(/\/+$/, "")}/${name}`);
  throw new Deno.errors.NotFound(
    `Cannot read ${path}: it is a folder without *.csv files, which would be read as one table; put them right into it`,
  );
}

/**
 * The same files with their sizes and headers. Those of a folder all need the same header line.
 *
 * @throws {Deno.errors.NotFound} If there is no such file, or the folder has none.
 * @throws {DataError} If a file of a folder has another header than the first, or none.
 */
export async function csvFiles(path: string): Promise<CsvFile[]> {
  const paths = await csvPaths(path);
  const files: CsvFile[] = [];
  const isOne = paths[0] === path;
  for (const path of paths) {
    const file = await readHeader(path);
    if (!isOne) checkHeader(file, files[0] ?? file);
    files.push(file);
  }
  return files;
}

function checkHeader({ path: file, header: { text } }: CsvFile, { path, header }: CsvFile): void {
  const empty = "the file is empty: a header is needed, the same as in all files of the folder";
  if (text === "") throw new DataError(empty, { file });
  if (text === header.text) return;
  const [found, expected] = [text, header.text].map((text) => JSON.stringify(shorten(text)));
  throw new DataError(
    `its header is ${found}, and that of ${path} is ${expected}: all files of a folder need the same header line`,
    { file },
  );
}

/**
 * All records of a table.
 *
 * @throws As {@linkcode csvFiles}, for a folder.
 */
export async function wholePieces(path: string): Promise<Pieces> {
  if (!await isFolder(path)) return { pieces: [{ file: path, begin: 0, end: Infinity, line: 1 }] };
  const files = await csvFiles(path);
  const pieces = files.map(({ path, size, header }) => (
    { file: path, begin: header.end, end: size, line: 1 + header.lines }
  ));
  return { header: headerPiece(files[0]), pieces };
}

/** The piece of a file that holds its header. */
export function headerPiece({ path, header }: CsvFile): CsvPiece {
  return { file: path, begin: 0, end: header.end, line: 1 };
}

/** Looks for the end of a file's header. */
async function readHeader(path: string): Promise<CsvFile> {
  using file = await openFile(path);
  const { size } = await file.stat();
  const mark = await readBytes(file, 0, 3);
  const start = MARK.every((byte, i) => byte === mark[i]) ? MARK.length : 0;
  const found = await findHeader(file, start, size);
  const bytes = await readBytes(file, found.begin, Math.min(found.end, found.begin + HEADER_LIMIT));
  const text = new TextDecoder().decode(bytes).replace(/\r?\n$/, "");
  return { path, size, header: { end: found.end, lines: found.lines, text } };
}

/** Where the first record that is no blank line begins and ends, and the line feeds up to its end. */
async function findHeader(file: Deno.FsFile, start: number, size: number) {
  let at = start;
  let begin = start;
  let quotes = 0;
  let lines = 0;
  let feed = start - 1;
  let last = 0;
  for await (const bytes of chunksOf(file, at, size, CHUNK_BYTES)) {
    for (const byte of bytes) {
      if (byte === QUOTE) quotes++;
      if (byte === LINE_FEED) {
        lines++;
        if (quotes % 2 === 0) {
          if (!isBlank(at - feed - 1, last)) return { begin, end: at + 1, lines };
          begin = at + 1;
        }
        feed = at;
      }
      last = byte;
      at++;
    }
  }
  return { begin, end: size, lines };
}

/** Whether a line of so many bytes, without its line feed, is blank. */
export function isBlank(length: number, last: number): boolean {
  return length === 0 || (length === 1 && last === CARRIAGE_RETURN);
}

/** The bytes from one place of a file to another, chunk by chunk; a chunk counts until the next. */
export async function* chunksOf(
  file: Deno.FsFile,
  from: number,
  to: number,
  chunkBytes: number,
): AsyncGenerator<Uint8Array> {
  await file.seek(from, Deno.SeekMode.Start);
  const buffer = new Uint8Array(Math.min(chunkBytes, to - from));
  while (from < to) {
    const count = await file.read(buffer.subarray(0, to - from));
    if (count === null) return;
    yield buffer.subarray(0, count);
    from += count;
  }
}

async function readBytes(file: Deno.FsFile, from: number, to: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(to - from);
  let length = 0;
  for await (const chunk of chunksOf(file, from, to, CHUNK_BYTES)) {
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return bytes.subarray(0, length);
}
