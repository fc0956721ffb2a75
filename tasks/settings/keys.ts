/** The one table of settings: key, default, meaning, what is allowed, and how its text is read. */

import { parse as parseCsv } from "@std/csv";
import { type ActivationName, ACTIVATIONS } from "../../lib/core/layers.ts";
import type { OptimizerName } from "../../lib/core/optimizers.ts";
import { MAX_SEED } from "../../lib/base/random.ts";
import { SCALING_METHODS } from "../../lib/data/scaler.ts";
import { MISSING_POLICIES } from "../../lib/data/table_json.ts";
import type { Init } from "../../lib/core/init.ts";
import type { Camel, Config, GroupKey, Interval, Key, RecipeName, TableKey } from "./config_types.ts";
import { RECIPES } from "./recipes.ts";

/** One setting. */
export interface Setting<T = unknown> {
  default: string;
  meaning: string;
  /** What the text may be, in words. */
  allowed: string;
  /** Reads the text; undefined where it is not allowed. */
  parse: (text: string) => T | undefined;
  /** Whether its flag may stand alone, for true. */
  isBoolean?: true;
}

const ACTIVATION_NAMES = Object.keys(ACTIVATIONS) as ActivationName[];
const OPTIMIZER_NAMES: readonly OptimizerName[] = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"];
const RECIPE_NAMES = Object.keys(RECIPES) as RecipeName[];

/** All settings, in the order in which help lists them. */
export const SETTINGS = {
  RECIPE: choice("cubic", "a dataset with settings that suit it", RECIPE_NAMES),
  GENERATE_DATASET: flag("make the dataset anew though it is there"),
  NUM_DATASET: whole("100000", "rows to generate", 1, 100_000_000),
  NOISE: number(
    "0",
    "noise of the generated target",
    "a number from 0 to 1e30; recipe xor: only 0",
    (value) => value >= 0 && value <= 1e30,
  ),
  DATA: text("a CSV file of your own, or a folder of them, in the place of a recipe", "a path"),
  TARGET: columns("the columns of DATA to predict: one, or several of numbers"),
  FEATURES: columns("the columns of DATA to predict from; all others if left out"),
  IGNORE: columns("columns of DATA to leave out"),
  CATEGORICAL: columns("columns of DATA that hold categories though they look like numbers"),
  MISSING: choice(
    "error",
    "what missing cells get: mean or median of the column, or a category of their own; or their rows are dropped",
    MISSING_POLICIES,
  ),
  TASK: choice("auto", "numbers or classes to predict", ["auto", "regression", "classification"]),
  SEPARATOR: choice("auto", "what stands between the cells of DATA", ["auto", "comma", "semicolon", "tab"]),
  VALIDATION: text("a CSV file of validation rows, or a folder of them, in the place of SPLIT", "a path"),
  TEST: text("a CSV file of test rows, or a folder of them, in the place of SPLIT", "a path"),
  TIME_COLUMN: text("a column of DATA by which rows are split: the earliest train, the last test", "a column"),
  SCALING_METHOD: choice("standardize", "how inputs and targets are scaled", SCALING_METHODS),
  HIDDEN_SIZE: {
    default: "64",
    meaning: "widths of the hidden layers, comma-separated",
    allowed: "1 to 64 whole numbers from 1 to 65536, such as 64 or 128,64",
    parse: parseHiddenSize,
  } as Setting<number[]>,
  ACTIVATION: choice("relu", "what stands behind each hidden layer", ACTIVATION_NAMES),
  DROPOUT: number(
    "0",
    "share of each hidden layer's values that training drops",
    "a number from 0 to less than 1",
    (value) => value >= 0 && Math.fround(value) < 1,
  ),
  INIT: {
    default: "kaiming",
    meaning: "initial weights",
    allowed: "kaiming, xavier, uniform:A, normal:S or ones, with A and S above 0, also as float32",
    parse: parseInit,
  } as Setting<Init>,
  INIT_FROM: text("a safetensors file with weights to start from, in the place of INIT", "a path"),
  LOSS: choice(
    "mse",
    "mean squared or absolute error, Huber's, binary cross-entropy for targets in 0..1, softmax cross-entropy for classes; " +
      "auto: as DATA asks",
    ["mse", "mae", "huber", "bce", "softmax", "auto"],
  ),
  CLASS_WEIGHTS: choice("none", "whether rare classes weigh as much as frequent ones", ["none", "balanced"]),
  OPTIMIZER: choice("sgd", "how the weights are updated", OPTIMIZER_NAMES),
  LEARNING_RATE: number("0.01", "size of an update", "a number above 0, also as float32", isPositiveFloat32),
  SCHEDULE: choice(
    "constant",
    "how the learning rate goes: by tenths after each third of the steps (step, exponential), down along a cosine, up and " +
      "down, or halved where the validation loss has not fallen for 5 epochs",
    ["constant", "step", "exponential", "cosine", "one-cycle", "plateau"],
  ),
  WARMUP: whole("0", "steps at the start over which the learning rate rises", 0, 1_000_000_000),
  WEIGHT_DECAY: {
    default: "auto",
    meaning: "how strongly weights are drawn to 0",
    allowed: "a number from 0 on, also as float32; or auto: 0.01 under adamw, else 0",
    parse: (text) => {
      const value = parseDecimal(text);
      return text === "auto" ? "auto" : value !== undefined && isFloat32(value) ? value : undefined;
    },
  } as Setting<number | "auto">,
  CLIP_NORM: number(
    "0",
    "norm that gradients are scaled down to; 0: none",
    "a number from 0 on, also as float32",
    isFloat32,
  ),
  BATCH_SIZE: {
    default: "10",
    meaning: "rows of a step",
    allowed: "a whole number from 1 on, or full",
    parse: (text) => text === "full" ? "full" : parseWhole(text, 1, 0xffff_ffff),
  } as Setting<number | "full">,
  NUM_EPOCHS: whole("10", "how often the training rows are gone through", 1, 1_000_000_000),
  PATIENCE: whole(
    "0",
    "epochs without a better validation loss after which the best weights are kept; 0: all epochs",
    0,
    1_000_000,
  ),
  SPLIT: {
    default: "0.8,0.1,0.1",
    meaning: "shares of training, validation and test",
    allowed: "three numbers from 0 on that add up to 1, the first above 0, such as 0.8,0.1,0.1",
    parse: parseSplit,
  } as Setting<[number, number, number]>,
  SEED: whole("42", "one seed for data, split, weights and shuffles", 0, MAX_SEED),
  RUN_NAME: {
    default: "default_run",
    meaning: "names the folder of the run",
    allowed:
      "1 to 100 letters, digits, dots, dashes and underscores, a letter or digit first, no dot last, no device's name",
    parse: (text) =>
      /^(?!(con|prn|aux|nul|com\d|lpt\d)(\.|$))[a-z0-9]([a-z0-9._-]{0,98}[a-z0-9_-])?$/i.test(text) ? text : undefined,
  } as Setting<string>,
  CHECKPOINT_EVERY: {
    default: "30s",
    meaning: "how often a run is kept while it trains, beside at the ends of epochs",
    allowed: "steps such as 1000, or a time such as 30s, 5m or 1h",
    parse: parseInterval,
  } as Setting<Interval>,
  KEEP_CHECKPOINTS: whole("2", "how many of the latest checkpoints stay, beside the best", 1, 1_000_000),
  ON_NAN: choice(
    "stop",
    "what follows a value that is not finite: the end, or half the learning rate from the last checkpoint",
    [
      "stop",
      "halve-lr",
    ],
  ),
  DEBUG_TENSORS: flag("print name, shape, min and max of every tensor of each step"),
  REPORT: flag("write report.html at the end of a run", "true"),
  SELF_TEST: flag("compare every kernel with float64 before training, which takes half a second", "true"),
  TRACE: {
    default: "0",
    meaning: "every how many steps trace.jsonl gets a line with measures of all tensors; alone: each step; 0: never",
    allowed: "a whole number from 0 on, or true for 1",
    parse: (text) => text === "true" ? 1 : text === "false" ? 0 : parseWhole(text, 0, 1_000_000_000),
    isBoolean: true,
  } as Setting<number>,
  SYNC_EVERY: whole(
    "1",
    "steps between two meetings of ranks: 1 shares each step, more are each rank's own, with an outer step behind them",
    1,
    16_384,
  ),
  OUTER_LEARNING_RATE: number(
    "0.7",
    "size of the outer step of SYNC_EVERY over 1; 1, with OUTER_MOMENTUM 0, takes the mean",
    "a number above 0, also as float32",
    isPositiveFloat32,
  ),
  OUTER_MOMENTUM: number(
    "0.9",
    "how much of the outer step's velocity remains",
    "a number from 0 to less than 1",
    (value) => value >= 0 && Math.fround(value) < 1,
  ),
  RANK_TIMEOUT: {
    default: "10m",
    meaning: "how long ranks wait for one that does not come",
    allowed: "a time such as 30s, 5m or 1h",
    parse: (text) => parseInterval(text)?.seconds,
  } as Setting<number>,
  TRIALS: whole("20", "runs of a search", 1, 10_000),
} satisfies { [K in Key]: Setting<Config[Camel<K>]> };

/** The settings of a table, in the order of the help. */
export const TABLE_KEYS = Object.keys(SETTINGS).slice(4, 15) as TableKey[];

/**
 * Settings that differ from the defaults under DATA: they suit tables of some hundred to some million rows. Weights start
 * small, so that few rows are fitted smoothly, and training ends before it learns noise by heart.
 */
export const TABLE_DEFAULTS: Partial<Record<Key, string>> = {
  INIT: "xavier",
  LOSS: "auto",
  OPTIMIZER: "adam",
  LEARNING_RATE: "0.003",
  BATCH_SIZE: "32",
  NUM_EPOCHS: "200",
  PATIENCE: "20",
};

/** All keys, in the order of the table. */
export const KEYS = Object.keys(SETTINGS) as Key[];

/** Those of several processes that train together. */
export const GROUP_KEYS: readonly GroupKey[] = ["SYNC_EVERY", "OUTER_LEARNING_RATE", "OUTER_MOMENTUM", "RANK_TIMEOUT"];

/** Those of one that trains. */
export const TRAINING_KEYS = KEYS.filter((key) => key !== "TRIALS" && !GROUP_KEYS.some((known) => known === key));

/** The flag of a key: "--num-dataset" for NUM_DATASET. */
export function flagOf(key: string): string {
  return `--${key.toLowerCase().replaceAll("_", "-")}`;
}

/** The name of a key in the configuration: "numDataset" for NUM_DATASET. */
export function propertyOf<K extends Key>(key: K): Camel<K> {
  return key.toLowerCase().replace(/_(.)/g, (_, letter) => letter.toUpperCase()) as Camel<K>;
}

function choice<const T extends string>(preset: T, meaning: string, values: readonly T[]): Setting<T> {
  const allowed = `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
  return { default: preset, meaning, allowed, parse: (text) => values.find((value) => value === text) };
}

/** A text that may be left out. */
function text(meaning: string, allowed: string): Setting<string> {
  return { default: "", meaning, allowed, parse: (text) => text };
}

function columns(meaning: string): Setting<string[]> {
  const allowed = 'names of columns, comma-separated; one that holds a comma stands in quotes: a,"b,c"';
  return { default: "", meaning, allowed, parse: parseNames };
}

/** Names as a record of a CSV file. */
function parseNames(text: string): string[] | undefined {
  try {
    const names = (parseCsv(text)[0] ?? []).map((name) => name.trim());
    return new Set(names).size === names.length && !names.includes("") ? names : undefined;
  } catch {
    return undefined;
  }
}

function flag(meaning: string, preset: "true" | "false" = "false"): Setting<boolean> {
  const parse = (text: string) => text === "true" ? true : text === "false" ? false : undefined;
  return { default: preset, meaning, allowed: "true or false", parse, isBoolean: true };
}

function whole(preset: string, meaning: string, low: number, high: number): Setting<number> {
  const allowed = `a whole number from ${low} to ${high}`;
  return { default: preset, meaning, allowed, parse: (text) => parseWhole(text, low, high) };
}

function number(
  preset: string,
  meaning: string,
  allowed: string,
  isAllowed: (value: number) => boolean,
): Setting<number> {
  const parse = (text: string) => {
    const value = parseDecimal(text);
    return value !== undefined && isAllowed(value) ? value : undefined;
  };
  return { default: preset, meaning, allowed, parse };
}

function parseWhole(text: string, low: number, high: number): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  return value >= low && value <= high ? value : undefined;
}

function parseDecimal(text: string): number | undefined {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** Whether the GPU sees a number from 0 on that is not infinite, and 0 only for 0. */
function isFloat32(value: number): boolean {
  return value === 0 || isPositiveFloat32(value);
}

/** Whether the GPU sees a number above 0 and not infinity. */
function isPositiveFloat32(value: number): boolean {
  return Math.fround(value) > 0 && Math.fround(value) < Infinity;
}

function parseInterval(text: string): Interval | undefined {
  const [_, digits, unit] = text.match(/^(\d+)([smh]?)$/) ?? [];
  const count = parseWhole(digits ?? "", 1, 1_000_000_000);
  if (count === undefined) return undefined;
  return unit === "" ? { steps: count } : { seconds: count * { s: 1, m: 60, h: 3600 }[unit as "s" | "m" | "h"] };
}

function parseHiddenSize(text: string): number[] | undefined {
  const widths = text.split(",").map((width) => parseWhole(width.trim(), 1, 65_536));
  return widths.length <= 64 && widths.every((width) => width !== undefined) ? widths : undefined;
}

function parseInit(text: string): Init | undefined {
  if (text === "kaiming" || text === "xavier" || text === "ones") return { kind: text };
  const [kind, amount, ...rest] = text.split(":");
  const scale = amount === undefined ? undefined : parseDecimal(amount);
  const isKnown = (kind === "uniform" || kind === "normal") && rest.length === 0;
  return isKnown && scale !== undefined && isPositiveFloat32(scale) ? { kind, scale } : undefined;
}

function parseSplit(text: string): [number, number, number] | undefined {
  const shares = text.split(",").map((share) => parseDecimal(share.trim()) ?? NaN);
  if (shares.length !== 3 || !shares.every((share) => share >= 0) || shares[0] === 0) return undefined;
  return Math.abs(shares[0] + shares[1] + shares[2] - 1) <= 1e-9 ? shares as [number, number, number] : undefined;
}
