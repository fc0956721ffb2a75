/** The recipes: datasets that can be made. settings.ts has the settings that suit them. */

import type { Random } from "../../lib/base/random.ts";

/** Where a row's numbers come from: two streams, so that the inputs do not depend on the noise. */
export interface Streams {
  inputs: Random;
  noise: Random;
}

interface Recipe {
  summary: string;
  features: readonly string[];
  targets: readonly string[];
  /** Rows (features, then targets) without noise, for which a trained model's predictions are printed. */
  examples: readonly (readonly number[])[];
  /** Row `index` of the dataset: the features, then the targets. */
  row(index: number, streams: Streams, noise: number): number[];
}

export const RECIPES = {
  cubic: {
    summary: "y = 0.01 x^3 - 0.1 x^2 + 2 x + 20 + N(0, NOISE), x uniform on [-100, 100)",
    features: ["x"],
    targets: ["y"],
    examples: [[-100, -11_180], [-50, -1_580], [0, 20], [50, 1_120], [100, 9_220]],
    row(_index, streams, noise) {
      const x = streams.inputs.uniform(-100, 100);
      return [x, 0.01 * x * x * x - 0.1 * x * x + 2 * x + 20 + streams.noise.normal(0, noise)];
    },
  },
  linear: {
    summary: "y = 2 x + 1 + U(-NOISE, NOISE), x uniform on [-5, 5)",
    features: ["x"],
    targets: ["y"],
    examples: [[-4, -7], [-2, -3], [0, 1], [2, 5], [4, 9]],
    row(_index, streams, noise) {
      const x = streams.inputs.uniform(-5, 5);
      return [x, 2 * x + 1 + streams.noise.uniform(-noise, noise)];
    },
  },
  xor: {
    summary: "y = x1 xor x2, the four rows 00, 01, 10, 11 over and over",
    features: ["x1", "x2"],
    targets: ["y"],
    examples: [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]],
    row(index) {
      const x1 = (index >> 1) & 1;
      const x2 = index & 1;
      return [x1, x2, x1 ^ x2];
    },
  },
} as const satisfies Record<string, Recipe>;

export type RecipeName = keyof typeof RECIPES;

export function recipeOf(name: RecipeName): Recipe {
  return RECIPES[name];
}
