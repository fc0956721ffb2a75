/**
 * The validation loss of each member of a model, without a wait: a recorded forward pass over rows that lie on the GPU, in
 * chunks.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import type { Folds } from "../base/folds.ts";
import { formatShape } from "../base/shape.ts";
import { advance } from "../core/dropout.ts";
import type { Loss } from "../core/losses.ts";
import type { Model } from "../core/model.ts";
import { MOST_ROWS } from "../gpu/textures.ts";
import { Tensor } from "../core/tensor.ts";
import type { Recording } from "../gpu/recording.ts";
import { gatherRows } from "./recorded_rows.ts";

/** Elements of the widest activation of a chunk: enough for a GPU to be busy, little enough for any device. */
const CHUNK_ELEMENTS = 1 << 20;

/** Rows that are measured. */
export interface ValidationRows {
  /** How they are measured: the loss of each member. */
  readonly loss: Loss;
  /** Inputs [rows, in]. */
  readonly x: Tensor;
  /** Targets [rows, out]. */
  readonly y: Tensor;
  /** Which of the rows measure which member; by default all do. */
  readonly folds?: Folds;
}

/** Adds the mean loss of each member over its rows to `sums` [members]. */
export class ValidationPass implements Disposable {
  /** A whole chunk, where there are more than one, and how many there are before the last one. */
  readonly #chunk: Recording | undefined;
  readonly #chunks: number;
  readonly #last: Recording;
  /** The row more that some folds have. */
  readonly #rest: Recording | undefined;
  readonly #cursor: Tensor;
  readonly #owned: DisposableStack;

  /**
   * Records the passes; nothing runs yet.
   *
   * @throws {TypeError} If the rows do not fit the model, or the loss gives none for each member.
   */
  constructor(model: Model, measured: ValidationRows, sums: Tensor) {
    const { loss, x, y, folds } = measured;
    const { device, members, layers } = model;
    checkRows(measured, members);
    const all = Uint32Array.from({ length: x.shape[0] }, (_, row) => row);
    const own = Array.from({ length: members }, (_, member) => folds?.heldOut(member) ?? all);
    const rows = Math.min(...own.map(({ length }) => length));
    const widths = [x.shape[1]];
    for (const layer of layers) widths.push(layer.outputSize(widths.at(-1)!));
    const elements = Math.floor(CHUNK_ELEMENTS / members / Math.max(...widths));
    const chunk = Math.max(1, Math.min(elements, Math.floor(MOST_ROWS / members), rows));
    this.#chunks = Math.ceil(rows / chunk) - 1;
    using stack = new DisposableStack();
    this.#cursor = stack.use(Tensor.zeros(device, [1], "u32"));
    const listed = (lists: Uint32Array[]) => {
      const numbers = Uint32Array.from(lists.flatMap((list) => [...list]));
      return stack.use(Tensor.from(device, numbers, [members, numbers.length / members]));
    };
    const order = folds ? listed(own.map((list) => list.subarray(0, rows))) : stack.use(Tensor.from(device, all));
    const pick = (table: Tensor, count: number) =>
      gatherRows(table, order, { count, cursor: this.#cursor, stride: chunk, copies: members });
    // Rows of one chunk need no gathering each time.
    const placed = this.#chunks === 0 ? [x, y].map((table) => stack.use(pick(table, rows))) : undefined;
    const record = (count: number, given = placed, shares = own.map(({ length }) => count / length)) =>
      stack.use(device.record(() => {
        const [ownX, ownY] = given ?? [x, y].map((table) => pick(table, count));
        const losses = loss.forward(model.forward(ownX), ownY, members);
        if (losses.size !== members) {
          throw new TypeError(`Cannot judge ${members} members by the loss ${loss.kind}: it gives none for each`);
        }
        device.run(kernels.addLosses, {
          buffers: [losses, Tensor.constant(device, shares), sums],
          sizes: [members],
          invocations: members,
        });
        if (!given) advance(this.#cursor);
      }, { fuse: true }));
    this.#chunk = this.#chunks > 0 ? record(chunk) : undefined;
    this.#last = record(rows - this.#chunks * chunk);
    if (own.some(({ length }) => length > rows)) {
      // Members without such a row take one too, with a share of 0.
      const rest = listed(own.map((list) => list.subarray(-1)));
      const given = [x, y].map((table) => stack.use(gatherRows(table, rest, { copies: members })));
      this.#rest = record(1, given, own.map(({ length }) => length > rows ? 1 / length : 0));
    }
    this.#owned = stack.move();
  }

  /** Measures the model of this moment. */
  run(): void {
    if (this.#chunk) {
      this.#cursor.write(Uint32Array.of(0));
      this.#chunk.replay(this.#chunks);
    }
    this.#last.replay();
    this.#rest?.replay();
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

function checkRows({ x, y, folds }: ValidationRows, members: number): void {
  const [rows] = x.shape;
  const found = `x ${formatShape(x.shape)} and y ${formatShape(y.shape)}`;
  if (x.shape.length !== 2 || y.shape.length !== 2 || rows !== y.shape[0] || rows === 0) {
    throw new TypeError(`Cannot measure ${found}: need [rows, in] and [rows, out], and at least one row`);
  }
  if (folds && (folds.foldOf.length !== rows || folds.members !== members)) {
    const given = `folds of ${folds.foldOf.length} rows for ${folds.members} members`;
    throw new TypeError(`Cannot measure ${found} for ${members} members by ${given}: both must be the same`);
  }
}
