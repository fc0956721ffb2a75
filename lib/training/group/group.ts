/**
 * Several processes that train one model, each on its share of every batch: what a trainer asks of them.
 *
 * @module
 */
import type { Communicator } from "../../ranks/communicator.ts";

/** The processes, and how often they come together. */
export interface Group {
  /** How they speak with each other. */
  readonly communicator: Communicator;
  /**
   * Steps between two meetings. With 1, the default, each step sums the gradients of all ranks, and the training is that of
   * one process with the whole batch. With more, each rank trains alone for so many steps. After them, and at the
   * end of each epoch and of each window of rows, the parameters become one again by an outer step.
   */
  readonly syncEvery?: number;
  /** The outer step of `syncEvery` over 1. */
  readonly outer?: OuterOptions;
}

/**
 * The outer step: Nesterov's on what the ranks' parameters moved by in the mean (Douillard et al. 2023). A learning rate of 1
 * without momentum takes the mean of the parameters (Stich 2019).
 */
export interface OuterOptions {
  /** Its step size, 0.7 by default. */
  readonly learningRate?: number;
  /** How much of its velocity remains, from 0 to below 1; 0.9 by default. */
  readonly momentum?: number;
}

/** Rows of a whole step and of the short one: of all ranks, and this rank's own. */
export interface Rows {
  readonly all: readonly [number, number];
  readonly own: readonly [number, number];
}

/** The part of some rows that is a rank's own: neighbours, as many as others have, or one more. */
export function shareOf(rows: number, { rank, size }: Pick<Communicator, "rank" | "size">): [number, number] {
  return [Math.ceil(rows * rank / size), Math.ceil(rows * (rank + 1) / size)];
}

/** The rows of a window that a rank's steps see. */
export function ownOrder(
  order: Uint32Array<ArrayBuffer>,
  batchSize: number,
  communicator: Pick<Communicator, "rank" | "size">,
): Uint32Array<ArrayBuffer> {
  const own = new Uint32Array(order.length);
  let count = 0;
  for (let first = 0; first < order.length; first += batchSize) {
    const [start, end] = shareOf(Math.min(batchSize, order.length - first), communicator);
    own.set(order.subarray(first + start, first + end), count);
    count += end - start;
  }
  return own.slice(0, count);
}

/** Refuses what ranks cannot do. */
export function checkGroup({ communicator: { size }, syncEvery = 1 }: Group, batchSize: number): void {
  if (batchSize < size) {
    throw new RangeError(`Cannot share batches of ${batchSize} rows among ${size} ranks: each needs one`);
  }
  if (!Number.isSafeInteger(syncEvery) || syncEvery < 1) {
    throw new RangeError(`Cannot meet every ${syncEvery} steps: allowed is a whole number from 1 on`);
  }
}
