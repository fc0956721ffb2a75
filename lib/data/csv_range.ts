/**
 * A table's CSV files cut into ranges of bytes, one per rank, each of whole records.
 *
 * A rank cannot tell from its bytes alone whether they begin within a quoted cell, for the quote may stand any way before
 * them. So each looks through its bytes once and notes what holds if they do and if they do not; the numbers of quotes before
 * them, which all ranks tell each other, then say which it is. A doubled quote counts two and changes nothing. No record goes
 * on from one file into the next.
 *
 * @module
 */

import type { Communicator } from "../ranks/communicator.ts";
import {
  chunksOf,
  type CsvFile,
  csvFiles,
  type CsvPiece,
  headerPiece,
  isBlank,
  LINE_FEED,
  QUOTE,
} from "./csv_files.ts";
import { DataError } from "../base/errors.ts";
import { openFile } from "../base/files.ts";
import { shareText, together } from "../ranks/together.ts";

/** Bytes read at a time. */
const CHUNK_BYTES = 1 << 20;

/** Numbers that tell what a cut holds. */
const NUMBERS = 10;

/** Whole records of a table. */
export interface CsvRange {
  /** The header: of several files, that of the first. */
  readonly header: CsvPiece;
  /** The records, in order; none where a rank has none. */
  readonly pieces: readonly CsvPiece[];
  /** Index of the first of them in the table, counted from 0 behind the header. */
  readonly firstRow: number;
  /** How many the whole table has. */
  readonly rows: number;
}

/** Bytes of one file, as they fall to a rank before records are known. */
interface Cut {
  readonly rank: number;
  readonly file: CsvFile;
  readonly from: number;
  readonly to: number;
}

/** Records of one file that are a rank's. */
interface RankPiece extends CsvPiece {
  readonly rank: number;
  /** Index of the first of them in the table. */
  readonly firstRow: number;
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
 * The part of a table that falls to a rank: about as many bytes as to any other, whichever of its files they are in.
 *
 * @param path The CSV file, or a folder of them, the same at every rank.
 * @param communicator The ranks.
 * @returns This rank's records, none where the table has fewer than ranks; undefined for one process by itself, which reads
 * all.
 * @throws {Deno.errors.NotFound} If there is no such file, or a folder has none.
 * @throws {DataError} If the files are not the same, and of the same size, at every rank; or their headers differ.
 *
 * @example
 * ```ts
 * import { ALONE, csvRange, readNumericCsv } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * await Deno.mkdir("data", { recursive: true });
 * await Deno.writeTextFile("data/range.csv", "x\n1\n2\n");
 * const range = await csvRange("data/range.csv", ALONE); // undefined: this one process reads all
 * const [{ rows }] = await Array.fromAsync(readNumericCsv("data/range.csv", { range }));
 * assertEquals(rows, Float64Array.of(1, 2));
 * await Deno.remove("data/range.csv");
 * ```
 */
export async function csvRange(path: string, communicator: Communicator): Promise<CsvRange | undefined> {
  const { rank, size: ranks } = communicator;
  if (ranks === 1) return undefined;
  const files = await together(communicator, () => csvFiles(path));
  await checkFiles(path, files, communicator);
  const cuts = cutFiles(files, ranks);
  const all = new Float64Array(NUMBERS * cuts.length);
  await together(communicator, async () => {
    for (const [i, cut] of cuts.entries()) if (cut.rank === rank) all.set(await numbersOf(cut), NUMBERS * i);
  });
  await communicator.allReduce(all);
  const { pieces, rows } = piecesOf(cuts, all);
  const firstRow = pieces.find((piece) => piece.rank >= rank)?.firstRow ?? rows;
  const own = pieces.filter((piece) => piece.rank === rank);
  return {
    header: headerPiece(files[0]),
    pieces: own.map(({ file, begin, end, line }) => ({ file, begin, end, line })),
    firstRow,
    rows,
  };
}

/** Cuts the bytes of all files together, headers apart, into as many for each rank. */
function cutFiles(files: readonly CsvFile[], ranks: number): Cut[] {
  const bytes = files.reduce((sum, { size, header }) => sum + size - header.end, 0);
  const cuts: Cut[] = [];
  let before = 0;
  for (const file of files) {
    const { size, header } = file;
    const at = (rank: number) =>
      header.end + Math.min(Math.max(Math.floor(bytes * rank / ranks) - before, 0), size - header.end);
    for (let rank = 0; rank < ranks; rank++) {
      const from = at(rank);
      const to = at(rank + 1);
      if (from < to) cuts.push({ rank, file, from, to });
    }
    before += size - header.end;
  }
  return cuts;
}

async function numbersOf({ file, from, to }: Cut): Promise<number[]> {
  const { quotes, lines, ends } = await scanBytes(file.path, from, to, file.size);
  return [quotes % 2, lines, ...ends.flatMap(({ end, lines, isRow, rows }) => [end, lines, isRow ? 1 : 0, rows])];
}

/** The records that begin in each cut, and how many rows there are, from what each cut holds. */
function piecesOf(cuts: readonly Cut[], all: Float64Array): { pieces: RankPiece[]; rows: number } {
  let isQuoted = 0;
  let line = 1;
  let rows = 0;
  const pieces: RankPiece[] = [];
  cuts.forEach(({ rank, file, from: start }, i) => {
    const isFirst = start === file.header.end;
    const numbers = all.subarray(NUMBERS * i, NUMBERS * (i + 1));
    if (isFirst) {
      isQuoted = 0;
      line = 1 + file.header.lines;
    }
    const from = 2 + 4 * isQuoted;
    const [end, endLines, isRow, ended] = numbers.subarray(from, from + 4);
    const begin = isFirst ? start : end;
    if (isFirst || (end > 0 && end < file.size)) { // else no record begins here
      const [feeds, row] = isFirst ? [0, 0] : [endLines, isRow];
      pieces.push({ rank, file: file.path, begin, end: file.size, line: line + feeds, firstRow: rows + row });
    }
    isQuoted ^= numbers[0];
    line += numbers[1];
    rows += ended;
  });
  const isEnded = (next: RankPiece | undefined, { file }: RankPiece) => next?.file === file;
  return {
    pieces: pieces.map((piece, i) => isEnded(pieces[i + 1], piece) ? { ...piece, end: pieces[i + 1].begin } : piece),
    rows,
  };
}

/** All ranks need the same files, of the same sizes. */
async function checkFiles(path: string, files: readonly CsvFile[], communicator: Communicator): Promise<void> {
  const isFolder = files[0].path !== path;
  const own = files.map(({ path, size, header }) => (
    { name: isFolder ? path.split("/").at(-1)! : "", size, header: header.end }
  ));
  const first: typeof own = JSON.parse(await shareText(communicator, JSON.stringify(own)));
  const fault = (file: string, there: unknown, here: unknown) =>
    new DataError(`it has ${there} at rank 0 and ${here} at rank ${communicator.rank}: all ranks need the same file`, {
      file,
    });
  await together(communicator, () => {
    const at = own.findIndex(({ name }, i) => name !== first[i]?.name);
    if (at !== -1) throw fault(path, first[at]?.name ?? "no more files", own[at].name);
    if (own.length !== first.length) throw fault(path, `${first.length} CSV files`, own.length);
    own.forEach(({ size, header }, i) => {
      if (size !== first[i].size) throw fault(files[i].path, `${first[i].size} bytes`, size);
      if (header !== first[i].header) throw fault(files[i].path, `a header of ${first[i].header} bytes`, header);
    });
  });
}

/** Looks through the bytes from one cut to the next. */
async function scanBytes(path: string, from: number, to: number, size: number): Promise<Scan> {
  using file = await openFile(path);
  const firstEnd = (): FirstEnd => ({ end: 0, lines: 0, isRow: false, rows: 0 });
  const scan: Scan = { quotes: 0, lines: 0, ends: [firstEnd(), firstEnd()] };
  // The two bytes before tell whether the first line feed ends a blank line.
  const place: Place = { at: Math.max(0, from - 2), feed: -Infinity, last: 0 };
  for await (const bytes of chunksOf(file, place.at, from, CHUNK_BYTES)) {
    if (bytes.includes(LINE_FEED)) place.feed = place.at + bytes.lastIndexOf(LINE_FEED);
    goOn(place, bytes);
  }
  for await (const bytes of chunksOf(file, from, to, CHUNK_BYTES)) scanChunk(bytes, scan, place);
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
    const at = place.at + feed;
    const last = feed === 0 ? place.last : bytes[feed - 1];
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
