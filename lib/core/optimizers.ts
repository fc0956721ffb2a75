/**
 * Optimizers: one update of all parameters of a model, as a dispatch over its flat buffers.
 *
 * @module
 */
import { Adam, type AdamOptions, AdamW, RmsProp, type RmsPropOptions } from "./adaptive_optimizers.ts";
import type { Optimizer, OptimizerOptions, Trainable } from "./flat_optimizer.ts";
import { Momentum, type MomentumOptions, Nesterov, Sgd } from "./gradient_descent.ts";

export * from "./adaptive_optimizers.ts";
export { FlatOptimizer, type Optimizer, type OptimizerOptions, type Trainable } from "./flat_optimizer.ts";
export * from "./gradient_descent.ts";

/** The optimizers by name, as settings give it, each with its options. */
export interface OptimizerSettings {
  /** {@linkcode Sgd}. */
  readonly sgd: OptimizerOptions;
  /** {@linkcode Momentum}. */
  readonly momentum: MomentumOptions;
  /** {@linkcode Nesterov}. */
  readonly nesterov: MomentumOptions;
  /** {@linkcode RmsProp}. */
  readonly rmsprop: RmsPropOptions;
  /** {@linkcode Adam}. */
  readonly adam: AdamOptions;
  /** {@linkcode AdamW}. */
  readonly adamw: AdamOptions;
}

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
 * @param options Its further settings, such as `weightDecay`; what is left out is as usual.
 * @returns The optimizer.
 * @throws {RangeError} If a setting is out of range.
 *
 * @example
 * ```ts
 * import { createOptimizer, Device, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using values = Tensor.from(device, [1, 2]);
 * using gradients = Tensor.from(device, [10, -10]);
 * using optimizer = createOptimizer("adam", { values, gradients }, 0.01, { weightDecay: 0.001 });
 * assertEquals(Object.keys(optimizer.state), ["mean", "variance", "powers"]);
 * ```
 */
export function createOptimizer<Name extends OptimizerName>(
  name: Name,
  model: Trainable,
  learningRate: number,
  options?: OptimizerSettings[Name],
): Optimizer {
  return new OPTIMIZERS[name](model, learningRate, options);
}
