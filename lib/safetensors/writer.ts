/**
 * Writes safetensors files piece by piece. The format is described in reader.ts.
 *
 * @module
 */

import { writeFully, writing } from "../base/files.ts";
import { layOut } from "./bytes.ts";

/** Floats gathered for one tensor before they go to the file. */
const BUFFERED_FLOATS = 65_536;

/** A tensor that is being written. */
interface Pending {
  begin: number;
  length: number;
  written: number;
  buffer: Float32Array<ArrayBuffer>;
  buffered: number;
}

/**
 * Writes a file piece by piece in constant memory: the shapes are declared first, then values are appended to any tensor
 * in any order. The file is `<path>.partial` until `close` flushes it to the disk and renames it: whatever happens, a power
 * failure included, the name holds either the old file or the new one. Without `close` the partial file is removed.
 *
 * @example
 * ```ts
 * import { readSafetensors, SafetensorsWriter } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * await Deno.mkdir("data", { recursive: true });
 * {
 *   await using writer = await SafetensorsWriter.create("data/pieces.safetensors", { x: [2, 2], y: [2] });
 *   await writer.append("x", Float32Array.of(1, 2));
 *   await writer.append("y", Float32Array.of(5, 6));
 *   await writer.append("x", Float32Array.of(3, 4));
 *   await writer.close();
 * }
 * assertEquals((await readSafetensors("data/pieces.safetensors")).tensors.get("x")!.data, Float32Array.of(1, 2, 3, 4));
 * await Deno.remove("data/pieces.safetensors");
 * ```
 */
export class SafetensorsWriter {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #bytes: number;
  readonly #tensors: Map<string, Pending>;
  #isOpen = true;

  private constructor(path: string, file: Deno.FsFile, bytes: number, tensors: Map<string, Pending>) {
    this.#path = path;
    this.#file = file;
    this.#bytes = bytes;
    this.#tensors = tensors;
  }

  /**
   * Begins a file.
   *
   * @param path The file; one that is there stays until `close`.
   * @param shapes Shape of each tensor by name.
   * @param metadata Texts that go with them.
   * @returns The writer.
   * @throws {TypeError} If a name is reserved, or a shape holds anything but whole numbers from 0 on.
   */
  static async create(
    path: string,
    shapes: Record<string, readonly number[]>,
    metadata: Record<string, string> = {},
  ): Promise<SafetensorsWriter> {
    const { header, places, byteLength: bytes } = layOut(path, shapes, metadata);
    const file = await writing(path, bytes, async () => {
      // A link with that name is not followed.
      await Deno.remove(`${path}.partial`).catch(() => {});
      return await Deno.open(`${path}.partial`, { write: true, createNew: true });
    });
    const tensors = new Map<string, Pending>();
    for (const [name, { begin, length }] of places) {
      const buffer = new Float32Array(Math.min(length, BUFFERED_FLOATS));
      tensors.set(name, { begin, length, written: 0, buffer, buffered: 0 });
    }
    const writer = new SafetensorsWriter(path, file, bytes, tensors);
    try {
      await writing(path, bytes, () => writeFully(file, header));
    } catch (error) {
      await writer[Symbol.asyncDispose]();
      throw error;
    }
    return writer;
  }

  /**
   * Appends values to a tensor.
   *
   * @param name A name that was declared.
   * @param values The next values, row-major.
   * @throws {TypeError} If no such tensor was declared, or it would become longer than its shape.
   */
  async append(name: string, values: Float32Array<ArrayBuffer>): Promise<void> {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new TypeError(`Cannot append to ${JSON.stringify(name)}: it was not declared`);
    const total = tensor.written + tensor.buffered + values.length;
    if (total > tensor.length) {
      throw new TypeError(`Cannot append to ${name}: ${total} values, and its shape holds ${tensor.length}`);
    }
    for (let from = 0; from < values.length;) {
      const piece = values.subarray(from, from + tensor.buffer.length - tensor.buffered);
      tensor.buffer.set(piece, tensor.buffered);
      tensor.buffered += piece.length;
      from += piece.length;
      if (tensor.buffered === tensor.buffer.length) await this.#flush(tensor);
    }
  }

  /**
   * Writes what is still gathered and puts the file into place.
   *
   * @throws {TypeError} If a tensor was not filled; then nothing is put into place.
   */
  async close(): Promise<void> {
    for (const [name, tensor] of this.#tensors) {
      const total = tensor.written + tensor.buffered;
      if (total !== tensor.length) {
        throw new TypeError(`Cannot close ${this.#path}: ${name} got ${total} of ${tensor.length} values`);
      }
      await this.#flush(tensor);
    }
    await writing(this.#path, this.#bytes, async () => {
      await this.#file.syncData();
      this.#isOpen = false;
      this.#file.close();
      await Deno.rename(`${this.#path}.partial`, this.#path);
    });
  }

  /** Removes the unfinished file, unless `close` has put it into place. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.close();
    await Deno.remove(`${this.#path}.partial`).catch(() => {}); // what went wrong before is what to tell
  }

  async #flush(tensor: Pending): Promise<void> {
    if (tensor.buffered === 0) return;
    await this.#file.seek(tensor.begin + tensor.written * 4, Deno.SeekMode.Start);
    const values = new Uint8Array(tensor.buffer.buffer, 0, tensor.buffered * 4);
    await writing(this.#path, this.#bytes, () => writeFully(this.#file, values));
    tensor.written += tensor.buffered;
    tensor.buffered = 0;
  }
}
