/**
 * Rows read from a safetensors file range by range, never all of them at once.
 *
 * @module
 */
import { DataError } from "../base/errors.ts";
import { openRegularFile } from "../base/files.ts";
import type { RowBlock, RowSource } from "../data/row_source.ts";
import { readFully, readHeader } from "./reader.ts";
import { formatShape } from "../base/shape.ts";

/** Where a matrix lies in the file. */
interface Place {
  readonly byteOffset: number;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Inputs and targets that lie in a safetensors file as two matrices of as many rows. The file stays open until `dispose`.
 *
 * @example
 * ```ts
 * import { SafetensorsRows, writeSafetensors } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * await Deno.mkdir("data", { recursive: true });
 * await writeSafetensors("data/rows.safetensors", {
 *   x: { shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
 *   y: { shape: [3, 1], data: Float32Array.of(0, 1, 0) },
 * });
 * {
 *   using rows = await SafetensorsRows.open("data/rows.safetensors", "x", "y");
 *   assertEquals([rows.rows, rows.inputs, rows.targets], [3, 2, 1]);
 *   assertEquals(await rows.read(1, 1), { x: Float32Array.of(3, 4), y: Float32Array.of(1) });
 * }
 * await Deno.remove("data/rows.safetensors");
 * ```
 */
export class SafetensorsRows implements RowSource, Disposable {
  /** How many rows there are. */
  readonly rows: number;
  /** Values of a row's inputs. */
  readonly inputs: number;
  /** Values of a row's targets. */
  readonly targets: number;
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #places: readonly [Place, Place];
  #isOpen = true;
  /** The read before: the file has one position, so reads take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(path: string, file: Deno.FsFile, places: readonly [Place, Place]) {
    this.#path = path;
    this.#file = file;
    this.#places = places;
    this.rows = places[0].rows;
    this.inputs = places[0].columns;
    this.targets = places[1].columns;
  }

  /**
   * Opens a file and reads its header.
   *
   * @param path The file.
   * @param x Name of the inputs [rows, in].
   * @param y Name of the targets [rows, out].
   * @returns Its rows; free them with `dispose` or `using`.
   * @throws {DataError} If the content is not such a file, or has no two such matrices.
   * @throws {Deno.errors.NotFound} If there is no such file.
   */
  static async open(path: string, x: string, y: string): Promise<SafetensorsRows> {
    const file = await openRegularFile(path);
    try {
      const { entries, dataStart } = await readHeader(path, file);
      const [inputs, targets] = [x, y].map((name): Place => {
        const entry = entries.find((entry) => entry.name === name);
        const found = entry ? `is ${formatShape(entry.shape)}` : "is missing";
        if (entry?.shape.length !== 2) throw new DataError(`tensor ${name} ${found}, need a matrix`, { file: path });
        return { byteOffset: dataStart + entry.begin, rows: entry.shape[0], columns: entry.shape[1] };
      });
      if (inputs.rows !== targets.rows) {
        throw new DataError(`${x} has ${inputs.rows} rows, ${y} has ${targets.rows}`, { file: path });
      }
      return new SafetensorsRows(path, file, [inputs, targets]);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * Reads a range of rows.
   *
   * @param start The first row.
   * @param count How many.
   * @returns Their values.
   * @throws {RangeError} If there are no such rows.
   * @throws {DataError} If the file was cut short since it was opened.
   */
  async read(start: number, count: number): Promise<RowBlock> {
    if (!(start >= 0 && count >= 0 && start + count <= this.rows)) {
      throw new RangeError(`Cannot read ${count} rows from row ${start}: ${this.#path} has ${this.rows}`);
    }
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      const [x, y] = this.#places;
      return { x: await this.#readPlace(x, start, count), y: await this.#readPlace(y, start, count) };
    } finally {
      resolve();
    }
  }

  /** Closes the file. A second call does nothing. */
  dispose(): void {
    if (this.#isOpen) this.#file.close();
    this.#isOpen = false;
  }

  /** The same as {@linkcode SafetensorsRows.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  async #readPlace({ byteOffset, columns }: Place, start: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    const values = new Float32Array(count * columns);
    await this.#file.seek(byteOffset + start * columns * values.BYTES_PER_ELEMENT, Deno.SeekMode.Start);
    await readFully(this.#path, this.#file, new Uint8Array(values.buffer));
    return values;
  }
}
