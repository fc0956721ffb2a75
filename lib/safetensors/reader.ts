/**
 * Files of named float32 tensors in the safetensors format (Hugging Face, "Safetensors", format description): 8 bytes with
 * the header's length, little-endian; a JSON header with type, shape and place of each tensor; the bytes of the tensors
 * without gaps. All machines that Deno runs on are little-endian, so a Float32Array has the bytes of the file.
 *
 * @module
 */

import { DataError } from "../base/errors.ts";
import { openRegularFile } from "../base/files.ts";
import {
  allocate,
  headerLength,
  parseHeader,
  PREFIX_BYTES,
  type StoredTensor,
  type StoredTensors,
  type TensorEntry,
} from "./bytes.ts";
import { SafetensorsWriter } from "./writer.ts";

export type { StoredTensor, StoredTensors } from "./bytes.ts";

/** What a file says it holds, without the values. */
export interface SafetensorsHeader {
  /** The shapes by name, in the order of their bytes. */
  shapes: Map<string, number[]>;
  /** Texts that go with them. */
  metadata: Record<string, string>;
}

/**
 * Reads a whole file, and refuses one that breaks any rule of the format or holds another type than F32.
 *
 * @param path The file.
 * @returns Its tensors and metadata.
 * @throws {DataError} If the content is not such a file.
 * @throws {Deno.errors.NotFound} If there is no such file.
 *
 * @example
 * ```ts
 * import { readSafetensors, writeSafetensors } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * await Deno.mkdir("data", { recursive: true });
 * await writeSafetensors("data/example.safetensors", { bias: { shape: [2], data: Float32Array.of(1, -1) } }, { epoch: "3" });
 * const { tensors, metadata } = await readSafetensors("data/example.safetensors");
 * assertEquals(tensors.get("bias"), { shape: [2], data: Float32Array.of(1, -1) });
 * assertEquals(metadata, { epoch: "3" });
 * await Deno.remove("data/example.safetensors");
 * ```
 */
export async function readSafetensors(path: string): Promise<StoredTensors> {
  using file = await openRegularFile(path);
  const { entries, metadata } = await readHeader(path, file);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, shape, begin, end } of entries) {
    const data = allocate(path, name, (end - begin) / 4);
    await readFully(path, file, new Uint8Array(data.buffer));
    tensors.set(name, { shape, data });
  }
  return { tensors, metadata };
}

/**
 * Reads the names, shapes and metadata of a file without its values. The same rules are checked.
 *
 * @param path The file.
 * @returns Its shapes and metadata.
 * @throws {DataError} If the content is not such a file.
 * @throws {Deno.errors.NotFound} If there is no such file.
 *
 * @example
 * ```ts
 * import { readSafetensorsHeader, writeSafetensors } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * await Deno.mkdir("data", { recursive: true });
 * await writeSafetensors("data/header.safetensors", { bias: { shape: [2], data: Float32Array.of(1, -1) } }, {});
 * const { shapes } = await readSafetensorsHeader("data/header.safetensors");
 * assertEquals(shapes.get("bias"), [2]);
 * await Deno.remove("data/header.safetensors");
 * ```
 */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  using file = await openRegularFile(path);
  const { entries, metadata } = await readHeader(path, file);
  return { shapes: new Map(entries.map(({ name, shape }) => [name, shape])), metadata };
}

/**
 * Writes tensors to a file, which appears only once it is whole.
 *
 * @param path The file; one that is there is replaced.
 * @param tensors Shape and values of each tensor by name.
 * @param metadata Texts that go with them.
 * @throws {TypeError} If a tensor's values do not fill its shape.
 */
export async function writeSafetensors(
  path: string,
  tensors: Record<string, { shape: readonly number[]; data: Float32Array<ArrayBuffer> }>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const shapes = Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
  await using writer = await SafetensorsWriter.create(path, shapes, metadata);
  for (const [name, { data }] of Object.entries(tensors)) await writer.append(name, data);
  await writer.close();
}

/** Reads the header of an open file, from its start. */
export async function readHeader(
  path: string,
  file: Deno.FsFile,
): Promise<{ entries: TensorEntry[]; metadata: Record<string, string>; dataStart: number }> {
  const { size } = await file.stat();
  const prefix = new Uint8Array(PREFIX_BYTES);
  await readFully(path, file, prefix);
  const length = headerLength(path, prefix, size);
  const dataStart = PREFIX_BYTES + length;
  const bytes = new Uint8Array(length);
  await readFully(path, file, bytes);
  return { ...parseHeader(path, bytes, size - dataStart), dataStart };
}

/**
 * Fills an array with the next bytes of an open file.
 *
 * @throws {DataError} If the file ends before that.
 */
export async function readFully(path: string, file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const count = await file.read(bytes.subarray(done));
    if (count === null) throw new DataError("cut short: the file ends too early", { file: path });
    done += count;
  }
}
