/**
 * Optimizers: one update of all parameters of a model, as a dispatch over its flat buffers. Sgd, Momentum and Nesterov follow
 * the gradient itself; RmsProp, Adam and AdamW scale each parameter's step by the size that its gradients have had.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { checkPositive, checkShare, checkWeightDecay } from "../base/numeric_settings.ts";
import { FlatOptimizer, type Optimizer, type OptimizerOptions, type Trainable, zerosLike } from "./optimizer.ts";
import { Tensor } from "./tensor.ts";

export { FlatOptimizer, type Optimizer, type OptimizerOptions, type Trainable } from "./optimizer.ts";

/**
 * Stochastic gradient descent: `w -= learningRate * dW` (Robbins and Monro 1951).
 *
 * @example
 * ```ts
 * import { Adam, AdamW, createOptimizer, Device, Momentum, Nesterov, RmsProp, Sgd, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using values = Tensor.from(device, [1, 2]);
 * using gradients = Tensor.from(device, [8, -8]);
 * const model = { values, gradients };
 * using sgd = new Sgd(model, 0.125);
 * sgd.step();
 * assertEquals([...await values.read()], [0, 3]);
 * using momentum = new Momentum(model, 0.125, { momentum: 0.5 });
 * momentum.step(); // v = 8, -8
 * momentum.step(); // v = 12, -12
 * assertEquals([...await values.read()], [-2.5, 5.5]);
 * using nesterov = new Nesterov(model, 0.125, { momentum: 0.5 });
 * nesterov.step(); // v = 8, -8; a step of 8 + 4
 * assertEquals([...await values.read()], [-4, 7]);
 *
 * gradients.write([10, -0.1]);
 * const show = async () => [...await values.read()].map((v) => v.toFixed(4));
 * using rmsprop = new RmsProp(model, 0.125, { decay: 0.75 });
 * rmsprop.step(); // v = dW^2 / 4: the first step is twice the learning rate, whatever the gradient's size
 * assertEquals(await show(), ["-4.2500", "7.2500"]);
 * using adam = new Adam(model, 0.125);
 * adam.step(); // the first step is the learning rate
 * assertEquals(await show(), ["-4.3750", "7.3750"]);
 * using adamw = new AdamW(model, 0.125, { weightDecay: 0.5 });
 * adamw.step(); // a sixteenth off each weight, and Adam's step
 * assertEquals(await show(), ["-4.2266", "7.0391"]);
 * assertEquals(createOptimizer("adam", model, 0.01, { weightDecay: 0.001 }).kind, "adam");
 * ```
 */
export class Sgd extends FlatOptimizer implements Optimizer {
  readonly kind = "sgd";
  readonly #weightDecay: number;

  /** Takes parameters and gradients, a step size over 0, and options. */
  constructor(model: Trainable, learningRate: number, options: OptimizerOptions = {}) {
    const weightDecay = checkWeightDecay(options.weightDecay);
    super(model, learningRate, {});
    this.#weightDecay = weightDecay;
  }

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
 */
export class Momentum extends FlatOptimizer implements Optimizer {
  readonly kind: string = "momentum";
  /** How much of the last step's velocity remains. */
  protected readonly momentum: number;
  readonly #weightDecay: number;

  /** Takes parameters and gradients, a step size over 0, and options. */
  constructor(model: Trainable, learningRate: number, options: MomentumOptions = {}) {
    const momentum = checkShare("momentum", options.momentum ?? 0.9);
    const weightDecay = checkWeightDecay(options.weightDecay);
    super(model, learningRate, { velocity: zerosLike(model) });
    this.momentum = momentum;
    this.#weightDecay = weightDecay;
  }

  step(): void {
    this.move(0, 1);
  }

  /** One update by `gradientShare * dW + velocityShare * v`. */
  protected move(gradientShare: number, velocityShare: number): void {
    const reals = [this.#weightDecay, this.momentum, gradientShare, velocityShare];
    this.update(kernels.momentum, [this.state.velocity], reals);
  }
}

/**
 * Gradient descent with momentum that looks ahead: `v = momentum * v + dW; w -= learningRate * (dW + momentum * v)`
 * (Nesterov 1983, in the form of Sutskever et al. 2013 with the gradient taken at the point looked ahead to).
 */
export class Nesterov extends Momentum implements Optimizer {
  override readonly kind: string = "nesterov";

  override step(): void {
    this.move(1, this.momentum);
  }
}

/** Options of {@linkcode RmsProp}. */
export interface RmsPropOptions extends OptimizerOptions {
  /** How much of the mean of squared gradients remains at each step, from 0 to below 1; 0.99 by default. */
  readonly decay?: number;
  /** Added to the root, against division by 0; 1e-8 by default. */
  readonly epsilon?: number;
}

/**
 * RMSProp: `v = decay * v + (1 - decay) * dW^2; w -= learningRate * dW / (sqrt(v) + epsilon)` (Tieleman and Hinton 2012).
 */
export class RmsProp extends FlatOptimizer implements Optimizer {
  readonly kind = "rmsprop";
  readonly #settings: readonly [weightDecay: number, decay: number, epsilon: number];

  /** Takes parameters and gradients, a step size over 0, and options. */
  constructor(model: Trainable, learningRate: number, options: RmsPropOptions = {}) {
    const decay = checkShare("decay", options.decay ?? 0.99);
    // Not 0: where a gradient has always been 0, as between parameters, 0 / (sqrt(0) + 0) would be NaN.
    const epsilon = checkPositive("an epsilon", options.epsilon ?? 1e-8);
    const weightDecay = checkWeightDecay(options.weightDecay);
    super(model, learningRate, { variance: zerosLike(model) });
    this.#settings = [weightDecay, decay, epsilon];
  }

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

/** Adam: steps scaled by means of the gradient and its square, both corrected for their start at 0 (Kingma and Ba 2015). */
export class Adam extends FlatOptimizer implements Optimizer {
  readonly kind: string = "adam";
  /** How strongly weights are pulled towards 0. */
  protected readonly weightDecay: number;
  readonly #settings: readonly [beta1: number, beta2: number, epsilon: number];

  /** Takes parameters and gradients, a step size over 0, and options. */
  constructor(model: Trainable, learningRate: number, options: AdamOptions = {}) {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
    checkShare("beta1", beta1);
    checkShare("beta2", beta2);
    checkPositive("an epsilon", epsilon);
    const weightDecay = checkWeightDecay(options.weightDecay);
    const powers = Tensor.from(model.values.device, [1, 1]);
    super(model, learningRate, { mean: zerosLike(model), variance: zerosLike(model), powers });
    this.weightDecay = weightDecay;
    this.#settings = [beta1, beta2, epsilon];
  }

  step(): void {
    this.move(this.weightDecay, 0);
  }

  /** One update: `inGradient * w` is added to each gradient, `decoupled * learningRate * w` taken off each weight. */
  protected move(inGradient: number, decoupled: number): void {
    const { mean, variance, powers } = this.state;
    const [beta1, beta2] = this.#settings;
    powers.device.run(kernels.adamPowers, { buffers: [powers], reals: [beta1, beta2], invocations: 1 });
    this.update(kernels.adam, [mean, variance, powers], [inGradient, decoupled, ...this.#settings]);
  }
}

/**
 * Adam with weight decay that does not go through its means: `w -= learningRate * weightDecay * w` besides Adam's step
 * (Loshchilov and Hutter 2019). Weight decay is 0.01 by default.
 */
export class AdamW extends Adam implements Optimizer {
  override readonly kind: string = "adamw";

  /** Takes parameters and gradients, a step size over 0, and options. */
  constructor(model: Trainable, learningRate: number, options: AdamOptions = {}) {
    super(model, learningRate, { ...options, weightDecay: options.weightDecay ?? 0.01 });
  }

  override step(): void {
    this.move(0, this.weightDecay);
  }
}

/** The optimizers by name, as settings give it, each with its options. */
export type OptimizerSettings = {
  readonly sgd: OptimizerOptions;
  readonly momentum: MomentumOptions;
  readonly nesterov: MomentumOptions;
  readonly rmsprop: RmsPropOptions;
  readonly adam: AdamOptions;
  readonly adamw: AdamOptions;
};

/** Names of the optimizers, as settings give them. */
export type OptimizerName = keyof OptimizerSettings;

const OPTIMIZERS: Record<OptimizerName, new (model: Trainable, rate: number, options?: OptimizerOptions) => Optimizer> =
  { sgd: Sgd, momentum: Momentum, nesterov: Nesterov, rmsprop: RmsProp, adam: Adam, adamw: AdamW };

/**
 * The optimizer of a name.
 *
 * @param name `sgd`, `momentum`, `nesterov`, `rmsprop`, `adam` or `adamw`.
 * @param model Parameters and gradients.
 * @param learningRate Step size, over 0.
 * @param options Its further settings, such as `weightDecay`; each has a default.
 * @throws {RangeError} If a setting is out of range.
 */
export function createOptimizer<Name extends OptimizerName>(
  name: Name,
  model: Trainable,
  learningRate: number,
  options?: OptimizerSettings[Name],
): Optimizer {
  return new OPTIMIZERS[name](model, learningRate, options);
}
