/**
 * Ends a training that no longer gets better, and keeps the weights of its best epoch.
 *
 * @module
 */
import type { Trainable } from "../core/optimizers.ts";
import { Patience, type PatienceOptions, type PatienceState } from "./patience.ts";
import { Tensor } from "../core/tensor.ts";

/** What an {@linkcode EarlyStopping} has counted. */
export interface EarlyStoppingState extends PatienceState {
  /** Epochs observed. */
  readonly epoch: number;
  /** Which of them was the best, from 1; 0 where none was. */
  readonly bestEpoch: number;
}

/**
 * Says when the validation loss has not become better for some epochs, and keeps the weights of the best epoch: those at
 * the moment of `observe`, by a copy on the GPU, without a wait.
 *
 * @example
 * ```ts
 * import { Device, EarlyStopping, Linear, Model, mse, Predictor, Sgd, Tensor, Trainer } from "@backhand/backhand";
 * import { assert, assertAlmostEquals } from "@std/assert";
 * using device = await Device.request({ smallDispatches: true });
 * using model = new Model(device, [new Linear(1, 1)]);
 * using optimizer = new Sgd(model, 0.1);
 * using x = Tensor.from(device, [[-1], [0], [1], [2]]);
 * using y = Tensor.from(device, [[-1], [1], [3], [5]]); // 2 x + 1
 * using trainer = new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 2, seed: 1 });
 * using predictor = new Predictor(model, 1, 1);
 * using validation = Tensor.from(device, [[1.5]]);
 *
 * using stopping = new EarlyStopping(model, { patience: 5, minDelta: 1e-9 });
 * for await (const _ of trainer.epochs(1000)) {
 *   const [predicted] = await predictor.predict(validation);
 *   if (stopping.observe((predicted - 4) ** 2)) break;
 * }
 * stopping.restore();
 * assert(trainer.epoch < 1000 && stopping.bestEpoch === trainer.epoch - 5);
 * assertAlmostEquals((await predictor.predict(validation))[0], 4, 1e-3);
 * ```
 */
export class EarlyStopping implements Disposable {
  /** The weights of the best epoch so far, in the layout of the model's `values`; zeros before the first. */
  readonly best: Tensor;
  readonly #values: Tensor;
  readonly #patience: Patience;
  #epoch = 0;
  #bestEpoch = 0;

  /**
   * Makes room for a copy of the weights.
   *
   * @throws {RangeError} If an option is out of range.
   */
  constructor({ values }: Pick<Trainable, "values">, options: PatienceOptions = {}) {
    this.#patience = new Patience(options);
    this.#values = values;
    this.best = Tensor.zeros(values.device, values.shape);
  }

  /** The lowest loss so far, infinite before the first. */
  get bestLoss(): number {
    return this.#patience.best;
  }

  /** Which observed epoch it was, from 1; 0 where no loss was a number so far. */
  get bestEpoch(): number {
    return this.#bestEpoch;
  }

  /**
   * Takes an epoch's validation loss into account, and keeps the model's weights where it is better; NaN is never better.
   *
   * @param loss The loss at the weights that the model has now.
   * @returns Whether to stop: true once there were `patience` epochs in a row without a better loss.
   */
  observe(loss: number): boolean {
    this.#epoch++;
    if (this.#patience.observe(loss)) {
      this.#bestEpoch = this.#epoch;
      this.#values.device.copy(this.#values, this.best);
    }
    return this.isOver;
  }

  /** Whether there were `patience` epochs in a row without a better loss. */
  get isOver(): boolean {
    return this.#patience.isOver;
  }

  /** What it has counted, as JSON keeps it: with `best` all that {@linkcode EarlyStopping.resume} needs. */
  get state(): EarlyStoppingState {
    return { ...this.#patience.state, epoch: this.#epoch, bestEpoch: this.#bestEpoch };
  }

  /** Continues from what another one with the same options had counted; the caller fills `best`. */
  resume(state: EarlyStoppingState): void {
    this.#patience.restore(state);
    this.#epoch = state.epoch;
    this.#bestEpoch = state.bestEpoch;
  }

  /** Gives the model the best weights; the optimizer's state stays. Without a best epoch nothing happens. */
  restore(): void {
    if (this.#bestEpoch > 0) this.#values.device.copy(this.best, this.#values);
  }

  /** Frees the copy. */
  dispose(): void {
    this.best.dispose();
  }

  /** The same as {@linkcode EarlyStopping.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
