/**
 * Learning rates that fall where the validation loss no longer does.
 *
 * @module
 */
import { Patience, type PatienceOptions, type PatienceState } from "./patience.ts";

/** The state of a {@linkcode Plateau}. */
export interface PlateauState extends PatienceState {
  /** The learning rate. */
  readonly learningRate: number;
}

/** Options of {@linkcode Plateau}. */
export interface PlateauOptions extends PatienceOptions {
  /** What the rate is multiplied by, over 0 and below 1; 0.1 by default. */
  readonly factor?: number;
  /** The rate that it does not fall below, 0 or more; 0 by default. */
  readonly minRate?: number;
}

/**
 * Reduces the learning rate when the validation loss has not become better for some epochs, then waits as many again.
 *
 * With a schedule, multiply it by `factor`:
 * `learningRates: (step) => learningRateAt(settings, step, total) * plateau.factor`.
 *
 * @example
 * ```ts
 * import { Device, Linear, Model, mse, Plateau, Sgd, Tensor, Trainer } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request({ smallDispatches: true });
 * using model = new Model(device, [new Linear(1, 1)]);
 * using optimizer = new Sgd(model, 0.5);
 * using x = Tensor.from(device, [[-1], [1]]);
 * using y = Tensor.from(device, [[2], [2]]);
 * using trainer = new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 2, seed: 1 });
 * const plateau = new Plateau(optimizer.learningRate, { patience: 2, factor: 0.5, minRate: 0.1 });
 * const validationLosses = [0.3, 0.2, 0.2, 0.25, 0.1]; // as if measured
 * for await (const { epoch } of trainer.epochs(5)) {
 *   optimizer.learningRate = plateau.observe(validationLosses[epoch - 1]);
 * }
 * assertEquals([optimizer.learningRate, plateau.factor], [0.25, 0.5]);
 * ```
 */
export class Plateau {
  readonly #learningRate: number;
  readonly #patience: Patience;
  readonly #factor: number;
  readonly #minRate: number;
  #rate: number;

  /**
   * Begins at a rate.
   *
   * @param learningRate The rate, over 0.
   * @param options How to reduce it, and when.
   * @throws {RangeError} If a setting is out of range.
   */
  constructor(learningRate: number, options: PlateauOptions = {}) {
    const { factor = 0.1, minRate = 0 } = options;
    if (!(learningRate > 0 && Number.isFinite(learningRate))) {
      throw new RangeError(`Cannot reduce a learning rate of ${learningRate}: it must be a finite number over 0`);
    }
    if (!(factor > 0 && factor < 1)) {
      throw new RangeError(`Cannot reduce a learning rate by a factor of ${factor}: it must be over 0 and below 1`);
    }
    if (!(minRate >= 0 && minRate <= learningRate)) {
      throw new RangeError(
        `Cannot use a minRate of ${minRate}: it must be from 0 to the learning rate ${learningRate}`,
      );
    }
    this.#patience = new Patience(options);
    this.#learningRate = learningRate;
    this.#rate = learningRate;
    this.#factor = factor;
    this.#minRate = minRate;
  }

  /** The learning rate now. */
  get learningRate(): number {
    return this.#rate;
  }

  /** Its state, for {@linkcode Plateau.restore}; as JSON it keeps. */
  get state(): PlateauState {
    return { ...this.#patience.state, learningRate: this.#rate };
  }

  /** Continues from the state of another one with the same options. */
  restore(state: PlateauState): void {
    this.#patience.restore(state);
    this.#rate = state.learningRate;
  }

  /** The learning rate now as a share of the first. */
  get factor(): number {
    return this.#rate / this.#learningRate;
  }

  /**
   * Takes an epoch's validation loss into account; NaN is never better.
   *
   * @returns The learning rate for the next epoch.
   */
  observe(loss: number): number {
    this.#patience.observe(loss);
    if (this.#patience.isOver) {
      this.#rate = Math.max(this.#minRate, this.#rate * this.#factor);
      this.#patience.waited = 0;
    }
    return this.#rate;
  }
}
