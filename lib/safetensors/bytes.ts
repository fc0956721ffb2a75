/**
 * The bytes of a safetensors file, in memory, so that they work in a browser, too. The format is described in reader.ts; the
 * header is checked as strictly as the reference implementation does.
 *
 * @module
 */
import { DataError } from "../base/errors.ts";
import { printable, shorten, showJson } from "../base/printable.ts";
import { endOfText, parseBoundedJson } from "./bounded_json.ts";

/** Longest header that is read: 100 MB, as in the reference implementation. */
const HEADER_LIMIT = 100_000_000;

/** Most values of a header: seventy thousand tensors. Each may take a kilobyte of memory. */
const MAX_HEADER_VALUES = 500_000;

/** Bytes before the header: its length. */
export const PREFIX_BYTES = 8;

/** A tensor as a file holds it. */
export interface StoredTensor {
  /** Its shape; [] is a single number. */
  shape: number[];
  /** Its values, row-major. */
  data: Float32Array<ArrayBuffer>;
}

/** What a file holds. */
export interface StoredTensors {
  /** The tensors by name, in the order of their bytes. */
  tensors: Map<string, StoredTensor>;
  /** Texts that go with them. */
  metadata: Record<string, string>;
}

/** One tensor as the header describes it. */
export interface TensorEntry {
  /** The tensor's name. */
  name: string;
  /** Its shape. */
  shape: number[];
  /** First byte, counted from the end of the header. */
  begin: number;
  /** The byte after its last. */
  end: number;
}

/**
 * The bytes of a file with these tensors.
 *
 * @param tensors Shape and values of each tensor by name.
 * @param metadata Texts that go with them.
 * @returns The bytes, the same that `writeSafetensors` writes.
 * @throws {TypeError} If a tensor's values do not fill its shape, or a name is reserved.
 *
 * @example
 * ```ts
 * import { decodeSafetensors, encodeSafetensors } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const bytes = encodeSafetensors({ bias: { shape: [2], data: Float32Array.of(1, -1) } }, { epoch: "3" });
 * const { tensors, metadata } = decodeSafetensors(bytes);
 * assertEquals(tensors.get("bias"), { shape: [2], data: Float32Array.of(1, -1) });
 * assertEquals(metadata, { epoch: "3" });
 * ```
 */
export function encodeSafetensors(
  tensors: Record<string, { shape: readonly number[]; data: Float32Array<ArrayBuffer> }>,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const shapes = Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
  const { header, places, byteLength } = layOut("the tensors", shapes, metadata);
  const bytes = new Uint8Array(byteLength);
  bytes.set(header);
  for (const [name, { data }] of Object.entries(tensors)) {
    const { begin, length } = places.get(name)!;
    if (data.length !== length) {
      throw new TypeError(`Cannot encode ${name}: it has ${data.length} values, and its shape holds ${length}`);
    }
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), begin);
  }
  return bytes;
}

/**
 * Reads the bytes of a file, and refuses those that break any rule of the format or hold another type than F32.
 *
 * @param bytes All of the file.
 * @param name What it is called in messages.
 * @returns Its tensors and metadata.
 * @throws {DataError} If the bytes are not such a file.
 */
export function decodeSafetensors(bytes: Uint8Array, name: string = "the file"): StoredTensors {
  const length = headerLength(name, bytes, bytes.length);
  const dataStart = PREFIX_BYTES + length;
  const { entries, metadata } = parseHeader(name, bytes.subarray(PREFIX_BYTES, dataStart), bytes.length - dataStart);
  const tensors = new Map<string, StoredTensor>();
  for (const { name: tensor, shape, begin, end } of entries) {
    const data = allocate(name, tensor, (end - begin) / 4);
    new Uint8Array(data.buffer).set(bytes.subarray(dataStart + begin, dataStart + end));
    tensors.set(tensor, { shape, data });
  }
  return { tensors, metadata };
}

/**
 * The length of a file's header.
 *
 * @throws {DataError} If there are not so many.
 */
export function headerLength(path: string, prefix: Uint8Array, size: number): number {
  if (prefix.length < PREFIX_BYTES) throw new DataError("cut short: the file ends too early", { file: path });
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES);
  const length = Number(view.getBigUint64(0, true));
  if (length > HEADER_LIMIT) {
    throw new DataError(`its header claims ${length} bytes: not a safetensors file`, { file: path });
  }
  if (PREFIX_BYTES + length > size) {
    throw new DataError(`cut short: the header needs ${PREFIX_BYTES + length} bytes of ${size}`, { file: path });
  }
  return length;
}

/**
 * Reads a header.
 *
 * @throws {DataError} If it breaks a rule of the format, or a tensor is not F32.
 */
export function parseHeader(
  path: string,
  bytes: Uint8Array,
  dataBytes: number,
): { entries: TensorEntry[]; metadata: Record<string, string> } {
  const refuse = (problem: string, cause?: unknown) => new DataError(problem, { file: path }, { cause });
  let text: string;
  let json: unknown;
  let repeated: string | undefined;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    json = parseBoundedJson(text, { maxValues: MAX_HEADER_VALUES, reviver: keepOddNumbers });
    repeated = repeatedKey(text);
  } catch (error) {
    const why = error instanceof SyntaxError && error.message.startsWith("JSON ") ? ` (${error.message})` : "";
    throw refuse(`its header is not JSON in UTF-8${why}: not a safetensors file`, error);
  }
  if (!text.startsWith("{") || !isObject(json)) throw refuse("its header is not a JSON object");
  if (repeated !== undefined) throw refuse(`its header names ${showName(repeated)} twice`);

  const { __metadata__: metadata = {}, ...tensors } = json;
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw refuse("its metadata holds something other than texts");
  }
  const halved = [...Object.keys(tensors), ...Object.entries(metadata).flat() as string[]]
    .find((text) => !text.isWellFormed());
  if (halved !== undefined) {
    throw refuse(`its header holds half a character, in ${showJson(halved)}`);
  }
  const entries = Object.entries(tensors).map(([name, entry]) => parseEntry(name, entry, refuse));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const entry of entries) {
    if (entry.begin !== end) {
      throw refuse(`tensor ${showName(entry.name)} begins at byte ${entry.begin}, expected ${end}`);
    }
    end = entry.end;
  }
  if (end !== dataBytes) throw refuse(`its tensors take ${end} bytes and ${dataBytes} are there`);
  return { entries, metadata: metadata as Record<string, string> };
}

/**
 * Memory for a tensor's values.
 *
 * @throws {DataError} If there is not so much memory.
 */
export function allocate(path: string, name: string, length: number): Float32Array<ArrayBuffer> {
  try {
    return new Float32Array(length);
  } catch (error) {
    const problem = `tensor ${showName(name)} has ${length} values, more than memory can hold`;
    throw new DataError(problem, { file: path }, { cause: error });
  }
}

/** Where a tensor's bytes stand in a file, and how many values they are. */
interface TensorPlace {
  begin: number;
  length: number;
}

/**
 * The first bytes of a file, up to its tensors, and the places of these.
 *
 * @throws {TypeError} If a name is reserved, or a shape holds anything but whole numbers from 0 on.
 */
export function layOut(
  path: string,
  shapes: Record<string, readonly number[]>,
  metadata: Record<string, string>,
): { header: Uint8Array<ArrayBuffer>; places: Map<string, TensorPlace>; byteLength: number } {
  const json: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  const places = new Map<string, TensorPlace>();
  let begin = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    if (name === "__metadata__" || !isSizes(shape)) {
      throw new TypeError(`Cannot write ${path}: bad name or shape, ${JSON.stringify(name)} [${shape.join(", ")}]`);
    }
    const length = shape.reduce((product, size) => product * size, 1);
    json[name] = { dtype: "F32", shape, data_offsets: [begin, begin + length * 4] };
    places.set(name, { begin, length });
    begin += length * 4;
  }
  const text = new TextEncoder().encode(JSON.stringify(json));
  const padded = Math.ceil(text.length / 8) * 8;
  const header = new Uint8Array(PREFIX_BYTES + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(text, PREFIX_BYTES);
  for (const place of places.values()) place.begin += header.length;
  return { header, places, byteLength: header.length + begin };
}

function parseEntry(name: string, value: unknown, refuse: (problem: string) => DataError): TensorEntry {
  const entry = isObject(value) ? value : {};
  const { dtype, shape, data_offsets: offsets } = entry;
  const shown = `tensor ${showName(name)}`;
  if (dtype !== "F32") throw refuse(`${shown} has type ${showJson(dtype)}: only F32 is read`);
  if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
    throw refuse(`${shown} has shape ${showJson(shape)} and data_offsets ${showJson(offsets)}`);
  }
  const [begin, end] = offsets;
  const length = shape.reduce((product, size) => product * size, 4);
  if (!hasSafeProducts(shape)) throw refuse(`${shown} has shape [${shape.join(", ")}]: too large to be counted`);
  if (end - begin !== length) {
    throw refuse(`${shown} has ${end - begin} bytes, its shape [${shape.join(", ")}] needs ${length}`);
  }
  return { name, shape, begin, end };
}

/** Whether no product of leading sizes is beyond exact numbers: a 0 after them would hide it. */
function hasSafeProducts(shape: readonly number[]): boolean {
  let bytes = 4;
  return shape.every((size) => Number.isSafeInteger(bytes *= size));
}

/** A number such as 1.0, 1e3 or -0: no size, and no text. */
class OddNumber {
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  toJSON(): string {
    return this.#source;
  }
}

/** Keeps odd numbers as the text has them: JSON.parse alone makes whole numbers of them. */
function keepOddNumbers(_key: string, value: unknown, { source }: { source?: string } = {}): unknown {
  return typeof value === "number" && !/^(0|-?[1-9]\d*)$/.test(source ?? "") ? new OddNumber(`${source}`) : value;
}

/** A key that one object of the text holds twice; JSON.parse would silently take the last. */
function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  const marks = /["{}]/g;
  const colon = /\s*:/y;
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    if (mark[0] === "{") open.push(new Set());
    else if (mark[0] === "}") open.pop();
    else {
      colon.lastIndex = marks.lastIndex = endOfText(text, mark.index);
      if (!colon.test(text)) continue;
      const key = JSON.parse(text.slice(mark.index, marks.lastIndex));
      if (open.at(-1)!.has(key)) return key;
      open.at(-1)!.add(key);
    }
  }
}

function showName(name: string): string {
  return printable(shorten(name));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof OddNumber);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
