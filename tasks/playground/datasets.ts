/** The datasets of the playground: rows in raw units, from a seed. They are the same in Deno and in a browser. */

import { outputNames } from "../../lib/model_file/metadata.ts";
import { Random } from "../../lib/base/random.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import { type ColumnStatistics, RunningStatistics } from "../../lib/data/statistics.ts";
import { encodedNames, numericTable, type Table } from "../../lib/data/table.ts";
import type { TableNotes } from "../../lib/data/table_notes.ts";

/** The datasets that come from a seed; "csv" is one that was pasted. */
export const DATASETS = ["cubic", "xor", "moons", "spiral"] as const;

export type DatasetName = typeof DATASETS[number] | "csv";

export type LossName = "mse" | "bce" | "softmax";

export interface Rows {
  readonly table: Table;
  readonly loss: LossName;
  /** Encoded inputs [rows, features], in raw units. */
  readonly x: Float64Array;
  /** Targets [rows, outputs], in raw units. */
  readonly y: Float64Array;
  /** Whether an input is 0 or 1 for a category, which is not scaled. */
  readonly isOneHot: readonly boolean[];
  /** What was made of a pasted table. */
  readonly notes?: TableNotes;
}

/** Rows, scaled and split for training. */
export interface PlayData {
  readonly rows: Rows;
  readonly features: readonly string[];
  readonly targets: readonly string[];
  readonly scalers: { readonly inputs: Scaler; readonly targets: Scaler };
  /** Mean of each output over the training rows. */
  readonly baseline: readonly number[];
  /** Numbers of the training and of the validation rows. */
  readonly training: readonly number[];
  readonly validation: readonly number[];
}

const COUNT = 240;
const TRAINING_SHARE = 0.8;

/** Two classes in a plane. */
const PLANE: Table = {
  inputs: [{ kind: "numeric", name: "x1" }, { kind: "numeric", name: "x2" }],
  target: { kind: "classes", name: "color", classes: ["orange", "blue"] },
  missing: "error",
};

/** A point and its class; coordinates are about 1 in size. */
type Point = (index: number, random: Random) => [x1: number, x2: number, label: number];

const POINTS: Record<Exclude<typeof DATASETS[number], "cubic">, Point> = {
  xor: (_, random) => {
    const x1 = random.uniform(-1, 1);
    const x2 = random.uniform(-1, 1);
    return [x1, x2, Number(x1 * x2 < 0)];
  },
  moons: (index, random) => {
    const angle = random.uniform(0, Math.PI);
    const label = index % 2;
    return label === 0 ? [Math.cos(angle), Math.sin(angle), 0] : [1 - Math.cos(angle), 0.5 - Math.sin(angle), 1];
  },
  spiral: (index, random) => {
    const share = random.uniform(0.04, 1);
    const label = index % 2;
    const angle = 3.5 * Math.PI * share + label * Math.PI;
    return [share * Math.sin(angle), share * Math.cos(angle), label];
  },
};

export function makeRows(name: Exclude<DatasetName, "csv">, noise: number, seed: number): Rows {
  const points = new Random(seed, `${name} inputs`);
  const errors = new Random(seed, `${name} noise`);
  if (name === "cubic") {
    const x = Float64Array.from({ length: COUNT }, () => points.uniform(-100, 100));
    // 3,900 is the deviation of y over these inputs.
    const y = x.map((x) => 0.01 * x ** 3 - 0.1 * x ** 2 + 2 * x + 20 + errors.normal(0, 3900 * noise));
    return { table: numericTable(["x"], ["y"]), loss: "mse", x, y, isOneHot: [false] };
  }
  const x = new Float64Array(2 * COUNT);
  const y = new Float64Array(COUNT);
  for (let i = 0; i < COUNT; i++) {
    const [x1, x2, label] = POINTS[name](i, points);
    x.set([x1 + errors.normal(0, noise / 2), x2 + errors.normal(0, noise / 2)], 2 * i);
    y[i] = label;
  }
  return { table: PLANE, loss: "bce", x, y, isOneHot: [false, false] };
}

/**
 * Splits rows at random, and fits the scalers on the training rows.
 *
 * @throws {RangeError} If a column cannot be scaled.
 */
export function prepare(rows: Rows, seed: number, scalers?: PlayData["scalers"]): PlayData {
  const { table, loss, x, y, isOneHot } = rows;
  const features = encodedNames(table.inputs);
  const targets = outputNames(table.target, loss);
  const order = [...new Random(seed, "split").permutation(y.length / targets.length)];
  const count = Math.max(1, Math.floor(TRAINING_SHARE * order.length));
  const training = order.slice(0, count);
  const validation = order.slice(count);
  const inputs = statisticsOf(features, x, training);
  const outputs = statisticsOf(targets, y, training);
  const plain = inputs.map((column, i) => isOneHot[i] ? { ...column, min: 0, max: 1, mean: 0, deviation: 1 } : column);
  return {
    rows,
    features,
    targets,
    scalers: scalers ?? {
      inputs: new Scaler("standardize", plain),
      targets: new Scaler(loss === "mse" ? "standardize" : "none", outputs),
    },
    baseline: outputs.map(({ mean }) => mean),
    training,
    validation,
  };
}

/** The rows of these numbers, scaled for the network. */
export function scaledRows(data: PlayData, numbers: readonly number[]): { x: Float32Array; y: Float32Array } {
  const { rows: { x, y }, features, targets, scalers } = data;
  const pick = (values: Float64Array, width: number) =>
    Float64Array.from(numbers.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]));
  return {
    x: Float32Array.from(scalers.inputs.transform(pick(x, features.length))),
    y: Float32Array.from(scalers.targets.transform(pick(y, targets.length))),
  };
}

function statisticsOf(names: readonly string[], values: Float64Array, rows: readonly number[]): ColumnStatistics[] {
  const statistics = new RunningStatistics(names);
  for (const row of rows) statistics.add(values, row * names.length);
  return statistics.result();
}
