/**
 * Layers of a table's columns as model files describe them.
 *
 * @module
 */
import { showJson } from "../base/printable.ts";
import type { Layer } from "../core/layers.ts";
import { ColumnDropout } from "../tabular/column_dropout.ts";
import {
  type EmbeddedColumn,
  NUMERIC_EMBEDDINGS,
  type NumericEmbedding,
  TableEmbedding,
} from "../tabular/table_embedding.ts";

/** Most categories of a column, and most values of a trained row. */
const MAX_WIDTH = 2 ** 24;

/** The layer of a table's columns, from what a file says of it. Sizes are checked against those of its tensors later. */
export function buildEmbedding(
  name: string,
  { columns, numbers, ...others }: Readonly<Record<string, unknown>>,
  members: number,
): TableEmbedding {
  const [odd] = Object.keys(others);
  if (odd !== undefined) throw new SyntaxError(`${name} has the unknown setting ${showJson(odd)}`);
  if (!Array.isArray(columns)) throw new SyntaxError(`${name}: its columns are ${showJson(columns)}, need a list`);
  if (!NUMERIC_EMBEDDINGS.includes(numbers as NumericEmbedding)) {
    throw new SyntaxError(`${name}: its numbers are ${showJson(numbers)}, need ${NUMERIC_EMBEDDINGS.join(", ")}`);
  }
  const parsed = columns.map((column, i) => parseColumn(`${name}, column ${i}`, column));
  try {
    return new TableEmbedding({ columns: parsed, numbers: numbers as NumericEmbedding, members });
  } catch (error) {
    throw new SyntaxError(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** Dropout of whole columns, from what a file says of it. */
export function buildColumnDropout(
  name: string,
  { rate, seed, widths, ...others }: Readonly<Record<string, unknown>>,
): ColumnDropout {
  const isList = Array.isArray(widths) && widths.every((width) => Number.isInteger(width) && width <= MAX_WIDTH);
  if (typeof rate !== "number" || typeof seed !== "number" || !isList || Object.keys(others).length > 0) {
    throw new SyntaxError(`${name} is no ColumnDropout: need a rate, a seed and the widths of the columns`);
  }
  try {
    return new ColumnDropout(rate, { widths, seed });
  } catch (error) {
    throw new SyntaxError(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

function parseColumn(name: string, value: unknown): EmbeddedColumn {
  const { kind, edges, names, width, shares, ...others } = Object(value) as Record<string, unknown>;
  const isNumbers = (list: unknown) => Array.isArray(list) && list.every((item) => typeof item === "number");
  const isList = (list: unknown) => list === undefined || isNumbers(list);
  const isSize = (size: unknown) => Number.isSafeInteger(size) && size as number >= 1 && size as number <= MAX_WIDTH;
  const isNone = (...values: unknown[]) => values.every((item) => item === undefined);
  if (kind === "number" && isList(edges) && isNone(names, width, shares, ...Object.values(others))) {
    return edges === undefined ? { kind } : { kind, edges: edges as number[] };
  }
  const isWidth = width === undefined || isSize(width);
  if (kind === "names" && isSize(names) && isWidth && isList(shares) && isNone(edges, ...Object.values(others))) {
    return {
      kind,
      names: names as number,
      ...(width === undefined ? {} : { width: width as number }),
      ...(shares === undefined ? {} : { shares: shares as number[] }),
    };
  }
  throw new SyntaxError(`${name} is ${showJson(value)}, need a number with edges or none, or names with their count`);
}

/** The columns that a layer takes, where it is one of a table's columns. */
export function columnsOf(layer: Layer): readonly EmbeddedColumn[] | undefined {
  return layer instanceof TableEmbedding ? layer.settings.columns : undefined;
}
