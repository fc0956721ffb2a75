/**
 * Counts epochs without a better loss: early stopping and the learning rate on a plateau go by it.
 *
 * @module
 */

/** When a loss counts as better than the best so far. */
export interface PatienceOptions {
  /** Epochs in a row without a better loss until something is done, from 1 on; 10 by default. */
  readonly patience?: number;
  /** By how much a loss must be below the best so far to be better, 0 or more; 0 by default. */
  readonly minDelta?: number;
}

/** What {@linkcode Patience} has counted; as JSON it keeps. */
export interface PatienceState {
  /** The best loss so far; null before the first. */
  readonly best: number | null;
  /** Epochs since it. */
  readonly waited: number;
}

/** Counts epochs without a better loss. */
export class Patience {
  /** The best loss so far; infinite before the first. */
  best = Infinity;
  /** Epochs since it. */
  waited = 0;
  readonly #patience: number;
  readonly #minDelta: number;

  /** @throws {RangeError} If an option is out of range. */
  constructor({ patience = 10, minDelta = 0 }: PatienceOptions) {
    if (!Number.isSafeInteger(patience) || patience < 1) {
      throw new RangeError(`Cannot wait for ${patience} epochs: patience must be a whole number from 1 on`);
    }
    if (!(minDelta >= 0 && Number.isFinite(minDelta))) {
      throw new RangeError(`Cannot use a minDelta of ${minDelta}: it must be a finite number from 0 on`);
    }
    this.#patience = patience;
    this.#minDelta = minDelta;
  }

  get state(): PatienceState {
    return { best: Number.isFinite(this.best) ? this.best : null, waited: this.waited };
  }

  restore({ best, waited }: PatienceState): void {
    this.best = best ?? Infinity;
    this.waited = waited;
  }

  /** Whether there were as many epochs as patience bears. */
  get isOver(): boolean {
    return this.waited >= this.#patience;
  }

  /** Takes an epoch's loss into account; NaN is never better. */
  observe(loss: number): boolean {
    const isBetter = loss < this.best - this.#minDelta;
    this.waited = isBetter ? 0 : this.waited + 1;
    if (isBetter) this.best = loss;
    return isBetter;
  }
}
