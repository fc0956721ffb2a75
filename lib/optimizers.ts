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
  /** Its name in messages; of those made by {@linkcode createOptimizer} the name in settings. */
  readonly kind: string;
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
 * import { Device, FlatOptimizer, type Kernel, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * const signSgd: Kernel = {
 *   name: "signSgd",
 *   access: ["read_write", "read", "read"],
 *   code: `
 *     @group(0) @binding(0) var<storage, read_write> w: array<f32>;
 *     @group(0) @binding(1) var<storage, read> dW: array<f32>;
 *     @group(0) @binding(2) var<storage, read> learningRate: array<f32>;
 *     @compute @workgroup_size(64)
 *     fn main(@builtin(global_invocation_id) id: vec3u) {
 *       if (id.x < arrayLength(&w)) {
 *         w[id.x] -= learningRate[0] * sign(dW[id.x]);
 *       }
 *     }`,
 * };
 *
 * class SignSgd extends FlatOptimizer {
 *   readonly kind = "signSgd";
 *   step(): void {
 *     const { values, gradients } = this.model;
 *     values.device.run(signSgd, { buffers: [values, gradients, this.rate], invocations: values.size });
 *   }
 * }
 *
 * using device = await Device.request();
 * using values = Tensor.from(device, [1, 2]);
 * using gradients = Tensor.from(device, [10, -20]);
 * using optimizer = new SignSgd({ values, gradients }, 0.125, {});
 * optimizer.step();
 * assertEquals([...await values.read()], [0.875, 2.125]);
 * ```
 */
export abstract class FlatOptimizer implements Optimizer {
  /** Its name. */
  abstract readonly kind: string;
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
   * @throws {TypeError} If parameters and gradients differ in shape.
   * @throws {RangeError} If the learning rate is not a finite number over 0.
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

/** The GPU sees the rate as float32, where 1e-50 is 0 and 1e39 infinite. */
function checkRate(value: number): number {
  if (!(Math.fround(value) > 0 && Number.isFinite(Math.fround(value)))) {
    throw new RangeError(`Cannot use a learning rate of ${value}: it must be a finite number over 0 in float32`);
  }
  return value;
}

function checkDecay(name: string, value: number): number {
  if (value >= 0 && value < 1) return value;
  throw new RangeError(`Cannot use a ${name} of ${value}: allowed is 0 up to, but not including, 1`);
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
   * @param momentum How much of the last step's velocity remains, from 0 to below 1.
   * @throws {RangeError} If momentum or learning rate are out of range.
   */
  constructor(model: Trainable, learningRate: number, momentum = 0.9) {
    checkDecay("momentum", momentum);
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
   * @throws {RangeError} If a decay is not from 0 to below 1, or the learning rate out of range.
   */
  constructor(model: Trainable, learningRate: number, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8) {
    checkDecay("beta1", beta1);
    checkDecay("beta2", beta2);
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
