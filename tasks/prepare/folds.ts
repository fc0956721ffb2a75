/** Folds of the training and validation rows of a table: when there are any, and which row is in which. */

import { showName } from "../../lib/base/printable.ts";
import { Folds, stratifiedFolds } from "../../lib/base/folds.ts";
import type { RowSource } from "../../lib/data/row_source.ts";
import type { Table } from "../../lib/data/table.ts";
import { classIndices } from "../../lib/evaluate/metrics.ts";
import type { Config } from "../settings/settings.ts";
import type { PartedTable } from "./table_rows.ts";

/**
 * Up to this size, in bytes, all rows of a run lie on the GPU as a whole, as folds need it. Every device can bind twice as
 * much at once.
 */
export const RESIDENT_BYTES = 64 * 2 ** 20;

/** Numbers to predict are cut into so many groups of as many rows, of which each fold has its share. */
const QUANTILES = 10;

/** What folds depend on, of the settings. */
type FoldSettings = Pick<Config, "data" | "folds" | "members" | "timeColumn" | "validation" | "syncEvery" | "initFrom">;

/** Under FOLDS auto, fewer members have no folds: each of two would train on half of the rows. */
const LEAST_MEMBERS = 3;

/** How many folds the settings ask for; 0 for none. */
export function foldsAsked(config: FoldSettings): number {
  const { data, folds, members, timeColumn, validation, syncEvery, initFrom } = config;
  if (data === "") return 0;
  if (folds !== "auto") return folds;
  // Weights from elsewhere may have been trained on the rows that a member would hold out.
  if (initFrom !== "") return 0;
  // Who names validation rows, of later months or other shops, means that none of them trains.
  const areApart = timeColumn !== "" || validation !== "" || syncEvery > 1;
  return areApart || members < LEAST_MEMBERS ? 0 : members;
}

/** How many members a run has, as whole folds need them. */
function membersAsked(config: FoldSettings): number {
  const folds = foldsAsked(config);
  return folds === 0 ? config.members : Math.ceil(config.members / folds) * folds;
}

/** The tables with the rows of validation among those that train. */
export function pooled(tables: readonly PartedTable[]): PartedTable[] {
  return tables.map((table) => ({
    ...table,
    parts: table.parts?.map((part) => part === 1 ? 0 : part),
    into: table.part === 1 ? 0 : table.part,
  }));
}

interface Counted {
  /** Rows of training and validation. */
  readonly rows: number;
  /** How many of them each class has; empty where numbers are predicted. */
  readonly classes: ReadonlyMap<string, number>;
  /** Of all rows, as float32. */
  readonly bytes: number;
}

/** Why there cannot be as many folds of a table as are asked for, in words that follow "because"; undefined where there can. */
export function whyApart(config: FoldSettings, { rows, classes, bytes }: Counted): string | undefined {
  const folds = foldsAsked(config);
  if (rows < 2 * folds) return `${folds} folds need ${2 * folds} rows or more, and there are ${rows}`;
  // Who asks for folds has them also where some have no row of a class.
  const fewest = config.folds === "auto" ? folds : 2;
  const few = [...classes].filter(([_, count]) => count < fewest).map(([name, count]) =>
    `${showName(name)} has ${count === 1 ? "one" : count}`
  );
  if (few.length > 0) {
    const need = config.folds === "auto"
      ? `each of ${folds} folds needs a row of every class`
      : "a class needs two rows or more, one to train on when the other is held out";
    return `${need}, and ${few.join(", ")}`;
  }
  if (bytes > RESIDENT_BYTES) return "the rows do not all fit on the GPU at once, and folds need that";
}

/** What it depended on whether rows could be cut into folds, as a scaled dataset keeps it. */
export function foldsTried(config: FoldSettings): string {
  return `${config.folds === "auto" ? "auto " : ""}${foldsAsked(config)}`;
}

/** What folds need of a scaled dataset. */
interface PooledRows {
  readonly parts: { readonly train: RowSource };
  /** There where the rows are pooled. */
  readonly places?: RowSource;
  readonly table: Pick<Table, "target">;
}

/** The folds of a run's rows; undefined where validation rows are kept apart. */
export async function foldsOf(
  { parts: { train }, places, table: { target } }: PooledRows,
  config: FoldSettings & Pick<Config, "seed">,
  members = membersAsked(config),
): Promise<Folds | undefined> {
  const folds = foldsAsked(config);
  if (folds === 0 || !places) return undefined;
  const { y } = await train.read(0, train.rows);
  const groups = target.kind === "classes"
    ? classIndices(y, train.targets)
    : quantilesOf(Float32Array.from({ length: train.rows }, (_, row) => y[row * train.targets]));
  return new Folds(stratifiedFolds(groups, folds, config.seed), folds, members);
}

/** Of each value, which quantile it is in. */
function quantilesOf(values: Float32Array): Uint8Array {
  const quantiles = new Uint8Array(values.length);
  const order = Array.from(values.keys()).sort((a, b) => values[a] - values[b]);
  order.forEach((row, rank) => quantiles[row] = Math.floor(rank * QUANTILES / values.length));
  return quantiles;
}
