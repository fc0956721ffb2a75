/** On what rows a model was not tested: numbers and dates outside of the training rows, names that are new or rare. */

import { listNames } from "../prepare/typed_names.ts";
import type { ScaledDataset } from "../prepare/scaled_dataset.ts";
import type { InputColumn } from "../../lib/data/table.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import { sampleRows } from "../runs/sample_rows.ts";
import { formatNumber } from "../show/text_table.ts";
import { type ColumnGroup, dateOf, groupsOf } from "./columns.ts";

/** Most columns and names that a line tells. */
const MOST = 8;

/** With fewer rows a name or class is rare. */
const FEW = 10;

/** Rows that are looked through. */
const MOST_ROWS = 20_000;

/**
 * Lines that say on what a model was not tested.
 *
 * @param saved The model.
 * @param dataset Its rows.
 * @param order Columns, the most important first.
 * @param classes Rows of each class among the tested ones.
 */
export async function untestedLines(
  saved: SavedModel,
  { parts }: Pick<ScaledDataset, "parts">,
  order: readonly string[],
  classes: readonly { class: string; rows: number }[] = [],
): Promise<string[]> {
  const { table, scalers } = saved.description;
  const groups = groupsOf(table).sort((a, b) => order.indexOf(a.column.name) - order.indexOf(b.column.name));
  const ranges = groups.filter(({ column }) => column.kind === "numeric").map(({ column, first }) => {
    const { min, max } = scalers.inputs.columns[first];
    return `${listNames([column.name])} ${formatNumber(min)} to ${formatNumber(max)}`;
  });
  const tested = parts.test.rows > 0 && parts.test.rows <= MOST_ROWS
    ? scalers.inputs.inverse((await sampleRows(parts.test, MOST_ROWS)).x)
    : undefined;
  const trained = parts.train.rows <= MOST_ROWS
    ? scalers.inputs.inverse((await sampleRows(parts.train, MOST_ROWS)).x)
    : undefined;
  const width = scalers.inputs.columns.length;
  const rare = classes.filter(({ rows }) => rows < FEW).map((one) => `${listNames([one.class])} ${one.rows}`);
  return [
    ...ranges.length > 0 ? [`Numbers outside of the training rows: ${some(ranges)}.`] : [],
    ...groups.flatMap((group) => dateLine(group, scalers.inputs.columns[group.first])),
    ...newNameLines(table.inputs),
    ...groups.flatMap((group) => nameLines(group, width, trained, tested)),
    ...rare.length > 0 ? [`Classes with fewer than ${FEW} of the measured rows: ${some(rare)}.`] : [],
  ];
}

function dateLine({ column }: ColumnGroup, { min, max }: { min: number; max: number }): string[] {
  if (column.kind !== "date") return [];
  const hasTime = column.parts.includes("hour");
  const [from, to] = [min, max].map((days) => dateOf(column.origin + days, hasTime));
  return [`Dates of ${listNames([column.name])} before ${from} or after ${to}.`];
}

/** What stands for names that training did not see. */
function newNameLines(inputs: readonly InputColumn[]): string[] {
  const named = inputs.filter((column) => column.kind === "categorical");
  const line = (columns: typeof named, stands: string) =>
    columns.length === 0 ? [] : [
      `Names that no training row has count as ${stands}: of ${some(columns.map(({ name }) => listNames([name])))}.`,
    ];
  return [
    ...line(named.filter(({ shares }) => shares), "the mix of all names"),
    ...line(named.filter(({ shares }) => !shares), "the rare names"),
  ];
}

function nameLines(
  group: ColumnGroup,
  width: number,
  trained: Float64Array | undefined,
  tested: Float64Array | undefined,
): string[] {
  const { column } = group;
  if (column.kind !== "categorical") return [];
  const name = listNames([column.name]);
  const { categories, others = [] } = column;
  const lines: string[] = [];
  if (others.length > 0) {
    lines.push(`The rare names of ${name} count as one: ${some(others.map((one) => listNames([one])))}.`);
  }
  const counts = trained && countCodes(group, width, trained);
  const rare = categories.flatMap((category, code) => {
    const rows = counts?.get(code) ?? 0;
    return counts && rows < FEW ? [`${listNames([category])} ${rows}`] : [];
  });
  if (rare.length > 0) lines.push(`Names of ${name} with fewer than ${FEW} training rows: ${some(rare)}.`);
  const seen = tested && countCodes(group, width, tested);
  const absent = categories.filter((_, code) => seen && !seen.has(code)).map((category) => listNames([category]));
  if (absent.length > 0) lines.push(`Names of ${name} that no test row has: ${some(absent)}.`);
  return lines;
}

/** How many rows have each name, by its place among the categories. */
function countCodes({ first }: ColumnGroup, width: number, raw: Float64Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (let at = first; at < raw.length; at += width) {
    counts.set(raw[at], (counts.get(raw[at]) ?? 0) + 1);
  }
  return counts;
}

function some(texts: readonly string[]): string {
  const rest = texts.length - MOST;
  return rest > 0 ? `${texts.slice(0, MOST).join(", ")} and ${rest} more` : texts.join(", ");
}
