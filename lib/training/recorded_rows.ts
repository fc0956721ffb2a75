/**
 * Rows by number: a recorded step sees other rows each time it is replayed, and keeps its loss.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { checkType, result } from "../core/operation.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import { Tensor } from "../core/tensor.ts";

/** Row numbers that one invocation looks through: the software adapter silently ends it after 65,535 iterations. */
const MAX_LOOP = 32_768;

/** Options of {@linkcode gatherRows}. */
export interface GatherOptions {
  /** How many rows to take; all of `rows` by default. */
  readonly count?: number;
  /** A `u32` counter [1] on the GPU: the rows taken start at `cursor * stride`. Without one they start at 0. */
  readonly cursor?: Tensor;
  /** Rows that the counter's one step stands for; `count` by default. */
  readonly stride?: number;
  /** How often the rows are taken, one copy below the other, as the members of a model take them; 1 by default. */
  readonly copies?: number;
}

/**
 * Picks rows: `out[i, j] = table[rows[cursor * stride + i], j]`.
 *
 * @param table Matrix [n, columns].
 * @param rows Row numbers, a `u32` vector, or a matrix with a list for each copy. A number outside the table, or one past the
 * end of a list, gives NaN.
 * @param options How many, and from where on.
 * @returns Matrix [copies * count, columns].
 * @throws {TypeError} If the table is no matrix, or the row numbers are no `u32` vector or matrix.
 * @throws {RangeError} If there are no row numbers, or not as many lists as copies, or the stride is no whole number from 0 on.
 *
 * @example
 * ```ts
 * import { Device, gatherRows, gatherRowsBackward, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using table = Tensor.from(device, [[1, 2], [3, 4], [5, 6]]);
 * using rows = Tensor.from(device, Uint32Array.of(2, 0));
 * using y = gatherRows(table, rows);
 * assertEquals([...await y.read()], [5, 6, 1, 2]);
 * using lists = Tensor.from(device, Uint32Array.of(0, 1, 2, 1)).reshape([2, 2]); // 0 and 1, then 2 and 1
 * using each = gatherRows(table, lists, { count: 1, copies: 2 });
 * assertEquals([...await each.read()], [1, 2, 5, 6]);
 * using dTable = gatherRowsBackward(y, rows, 3);
 * assertEquals([...await dTable.read()], [1, 2, 0, 0, 5, 6]);
 * ```
 */
export function gatherRows(table: Tensor, rows: Tensor, options: GatherOptions = {}): Tensor {
  const isList = rows.shape.length === 1 || rows.shape.length === 2;
  if (table.shape.length !== 2 || !isList || rows.dtype !== "u32") {
    const found = `table ${formatShape(table.shape)}, rows ${formatShape(rows.shape)} of ${rows.dtype}`;
    throw new TypeError(`Cannot gather rows: need a matrix and a u32 vector, found ${found}`);
  }
  const lists = rows.shape.length === 2 ? rows.shape[0] : 1;
  const { count = rows.size / lists, stride = count, copies = 1, cursor } = options;
  if (rows.shape.length === 2 && lists !== copies) {
    throw new RangeError(`Cannot gather ${copies} copies of rows by ${lists} lists: need a list for each copy`);
  }
  if (rows.size === 0 || !Number.isSafeInteger(stride) || stride < 0) {
    throw new RangeError(
      `Cannot gather rows by ${rows.size} numbers with a stride of ${stride}: need some, and a whole number`,
    );
  }
  if (cursor) checkType("u32", [cursor]);
  const [tableRows, columns] = table.shape;
  const out = result([table], [copies * count, columns], undefined);
  const gather = (cursor: Tensor) =>
    table.device.run(kernels.gatherRows, {
      buffers: [table, rows, cursor, out],
      sizes: [out.size, columns, tableRows, stride, count, lists],
      invocations: out.size,
    });
  table.device.tidy(() => gather(cursor ?? Tensor.zeros(table.device, [1], "u32")));
  return out;
}

/**
 * Gradient of {@linkcode gatherRows} with respect to the table: each row gets the sum of `dOut` over the places it was
 * picked for.
 *
 * @param dOut Matrix [count, columns].
 * @param rows Row numbers of those places, a `u32` vector [count].
 * @param tableRows Rows of the table.
 * @returns Matrix [tableRows, columns].
 * @throws {TypeError} If the shapes do not match, or the row numbers are no `u32` vector.
 */
export function gatherRowsBackward(dOut: Tensor, rows: Tensor, tableRows: number): Tensor {
  checkType("u32", [rows]);
  const [count, columns] = dOut.shape;
  if (dOut.shape.length !== 2 || !sameShape(rows.shape, [count])) {
    const found = `dOut ${formatShape(dOut.shape)} and rows ${formatShape(rows.shape)}`;
    throw new TypeError(`Cannot take ${found} back to a table: need [n, c] and [n]`);
  }
  const dTable = result([dOut], [tableRows, columns], undefined);
  for (let start = 0; start < count; start += MAX_LOOP) {
    const sizes = [dTable.size, columns, start, Math.min(count, start + MAX_LOOP)];
    dOut.device.run(kernels.gatherRowsBackward, { buffers: [dOut, rows, dTable], sizes, invocations: dTable.size });
  }
  return dTable;
}

/**
 * Puts a scalar into `history` [n] at the place that `cursor` (`u32` [1]) counts, and counts one on; past the end it only counts.
 *
 * @param value A scalar.
 * @param history Vector [n].
 * @param cursor The counter.
 * @throws {TypeError} If a tensor has the wrong element type.
 *
 * @example
 * ```ts
 * import { append, Device, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using history = Tensor.zeros(device, [3]);
 * using cursor = Tensor.zeros(device, [1], "u32");
 * for (const loss of [0.5, 0.25]) append(Tensor.from(device, loss), history, cursor);
 * assertEquals([...await history.read()], [0.5, 0.25, 0]);
 * ```
 */
export function append(value: Tensor, history: Tensor, cursor: Tensor): void {
  checkType("f32", [value, history]);
  checkType("u32", [cursor]);
  value.device.run(kernels.append, { buffers: [value, history, cursor], invocations: 1 });
}
