/** The settings as types; keys.ts has their defaults and meanings. */

import type { Init } from "../../lib/core/init.ts";
import type { ActivationName } from "../../lib/core/layers.ts";
import type { LearningRateSchedule } from "../../lib/training/learning_rates.ts";
import type { OptimizerName } from "../../lib/core/optimizers.ts";
import type { LOSSES } from "../../lib/core/losses.ts";
import type { ScalingMethod } from "../../lib/data/scaler.ts";
import type { MissingPolicy } from "../../lib/data/table.ts";

/** The name of a setting, as in the environment. */
export type Key =
  | "RECIPE"
  | "GENERATE_DATASET"
  | "NUM_DATASET"
  | "NOISE"
  | TableKey
  | "SCALING_METHOD"
  | "HIDDEN_SIZE"
  | "ACTIVATION"
  | "DROPOUT"
  | "INIT"
  | "INIT_FROM"
  | "LOSS"
  | "CLASS_WEIGHTS"
  | "OPTIMIZER"
  | "LEARNING_RATE"
  | "SCHEDULE"
  | "WARMUP"
  | "WEIGHT_DECAY"
  | "CLIP_NORM"
  | "BATCH_SIZE"
  | "NUM_EPOCHS"
  | "PATIENCE"
  | "SPLIT"
  | "SEED"
  | "RUN_NAME"
  | "CHECKPOINT_EVERY"
  | "KEEP_CHECKPOINTS"
  | "ON_NAN"
  | "DEBUG_TENSORS"
  | "REPORT"
  | "SELF_TEST"
  | "TRACE"
  | GroupKey
  | "TRIALS";

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

/** The name of a setting that concerns several processes that train together. */
export type GroupKey = "SYNC_EVERY" | "OUTER_LEARNING_RATE" | "OUTER_MOMENTUM" | "RANK_TIMEOUT";

/** Name of a recipe. */
export type RecipeName = "cubic" | "linear" | "xor";

/** Name of a loss. */
export type LossName = keyof typeof LOSSES;

/** How far apart two checkpoints are. */
export type Interval = { readonly steps: number; readonly seconds?: undefined } | {
  readonly steps?: undefined;
  readonly seconds: number;
};

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
  activation: ActivationName;
  /** Share of a hidden layer's activations that training drops. */
  dropout: number;
  init: Init;
  /** A file of weights to start from; "" where there is none. */
  initFrom: string;
  /** Under "auto", which recipes never have, the target of the table decides. */
  loss: LossName | "auto";
  classWeights: "none" | "balanced";
  optimizer: OptimizerName;
  learningRate: number;
  schedule: LearningRateSchedule | "plateau";
  /** Steps. */
  warmup: number;
  /** Under "auto" the optimizer's own. */
  weightDecay: number | "auto";
  /** 0 leaves gradients as they are. */
  clipNorm: number;
  /** Rows of a step; "full" takes all training rows. */
  batchSize: number | "full";
  numEpochs: number;
  /** Epochs without a better validation loss after which training ends; 0 for never. */
  patience: number;
  /** Shares of training, validation and test; they add up to 1. */
  split: [number, number, number];
  /** 0 to 2^32 - 1. */
  seed: number;
  runName: string;
  checkpointEvery: Interval;
  /** Of the latest; the best is kept beside them. */
  keepCheckpoints: number;
  onNan: "stop" | "halve-lr";
  debugTensors: boolean;
  /** Whether a run ends with report.html. */
  report: boolean;
  /** Whether every kernel is compared with float64 before training. */
  selfTest: boolean;
  /** Every how many steps the tensors are noted; 0 for never. */
  trace: number;
  /** Steps between two meetings of ranks; with 1 they share each step. */
  syncEvery: number;
  outerLearningRate: number;
  outerMomentum: number;
  /** Seconds that ranks wait for one that does not come. */
  rankTimeout: number;
  /** Runs of a search. */
  trials: number;
}

/** NUM_DATASET as the type numDataset. */
export type Camel<K extends string> = K extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<Camel<Tail>>}`
  : Lowercase<K>;
