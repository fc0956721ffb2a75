/** The settings as types; keys.ts has their defaults and meanings. */

import type { Init } from "../lib/init.ts";
import type { ScalingMethod } from "../lib/scaler.ts";
import type { MissingPolicy } from "../lib/table.ts";

/** The name of a setting, as in the environment. */
export type Key =
  | "RECIPE"
  | "GENERATE_DATASET"
  | "NUM_DATASET"
  | "NOISE"
  | TableKey
  | "SCALING_METHOD"
  | "HIDDEN_SIZE"
  | "INIT"
  | "LOSS"
  | "OPTIMIZER"
  | "LEARNING_RATE"
  | "BATCH_SIZE"
  | "NUM_EPOCHS"
  | "SPLIT"
  | "SEED"
  | "RUN_NAME"
  | "DEBUG_TENSORS";

/** The name of a setting that concerns a table of the user's own. */
export type TableKey =
  | "DATA"
  | "TARGET"
  | "FEATURES"
  | "IGNORE"
  | "CATEGORICAL"
  | "MISSING"
  | "TASK"
  | "SEPARATOR"
  | "VALIDATION"
  | "TEST"
  | "TIME_COLUMN";

/** Name of a recipe. */
export type RecipeName = "cubic" | "linear" | "xor";

/** Name of a loss. */
export type LossName = "mse" | "bce" | "softmax";

/** All settings, read and checked. A task that does not use a key gets its default. */
export interface Config {
  recipe: RecipeName;
  generateDataset: boolean;
  numDataset: number;
  noise: number;
  /** Path of the user's own table; "" where there is none, as for the other paths and names. */
  data: string;
  /** Names of columns; none are all under features. */
  target: string[];
  features: string[];
  ignore: string[];
  categorical: string[];
  missing: MissingPolicy;
  task: "auto" | "regression" | "classification";
  separator: "auto" | "comma" | "semicolon" | "tab";
  validation: string;
  test: string;
  timeColumn: string;
  scalingMethod: ScalingMethod;
  /** Widths of the hidden layers. */
  hiddenSize: number[];
  init: Init;
  /** Under "auto", which recipes never have, the target of the table decides. */
  loss: LossName | "auto";
  optimizer: "sgd" | "momentum" | "adam";
  learningRate: number;
  /** Rows of a step; "full" takes all training rows. */
  batchSize: number | "full";
  numEpochs: number;
  /** Shares of training, validation and test; they add up to 1. */
  split: [number, number, number];
  /** 0 to 2^32 - 1. */
  seed: number;
  runName: string;
  debugTensors: boolean;
}

/** NUM_DATASET as the type numDataset. */
export type Camel<K extends string> = K extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<Lowercase<Tail>>}`
  : Lowercase<K>;
