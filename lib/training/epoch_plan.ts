/**
 * Which rows each step of an epoch sees: a block shuffle. The rows are cut into windows of neighbours; an epoch visits the
 * windows in an order drawn for it, and within a window the rows in an order drawn for both. Rows that lie far apart in the
 * source thus never meet in one batch, and where one window holds all rows, every order of them is equally likely.
 *
 * @module
 */
import { Random } from "../base/random.ts";
import type { Folds } from "../base/folds.ts";

/** What a plan is made of. */
export interface PlanOptions {
  readonly rows: number;
  /** Rows of a window; the last one takes what is left. */
  readonly windowRows: number;
  /** Rows of a step; the last step of the last window takes what is left. */
  readonly batchSize: number;
  /** Fixes all orders. */
  readonly seed: number;
  /** False keeps windows and rows in the order in which they are given. */
  readonly shuffle: boolean;
  /** Where each member of a model has rows of its own, which lie in one window; `rows` counts those of all. */
  readonly folds?: Folds;
}

/** One window in one epoch. */
export interface Visit {
  /** Which epoch, from 0. */
  readonly epoch: number;
  /** Which window, from 0. */
  readonly window: number;
  readonly start: number;
  readonly rows: number;
  /** Steps of the epoch before it. */
  readonly firstStep: number;
  readonly steps: number;
  readonly ends: boolean;
}

/** The order of windows and rows in any epoch: the same for the same options, whatever was asked for before. */
export class EpochPlan {
  /** Rows of an epoch; with folds those of each member. */
  readonly rows: number;
  /** Rows of a window; the last one takes what is left. */
  readonly windowRows: number;
  readonly windows: number;
  /** Steps on a whole window. */
  readonly stepsPerWindow: number;
  readonly stepsPerEpoch: number;
  readonly #options: PlanOptions;
  /** The rows that each member trains on, where each has its own. */
  readonly #own: readonly Uint32Array<ArrayBuffer>[] | undefined;

  constructor({ folds, ...given }: PlanOptions) {
    const options = folds ? { ...given, rows: folds.trainedRows, windowRows: folds.trainedRows } : given;
    const { rows, windowRows, batchSize } = options;
    if (!Number.isSafeInteger(batchSize) || batchSize < 1 || batchSize > rows) {
      throw new RangeError(`Cannot train with batches of ${batchSize}: allowed is 1 to the ${rows} rows there are`);
    }
    if (!(windowRows >= rows || (windowRows > 0 && Number.isSafeInteger(windowRows / batchSize)))) {
      throw new RangeError(
        `Cannot train on windows of ${windowRows} rows: allowed is a multiple of the batch size ${batchSize}`,
      );
    }
    this.#options = options;
    this.#own = folds && Array.from({ length: folds.members }, (_, member) => folds.trained(member));
    this.rows = rows;
    this.windowRows = windowRows;
    this.windows = Math.ceil(rows / windowRows);
    this.stepsPerWindow = Math.ceil(Math.min(rows, windowRows) / batchSize);
    this.stepsPerEpoch = Math.ceil(rows / batchSize);
  }

  /** The windows that some epochs visit, in order. */
  *visits(first: number, count: number): Generator<Visit, void> {
    const { rows, windowRows, batchSize, seed, shuffle } = this.#options;
    for (let epoch = first; epoch < first + count; epoch++) {
      const drawn = new Random(seed, `windows ${epoch}`).permutation(this.windows);
      let firstStep = 0;
      for (let i = 0; i < this.windows; i++) {
        const window = shuffle ? drawn[i] : i;
        const start = window * windowRows;
        const count = Math.min(windowRows, rows - start);
        const steps = Math.ceil(count / batchSize);
        yield { epoch, window, start, rows: count, firstStep, steps, ends: i === this.windows - 1 };
        firstStep += steps;
      }
    }
  }

  /** The order in which a visit takes the window's rows; with folds that of each member, one after the other. */
  order({ epoch, window, rows }: Visit): Uint32Array<ArrayBuffer> {
    const { seed, shuffle } = this.#options;
    if (this.#own) return this.#ordersOf(this.#own, epoch, rows);
    if (!shuffle) return Uint32Array.from({ length: rows }, (_, i) => i);
    return new Random(seed, `shuffle ${epoch}${window > 0 ? ` window ${window}` : ""}`).permutation(rows);
  }

  /** A member with a row more than others leaves one out, another one in each epoch. */
  #ordersOf(own: readonly Uint32Array<ArrayBuffer>[], epoch: number, rows: number): Uint32Array<ArrayBuffer> {
    const { seed, shuffle } = this.#options;
    const orders = new Uint32Array(own.length * rows);
    own.forEach((all, member) => {
      const drawn = shuffle ? new Random(seed, `shuffle ${epoch} member ${member}`).permutation(all.length) : undefined;
      for (let i = 0; i < rows; i++) orders[member * rows + i] = all[drawn ? drawn[i] : (epoch + i) % all.length];
    });
    return orders;
  }

  /** The rows that a step sees; with folds those of each member, one after the other. */
  rowsOf(step: number): Uint32Array<ArrayBuffer> {
    if (!Number.isSafeInteger(step) || step < 1) throw new RangeError(`There is no step ${step}: steps count from 1`);
    const epoch = Math.floor((step - 1) / this.stepsPerEpoch);
    const place = (step - 1) % this.stepsPerEpoch;
    const visit = this.visits(epoch, 1).find(({ firstStep, steps }) => place < firstStep + steps)!;
    const { batchSize } = this.#options;
    const first = (place - visit.firstStep) * batchSize;
    const order = this.order(visit);
    const lists = Array.from({ length: this.#own?.length ?? 1 }, (_, i) => {
      return [...order.subarray(i * visit.rows, (i + 1) * visit.rows).subarray(first, first + batchSize)];
    });
    return Uint32Array.from(lists.flat(), (row) => visit.start + row);
  }

  /** Mean loss over an epoch's rows. */
  mean(epoch: number, losses: Float32Array): number {
    const { rows, batchSize } = this.#options;
    const rest = rows % batchSize || batchSize;
    const last = this.visits(epoch, 1).find(({ window }) => window === this.windows - 1)!;
    const shortStep = last.firstStep + last.steps - 1;
    return losses.reduce((sum, loss, i) => sum + loss * (i === shortStep ? rest : batchSize), 0) / rows;
  }
}
