/** The columns of a table, as the network's first layer takes them. */

import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { settingAt } from "../settings/faults.ts";
import type { Scaler } from "../../lib/data/scaler.ts";
import { encodedNames, type Table } from "../../lib/data/table.ts";
import { ColumnDropout } from "../../lib/tabular/column_dropout.ts";
import { BINS, type EmbeddedColumn, TableEmbedding } from "../../lib/tabular/table_embedding.ts";

/** Categories up to which a column is one-hot; each category of a longer one has a trained row. */
const ONE_HOT = 8;

/** Values of such a row. */
const ROW_WIDTH = 8;

/** What the network's inputs are made of. */
export interface Inputs {
  readonly table?: Pick<Table, "inputs">;
  /** Of the inputs; without it nothing is known of them but that they are numbers. */
  readonly scaler?: Scaler;
  readonly count: number;
}

/**
 * The layer that takes a row of a table to the network's inputs; none where they are the row itself.
 *
 * @throws {ConfigError} If NUMERIC_EMBEDDING asks for what is not known of the numbers.
 */
export function embeddingOf(inputs: Inputs, config: TaskConfig): TableEmbedding | undefined {
  const { numericEmbedding: numbers, members } = config;
  const columns = columnsOf(inputs, config);
  if (numbers === "none" && columns.every(({ kind }) => kind === "number")) return undefined;
  return new TableEmbedding({ columns, numbers, members });
}

/** Under COLUMN_DROPOUT auto: from so many columns on, such a share of them is dropped. tasks/quality/README.md says why. */
const COLUMN_DROPOUT = { columns: 32, rate: 0.2 };

/**
 * Dropout of whole columns of the table, all parts of a date together; none where nothing is dropped.
 *
 * @param values How many values each input becomes.
 */
export function columnDropoutOf(
  { table, count }: Inputs,
  values: readonly number[] | undefined,
  { columnDropout }: TaskConfig,
  seed: number,
): ColumnDropout | undefined {
  const parts = table?.inputs.map((column) => encodedNames([column]).length) ?? new Array<number>(count).fill(1);
  let first = 0;
  const widths = parts.map((length) => {
    const own = values?.slice(first, first + length) ?? new Array<number>(length).fill(1);
    first += length;
    return own.reduce((sum, value) => sum + value, 0);
  });
  const own = widths.length >= COLUMN_DROPOUT.columns ? COLUMN_DROPOUT.rate : 0;
  const rate = columnDropout === "auto" ? own : columnDropout;
  return rate > 0 ? new ColumnDropout(rate, { widths, seed }) : undefined;
}

function columnsOf({ table, scaler, count }: Inputs, config: TaskConfig): EmbeddedColumn[] {
  const shares = (table?.inputs ?? []).flatMap((column) => column.kind === "categorical" ? [column.shares] : []);
  const edges = config.numericEmbedding === "piecewise" ? edgesOf(scaler, config) : undefined;
  return Array.from({ length: count }, (_, i): EmbeddedColumn => {
    const names = scaler?.columns[i].names;
    if (names === undefined) return { kind: "number", edges: edges?.[i] };
    return { kind: "names", names, width: names > ONE_HOT ? ROW_WIDTH : undefined, shares: shares.shift() };
  });
}

/** The quantiles of each column, scaled as its values are. */
function edgesOf(scaler: Scaler | undefined, config: TaskConfig): number[][] {
  const columns = scaler?.columns ?? [];
  if (columns.length === 0 || columns.some(({ names, quantiles }) => names === undefined && !quantiles)) {
    const problem = "the quantiles of the columns are known of DATA only: allowed here is none or pbld";
    throw new ConfigError([`${settingAt("NUMERIC_EMBEDDING", config)}: ${problem}`]);
  }
  const rows = Array.from({ length: BINS + 1 }, (_, k) => columns.map(({ quantiles }) => quantiles?.[k] ?? 0));
  const scaled = rows.map((row) => scaler!.transform(row));
  return columns.map((_, i) => scaled.map((row) => row[i]));
}
