/** Values that each setting refuses, and words that say what is allowed. */

import { ACTIVATIONS } from "../../../lib/core/layers.ts";

const words = (text: string) => text.split(" ");

/** By setting: what is said to be allowed, then wrong values. Those of ranks stand last. */
export const WRONG: Record<string, [allowed: string, ...values: string[]]> = {
  RECIPE: ["cubic, linear or xor", "quartic", "Cubic"],
  GENERATE_DATASET: ["true or false", "maybe"],
  NUM_DATASET: ["a whole number from 1 to", "0", "-5", "1.5", "1e5", "1e6", "100000001", "999999999999", "ten", ""],
  NOISE: ["a number from 0 to 1e30", "-1", "-0.1", "1.1e30", "NaN", "Infinity", "0x1"],
  SCALING_METHOD: ["standardize, minmax, robust or none", "zscore"],
  HIDDEN_SIZE: ["whole numbers", "64,,8", "0", "64,", "8,-1", "8;8", "65537", "1.5", Array(65).fill(1).join()],
  NUMERIC_EMBEDDING: ["none, pbld or piecewise", "waves"],
  MEMBERS: ["a whole number from 1 to 64", "0", "65", "1.5"],
  CALIBRATE: ["true or false", "yes"],
  CLIP_TARGETS: ["true or false", "yes"],
  FOLDS: ["auto, 0 for none, or a whole number from 2 to 64", "1", "-1", "65", "2.5"],
  INIT: [
    "kaiming, xavier, uniform:A, normal:S or ones",
    ...words(
      "zeros Kaiming uniform uniform: uniform:0 uniform:-1 uniform:1e-46 uniform:1:2 normal:-1 normal:0 normal:1e39 ones:1",
    ),
  ],
  ACTIVATION: [Object.keys(ACTIVATIONS).join(", ").replace(/, (?!.*,)/, " or "), "swish", "ReLU"],
  DROPOUT: ["a number from 0 to less than 1", "1", "-0.1", "0.99999999", "half"],
  LOSS: ["mse, mae, huber, bce, softmax or auto", "mea"],
  THRESHOLD: [
    "a number above 0 and below 1, best-f1, or cost:R",
    ...words("0 1 -0.5 best cost cost: cost:0 cost:-1 NaN"),
  ],
  CLASS_WEIGHTS: ["none or balanced", "rare"],
  OPTIMIZER: ["sgd, momentum, nesterov, rmsprop, adam or adamw", "sdg", "adamax"],
  LEARNING_RATE: ["a number above 0", ...words("-0.5 0 -0.01 1e-46 1e-50 1e39 NaN Infinity 1e999 0,1 fast")],
  SCHEDULE: ["constant, step, exponential, cosine, one-cycle or plateau", "linear"],
  WARMUP: ["a whole number from 0 to", "-1", "0.5"],
  WEIGHT_DECAY: ["a number from 0 on", "-1", "-0.1", "1e-46", "1e39", "Auto"],
  CLIP_NORM: ["a number from 0 on, also as float32", "1e-60", "-1", "1e-46", "Infinity"],
  BATCH_SIZE: ["a whole number from 1 on, full, or auto", "0", "-1", "2.5", "Full", "all"],
  NUM_EPOCHS: ["a whole number", "ten", "0", "1.5"],
  PATIENCE: ["a whole number", "1.5", "-1"],
  PLAIN: ["true or false", "1"],
  SPLIT: [
    "three numbers",
    ...words("0.8,0.1 0.8,0.2 0.5,0.5 0.8,0.1,0.2 0,0.5,0.5 1.5,-0.5,0 1.2,-0.1,-0.1 a,b,c 1,0,0,0"),
  ],
  SEED: ["a whole number from 0 to 4294967295", "4294967296", "-1", "0.5"],
  RUN_NAME: [
    "letters, digits, dots, dashes and underscores",
    ...words("a/b ../a .. /abs a\\b .hidden -a ü"),
    "a b",
    "a".repeat(101),
    "",
  ],
  CHECKPOINT_EVERY: ["steps such as 1000, or a time such as 30s, 5m or 1h", ...words("often 0 0s 1.5s -3 5d s"), "1 m"],
  KEEP_CHECKPOINTS: ["a whole number from 1 to", "0", "1.5"],
  ON_NAN: ["stop or halve-lr", "panic", "go on"],
  DEBUG_TENSORS: ["true or false", "1", "maybe"],
  REPORT: ["true or false", "yes", "maybe"],
  SELF_TEST: ["true or false", "no", "maybe"],
  TRACE: ["a whole number from 0 on, or true for 1", "-1", "1.5", "often", ""],
  SYNC_EVERY: ["a whole number from 1 to 16384", "0", "1.5", "always"],
  OUTER_LEARNING_RATE: ["a number above 0", "0", "-1", "1e39"],
  OUTER_MOMENTUM: ["a number from 0 to less than 1", "1", "-0.1"],
  RANK_TIMEOUT: ["a time such as 30s, 5m or 1h", "10", "0s", "never"],
};
