/**
 * Files as UTF-8, whatever they are written as: unpacked, and without UTF-16.
 *
 * @module
 */

import { DataError } from "../base/errors.ts";
import { openFile } from "../base/files.ts";
import { type FileKind, HEAD_BYTES, kindOf, zipFault } from "./file_kind.ts";

/** Bytes of an unpacker's or decoder's piece. */
const PIECE_BYTES = 262_144;

/** Bytes at the end of a zip archive in which its files are listed. */
const TAIL_BYTES = 65_536;

/** Bytes of the longest beginning, besides those with zeros, by which text and other files are told apart. */
const MARK_BYTES = 8;

const LINE_FEED = 0x0a;

/** Bytes one after the other. */
interface Bytes {
  /** Puts the next of them into the buffer, from its start, and says how many; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** A file, open for reading. */
export interface ByteSource extends Bytes, Disposable {
  /** What it holds; its bytes are UTF-8 unless it is Parquet. */
  readonly kind: "csv" | "json" | "parquet";
  /** Bytes of the file as it lies on the disk. */
  readonly size: number;
  /** How many of these have been read. */
  readonly done: number;
}

/**
 * Opens a file, and tells by its first bytes what it holds.
 *
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {DataError} If it is something known that is no table. Reading may throw it, too: what is packed may be damaged, and
 * UTF-16 may be none.
 */
export async function openSource(path: string): Promise<ByteSource> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const raw = new Peeked(file);
    const { kind, bytes } = await unwrap(raw, path, []);
    const read = (buffer: Uint8Array) => bytes.read(buffer);
    return {
      kind,
      size,
      read,
      get done() {
        return raw.done;
      },
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    const problem = error instanceof ZipError ? zipFault(await endsOf(file)) : undefined;
    file.close();
    throw problem === undefined ? error : new DataError(problem, { file: path }, { cause: error });
  }
}

/**
 * A stream as UTF-8, piece by piece as it arrives: unpacked, and without UTF-16. Its beginning tells what it is.
 *
 * @param pieces The stream.
 * @param name Its name, for messages.
 * @param instead What to do with what only a file can give, for messages.
 * @throws {DataError} If it is something known that is no table, or can be read only from a file; if what is packed is damaged,
 * or UTF-16 is none.
 */
export async function* utf8Pieces(
  pieces: AsyncIterable<Uint8Array>,
  name: string,
  instead: string,
): AsyncGenerator<Uint8Array> {
  let bytes: Bytes = new Pieces(pieces[Symbol.asyncIterator]());
  for (const around: FileKind[] = [];;) {
    const head = await beginningOf(bytes);
    const kind = kindOf(head, name);
    const all = new Pieces(joined(head, bytes));
    if (kind === "csv" || kind === "json") return yield* piecesOf(all);
    if (kind === "parquet") throw new DataError(`it is Parquet, which is read from a file: ${instead}`, { file: name });
    if (kind === "zip") throw new DataError(`it is a zip archive, perhaps a workbook: ${instead}`, { file: name });
    const isUtf16 = kind !== "gzip";
    if (around.includes(kind) || (!isUtf16 && around.length > 0)) throw packedTwice(around, name);
    bytes = isUtf16 ? fromUtf16(all, kind, name) : gunzip(all, name);
    around.push(kind);
  }
}

/** As many first bytes of a stream as tell what it is. More may take long to come, where each row is typed. */
async function beginningOf(bytes: Bytes): Promise<Uint8Array> {
  const head = new Uint8Array(HEAD_BYTES);
  let length = 0;
  while (length < head.length && !isTelling(head.subarray(0, length))) {
    const count = await bytes.read(head.subarray(length));
    if (count === null) break;
    length += count;
  }
  return head.subarray(0, length);
}

/** Whether these bytes are a line of text, or at least no binary file. */
function isTelling(head: Uint8Array): boolean {
  const hasLine = head.includes(LINE_FEED);
  // UTF-16 has zeros, in whole pairs of bytes.
  return head.includes(0) ? hasLine && head.length % 2 === 0 : hasLine || head.length >= MARK_BYTES;
}

async function* joined(head: Uint8Array, rest: Bytes): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  yield* piecesOf(rest);
}

function packedTwice(around: readonly FileKind[], file: string): DataError {
  return new DataError(`it is ${around.join(" of ")} of another packed file: unpack it first`, { file });
}

/** What only the end of a file tells. */
class ZipError extends Error {}

/** What the bytes hold, inside of all that is around it. */
async function unwrap(
  bytes: Peeked,
  file: string,
  around: readonly FileKind[],
): Promise<{ kind: ByteSource["kind"]; bytes: Peeked }> {
  const kind = kindOf(await bytes.head(), file);
  if (kind === "zip" && around.length === 0) throw new ZipError();
  if (kind === "csv" || kind === "json") return { kind, bytes };
  if (kind === "parquet" && around.length === 0) return { kind, bytes };
  if (kind === "gzip" && around.length === 0) return await unwrap(new Peeked(gunzip(bytes, file)), file, [kind]);
  if ((kind === "utf-16le" || kind === "utf-16be") && !around.includes(kind)) {
    return await unwrap(new Peeked(fromUtf16(bytes, kind, file)), file, [...around, "utf-16le", "utf-16be"]);
  }
  throw packedTwice(around, file);
}

/** Beginning and end of a file. */
async function endsOf(file: Deno.FsFile): Promise<Uint8Array> {
  const { size } = await file.stat();
  const bytes = new Uint8Array(HEAD_BYTES + TAIL_BYTES);
  await file.seek(0, Deno.SeekMode.Start);
  await file.read(bytes.subarray(0, HEAD_BYTES));
  await file.seek(Math.max(0, size - TAIL_BYTES), Deno.SeekMode.Start);
  await file.read(bytes.subarray(HEAD_BYTES));
  return bytes;
}

/** Bytes of which the first can be looked at before they are read. */
class Peeked implements Bytes {
  /** How many have been taken from below. */
  done = 0;
  readonly #bytes: Bytes;
  #head: Uint8Array = new Uint8Array(0);

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  /** The first bytes; they are read again afterwards. */
  async head(): Promise<Uint8Array> {
    const head = new Uint8Array(HEAD_BYTES);
    let length = 0;
    while (length < head.length) {
      const count = await this.#bytes.read(head.subarray(length));
      if (count === null) break;
      length += count;
    }
    this.done += length;
    return this.#head = head.subarray(0, length);
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    const given = Math.min(this.#head.length, buffer.length);
    buffer.set(this.#head.subarray(0, given));
    this.#head = this.#head.subarray(given);
    const count = given < buffer.length ? await this.#bytes.read(buffer.subarray(given)) : 0;
    this.done += count ?? 0;
    return given === 0 ? count : given + (count ?? 0);
  }
}

/** Bytes that come in pieces. */
class Pieces implements Bytes {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);

  constructor(pieces: AsyncIterator<Uint8Array>) {
    this.#pieces = pieces;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#piece.length === 0) {
      const { done, value } = await this.#pieces.next();
      if (done) return null;
      this.#piece = value;
    }
    const count = Math.min(this.#piece.length, buffer.length);
    buffer.set(this.#piece.subarray(0, count));
    this.#piece = this.#piece.subarray(count);
    return count;
  }
}

async function* piecesOf(bytes: Bytes): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  while (true) {
    const piece = new Uint8Array(PIECE_BYTES);
    const count = await bytes.read(piece);
    if (count === null) return;
    yield piece.subarray(0, count);
  }
}

/** What gzip has packed, in one member or several. */
function gunzip(bytes: Bytes, file: string): Bytes {
  return new Pieces(unpacked(bytes, file));
}

async function* unpacked(bytes: Bytes, file: string): AsyncGenerator<Uint8Array> {
  // Not at the top: a browser has neither. What the web has instead knows only one member.
  const [{ createGunzip }, { pipeline, Readable }] = await Promise.all([import("node:zlib"), import("node:stream")]);
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  // An error reaches the loop below: the pipeline ends `gunzip` with it.
  pipeline(Readable.from(piecesOf(bytes)), gunzip, () => {});
  try {
    yield* gunzip;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && `${error.code}`.startsWith("Z_"))) throw error;
    const problem = `it is packed by gzip, and damaged or cut off (${error.message}): make or fetch it anew`;
    throw new DataError(problem, { file }, { cause: error });
  }
}

function fromUtf16(bytes: Bytes, encoding: string, file: string): Bytes {
  return new Pieces(utf8Of(bytes, encoding, file));
}

async function* utf8Of(bytes: Bytes, encoding: string, file: string): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const encoder = new TextEncoder();
  let line = 1;
  const decode = (piece?: Uint8Array<ArrayBuffer>): string => {
    try {
      return decoder.decode(piece, { stream: piece !== undefined });
    } catch (error) {
      const [good] = new TextDecoder(encoding).decode(piece).split("\ufffd");
      const place = { file, line: line + good.split("\n").length - 1 };
      throw new DataError(`this is not ${encoding.toUpperCase()}: save the file as UTF-8`, place, { cause: error });
    }
  };
  for await (const piece of piecesOf(bytes)) {
    const text = decode(piece);
    line += text.split("\n").length - 1;
    yield encoder.encode(text);
  }
  yield encoder.encode(decode());
}
