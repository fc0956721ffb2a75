/**
 * The files of a table: one CSV file, or all that lie in a folder.
 *
 * @module
 */

import { DataError } from "../base/errors.ts";
import { openFile } from "../base/files.ts";
import { shorten } from "../base/printable.ts";

/** One file of a table, and where reading begins: after its header, unless it is the table's first file. */
interface CsvFile {
  readonly path: string;
  /** The first byte. */
  readonly begin: number;
  /** The line of that byte, counted from 1. */
  readonly line: number;
  /** Bytes of the whole file; 0 for a single file, whose reader asks for them. */
  readonly size: number;
}

/** The first record of a file. */
interface Header {
  /** The byte after it. */
  end: number;
  /** Line feeds up to there. */
  lines: number;
  /** Its text, without the line's end; a very long one is cut. */
  text: string;
  /** Bytes of the file. */
  size: number;
}

/** Bytes read at a time: headers are short. */
const CHUNK_BYTES = 1 << 14;

/** Most bytes of a header that are compared. */
const HEADER_LIMIT = 1 << 24;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;
const MARK = [0xef, 0xbb, 0xbf];

/** Whether a file of that name, without its folder's, is one of the folder's table. */
export function isTableName(name: string): boolean {
  return /^[^.].*\.csv$/is.test(name);
}

/**
 * The files of a table: one, or those in a folder whose names end in .csv, in the order of their names' UTF-16 code units.
 * Folders in it, other files, and names that begin with a dot are skipped.
 *
 * @throws {Deno.errors.NotFound} If it is a folder without such a file.
 */
export async function csvPaths(path: string): Promise<string[]> {
  // Opening a path that leads nowhere says so.
  if (!await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false)) return [path];
  const names: string[] = [];
  for await (const { name, isFile, isSymlink } of Deno.readDir(path)) {
    if (!isTableName(name)) continue;
    // A link that leads nowhere stays in the list, so that opening it says so.
    const isLinked = isSymlink && await Deno.stat(`${path}/${name}`).then((found) => found.isFile, () => true);
    if (isFile || isLinked) names.push(name);
  }
  if (names.length > 0) return names.sort().map((name) => `${path.replace(/\/+$/, "")}/${name}`);
  throw new Deno.errors.NotFound(
    `Cannot read ${path}: it is a folder without *.csv files; put the files of the table directly into it`,
  );
}

/**
 * The same files, and where each is read from. All files of a folder need the same header line.
 *
 * @throws {Deno.errors.NotFound} If there is no such file, or the folder has none.
 * @throws {DataError} If a file of a folder has another header than the first, or none.
 */
export async function csvFiles(path: string): Promise<CsvFile[]> {
  const paths = await csvPaths(path);
  if (paths[0] === path) return [{ path, begin: 0, line: 1, size: 0 }];
  const files: CsvFile[] = [];
  let first = "";
  for (const file of paths) {
    const { end, lines, text, size } = await readHeader(file);
    if (text === "") {
      throw new DataError("the file is empty: a header is needed, the same as in all files of the folder", { file });
    }
    if (files.length === 0) {
      first = text;
      files.push({ path: file, begin: 0, line: 1, size });
      continue;
    }
    if (text !== first) {
      const [found, expected] = [text, first].map((text) => JSON.stringify(shorten(text)));
      throw new DataError(
        `its header is ${found}, and that of ${
          paths[0]
        } is ${expected}: all files of a folder need the same header line`,
        { file },
      );
    }
    files.push({ path: file, begin: end, line: 1 + lines, size });
  }
  return files;
}

async function readHeader(path: string): Promise<Header> {
  using file = await openFile(path);
  const { size } = await file.stat();
  const mark = await readBytes(file, 0, Math.min(MARK.length, size));
  const start = MARK.every((byte, i) => byte === mark[i]) ? MARK.length : 0;
  const { begin, end, lines } = await findHeader(file, start, size);
  const bytes = await readBytes(file, begin, Math.min(end, begin + HEADER_LIMIT));
  const text = new TextDecoder().decode(bytes).replace(/\r?\n$/, "");
  return { end, lines, text, size };
}

/** Where the first record that is no blank line begins and ends, and the line feeds up to its end. */
async function findHeader(file: Deno.FsFile, start: number, size: number) {
  let at = start;
  let begin = start;
  let quotes = 0;
  let lines = 0;
  let feed = start - 1;
  let last = 0;
  for await (const bytes of chunksOf(file, at, size)) {
    for (const byte of bytes) {
      if (byte === QUOTE) quotes++;
      if (byte === LINE_FEED) {
        const length = at - feed - 1;
        const isBlank = length === 0 || (length === 1 && last === CARRIAGE_RETURN);
        lines++;
        if (quotes % 2 === 0) {
          if (!isBlank) return { begin, end: at + 1, lines };
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

/** The bytes from one place of a file to another, chunk by chunk; a chunk is valid until the next. */
async function* chunksOf(file: Deno.FsFile, from: number, to: number): AsyncGenerator<Uint8Array> {
  await file.seek(from, Deno.SeekMode.Start);
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, to - from));
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
  for await (const chunk of chunksOf(file, from, to)) {
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return bytes.subarray(0, length);
}
