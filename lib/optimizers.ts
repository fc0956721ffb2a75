/**
 * Optimizers: one update of all parameters of a model, as a dispatch over its flat buffers.
 *
 * @module
 */
import { kernels } from "../kernels/mod.ts";
import { formatShape, sameShape } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** Where an optimizer finds what it updates: a {@linkcode Model} has both. */
export interface Trainable {
  /** All parameters, flat. */
  readonly values: Tensor;
  /** The gradients in the same layout, in a buffer of their own. */
  readonly gradients: Tensor;
}

/** Names of the optimizers, as settings give them. */
export type OptimizerName = "sgd" | "momentum" | "adam";

/** Changes parameters by their gradients. Its state lies on the GPU in the layout of the parameters. */
export interface Optimizer extends Disposable {
  /** Its name in settings. */
  readonly kind: OptimizerName;
  /** Step size; may be set between steps, recorded ones too. */
  learningRate: number;
  /** State tensors by name, flat, in the layout of the parameters but for Adam's `powers`. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** One update. */
  step(): void;
  /** Frees the state. */
  dispose(): void;
}

/**
 * What the optimizers share: the buffers, the learning rate on the GPU, the state. Extend it to write one of your own.
 *
 * @example
 * ```ts
 * import { Device, FlatOptimizer, scale, subtract, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 *
 * // Gradient descent once more, out of two operations instead of a kernel.
 * class Plain extends FlatOptimizer {
 *   readonly kind = "sgd";
 *   step(): void {
 *     const { values, gradients } = this.model;
 *     const next = values.device.tidy(() => subtract(values, scale(gradients, this.learningRate)));
 *     values.device.copy(next, values);
 *     next.dispose();
 *   }
 * }
 *
 * using values = Tensor.from(device, [1, 2]);
 * using gradients = Tensor.from(device, [10, -10]);
 * using optimizer = new Plain({ values, gradients }, 0.125, {});
 * optimizer.step();
 * assertEquals([...await values.read()], [-0.25, 3.25]);
 * ```
 */
export abstract class FlatOptimizer implements Optimizer {
  /** Its name in settings. */
  abstract readonly kind: OptimizerName;
  /** State tensors by name. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** What it updates. */
  protected readonly model: Trainable;
  /** The learning rate on the GPU, [1]: kernels read it there, so that recorded steps see it change. */
  protected readonly rate: Tensor;
  #learningRate: number;

  /**
   * Puts the learning rate on the GPU.
   *
   * @param model Parameters and gradients, of one shape.
   * @param learningRate Step size, over 0.
   * @param state State tensors, which the optimizer owns from now on.
   */
  constructor(model: Trainable, learningRate: number, state: Record<string, Tensor>) {
    this.model = model;
    this.state = state;
    try {
      if (!sameShape(model.values.shape, model.gradients.shape)) {
        const found = `${formatShape(model.values.shape)} and ${formatShape(model.gradients.shape)}`;
        throw new TypeError(`Cannot optimize: parameters and gradients must have one shape, found ${found}`);
      }
      this.#learningRate = checkRate(learningRate);
    } catch (error) {
      for (const tensor of Object.values(state)) tensor.dispose();
      throw error;
    }
    this.rate = Tensor.from(model.values.device, [learningRate]);
  }

  /** Step size; may be set between steps, recorded ones too. */
  get learningRate(): number {
    return this.#learningRate;
  }

  set learningRate(value: number) {
    this.#learningRate = checkRate(value);
    this.rate.write([value]);
  }

  /** One update. */
  abstract step(): void;

  /** Frees the state. */
  dispose(): void {
    for (const tensor of [this.rate, ...Object.values(this.state)]) tensor.dispose();
  }

  /** The same as {@linkcode FlatOptimizer.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function checkRate(value: number): number {
  if (!(value > 0 && Number.isFinite(value))) {
    throw new RangeError(`Cannot use a learning rate of ${value}: it must be a finite number over 0`);
  }
  return value;
}

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

  /**
   * Makes its state, zeros.
   *
   * @param model Parameters and gradients.
   * @param learningRate Step size, over 0.
   */
  constructor(model: Trainable, learningRate: number) {
    super(model, learningRate, {});
  }

  /** One update. */
  step(): void {
    const { values, gradients } = this.model, size = values.size;
    values.device.run(kernels.sgd, { buffers: [values, gradients, this.rate], sizes: [size], invocations: size });
  }
}

/**
 * Gradient descent with momentum: `v = momentum * v + dW; w -= learningRate * v` (Polyak 1964; Sutskever et al. 2013).
 *
 * @example
 * ```ts
 * import { Device, Momentum, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using values = Tensor.from(device, [1, 2]);
 * using gradients = Tensor.from(device, [10, -10]);
 * using optimizer = new Momentum({ values, gradients }, 0.125, 0.5);
 * optimizer.step(); // v = 10, -10
 * optimizer.step(); // v = 15, -15
 * assertEquals([...await values.read()], [-2.125, 5.125]);
 * ```
 */
export class Momentum extends FlatOptimizer {
  /** Its name in settings. */
  readonly kind = "momentum";
  readonly #momentum: number;

  /**
   * Makes its state, zeros.
   *
   * @param model Parameters and gradients.
   * @param learningRate Step size, over 0.
   * @param momentum How much of the last step's velocity remains, from 0 up to 1.
   */
  constructor(model: Trainable, learningRate: number, momentum = 0.9) {
    super(model, learningRate, { velocity: zerosLike(model) });
    this.#momentum = momentum;
  }

  /** One update. */
  step(): void {
    const { values, gradients } = this.model, size = values.size;
    const buffers = [values, gradients, this.state.velocity, this.rate];
    values.device.run(kernels.momentum, { buffers, sizes: [size], reals: [this.#momentum], invocations: size });
  }
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
  readonly kind = "adam";
  readonly #settings: readonly [beta1: number, beta2: number, epsilon: number];

  /**
   * Makes its state, zeros.
   *
   * @param model Parameters and gradients.
   * @param learningRate Step size, over 0.
   * @param beta1 Decay of the mean of gradients.
   * @param beta2 Decay of the mean of squared gradients.
   * @param epsilon Added to the root, against division by 0.
   */
  constructor(model: Trainable, learningRate: number, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8) {
    const powers = Tensor.from(model.values.device, [1, 1]);
    super(model, learningRate, { mean: zerosLike(model), variance: zerosLike(model), powers });
    this.#settings = [beta1, beta2, epsilon];
  }

  /** One update. */
  step(): void {
    const { values, gradients } = this.model, size = values.size;
    const { mean, variance, powers } = this.state, [beta1, beta2] = this.#settings;
    values.device.run(kernels.adamPowers, { buffers: [powers], reals: [beta1, beta2], invocations: 1 });
    const buffers = [values, gradients, mean, variance, powers, this.rate];
    values.device.run(kernels.adam, { buffers, sizes: [size], reals: this.#settings, invocations: size });
  }
}

/**
 * The optimizer of a name.
 *
 * @param name `sgd`, `momentum` or `adam`.
 * @param model Parameters and gradients.
 * @param learningRate Step size, over 0.
 * @returns The optimizer, with its usual further settings.
 *
 * @example
 * ```ts
 * import { createOptimizer, Device, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using values = Tensor.from(device, [1, 2]);
 * using gradients = Tensor.from(device, [10, -10]);
 * using optimizer = createOptimizer("adam", { values, gradients }, 0.01);
 * assertEquals(Object.keys(optimizer.state), ["mean", "variance", "powers"]);
 * ```
 */
export function createOptimizer(name: OptimizerName, model: Trainable, learningRate: number): Optimizer {
  const make = { sgd: Sgd, momentum: Momentum, adam: Adam }[name];
  return new make(model, learningRate);
}

function zerosLike({ values }: Trainable): Tensor {
  return Tensor.zeros(values.device, values.shape);
}
