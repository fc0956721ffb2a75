/** The values of the controls, and how the address stores them. */

import type { ActivationName } from "../../lib/core/layers.ts";
import type { OptimizerName } from "../../lib/core/optimizers.ts";
import { MAX_SEED } from "../../lib/base/random.ts";
import { type DatasetName, DATASETS } from "./datasets.ts";

export interface Settings {
  readonly dataset: DatasetName;
  /** From 0 to 1. */
  readonly noise: number;
  /** Widths of the hidden layers; none is a linear model. */
  readonly hidden: readonly number[];
  readonly activation: ActivationName;
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
  readonly batchSize: number;
  readonly seed: number;
  /** The epoch at which a run pauses. */
  readonly epochs: number;
}

/** Activations and optimizers that can be chosen. */
export const ACTIVATION_NAMES: readonly ActivationName[] = ["relu", "leaky-relu", "tanh", "sigmoid", "gelu"];
export const OPTIMIZER_NAMES: readonly OptimizerName[] = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"];

/** The largest width and number of hidden layers that can be drawn. */
const MAX_WIDTH = 64;
const MAX_LAYERS = 6;

/** The first settings of each dataset: it is learned in a few seconds. */
export const DEFAULTS: Readonly<Record<DatasetName, Settings>> = {
  cubic: { ...common("cubic"), hidden: [32], activation: "relu" },
  xor: common("xor"),
  moons: { ...common("moons"), noise: 0.2 },
  spiral: { ...common("spiral"), hidden: [16, 16], epochs: 400, noise: 0.02 },
  csv: { ...common("csv"), hidden: [16] },
};

function common(dataset: DatasetName): Settings {
  return {
    dataset,
    noise: 0.05,
    hidden: [8],
    activation: "tanh",
    optimizer: "adam",
    learningRate: 0.02,
    batchSize: 16,
    seed: 42,
    epochs: 200,
  };
}

/** A control: how its text is read, undefined if it is not allowed, and what is allowed, in words. */
interface Reader<T> {
  readonly read: (text: string) => T | undefined;
  readonly allowed: string;
}

/** The controls. */
export const READERS: { readonly [K in keyof Settings]: Reader<Settings[K]> } = {
  dataset: oneOf([...DATASETS, "csv"]),
  noise: { read: (text) => numberIn(text, (value) => value >= 0 && value <= 1), allowed: "a number from 0 to 1" },
  hidden: {
    read: (text) => {
      const widths = text.trim() === "" ? [] : text.split(",").map((word) => whole(1, MAX_WIDTH).read(word));
      return widths.length <= MAX_LAYERS && !widths.includes(undefined) ? widths as number[] : undefined;
    },
    allowed: `up to ${MAX_LAYERS} whole numbers from 1 to ${MAX_WIDTH}, such as 8 or 16, 8; nothing for a linear model`,
  },
  activation: oneOf(ACTIVATION_NAMES),
  optimizer: oneOf(OPTIMIZER_NAMES),
  learningRate: {
    read: (text) => numberIn(text, (value) => value >= 1e-6 && value <= 10),
    allowed: "a number from 0.000001 to 10",
  },
  batchSize: whole(1, 100_000),
  seed: whole(0, MAX_SEED),
  epochs: whole(1, 1_000_000),
};

/** The settings as the part of an address after #. */
export function toHash(settings: Settings): string {
  return `#${new URLSearchParams(Object.entries(settings).map(([key, value]) => [key, `${value}`]))}`;
}

/** Settings from the part of an address after #; what is missing or not allowed has the dataset's default. */
export function fromHash(hash: string): Settings {
  const given = new URLSearchParams(hash.slice(1));
  const read = <K extends keyof Settings>(key: K) => {
    const text = given.get(key);
    return text === null ? undefined : READERS[key].read(text);
  };
  const preset = DEFAULTS[read("dataset") ?? "cubic"];
  const keys = Object.keys(preset) as (keyof Settings)[];
  return Object.fromEntries(keys.map((key) => [key, read(key) ?? preset[key]])) as unknown as Settings;
}

function numberIn(text: string, isAllowed: (value: number) => boolean): number | undefined {
  const value = text.trim() === "" ? NaN : Number(text);
  return isAllowed(value) ? value : undefined;
}

function whole(least: number, most: number): Reader<number> {
  const read = (text: string) => numberIn(text, (value) => Number.isInteger(value) && value >= least && value <= most);
  return { read, allowed: `a whole number from ${least} to ${most}` };
}

function oneOf<T extends string>(names: readonly T[]): Reader<T> {
  return { read: (text) => names.find((name) => name === text), allowed: "one of the list" };
}
