/**
 * One CSV file cut into ranges of bytes, one per rank, each of whole records.
 *
 * A rank cannot tell from its bytes alone whether they begin within a quoted cell, for the quote may stand any way before
 * them. So each looks through its bytes once and notes what holds if they do and if they do not; the numbers of quotes before
 * them, which all ranks tell each other, then say which it is. A doubled quote counts two and changes nothing.
 *
 * @module
 */

import type { Communicator } from "./communicator.ts";
import { DataError } from "./errors.ts";
import { openFile } from "./files.ts";
import { gatherNumbers, together } from "./ranks.ts";

/** Bytes read at a time. */
const CHUNK_BYTES = 1 << 20;

const LINE_FEED = 0x0a, CARRIAGE_RETURN = 0x0d, QUOTE = 0x22;
const MARK = [0xef, 0xbb, 0xbf];

/** Whole records of a file. */
export interface CsvRange {
  /** The byte behind the header. */
  readonly headerEnd: number;
  /** The first byte of the records. */
  readonly begin: number;
  /** The byte behind them. */
  readonly end: number;
  /** The line, counted from 1, in which they begin. */
  readonly line: number;
  /** Index of the first of them in the file, counted from 0 behind the header. */
  readonly firstRow: number;
  /** How many the whole file has. */
  readonly rows: number;
}

/** The record that ends first in some bytes, if one does. */
interface FirstEnd {
  /** The byte behind it; 0 where none ends. */
  end: number;
  /** Line feeds up to there. */
  lines: number;
  /** Whether it is a row, and no blank line. */
  isRow: boolean;
  /** Rows that end in the bytes, this one included. */
  rows: number;
}

/** What some bytes hold: `ends[1]` if they begin within quotes, `ends[0]` if not. */
interface Scan {
  quotes: number;
  lines: number;
  readonly ends: readonly [FirstEnd, FirstEnd];
}

/** How far a file was looked through. */
interface Place {
  at: number;
  /** Where the last line feed stands. */
  feed: number;
  /** The last byte. */
  last: number;
}

/**
 * The part of a CSV file that falls to a rank: about as many bytes as to any other.
 *
 * @param path The file, the same at every rank.
 * @param communicator The ranks.
 * @returns This rank's records, none where the file has fewer than ranks; undefined for one process by itself, which reads
 * all.
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {DataError} If it is not the same size at every rank.
 *
 * @example
 * ```ts
 * import { ALONE, csvRange, readNumericCsv } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * await Deno.mkdir("data", { recursive: true });
 * await Deno.writeTextFile("data/example.csv", "x\n1\n2\n");
 * const range = await csvRange("data/example.csv", ALONE); // undefined: this one process reads all
 * const [{ rows }] = await Array.fromAsync(readNumericCsv("data/example.csv", { range }));
 * assertEquals(rows, Float64Array.of(1, 2));
 * await Deno.remove("data/example.csv");
 * ```
 */
export async function csvRange(path: string, communicator: Communicator): Promise<CsvRange | undefined> {
  const { rank, size: ranks } = communicator;
  if (ranks === 1) return undefined;
  const { size, header } = await together(communicator, () => readHeaderEnd(path));
  await checkSize(path, size, communicator);
  const cut = (rank: number) => header.end + Math.floor((size - header.end) * rank / ranks);
  const scan = await together(communicator, () => scanBytes(path, cut(rank), cut(rank + 1), size));
  const { quotes, lines, ends } = scan;
  const all = await gatherNumbers(communicator, [
    quotes % 2,
    lines,
    ...ends.flatMap(({ end, lines, isRow, rows }) => [end, lines, isRow ? 1 : 0, rows]),
  ]);
  return rangesOf(all, header, size)[rank];
}

/** The ranges of all ranks, from what each found: ten numbers of each. */
function rangesOf(all: Float64Array, header: Pick<FirstEnd, "end" | "lines">, size: number): CsvRange[] {
  let [isQuoted, line, rows] = [0, 1 + header.lines, 0];
  const begins: { begin: number; line: number; firstRow: number }[] = [];
  for (let at = 0; at < all.length; at += 10) {
    const [quotes, lines] = all.subarray(at, at + 2), from = at + 2 + 4 * isQuoted;
    const [end, endLines, isRow, ended] = all.subarray(from, from + 4);
    begins.push(
      at === 0
        ? { begin: header.end, line, firstRow: 0 }
        : { begin: end || NaN, line: line + endLines, firstRow: rows + isRow },
    );
    isQuoted ^= quotes;
    line += lines;
    rows += ended;
  }
  const ranges: CsvRange[] = [];
  let next = { begin: size, line, firstRow: rows };
  for (const own of begins.reverse()) {
    const first = Number.isNaN(own.begin) ? next : own; // no record begins here
    ranges.unshift({ headerEnd: header.end, ...first, end: next.begin, rows });
    next = first;
  }
  return ranges;
}

async function checkSize(path: string, size: number, communicator: Communicator): Promise<void> {
  const sizes = await gatherNumbers(communicator, [size]), other = sizes.findIndex((other) => other !== sizes[0]);
  await together(communicator, () => {
    if (other === -1) return;
    const apart = `${sizes[0]} bytes at rank 0 and ${sizes[other]} at rank ${other}`;
    throw new DataError(`it has ${apart}: all ranks need the same file`, { file: path });
  });
}

/** Where the header ends, the lines up to there, and how many bytes the file has. */
async function readHeaderEnd(path: string): Promise<{ size: number; header: Pick<FirstEnd, "end" | "lines"> }> {
  using file = await openFile(path);
  const { size } = await file.stat(), mark = (await chunksOf(file, 0, 3).next()).value ?? [];
  let at = MARK.every((byte, i) => byte === mark[i]) ? MARK.length : 0;
  let [quotes, lines, feed, last] = [0, 0, at - 1, 0];
  for await (const bytes of chunksOf(file, at, size)) {
    for (const byte of bytes) {
      if (byte === QUOTE) quotes++;
      if (byte === LINE_FEED) {
        lines++;
        if (quotes % 2 === 0 && !isBlank(at - feed - 1, last)) return { size, header: { end: at + 1, lines } };
        feed = at;
      }
      last = byte;
      at++;
    }
  }
  return { size, header: { end: size, lines } };
}

/** Looks through the bytes from one cut to the next. */
async function scanBytes(path: string, from: number, to: number, size: number): Promise<Scan> {
  using file = await openFile(path);
  const firstEnd = (): FirstEnd => ({ end: 0, lines: 0, isRow: false, rows: 0 });
  const scan: Scan = { quotes: 0, lines: 0, ends: [firstEnd(), firstEnd()] };
  // The two bytes before tell whether the first line feed ends a blank line.
  const place: Place = { at: Math.max(0, from - 2), feed: -Infinity, last: 0 };
  for await (const bytes of chunksOf(file, place.at, from)) {
    if (bytes.includes(LINE_FEED)) place.feed = place.at + bytes.lastIndexOf(LINE_FEED);
    goOn(place, bytes);
  }
  for await (const bytes of chunksOf(file, from, to)) scanChunk(bytes, scan, place);
  // What no line feed ends, the file does.
  if (from < to && to === size && place.last !== LINE_FEED) {
    endRecord(scan, size, 0, !isBlank(size - place.feed - 1, place.last));
  }
  return scan;
}

/** Goes from quote to quote and from line feed to line feed, which the engine finds faster than a loop over the bytes. */
function scanChunk(bytes: Uint8Array, scan: Scan, place: Place): void {
  let quote = bytes.indexOf(QUOTE);
  const countQuotes = (end: number) => {
    for (; quote !== -1 && quote < end; quote = bytes.indexOf(QUOTE, quote + 1)) scan.quotes++;
  };
  for (let feed = bytes.indexOf(LINE_FEED); feed !== -1; feed = bytes.indexOf(LINE_FEED, feed + 1)) {
    countQuotes(feed);
    const at = place.at + feed, last = feed === 0 ? place.last : bytes[feed - 1];
    endRecord(scan, at + 1, 1, !isBlank(at - place.feed - 1, last));
    place.feed = at;
  }
  countQuotes(bytes.length);
  goOn(place, bytes);
}

function goOn(place: Place, bytes: Uint8Array): void {
  place.at += bytes.length;
  place.last = bytes[bytes.length - 1];
}

/** Notes that a line ends, and a record with it if the quotes so far have closed. */
function endRecord(scan: Scan, end: number, feeds: number, isRow: boolean): void {
  scan.lines += feeds;
  const first = scan.ends[scan.quotes % 2];
  if (first.end === 0) Object.assign(first, { end, lines: scan.lines, isRow });
  if (isRow) first.rows++;
}

/** Whether a line of so many bytes, without its line feed, is blank. */
function isBlank(length: number, last: number): boolean {
  return length === 0 || (length === 1 && last === CARRIAGE_RETURN);
}

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
