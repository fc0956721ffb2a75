/**
 * Optimizers that scale each parameter's step by the size that its gradients have had.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import {
  checkEpsilon,
  checkShare,
  checkWeightDecay,
  FlatOptimizer,
  type OptimizerOptions,
  type Trainable,
  zerosLike,
} from "./flat_optimizer.ts";
import { Tensor } from "./tensor.ts";

/** Options of {@linkcode RmsProp}. */
export interface RmsPropOptions extends OptimizerOptions {
  /** How much of the mean of squared gradients remains at each step, from 0 to below 1; 0.99 by default. */
  readonly decay?: number;
  /** Added to the root, against division by 0; 1e-8 by default. */
  readonly epsilon?: number;
}

/**
 * RMSProp: `v = decay * v + (1 - decay) * dW^2; w -= learningRate * dW / (sqrt(v) + epsilon)` (Tieleman and Hinton 2012).
 *
 * @example
 * ```ts
 * import { Device, RmsProp, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using values = Tensor.from(device, [1, 2]);
 * using gradients = Tensor.from(device, [10, -0.1]);
 * using optimizer = new RmsProp({ values, gradients }, 0.125, { decay: 0.75 });
 * optimizer.step(); // v = dW^2 / 4: the first step is twice the learning rate, whatever the gradient's size
 * assertEquals([...await values.read()].map((v) => v.toFixed(3)), ["0.750", "2.250"]);
 * ```
 */
export class RmsProp extends FlatOptimizer {
  /** Its name in settings. */
  readonly kind = "rmsprop";
  readonly #settings: readonly [weightDecay: number, decay: number, epsilon: number];

  /**
   * Makes its state, zeros.
   *
   * @param model Parameters and gradients.
   * @param learningRate Step size, over 0.
   * @param options Decay of the mean, epsilon, weight decay.
   * @throws {RangeError} If a setting is out of range.
   */
  constructor(model: Trainable, learningRate: number, options: RmsPropOptions = {}) {
    const decay = checkShare("decay", options.decay ?? 0.99);
    const epsilon = checkEpsilon(options.epsilon ?? 1e-8);
    const weightDecay = checkWeightDecay(options.weightDecay);
    super(model, learningRate, { variance: zerosLike(model) });
    this.#settings = [weightDecay, decay, epsilon];
  }

  /** One update. */
  step(): void {
    this.update(kernels.rmsprop, [this.state.variance], this.#settings);
  }
}

/** Options of {@linkcode Adam} and {@linkcode AdamW}. */
export interface AdamOptions extends OptimizerOptions {
  /** Decay of the mean of gradients, from 0 to below 1; 0.9 by default. */
  readonly beta1?: number;
  /** Decay of the mean of squared gradients, from 0 to below 1; 0.999 by default. */
  readonly beta2?: number;
  /** Added to the root, against division by 0; 1e-8 by default. */
  readonly epsilon?: number;
}

/**
 * Adam: steps scaled by running means of the gradient and its square, both corrected for their start at 0 (Kingma and Ba 2015).
 *
 * @example
 * ```ts
 * import { Adam, Device, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using values = Tensor.from(device, [1, 2]);
 * using gradients = Tensor.from(device, [10, -0.1]);
 * using optimizer = new Adam({ values, gradients }, 0.125);
 * optimizer.step(); // the first step is the learning rate, whatever the gradient's size
 * assertEquals([...await values.read()].map((v) => v.toFixed(3)), ["0.875", "2.125"]);
 * ```
 */
export class Adam extends FlatOptimizer {
  /** Its name in settings. */
  readonly kind: string = "adam";
  /** How strongly weights are pulled towards 0. */
  protected readonly weightDecay: number;
  readonly #settings: readonly [beta1: number, beta2: number, epsilon: number];

  /**
   * Makes its state, zeros.
   *
   * @param model Parameters and gradients.
   * @param learningRate Step size, over 0.
   * @param options Decays of the means, epsilon, weight decay.
   * @throws {RangeError} If a setting is out of range.
   */
  constructor(model: Trainable, learningRate: number, options: AdamOptions = {}) {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
    checkShare("beta1", beta1);
    checkShare("beta2", beta2);
    checkEpsilon(epsilon);
    const weightDecay = checkWeightDecay(options.weightDecay);
    const powers = Tensor.from(model.values.device, [1, 1]);
    super(model, learningRate, { mean: zerosLike(model), variance: zerosLike(model), powers });
    this.weightDecay = weightDecay;
    this.#settings = [beta1, beta2, epsilon];
  }

  /** One update. */
  step(): void {
    this.move(this.weightDecay, 0);
  }

  /**
   * One update, with weight decay in either place.
   *
   * @param inGradient The share of each weight added to its gradient.
   * @param decoupled The share taken off the weight, times the learning rate.
   */
  protected move(inGradient: number, decoupled: number): void {
    const { mean, variance, powers } = this.state;
    const [beta1, beta2] = this.#settings;
    powers.device.run(kernels.adamPowers, { buffers: [powers], reals: [beta1, beta2], invocations: 1 });
    this.update(kernels.adam, [mean, variance, powers], [inGradient, decoupled, ...this.#settings]);
  }
}

/**
 * Adam with weight decay that does not go through its means: `w -= learningRate * weightDecay * w` beside Adam's step
 * (Loshchilov and Hutter 2019). Weight decay is 0.01 by default.
 *
 * @example
 * ```ts
 * import { AdamW, Device, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using values = Tensor.from(device, [1, 2]);
 * using gradients = Tensor.from(device, [10, 0]);
 * using optimizer = new AdamW({ values, gradients }, 0.125, { weightDecay: 0.5 });
 * optimizer.step(); // a sixteenth off each weight, and Adam's step
 * assertEquals([...await values.read()].map((v) => v.toFixed(4)), ["0.8125", "1.8750"]);
 * ```
 */
export class AdamW extends Adam {
  /** Its name in settings. */
  override readonly kind: string = "adamw";

  /**
   * Makes its state, zeros.
   *
   * @param model Parameters and gradients.
   * @param learningRate Step size, over 0.
   * @param options Decays of the means, epsilon, weight decay.
   * @throws {RangeError} If a setting is out of range.
   */
  constructor(model: Trainable, learningRate: number, options: AdamOptions = {}) {
    super(model, learningRate, { ...options, weightDecay: options.weightDecay ?? 0.01 });
  }

  /** One update. */
  override step(): void {
    this.move(0, this.weightDecay);
  }
}
