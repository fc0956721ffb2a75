/**
 * The bytes of a safetensors file, to and fro in memory: where there are no files, as in a browser. The format is
 * described in safetensors.ts.
 *
 * @module
 */
import { DataError } from "../base/errors.ts";
import { printable, shorten } from "../base/printable.ts";
import { parseHeader } from "./header.ts";

/** Longest header that is read: 100 MB, as in the reference implementation. */
const HEADER_LIMIT = 100_000_000;

/** Bytes in front of the header: its length. */
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
 * Memory for a tensor's values.
 *
 * @throws {DataError} If there is not so much memory.
 */
export function allocate(path: string, name: string, length: number): Float32Array<ArrayBuffer> {
  try {
    return new Float32Array(length);
  } catch (error) {
    const problem = `tensor ${printable(shorten(name))} has ${length} values, more than memory can hold`;
    throw new DataError(problem, { file: path }, { cause: error });
  }
}

/** Where a tensor's bytes stand in a file, and how many values they are. */
export interface TensorPlace {
  readonly begin: number;
  readonly length: number;
}

/**
 * The beginning of a file, and the places of what follows.
 *
 * @throws {TypeError} If a name is reserved, or a shape holds anything but whole numbers from 0 on.
 */
export function layOut(
  path: string,
  shapes: Record<string, readonly number[]>,
  metadata: Record<string, string>,
): { header: Uint8Array<ArrayBuffer>; places: Map<string, TensorPlace>; byteLength: number } {
  const lengths = new Map<string, TensorPlace>();
  const json: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let begin = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    if (name === "__metadata__" || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
      throw new TypeError(`Cannot write ${path}: bad name or shape, ${JSON.stringify(name)} [${shape.join(", ")}]`);
    }
    const length = shape.reduce((product, size) => product * size, 1);
    json[name] = { dtype: "F32", shape, data_offsets: [begin, begin + length * 4] };
    lengths.set(name, { begin, length });
    begin += length * 4;
  }
  const text = new TextEncoder().encode(JSON.stringify(json));
  const padded = Math.ceil(text.length / 8) * 8;
  const header = new Uint8Array(PREFIX_BYTES + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(text, PREFIX_BYTES);
  const places = new Map(
    [...lengths].map(([name, { begin, length }]) => [name, { begin: header.length + begin, length }]),
  );
  return { header, places, byteLength: header.length + begin };
}
