/**
 * Initial weights.
 *
 * @module
 */
import type { Random } from "./random.ts";

/**
 * How weights start; biases start at 0, but at 1 under `ones`.
 *
 * - `kaiming`: normal with deviation `sqrt(2 / inputs)`, which keeps the size of activations through ReLU (He et al. 2015)
 * - `xavier`: uniform within `± sqrt(6 / (inputs + outputs))` (Glorot and Bengio 2010)
 * - `uniform`: uniform within `± scale`
 * - `normal`: normal with deviation `scale`
 * - `ones`: every weight and bias 1, so that all units stay the same: a regression case, not for use
 */
export type Init =
  | { readonly kind: "kaiming" | "xavier" | "ones" }
  | { readonly kind: "uniform" | "normal"; readonly scale: number };

/**
 * Values for a weight matrix.
 *
 * @param init The scheme.
 * @param inputs Rows of the matrix.
 * @param outputs Columns of the matrix.
 * @param random Where the numbers come from.
 * @returns `inputs * outputs` values, row by row.
 *
 * @example
 * ```ts
 * import { initialWeights, Random } from "@backhand/backhand";
 * import { assert } from "@std/assert";
 * const weights = initialWeights({ kind: "uniform", scale: 0.1 }, 3, 4, new Random(42, "weights"));
 * assert(weights.length === 12 && weights.every((w) => Math.abs(w) <= 0.1));
 * ```
 */
export function initialWeights(init: Init, inputs: number, outputs: number, random: Random): Float32Array {
  const draw = (): number => {
    switch (init.kind) {
      case "kaiming":
        return random.normal(0, Math.sqrt(2 / inputs));
      case "xavier": {
        const bound = Math.sqrt(6 / (inputs + outputs));
        return random.uniform(-bound, bound);
      }
      case "uniform":
        return random.uniform(-init.scale, init.scale);
      case "normal":
        return random.normal(0, init.scale);
      case "ones":
        return 1;
    }
  };
  return Float32Array.from({ length: inputs * outputs }, draw);
}
