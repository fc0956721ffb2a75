/**
 * What a file is, told by its first bytes. Names mislead: a file called .csv may be a workbook.
 *
 * @module
 */

import { DataError } from "../base/errors.ts";

/** What the readers can read: a text of cells, JSON Lines, or what has one of them inside. */
export type FileKind = "csv" | "json" | "gzip" | "parquet" | "utf-16le" | "utf-16be";

/** First bytes that are enough to tell. */
export const HEAD_BYTES = 4096;

/** How many of them show what is no text, and the zeros of UTF-16. */
const SHOWN_BYTES = 512;

/** Share of the pairs of bytes in which UTF-16 of a header has a zero: its letters may be of any alphabet. */
const ZEROS_SHARE = 0.2;

/** Kinds by the bytes that they begin with, written as Latin-1. */
const READ: readonly (readonly [start: string, kind: FileKind])[] = [
  ["\x1f\x8b", "gzip"],
  ["PAR1", "parquet"],
  ["\xff\xfe", "utf-16le"],
  ["\xfe\xff", "utf-16be"],
];

const UNPACK = "unpack it first";
const AS_CSV = "save the table as CSV, as JSON Lines or as Parquet";
const PICKLE = `it is a Python pickle: ${AS_CSV}, with pandas for example`;
const JSON_ARRAY = "it is a JSON array: write one object a line, as jq -c '.[]' does";
const OLD_EXCEL = "it is an old Excel workbook (.xls): save the sheet as CSV UTF-8";

/** What is not read, by the bytes that it begins with, and what to do. */
const REFUSED: readonly (readonly [start: string, what: string])[] = [
  ["\xff\xfe\0\0", "it is UTF-32: save it as UTF-8"],
  ["\0\0\xfe\xff", "it is UTF-32: save it as UTF-8"],
  ["\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLD_EXCEL],
  ["\x09\x08\x10\0\0\x06", OLD_EXCEL],
  ["\x28\xb5\x2f\xfd", `it is compressed by zstd: ${UNPACK}, with unzstd`],
  ["BZh", `it is compressed by bzip2: ${UNPACK}, with bunzip2`],
  ["\xfd7zXZ\0", `it is compressed by xz: ${UNPACK}, with unxz`],
  ["7z\xbc\xaf\x27\x1c", `it is a 7z archive: ${UNPACK}`],
  ["Rar!\x1a\x07", `it is a RAR archive: ${UNPACK}`],
  ["\x04\x22\x4d\x18", `it is compressed by lz4: ${UNPACK}, with unlz4`],
  ["%PDF-", `it is a PDF document: ${AS_CSV}`],
  ["SQLite format 3\0", `it is an SQLite database: write the table with sqlite3 -header -csv`],
  ["\x93NUMPY", `it is a NumPy array (.npy): ${AS_CSV}, with pandas for example`],
  ["ARROW1", `it is an Arrow or Feather file: ${AS_CSV}`],
  ["FEA1", `it is a Feather file: ${AS_CSV}`],
  ["\x89HDF\r\n\x1a\n", `it is an HDF5 file: ${AS_CSV}`],
  ["ORC", `it is an ORC file: ${AS_CSV}`],
  ["Obj\x01", `it is an Avro file: ${AS_CSV}`],
  ["$FL2@(#)", `it is an SPSS file: ${AS_CSV}`],
  ["<stata_dta>", `it is a Stata file: ${AS_CSV}`],
  ["RDX2\n", `it is an R workspace: write the table with write.csv(..., row.names = FALSE)`],
  ["RDX3\n", `it is an R workspace: write the table with write.csv(..., row.names = FALSE)`],
  ["X\n\0\0\0", `it is an R object (.rds): write the table with write.csv(..., row.names = FALSE)`],
  // Protocols 2 to 5 of Python's pickle.
  ...["\x80\x02", "\x80\x03", "\x80\x04", "\x80\x05"].map((start) => [start, PICKLE] as const),
  ["PARE", "it is an encrypted Parquet file: write it without encryption"],
  ["\x89PNG\r\n", "it is a picture: a table is needed"],
  ["\xff\xd8\xff", "it is a picture: a table is needed"],
];

/** Beginnings of text that are no table. */
const REFUSED_TEXTS: readonly (readonly [start: RegExp, what: string])[] = [
  // Not every tag: some programs write a header such as <DATE>,<OPEN>.
  [/^<(!doctype html|html|table)[\s>]/i, `it is a web page (HTML): ${AS_CSV}`],
  [/^<\?xml\s/i, `it is XML: ${AS_CSV}`],
  [/^\[\s*[{[]/, JSON_ARRAY],
  [/^MIME-Version:/i, `it is a web archive: ${AS_CSV}`],
  [/^\{\\rtf/, "it is a Rich Text document: save it as plain text"],
];

/**
 * Tells what a file is.
 *
 * @param head Its first bytes, {@linkcode HEAD_BYTES} of them or all.
 * @param file Its name, for messages.
 * @returns The kind; "zip" for what only the end of the file tells, which {@linkcode zipFault} words.
 * @throws {DataError} If it is something known that is no table; the message says what, and what to do.
 */
export function kindOf(head: Uint8Array, file: string): FileKind | "zip" {
  const bytes = latin1(head.subarray(0, SHOWN_BYTES));
  const refuse = (problem: string): never => {
    throw new DataError(problem, { file });
  };
  const begins = ([start]: readonly [start: string, ...unknown[]]) => bytes.startsWith(start) && !isText(start, bytes);
  const refused = REFUSED.find(begins);
  if (refused) refuse(refused[1]);
  if (bytes.slice(257, 262) === "ustar") refuse(`it is a tar archive: ${UNPACK}, with tar -xf`);
  if (bytes.startsWith("PK\x03\x04") || bytes.startsWith("PK\x05\x06")) return "zip";
  const read = READ.find(begins);
  if (read) return read[1];
  const kind = kindByZeros(head);
  if (kind) return kind;
  const text = new TextDecoder().decode(head).trimStart();
  const odd = REFUSED_TEXTS.find(([start]) => start.test(text));
  if (odd) refuse(odd[1]);
  if (isArray(text.split("\n", 1)[0])) refuse(JSON_ARRAY);
  // Braces may stand in a name of a column, too: an object has a quote or nothing behind its own.
  return /^\{\s*("|\}|$)/.test(text) ? "json" : "csv";
}

/**
 * Why a zip archive is not read.
 *
 * @param bytes Its beginning and its end, which lists the files in it.
 */
export function zipFault(bytes: Uint8Array): string {
  const text = latin1(bytes);
  if (text.includes("xl/workbook")) return "it is an Excel workbook (.xlsx): save the sheet as CSV UTF-8";
  if (text.includes("application/vnd.oasis.opendocument")) return "it is an OpenDocument file: save the sheet as CSV";
  if (/\.npy/.test(text)) return `it is an archive of NumPy arrays (.npz): ${AS_CSV}`;
  if (text.includes("word/document")) return `it is a Word document: ${AS_CSV}`;
  return `it is a zip archive: ${UNPACK}, with unzip`;
}

/** Whether a line is an array of JSON; `[a],[b]` is a header. */
function isArray(line: string): boolean {
  try {
    return line.startsWith("[") && Array.isArray(JSON.parse(line));
  } catch {
    return false; // what is no JSON is no array
  }
}

/** UTF-16 without a mark: its characters below 256 have a zero, all on the same side, and it has line ends. */
function kindByZeros(head: Uint8Array): FileKind | undefined {
  const counts = [0, 0];
  const end = Math.min(SHOWN_BYTES, head.length);
  for (let i = 0; i < end; i++) if (head[i] === 0) counts[i % 2]++;
  const side = counts[0] === 0 ? 1 : 0;
  if (counts[1 - side] > 0 || counts[side] < Math.max(2, end / 2 * ZEROS_SHARE)) return undefined;
  const kind = side === 1 ? "utf-16le" : "utf-16be";
  return new TextDecoder(kind).decode(head).includes("\n") ? kind : undefined;
}

/** Whether printable letters that a format begins with are a header's: what is no text has other bytes soon. */
function isText(start: string, bytes: string): boolean {
  return /^\w+$/.test(start) && !/[^\t\n\r\x20-\xff]/.test(bytes);
}

/** A character for each byte; the decoder of that name has others for 0x80 to 0x9f. */
function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
