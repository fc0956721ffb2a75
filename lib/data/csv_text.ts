/**
 * A text file as blocks of whole records, in constant memory.
 *
 * @module
 */

import type { ByteSource } from "../formats/byte_source.ts";
import { DataError } from "../base/errors.ts";

const LINE_FEED = 0x0a;
const QUOTE = 0x22;

/** Bytes read at a time: about 4,096 lines of a few numbers. */
const CHUNK_BYTES = 262_144;

/** Longest single record: only a quote that is never closed gets there. */
const RECORD_LIMIT = 16 * 1024 * 1024;

/** Whole records of a file. */
export interface TextBlock {
  /** The file. */
  file: string;
  /** The records, with their line ends. */
  text: string;
  /** Line of the file, counted from 1, in which the text begins. */
  line: number;
}

/** Options of every reader. */
export interface ReadOptions {
  /** Ends the reading with the signal's reason. */
  signal?: AbortSignal;
  /** Called after each read with the bytes read so far and the size of the file, or of all files of a folder. */
  onProgress?: (bytes: number, size: number) => void;
}

/** How a text file is cut into blocks. */
interface BlockOptions extends ReadOptions {
  /** Whether a record may hold line breaks between quotes, as in CSV. */
  readonly isQuoted: boolean;
}

/**
 * Reads a file in blocks that end where a record ends, without its byte-order mark.
 *
 * @throws {DataError} If the file is not UTF-8, or one record is longer than 16 MiB.
 */
export async function* textBlocks(
  source: Pick<ByteSource, "read" | "done" | "size">,
  file: string,
  { isQuoted, signal, onProgress }: BlockOptions,
): AsyncGenerator<TextBlock> {
  let buffer = new Uint8Array(2 * CHUNK_BYTES);
  let length = 0;
  let line = 1;
  for (let isAtEnd = false; !isAtEnd;) {
    signal?.throwIfAborted();
    if (length + CHUNK_BYTES > buffer.length) buffer = grown(buffer);
    const count = await source.read(buffer.subarray(length, length + Math.max(CHUNK_BYTES, length)));
    isAtEnd = count === null;
    length += count ?? 0;
    onProgress?.(source.done, source.size);

    const end = isAtEnd ? length : buffer.subarray(0, length).lastIndexOf(LINE_FEED) + 1;
    const block = buffer.subarray(0, end);
    if (end === 0 || (!isAtEnd && isQuoted && occurrences(block, QUOTE) % 2 === 1)) {
      if (length > RECORD_LIMIT) throw tooLong(file, buffer.subarray(0, length), line, isQuoted);
      continue;
    }
    yield { file, text: decode(file, block, line), line };
    line += occurrences(block, LINE_FEED);
    buffer.copyWithin(0, end, length);
    length -= end;
  }
}

/** Walks over the records of a text one by one; slow, for finding the place of a fault. */
export function* recordsOf(block: TextBlock): Generator<TextBlock> {
  const { file, text } = block;
  let { line } = block;
  let start = 0;
  let firstLine = line;
  let isQuoted = false;
  let quote = text.indexOf('"');
  for (let from = 0; from < text.length; line++) {
    const end = text.indexOf("\n", from) + 1 || text.length;
    for (; quote !== -1 && quote < end; quote = text.indexOf('"', quote + 1)) isQuoted = !isQuoted;
    from = end;
    if (isQuoted && end < text.length) continue;
    const record = text.slice(start, end);
    if (record.replace(/\r?\n?$/, "") !== "") yield { file, text: record, line: firstLine };
    start = end;
    firstLine = line + 1;
    isQuoted = false;
  }
}

function grown(buffer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * buffer.length);
  larger.set(buffer);
  return larger;
}

function occurrences(bytes: Uint8Array, wanted: number): number {
  let count = 0;
  for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at + 1)) count++;
  return count;
}

function decode(file: string, bytes: Uint8Array, line: number): string {
  try {
    // Only at the file's very start it is a mark: elsewhere it belongs to a cell.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: line > 1 }).decode(bytes);
  } catch (error) {
    for (let from = 0; from < bytes.length; line++) {
      const end = bytes.indexOf(LINE_FEED, from) + 1 || bytes.length;
      if (!isUtf8(bytes.subarray(from, end))) break;
      from = end;
    }
    throw new DataError("this is not UTF-8: save the file in that encoding", { file, line }, { cause: error });
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function tooLong(file: string, bytes: Uint8Array, line: number, isQuoted: boolean): DataError {
  const last = isQuoted ? [...recordsOf({ file, text: new TextDecoder().decode(bytes), line })].at(-1)!.line : line;
  const hint = isQuoted ? ": is a quote opened and never closed?" : "";
  return new DataError(`this record is longer than ${RECORD_LIMIT} bytes${hint}`, { file, line: last });
}
