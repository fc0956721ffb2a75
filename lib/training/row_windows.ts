/**
 * The rows that a trainer's steps pick from: all of them on the GPU, or one window of a source at a time. While steps run on
 * one window, the next is read and uploaded. A copy on the GPU then puts it in place, so that recorded steps stay bound to
 * the same buffers. The queue keeps the order: steps, copy, steps. It never waits for the disk as long as reading a window
 * takes less time than training on one.
 *
 * @module
 */
import type { Device } from "../gpu/device.ts";
import { EpochPlan, type Visit } from "./epoch_plan.ts";
import type { RowBlock, RowSource } from "../data/row_source.ts";
import { formatShape } from "../base/shape.ts";
import { ELEMENT_BYTES, Tensor } from "../core/tensor.ts";
import type { ResidentRows, StreamedRows, TrainerOptions } from "./trainer_options.ts";

/**
 * Bytes of a window unless asked for otherwise: inputs, targets and order. Two windows lie in memory at once. Small enough
 * for that to be little, large enough for a window to take far longer to train on than to read.
 */
const WINDOW_BYTES = 64 * 2 ** 20;

/** Bytes read and uploaded at a time. */
const PIECE_BYTES = 4 * 2 ** 20;

/** Numbers of rows. */
type Order = Uint32Array<ArrayBuffer>;

type Table = Pick<ResidentRows, "x" | "y">;

/** A window that waits for its turn. */
type Waiting = { readonly visit: Visit; readonly order: Order };

/** The rows that steps pick from. */
export class RowWindows implements Disposable {
  /** Which steps see which rows. */
  readonly plan: EpochPlan;
  /** Inputs of the window in place [rows, in]. */
  readonly x: Tensor;
  /** Targets of the window in place [rows, out]. */
  readonly y: Tensor;
  /** The order in which steps take its rows: those of this process. With folds a list for each member [members, rows]. */
  readonly order: Tensor;
  /** Where rows come from; undefined where they lie on the GPU from the start. */
  readonly source: RowSource | undefined;
  readonly #device: Device;
  readonly #ownOrder: (order: Order) => Order;
  readonly #owned: DisposableStack;
  /** The next window, where there is more than one. */
  readonly #next: Table | undefined;
  /** Whether the only window is in place. */
  #isLoaded: boolean;

  /** Makes the buffers; nothing is read yet. `ownOrder` picks this process's rows of a window. */
  constructor(options: TrainerOptions, ownOrder: (order: Order) => Order) {
    const { model: { device, members }, batchSize, seed, shuffle = true, folds } = options;
    this.#device = device;
    this.#ownOrder = ownOrder;
    const rows = options.source ? options.source.rows : checkedRows(options);
    const windowRows = options.source ? windowRowsOf(device, options, batchSize) : rows;
    if (folds) checkFolds(options, rows);
    this.plan = new EpochPlan({ rows, windowRows, batchSize, seed, shuffle, folds });
    this.source = options.source;
    this.#isLoaded = !options.source;
    using stack = new DisposableStack();
    const make = (columns: number) => stack.use(Tensor.zeros(device, [windowRows, columns]));
    const makeTable = ({ inputs, targets }: RowSource): Table => ({ x: make(inputs), y: make(targets) });
    ({ x: this.x, y: this.y } = options.source ? makeTable(options.source) : options);
    if (options.source && this.plan.windows > 1) this.#next = makeTable(options.source);
    this.order = stack.use(Tensor.zeros(device, folds ? [members, this.plan.rows] : [windowRows], "u32"));
    this.#owned = stack.move();
  }

  /**
   * Puts one window after the other in place. The next is brought up to the GPU while the caller has steps run on this one,
   * whenever it waits for anything.
   */
  async *stream(visits: Iterator<Visit, void>): AsyncGenerator<Visit, void> {
    const leave = new AbortController();
    const bring = () => {
      const waiting = this.#bring(visits.next().value, leave.signal);
      waiting.catch(() => {}); // it is awaited in its turn
      return waiting;
    };
    let next = bring();
    try {
      for (let waiting = await next; waiting; waiting = await next) {
        this.#place(waiting);
        next = bring();
        yield waiting.visit;
      }
    } finally {
      // Nothing writes into the buffers any more when whoever leaves early, or an error, frees them.
      leave.abort();
      await next.catch(() => {});
    }
  }

  /** Frees what it made; rows that lay on the GPU before stay. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }

  async #bring(visit: Visit | void, signal: AbortSignal): Promise<Waiting | undefined> {
    if (!visit) return undefined;
    if (!this.#isLoaded) await this.#upload(visit, this.#next ?? this, signal);
    this.#isLoaded = this.#next === undefined;
    return { visit, order: this.#ownOrder(this.plan.order(visit)) };
  }

  /** Reads a window and writes it piece by piece, so that neither the queue nor this thread is ever busy for long. */
  async #upload({ start, rows }: Visit, { x, y }: Table, signal: AbortSignal): Promise<void> {
    const source = this.source!;
    const { inputs, targets } = source;
    const piece = Math.max(1, Math.floor(PIECE_BYTES / (ELEMENT_BYTES * (inputs + targets))));
    for (let row = 0; row < rows; row += piece) {
      signal.throwIfAborted();
      const count = Math.min(piece, rows - row);
      const block = await source.read(start + row, count);
      checkBlock(block, source, start + row, count);
      this.#device.write(x.view(row * inputs, [count, inputs]), block.x);
      this.#device.write(y.view(row * targets, [count, targets]), block.y);
    }
  }

  /** Puts a window in place, after all steps that are on the queue. */
  #place({ visit: { rows }, order }: Waiting): void {
    const next = this.#next;
    if (next) {
      for (const [from, to] of [[next.x, this.x], [next.y, this.y]]) {
        const part = [rows, from.shape[1]];
        this.#device.copy(from.view(0, part), to.view(0, part));
      }
    }
    this.#device.write(this.order.view(0, [order.length]), order);
  }
}

function checkedRows({ x, y }: ResidentRows): number {
  const rows = x.shape[0];
  if (x.shape.length !== 2 || y.shape.length !== 2 || rows !== y.shape[0]) {
    throw new TypeError(
      `Cannot train on x ${formatShape(x.shape)} and y ${formatShape(y.shape)}: need [rows, in] and [rows, out]`,
    );
  }
  return rows;
}

function checkFolds({ folds, model: { members }, source, group }: TrainerOptions, rows: number): void {
  const found = `folds of ${folds!.foldOf.length} rows for ${folds!.members} members`;
  const refuse = (why: string) => new TypeError(`Cannot train by ${found}: ${why}`);
  if (folds!.foldOf.length !== rows || folds!.members !== members) {
    throw refuse(`there are ${rows} rows, and the model has ${members} members`);
  }
  if (source) throw refuse("the rows must lie on the GPU, as x and y");
  if (group) throw refuse("the processes of a group share one order of the rows");
}

/** Rows of a window: as asked, or as many whole batches as fit. */
function windowRowsOf({ limits }: Device, { source, windowRows }: StreamedRows, batchSize: number): number {
  const { rows, inputs, targets } = source;
  const binding = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  const bytes = (columns: number) => columns * ELEMENT_BYTES;
  const fitting = Math.min(binding / bytes(Math.max(inputs, targets)), WINDOW_BYTES / bytes(inputs + targets + 1));
  return Math.min(rows, windowRows ?? Math.max(1, Math.floor(fitting / batchSize)) * batchSize);
}

function checkBlock({ x, y }: RowBlock, { inputs, targets }: RowSource, start: number, count: number): void {
  if (x.length === count * inputs && y.length === count * targets) return;
  throw new TypeError(
    `Cannot use rows ${start} to ${start + count - 1}: need ${count * inputs} inputs and ${count * targets} targets, ` +
      `their source gave ${x.length} and ${y.length}`,
  );
}
