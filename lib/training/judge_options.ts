/**
 * What a judge takes and what it gives.
 *
 * @module
 */
import type { ValidationRows } from "./validation_pass.ts";

/** What an epoch's validation losses have decided. */
export interface Verdict {
  /** Validation loss of each member. */
  readonly losses: readonly number[];
  /** The lowest loss of each member so far; infinite before the first. */
  readonly best: readonly number[];
  /** Epochs since then, of each member. */
  readonly ages: readonly number[];
  /** Epochs since any member became better. */
  readonly waited: number;
  /** How often the learning rate was lowered. */
  readonly drops: number;
  /** What all learning rates are multiplied by from the next epoch on. */
  readonly rateFactor: number;
  /** Whether the training is over. */
  readonly isOver: boolean;
}

/** How a `Judge` lowers the learning rate. */
export interface PlateauOptions {
  /** What the rate is multiplied by, over 0 and below 1. */
  readonly factor: number;
  /** How often, before the training is over; without end by default. */
  readonly drops?: number;
  /** Whether weights then go back to the best ones, and the optimizer begins anew; false by default. */
  readonly goesBack?: boolean;
}

/** What a `Judge` is made with. */
export interface JudgeOptions {
  /** Rows that it measures by itself at the end of each epoch; without them it is told the losses. */
  readonly validation?: ValidationRows;
  /** Epochs in a row in which no member becomes better until something is done; 0, the default, waits for ever. */
  readonly patience?: number;
  /** By how much a loss must be below the best so far to be better, 0 or more; 0 by default. */
  readonly minDelta?: number;
  /** How the learning rate falls then; without it, the training is over. */
  readonly plateau?: PlateauOptions;
}

/** Refuses what is out of range. */
export function checkJudge({ patience = 0, minDelta = 0, plateau }: JudgeOptions): void {
  if (!Number.isSafeInteger(patience) || patience < 0 || patience >= 2 ** 24) {
    throw new RangeError(`Cannot wait for ${patience} epochs: patience must be a whole number from 0 to below 2^24`);
  }
  if (!(minDelta >= 0 && Number.isFinite(Math.fround(minDelta)))) {
    throw new RangeError(`Cannot use a minDelta of ${minDelta}: it must be a finite number from 0 on`);
  }
  if (!plateau) return;
  const { factor, drops = 0 } = plateau;
  if (!(factor > 0 && factor < 1)) {
    throw new RangeError(`Cannot reduce learning rates by a factor of ${factor}: it must be over 0 and below 1`);
  }
  if (!Number.isSafeInteger(drops) || drops < 0) {
    throw new RangeError(`Cannot reduce learning rates ${drops} times: need a whole number from 0 on`);
  }
}
