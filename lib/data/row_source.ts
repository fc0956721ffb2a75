/**
 * Rows that need not all be in memory: training and prediction ask for a range of them at a time.
 *
 * @module
 */

/** Rows of inputs and targets, row by row. */
export interface RowBlock {
  /** Inputs [count, in]. */
  readonly x: Float32Array<ArrayBuffer>;
  /** Targets [count, out]. */
  readonly y: Float32Array<ArrayBuffer>;
}

/** A source of rows. */
export interface RowSource {
  /** How many rows there are. */
  readonly rows: number;
  /** Values of a row's inputs. */
  readonly inputs: number;
  /** Values of a row's targets. */
  readonly targets: number;
  /**
   * Reads a range of rows. The caller asks only for rows that exist.
   *
   * @param start The first row.
   * @param count How many.
   * @returns Their values; the same rows give the same values at each call.
   */
  read(start: number, count: number): Promise<RowBlock>;
}

/**
 * Rows in memory.
 *
 * @example
 * ```ts
 * import { ArrayRows } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const rows = new ArrayRows(Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(0, 1, 0), 2);
 * assertEquals([rows.rows, rows.inputs, rows.targets], [3, 2, 1]);
 * assertEquals(await rows.read(1, 1), { x: Float32Array.of(3, 4), y: Float32Array.of(1) });
 * ```
 */
export class ArrayRows implements RowSource {
  /** How many rows there are. */
  readonly rows: number;
  /** Values of a row's inputs. */
  readonly inputs: number;
  /** Values of a row's targets. */
  readonly targets: number;
  readonly #x: Float32Array<ArrayBuffer>;
  readonly #y: Float32Array<ArrayBuffer>;

  /**
   * Takes the arrays as they are.
   *
   * @param x Inputs [rows, inputs].
   * @param y Targets [rows, out].
   * @param inputs Values of a row's inputs.
   * @throws {TypeError} If the arrays do not hold whole rows, as many of one as of the other.
   */
  constructor(x: Float32Array<ArrayBuffer>, y: Float32Array<ArrayBuffer>, inputs: number) {
    this.rows = x.length / inputs;
    this.inputs = inputs;
    this.targets = this.rows > 0 ? y.length / this.rows : 0;
    if (![this.rows, this.targets].every(Number.isSafeInteger)) {
      throw new TypeError(
        `Cannot make rows of ${x.length} inputs and ${y.length} targets: a row has ${inputs} inputs, and all as many targets`,
      );
    }
    this.#x = x;
    this.#y = y;
  }

  /**
   * A range of the rows, without a copy.
   *
   * @param start The first row.
   * @param count How many.
   * @returns Their values.
   */
  read(start: number, count: number): Promise<RowBlock> {
    const part = (values: Float32Array<ArrayBuffer>, width: number) =>
      values.subarray(start * width, (start + count) * width);
    return Promise.resolve({ x: part(this.#x, this.inputs), y: part(this.#y, this.targets) });
  }
}

/**
 * A range of the rows of a source.
 *
 * @example
 * ```ts
 * import { ArrayRows, RowRange } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const all = new ArrayRows(Float32Array.of(1, 2, 3), Float32Array.of(0, 1, 0), 1);
 * const last = new RowRange(all, 1, 3);
 * assertEquals(last.rows, 2);
 * assertEquals(await last.read(1, 1), { x: Float32Array.of(3), y: Float32Array.of(0) });
 * ```
 */
export class RowRange implements RowSource {
  /** How many rows there are. */
  readonly rows: number;
  /** Values of a row's inputs. */
  readonly inputs: number;
  /** Values of a row's targets. */
  readonly targets: number;
  readonly #source: RowSource;
  readonly #start: number;

  /**
   * Remembers the range.
   *
   * @param source All rows.
   * @param start The first of the range.
   * @param end The one after its last.
   */
  constructor(source: RowSource, start: number, end: number) {
    this.#source = source;
    this.#start = start;
    this.rows = end - start;
    this.inputs = source.inputs;
    this.targets = source.targets;
  }

  /**
   * Reads some of them.
   *
   * @param start The first row, from 0 within the range.
   * @param count How many.
   * @returns Their values.
   */
  read(start: number, count: number): Promise<RowBlock> {
    return this.#source.read(this.#start + start, count);
  }
}
