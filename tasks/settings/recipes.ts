/** The recipes: a dataset each, and the settings that suit it. */

import type { Random } from "../../lib/base/random.ts";
import type { Key, RecipeName } from "./config_types.ts";

/** Where a row's numbers come from: two streams, so that the inputs stay the same whatever the noise. */
export interface Streams {
  inputs: Random;
  noise: Random;
}

/** A dataset that can be made, and the settings that go with it. */
export interface Recipe {
  /** What it is, in one line. */
  summary: string;
  /** Names of the input columns. */
  features: readonly string[];
  /** Names of the target columns. */
  targets: readonly string[];
  /** Rows without noise, features and targets, on which a trained model is shown. */
  examples: readonly (readonly number[])[];
  /** Settings that differ from the defaults, as they would be typed. */
  defaults: Partial<Record<Key, string>>;
  /** Row `index` of the dataset: the features, then the targets. */
  row(index: number, streams: Streams, noise: number): number[];
}

/** The recipes by name. */
export const RECIPES = {
  cubic: {
    summary: "y = 0.01 x^3 - 0.1 x^2 + 2 x + 20 + N(0, NOISE), x uniform on [-100, 100)",
    features: ["x"],
    targets: ["y"],
    examples: [[-100, -11_180], [-50, -1_580], [0, 20], [50, 1_120], [100, 9_220]],
    defaults: { NOISE: "0" },
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
    defaults: {
      NUM_DATASET: "1000",
      NOISE: "0.1",
      SCALING_METHOD: "none",
      HIDDEN_SIZE: "2",
      INIT: "uniform:0.1",
      BATCH_SIZE: "full",
      NUM_EPOCHS: "3000",
      SPLIT: "1,0,0",
    },
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
    defaults: {
      NUM_DATASET: "4",
      NOISE: "0",
      SCALING_METHOD: "none",
      HIDDEN_SIZE: "16",
      LOSS: "bce",
      LEARNING_RATE: "0.5",
      BATCH_SIZE: "full",
      NUM_EPOCHS: "1000",
      SPLIT: "1,0,0",
    },
    row(index) {
      const x1 = (index >> 1) & 1;
      const x2 = index & 1;
      return [x1, x2, x1 ^ x2];
    },
  },
} as const satisfies Record<RecipeName, Recipe>;

/** The recipe of a name. */
export function recipeOf(name: RecipeName): Recipe {
  return RECIPES[name];
}
