/**
 * Optimizers that follow the gradient itself: plain, with momentum, and with momentum that looks ahead.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import {
  checkShare,
  checkWeightDecay,
  FlatOptimizer,
  type OptimizerOptions,
  type Trainable,
  zerosLike,
} from "./flat_optimizer.ts";

/**
 * Stochastic gradient descent: `w -= learningRate * dW` (Robbins and Monro 1951).
 *
 * @example
 * ```ts
 * import { Device, Sgd, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using values = Tensor.from(device, [1, 2]);
 * using gradients = Tensor.from(device, [10, -10]);
 * using optimizer = new Sgd({ values, gradients }, 0.125);
 * optimizer.step();
 * assertEquals([...await values.read()], [-0.25, 3.25]);
 * ```
 */
export class Sgd extends FlatOptimizer {
  /** Its name in settings. */
  readonly kind = "sgd";
  readonly #weightDecay: number;

  /**
   * Takes note of the settings.
   *
   * @param model Parameters and gradients.
   * @param learningRate Step size, over 0.
   * @param options Weight decay, if any.
   * @throws {RangeError} If a setting is out of range.
   */
  constructor(model: Trainable, learningRate: number, options: OptimizerOptions = {}) {
    const weightDecay = checkWeightDecay(options.weightDecay);
    super(model, learningRate, {});
    this.#weightDecay = weightDecay;
  }

  /** One update. */
  step(): void {
    this.update(kernels.sgd, [], [this.#weightDecay]);
  }
}

/** Options of {@linkcode Momentum} and {@linkcode Nesterov}. */
export interface MomentumOptions extends OptimizerOptions {
  /** How much of the last step's velocity remains, from 0 to below 1; 0.9 by default. */
  readonly momentum?: number;
}

/**
 * Gradient descent with momentum: `v = momentum * v + dW; w -= learningRate * v` (Polyak 1964, with the learning rate
 * outside the velocity).
 *
 * @example
 * ```ts
 * import { Device, Momentum, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using values = Tensor.from(device, [1, 2]);
 * using gradients = Tensor.from(device, [10, -10]);
 * using optimizer = new Momentum({ values, gradients }, 0.125, { momentum: 0.5 });
 * optimizer.step(); // v = 10, -10
 * optimizer.step(); // v = 15, -15
 * assertEquals([...await values.read()], [-2.125, 5.125]);
 * ```
 */
export class Momentum extends FlatOptimizer {
  /** Its name in settings. */
  readonly kind: string = "momentum";
  /** How much of the last step's velocity remains. */
  protected readonly momentum: number;
  readonly #weightDecay: number;

  /**
   * Makes its state, zeros.
   *
   * @param model Parameters and gradients.
   * @param learningRate Step size, over 0.
   * @param options Momentum and weight decay.
   * @throws {RangeError} If a setting is out of range.
   */
  constructor(model: Trainable, learningRate: number, options: MomentumOptions = {}) {
    const momentum = checkShare("momentum", options.momentum ?? 0.9);
    const weightDecay = checkWeightDecay(options.weightDecay);
    super(model, learningRate, { velocity: zerosLike(model) });
    this.momentum = momentum;
    this.#weightDecay = weightDecay;
  }

  /** One update. */
  step(): void {
    this.move(0, 1);
  }

  /**
   * One update by `gradientShare * dW + velocityShare * v`.
   *
   * @param gradientShare What of the gradient.
   * @param velocityShare What of the velocity.
   */
  protected move(gradientShare: number, velocityShare: number): void {
    const reals = [this.#weightDecay, this.momentum, gradientShare, velocityShare];
    this.update(kernels.momentum, [this.state.velocity], reals);
  }
}

/**
 * Gradient descent with momentum that looks ahead: `v = momentum * v + dW; w -= learningRate * (dW + momentum * v)`
 * (Nesterov 1983, in the form of Sutskever et al. 2013 with the gradient taken at the point looked ahead to).
 *
 * @example
 * ```ts
 * import { Device, Nesterov, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using values = Tensor.from(device, [1, 2]);
 * using gradients = Tensor.from(device, [8, -8]);
 * using optimizer = new Nesterov({ values, gradients }, 0.125, { momentum: 0.5 });
 * optimizer.step(); // v = 8, -8; a step of 8 + 4
 * assertEquals([...await values.read()], [-0.5, 3.5]);
 * ```
 */
export class Nesterov extends Momentum {
  /** Its name in settings. */
  override readonly kind: string = "nesterov";

  /** One update. */
  override step(): void {
    this.move(1, this.momentum);
  }
}
