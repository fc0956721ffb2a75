/**
 * What a trainer takes and what it gives.
 *
 * @module
 */
import type { Folds } from "../base/folds.ts";
import type { Group } from "./group/group.ts";
import type { Judge, Verdict } from "./judge.ts";
import type { Loss } from "../core/losses.ts";
import type { Model } from "../core/model.ts";
import type { Optimizer } from "../core/optimizers.ts";
import type { RowSource } from "../data/row_source.ts";
import type { Tensor } from "../core/tensor.ts";

/** Rows that lie on the GPU. */
export interface ResidentRows {
  /** Inputs [rows, in]. */
  readonly x: Tensor;
  /** Targets [rows, out]. */
  readonly y: Tensor;
  /** None: the rows are there already. */
  readonly source?: undefined;
}

/** Rows that are brought to the GPU a window at a time: more than it binds at once, or than fit into memory. */
export interface StreamedRows {
  /** Where they come from. */
  readonly source: RowSource;
  /**
   * Rows of a window, a multiple of the batch size; by default as many as a storage binding and 64 MiB hold. Rows are
   * shuffled within windows and the windows among each other, so it changes the order of the rows.
   */
  readonly windowRows?: number;
}

/** What a trainer needs besides the rows. */
export interface TrainerSettings {
  /** What is trained. */
  readonly model: Model;
  /** What it is trained to make small. */
  readonly loss: Loss;
  /** How it is changed. */
  readonly optimizer: Optimizer;
  /** Rows of a step; the step that ends the rows takes what is left. */
  readonly batchSize: number;
  /** Fixes the order of the rows in each epoch. */
  readonly seed: number;
  /** Draw a new order of the rows for each epoch; by default true. False keeps the order in which they are given. */
  readonly shuffle?: boolean;
  /**
   * Scale gradients down to this norm, over all parameters, where theirs is larger: see `clipByNorm`. By default they are
   * taken as they are.
   */
  readonly clipNorm?: number;
  /**
   * The learning rate of each step, 0 or more; steps count from 0 over all epochs. By default all have the optimizer's
   * `learningRate`, which does not count otherwise. Asked for the steps of a whole epoch, or of a window, when it begins.
   */
  readonly learningRates?: (step: number) => number;
  /** Keeps the best weights, lowers the learning rate and ends the training, by the validation loss. */
  readonly judge?: Judge;
  /**
   * Which rows each member of the model holds out: it trains on the others, in an order of its own, as many in each epoch as
   * every member. By default all members see the same rows in the same order.
   */
  readonly folds?: Folds;
  /**
   * Run each operation of core by itself, one dispatch each, with the kernel that it names: to read, compare and debug. By
   * default one kernel finds the gradients of a small network, and in others neighbouring operations are fused.
   */
  readonly plain?: boolean;
  /**
   * Other processes that do the same steps, each on its share of the rows of every batch: `batchSize` counts those of all.
   * All give the same options, and start from the same parameters. By default this process trains alone.
   */
  readonly group?: Group;
}

/** What a `Trainer` needs. */
export type TrainerOptions = TrainerSettings & (ResidentRows | StreamedRows);

/** Options of `Trainer.epochs`. */
export interface EpochOptions<T> {
  /**
   * Called when an epoch's last step was put on the queue, to look at the model or to set the learning rate: the losses are
   * read meanwhile. The next epoch begins when its promise resolves; without one at once.
   */
  readonly evaluate?: () => Promise<T> | undefined;
  /**
   * Let epochs begin before those before them are yielded, where `evaluate` gives no promise: as many as take a quarter of a
   * second. By default the caller has each epoch before the next one begins.
   */
  readonly isAhead?: boolean;
  /** Told now and then how many steps were done, and the mean loss of those since it was told last. */
  readonly onProgress?: (steps: number, loss: number) => void;
  /**
   * Asked between two steps, before more are put on the queue: at the start of each window and epoch, and now and then
   * within. It gives the number of steps that may run until it is asked again, at most; with 0 the call ends there, and the
   * next one continues from there. The trainer may be read there, as by `Trainer.snapshot`, but under `isAhead` it may not. By
   * default steps run freely.
   */
  readonly between?: (step: number) => number;
}

/** Rows of one step, as it sees them. */
export interface Batch {
  /** Inputs [batch, in]. */
  readonly x: Tensor;
  /** Targets [batch, out]. */
  readonly y: Tensor;
}

/** What one epoch gave. */
export interface EpochResult<T> {
  /** Which epoch, from 1. */
  readonly epoch: number;
  /** Steps done at its end, over all epochs. */
  readonly step: number;
  /** Mean loss over the epoch's rows, each step's at the weights it had. */
  readonly loss: number;
  /** Loss of each step [steps]. */
  readonly losses: Float32Array;
  /** What the judge decided, where there is one. */
  readonly verdict?: Verdict;
  /** What the judge had multiplied the learning rates of the epoch by. */
  readonly rateFactor: number;
  /** What `evaluate` gave. */
  readonly evaluation: T;
}
