/**
 * What an optimizer is, and what all of them share.
 *
 * @module
 */
import type { Kernel } from "../../kernels/mod.ts";
import { checkPositive } from "../base/numeric_settings.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import { Tensor } from "./tensor.ts";

/** Where an optimizer finds what it updates: a {@linkcode Model} has both. */
export interface Trainable {
  /** All parameters, flat. */
  readonly values: Tensor;
  /** The gradients in the same layout, in a buffer of their own. */
  readonly gradients: Tensor;
}

/** Changes parameters by their gradients. Its state lies on the GPU in the layout of the parameters. */
export interface Optimizer extends Disposable {
  /** Its name in messages; of those made by {@linkcode createOptimizer} the name in settings. */
  readonly kind: string;
  /** Step size; may be set between steps, recorded ones too. Under a trainer's `learningRates` it does not count. */
  learningRate: number;
  /** The learning rate on the GPU [1], where kernels read it, so that recorded steps see it change. */
  readonly rate: Tensor;
  /** State tensors by name, flat, in the layout of the parameters but for Adam's `powers`. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** One update. */
  step(): void;
  /** Frees the state. */
  dispose(): void;
}

/** What every optimizer can be told besides its learning rate. */
export interface OptimizerOptions {
  /**
   * How strongly weights are pulled towards 0, 0 or more; 0 by default, in `AdamW` 0.01. That share of each weight is added to
   * its gradient, as the gradient of a penalty `weightDecay / 2 * w^2` would be; `AdamW` takes it off the weight instead.
   */
  readonly weightDecay?: number;
}

/**
 * What the optimizers share: the buffers, the learning rate on the GPU, the state, weight decay. Extend it to write one of
 * your own. Every optimizer throws a `RangeError` where a setting is out of range, and a `TypeError` where parameters and
 * gradients differ in shape.
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
 *     this.update(signSgd, [], []);
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
  abstract readonly kind: string;
  readonly state: Readonly<Record<string, Tensor>>;
  readonly rate: Tensor;
  /** What it updates. */
  protected readonly model: Trainable;
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
      this.#learningRate = checkPositive("a learning rate", learningRate);
    } catch (error) {
      for (const tensor of Object.values(state)) tensor.dispose();
      throw error;
    }
    this.rate = Tensor.from(model.values.device, [learningRate]);
  }

  get learningRate(): number {
    return this.#learningRate;
  }

  set learningRate(value: number) {
    this.#learningRate = checkPositive("a learning rate", value);
    this.rate.write([value]);
  }

  abstract step(): void;

  /**
   * Runs a kernel over all parameters: it binds parameters, gradients, state and learning rate, in this order; its sizes are
   * the number of parameters, then `reals`.
   */
  protected update(kernel: Kernel, state: readonly Tensor[], reals: readonly number[]): void {
    const { values, gradients } = this.model;
    const buffers = [values, gradients, ...state, this.rate];
    values.device.run(kernel, { buffers, sizes: [values.size], reals, invocations: values.size });
  }

  dispose(): void {
    for (const tensor of [this.rate, ...Object.values(this.state)]) tensor.dispose();
  }

  /** The same as {@linkcode FlatOptimizer.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** State in the layout of the parameters, zeros. */
export function zerosLike({ values }: Trainable): Tensor {
  return Tensor.zeros(values.device, values.shape);
}
