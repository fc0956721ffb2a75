/**
 * The one list of settings. Types, `--help`, the tables in tasks/README.md and `.env.example` come from it; README.md in
 * this folder says how to renew the last two.
 */

import { type ActivationName, ACTIVATIONS } from "../../lib/core/layers.ts";
import type { OptimizerName } from "../../lib/core/optimizers.ts";
import { MAX_SEED } from "../../lib/base/random.ts";
import { SCALING_METHODS } from "../../lib/data/scaler.ts";
import { MISSING_POLICIES } from "../../lib/data/table_json.ts";
import { NUMERIC_EMBEDDINGS } from "../../lib/tabular/table_embedding.ts";
import { choice, COLUMNS, DATES, EVERY, INIT, INTERVAL, NOT_NEGATIVE, number, orWord, POSITIVE } from "./readers.ts";
import { FOLDS, RUN_NAME, SECONDS, SHARE, SPLIT, text, TEXTS, THRESHOLD, whole, WIDTHS, YES_OR_NO } from "./readers.ts";
import { type RecipeName, RECIPES } from "./recipes.ts";
import { section, type Setting, setting, type TaskName } from "./setting.ts";

export { type Group, GROUPS, type TaskName } from "./setting.ts";

const TRAINING: readonly TaskName[] = ["train", "train-mpi", "tune", "tune-mpi"];
const MAKING: readonly TaskName[] = ["gen-data", ...TRAINING];
const SCALING: readonly TaskName[] = ["scale", ...TRAINING];
const EVERYDAY = { isEveryday: true } as const;

/** All settings, in the order in which they are listed. */
export const SETTINGS = {
  ...section({ group: "data", tasks: SCALING, of: "tables" }, {
    DATA: setting(
      text("a path"),
      "",
      "your table, CSV, JSON Lines or Parquet: a file or a folder, instead of a recipe",
      EVERYDAY,
    ),
    TARGET: setting(COLUMNS, "", "columns of DATA to predict: A, or A,B for several of numbers", EVERYDAY),
    FEATURES: setting(COLUMNS, "", "columns of DATA to predict from, such as A,B; none: all others"),
    IGNORE: setting(COLUMNS, "", "columns of DATA to leave out"),
    CATEGORICAL: setting(COLUMNS, "", "columns of DATA with numbers that are names, such as zip codes"),
    MAX_CATEGORIES: setting(
      whole(1, 65_535),
      "100",
      "names of a column that are categories; rarer ones share one",
    ),
    DATES: setting(DATES, "", "columns of dates, such as day:%d.%m.%Y; year-month-day is known without it"),
    MISSING: setting(choice(...MISSING_POLICIES), "error", "what to do about missing cells", EVERYDAY),
    MISSING_TEXTS: setting(TEXTS, "auto", "texts that mean missing, or none; auto: NA, NaN, nan, null, NULL"),
    TASK: setting(choice("auto", "regression", "classification"), "auto", "what to predict"),
    SEPARATOR: setting(choice("auto", "comma", "semicolon", "tab", "pipe"), "auto", "the character between cells"),
    VALIDATION: setting(text("a path"), "", "file or folder of validation rows, instead of SPLIT"),
    TEST: setting(text("a path"), "", "file or folder of test rows, instead of SPLIT"),
    TIME_COLUMN: setting(text("a column"), "", "column to split rows by: the earliest train, the latest test"),
  }),
  ...section({ group: "data", tasks: MAKING, of: "recipes" }, {
    RECIPE: setting(choice(...Object.keys(RECIPES) as RecipeName[]), "cubic", "a dataset with settings that suit it", {
      tasks: ["scale", ...MAKING],
      isEveryday: true,
    }),
    GENERATE_DATASET: setting(YES_OR_NO, "false", "make the recipe's dataset again even if it exists"),
    NUM_DATASET: setting(whole(1, 100_000_000), "100000", "rows of the recipe's dataset", {
      presets: { linear: "1000", xor: "4" },
    }),
    NOISE: setting(
      number("a number from 0 to 1e30; recipe xor: only 0", (value) => value >= 0 && value <= 1e30),
      "0",
      "deviation (cubic) or bound (linear) of the target's noise",
      { presets: { linear: "0.1" } },
    ),
  }),
  ...section({ group: "data", tasks: SCALING }, {
    SCALING_METHOD: setting(choice(...SCALING_METHODS), "standardize", "scaling", {
      presets: { linear: "none", xor: "none", DATA: "robust" },
    }),
    SPLIT: setting(SPLIT, "0.8,0.1,0.1", "shares of training, validation and test rows", {
      presets: { linear: "1,0,0", xor: "1,0,0" },
      isEveryday: true,
    }),
    FOLDS: setting(FOLDS, "0", "parts of the rows that MEMBERS hold out in turn; 0: none", {
      presets: { DATA: "auto" },
    }),
  }),
  ...section({ group: "network", tasks: TRAINING }, {
    HIDDEN_SIZE: setting(WIDTHS, "64", "widths of the hidden layers", {
      tasks: [...TRAINING, "gradcheck"],
      presets: { linear: "2", xor: "16", DATA: "128" },
      isEveryday: true,
    }),
    NUMERIC_EMBEDDING: setting(
      choice(...NUMERIC_EMBEDDINGS),
      "none",
      "a number becomes itself, waves or bins",
      { presets: { DATA: "pbld" } },
    ),
    MEMBERS: setting(whole(1, 64), "1", "networks that train side by side; their predictions are averaged", {
      presets: { DATA: "4" },
      isEveryday: true,
    }),
    ACTIVATION: setting(
      choice(...Object.keys(ACTIVATIONS) as ActivationName[]),
      "relu",
      "after each hidden layer",
      EVERYDAY,
    ),
    DROPOUT: setting(SHARE, "0", "share of each hidden layer's values to drop", {
      presets: { DATA: "0.15" },
      isEveryday: true,
    }),
    COLUMN_DROPOUT: setting(
      orWord("auto", "a number from 0 to less than 1, or auto", SHARE),
      "0",
      "share of columns to drop; auto: 0.2 from 32 columns on",
      { presets: { DATA: "auto" } },
    ),
    INIT: setting(INIT, "kaiming", "weights", { presets: { linear: "uniform:0.1", DATA: "xavier" } }),
    INIT_FROM: setting(text("a path"), "", "safetensors file of weights to start from, instead of INIT"),
  }),
  ...section({ group: "training", tasks: TRAINING }, {
    LOSS: setting(choice("mse", "mae", "huber", "bce", "softmax", "auto"), "mse", "loss", {
      tasks: SCALING,
      presets: { xor: "bce", DATA: "auto" },
      isEveryday: true,
    }),
    OPTIMIZER: setting(
      choice<OptimizerName>("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"),
      "sgd",
      "update rule",
      { presets: { DATA: "adam" }, isEveryday: true },
    ),
    LEARNING_RATE: setting(POSITIVE, "0.01", "size of an update", {
      presets: { xor: "0.5", DATA: "0.002" },
      isEveryday: true,
    }),
    BATCH_SIZE: setting(
      orWord("auto", "a whole number from 1 on, full, or auto", orWord("full", "", whole(1, 0xffff_ffff))),
      "10",
      "rows of a step; full: all; auto: 32 to 128",
      { presets: { linear: "full", xor: "full", DATA: "auto" }, isEveryday: true },
    ),
    NUM_EPOCHS: setting(whole(1, 1_000_000_000), "10", "passes over the training rows", {
      presets: { linear: "3000", xor: "1000", DATA: "300" },
      isEveryday: true,
    }),
    PATIENCE: setting(
      whole(0, 1_000_000),
      "0",
      "end after N epochs without a better validation loss; 0: never",
      {
        presets: { DATA: "10" },
        isEveryday: true,
      },
    ),
    SEED: setting(whole(0, MAX_SEED), "42", "one seed for data, split, weights and shuffles", {
      tasks: ["scale", "gradcheck", ...MAKING],
      isEveryday: true,
    }),
    THRESHOLD: setting(THRESHOLD, "0.5", "least probability that counts as the second of two classes"),
    CLASS_WEIGHTS: setting(choice("none", "balanced"), "none", "weights of classes in the loss"),
    SCHEDULE: setting(
      choice("constant", "step", "exponential", "cosine", "one-cycle", "plateau"),
      "constant",
      "the rate",
      { presets: { DATA: "plateau" } },
    ),
    WARMUP: setting(whole(0, 1_000_000_000), "0", "steps at the start in which the learning rate rises"),
    WEIGHT_DECAY: setting(
      orWord("auto", "a number from 0 on, also as float32; or auto: 0.01 for adamw, else 0", NOT_NEGATIVE),
      "auto",
      "pull of weights towards 0; auto: 0.01 for adamw, else 0",
    ),
    CALIBRATE: setting(YES_OR_NO, "false", "fit the temperature of probabilities on validation rows", {
      presets: { DATA: "true" },
    }),
    CLIP_TARGETS: setting(YES_OR_NO, "false", "keep predicted numbers within those of the training rows", {
      presets: { DATA: "true" },
    }),
    CLIP_NORM: setting(NOT_NEGATIVE, "0", "largest norm of all gradients together; 0: no limit"),
    PLAIN: setting(YES_OR_NO, "false", "run the operations of lib/core one by one, unfused; slower"),
  }),
  ...section({ group: "search", tasks: ["tune", "tune-mpi"] }, {
    TRIALS: setting(whole(1, 10_000), "20", "runs of the search", EVERYDAY),
  }),
  ...section({ group: "ranks", tasks: ["train-mpi"] }, {
    SYNC_EVERY: setting(whole(1, 16_384), "1", "steps between meetings of ranks; 1: they share each step", EVERYDAY),
    OUTER_LEARNING_RATE: setting(POSITIVE, "0.7", "size of the outer step if SYNC_EVERY is over 1"),
    OUTER_MOMENTUM: setting(SHARE, "0.9", "share of the outer step's velocity that stays"),
    RANK_TIMEOUT: setting(SECONDS, "10m", "how long ranks wait for one that does not come", {
      tasks: ["train-mpi", "tune-mpi"],
    }),
  }),
  ...section({ group: "run", tasks: TRAINING }, {
    RUN_NAME: setting(RUN_NAME, "default_run", "name of the run's folder in data/runs", {
      tasks: [...TRAINING, "predict", "evaluate", "export", "report", "explain"],
      isEveryday: true,
    }),
    CHECKPOINT_EVERY: setting(INTERVAL, "30s", "when to write checkpoints within epochs"),
    KEEP_CHECKPOINTS: setting(
      whole(1, 1_000_000),
      "2",
      "latest checkpoints to keep, and that of the lowest mean loss",
    ),
    ON_NAN: setting(choice("stop", "halve-lr"), "stop", "after a value that is not finite"),
    SELF_TEST: setting(YES_OR_NO, "true", "compare the kernels that are used with float64 first"),
  }),
  ...section({ group: "view", tasks: TRAINING }, {
    REPORT: setting(YES_OR_NO, "true", "write report.html and model_card.md at the end of a run"),
    TRACE: setting(EVERY, "0", "steps between lines of trace.jsonl, which measure all tensors; 0: none"),
    DEBUG_TENSORS: setting(YES_OR_NO, "false", "print name, shape, min and max of every tensor of each step"),
  }),
};

export type Key = keyof typeof SETTINGS;

export const KEYS = Object.keys(SETTINGS) as Key[];

/** Settings of recipes: they say nothing about a table. */
export const RECIPE_KEYS: readonly Key[] = KEYS.filter((key) => settingOf(key).of === "recipes");

/** Settings of a table of the user's own. */
export const TABLE_KEYS: readonly Key[] = KEYS.filter((key) => settingOf(key).of === "tables");

/** Settings of several processes that train together. */
export const RANK_KEYS: readonly Key[] = KEYS.filter((key) => settingOf(key).group === "ranks");

/** NUM_DATASET as the type numDataset. */
type Camel<K extends string> = K extends `${infer Head}_${infer Tail}` ? `${Lowercase<Head>}${Capitalize<Camel<Tail>>}`
  : Lowercase<K>;

/** All settings, read and checked. A task that does not use a setting gets its default. */
export type Config = { [K in Key as Camel<K>]: NonNullable<ReturnType<typeof SETTINGS[K]["parse"]>> };

export type LossName = Exclude<Config["loss"], "auto">;

/** The name of a setting in the configuration: "numDataset" for NUM_DATASET. */
export function propertyOf<K extends Key>(key: K): Camel<K> {
  return key.toLowerCase().replace(/_(.)/g, (_, letter) => letter.toUpperCase()) as Camel<K>;
}

export function settingOf(key: Key): Setting {
  return SETTINGS[key];
}

export function keysOf(task: TaskName): readonly Key[] {
  return KEYS.filter((key) => settingOf(key).tasks.includes(task));
}

/** The text of a setting that nobody sets. */
export function presetOf(key: Key, suits: RecipeName | "DATA"): string {
  const { presets = {}, default: preset } = settingOf(key);
  return presets[suits] ?? preset;
}

/** The flag of a key: "--num-dataset" for NUM_DATASET. */
export function flagOf(key: string): string {
  return `--${key.toLowerCase().replaceAll("_", "-")}`;
}
