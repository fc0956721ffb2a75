/**
 * Which rows each step of an epoch sees: a block shuffle. The rows are cut into windows of neighbours; an epoch visits the
 * windows in an order drawn for it, and within a window the rows in an order drawn for both. Rows that lie far apart in the
 * source thus never meet in one batch, and where one window holds all rows, every order of them is equally likely.
 *
 * @module
 */
import { Random } from "../base/random.ts";

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
  readonly rows: number;
  /** Rows of a window; the last one takes what is left. */
  readonly windowRows: number;
  readonly windows: number;
  /** Steps on a whole window. */
  readonly stepsPerWindow: number;
  readonly stepsPerEpoch: number;
  readonly #options: PlanOptions;

  constructor(options: PlanOptions) {
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

  /** The order in which a visit takes the window's rows. */
  order({ epoch, window, rows }: Visit): Uint32Array<ArrayBuffer> {
    const { seed, shuffle } = this.#options;
    if (!shuffle) return Uint32Array.from({ length: rows }, (_, i) => i);
    return new Random(seed, `shuffle ${epoch}${window > 0 ? ` window ${window}` : ""}`).permutation(rows);
  }

  /** The rows that a step sees. */
  rowsOf(step: number): Uint32Array<ArrayBuffer> {
    if (!Number.isSafeInteger(step) || step < 1) throw new RangeError(`There is no step ${step}: steps count from 1`);
    const epoch = Math.floor((step - 1) / this.stepsPerEpoch);
    const place = (step - 1) % this.stepsPerEpoch;
    const visit = this.visits(epoch, 1).find(({ firstStep, steps }) => place < firstStep + steps)!;
    const { batchSize } = this.#options;
    const first = (place - visit.firstStep) * batchSize;
    return this.order(visit).slice(first, first + batchSize).map((row) => visit.start + row);
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
