/** The columns of a table as groups of a network's inputs, and places on them that real rows have. */

import type { Scaler } from "../../lib/data/scaler.ts";
import { encodedNames, type InputColumn, type Table } from "../../lib/data/table.ts";

/** Most places on a column of numbers or dates, and most names. */
const PLACES = 20;
const NAMES = 12;

/** What a number may have changed by, as a share of the deviation, where its scaled value went through float32. */
const RESOLUTION = 1e-5;

const MS_PER_DAY = 86_400_000;

/** A column, and which inputs it became. */
export interface ColumnGroup {
  readonly column: InputColumn;
  /** The first of its inputs. */
  readonly first: number;
  readonly count: number;
}

/** Rows with the same value, or values next to each other. */
export interface GridPlace {
  /** What the table calls it: a number, a name or a date. */
  readonly label: string;
  /** Where it lies: the number, days since 1970-01-01 UTC, or the place among the names. */
  readonly at: number;
  /** Share of the rows that lie nearest to it. */
  readonly share: number;
  /** The scaled inputs of a row there. */
  readonly inputs: Float32Array;
}

export function groupsOf({ inputs }: Table): ColumnGroup[] {
  let first = 0;
  return inputs.map((column) => {
    const count = encodedNames([column]).length;
    const group = { column, first, count };
    first += count;
    return group;
  });
}

/**
 * Places on a column: of numbers and dates at most 20 quantiles of the rows, of names the most frequent ones.
 *
 * @param group The column.
 * @param x Scaled rows [n, inputs], best of the training part.
 * @param scaler The scaler of the inputs.
 */
export function gridOf(group: ColumnGroup, x: Float32Array, scaler: Scaler): GridPlace[] {
  const width = scaler.columns.length;
  const raw = scaler.inverse(x);
  const rows = x.length / width;
  const inputsOf = (row: number) => x.slice(row * width + group.first, row * width + group.first + group.count);
  const { column } = group;
  if (column.kind === "categorical") {
    const names = [...column.categories, ...column.shares ? [] : [column.others ? "(other)" : "(unseen)"]];
    const codes = Array.from({ length: rows }, (_, row) => raw[row * width + group.first]);
    const counted = [...Map.groupBy(codes.keys(), (row) => codes[row])].sort((a, b) => b[1].length - a[1].length);
    return counted.slice(0, NAMES).map(([code, [row, ...others]], at) => ({
      label: names[code] ?? "(unseen)",
      at,
      share: (others.length + 1) / rows,
      inputs: inputsOf(row),
    }));
  }
  const origin = column.kind === "date" ? column.origin : 0;
  const { min, max, deviation } = scaler.columns[group.first];
  // A scaled value far out went through float32, and may come back as infinity.
  const valueOf = (row: number) => Math.min(Math.max(raw[row * width + group.first], min), max);
  const values = Float64Array.from({ length: rows }, (_, row) => origin + valueOf(row));
  const order = [...values.keys()].sort((a, b) => values[a] - values[b]);
  const quantiles = Array.from({ length: PLACES }, (_, i) => order[Math.round(i * (rows - 1) / (PLACES - 1))]);
  const places = quantiles.filter((row, i) => i === 0 || values[row] !== values[quantiles[i - 1]]);
  const shares = sharesOf(places.map((row) => values[row]), values);
  const at = (row: number) => near(values[row], deviation);
  return places.map((row, i) => ({
    label: column.kind === "date" ? dateOf(values[row], column.parts.includes("hour")) : `${at(row)}`,
    at: at(row),
    share: shares[i],
    inputs: inputsOf(row),
  }));
}

/** Shares of values that lie nearest to each of some ascending places. */
function sharesOf(places: readonly number[], values: Float64Array): number[] {
  const counts = places.map(() => 0);
  for (const value of values) {
    let nearest = 0;
    while (nearest + 1 < places.length && Math.abs(places[nearest + 1] - value) < Math.abs(places[nearest] - value)) {
      nearest++;
    }
    counts[nearest]++;
  }
  return counts.map((count) => count / values.length);
}

/** A number without the digits that float32 has made up. */
function near(value: number, deviation: number): number {
  const step = 10 ** Math.floor(Math.log10(deviation * RESOLUTION));
  if (!(step > 0)) return value;
  const near = Math.round(value / step) * step;
  // The product has digits of its own, as 0.1 * 3 has.
  return near === 0 ? 0 : Number(near.toPrecision(15));
}

/** A date as ISO 8601 has it; with the time of day where that counts. */
export function dateOf(days: number, hasTime: boolean): string {
  // A scaled date went through float32, which is exact to some seconds.
  const minutes = Math.round(days * MS_PER_DAY / 60_000) * 60_000;
  const date = new Date(hasTime ? minutes : Math.round(days) * MS_PER_DAY);
  if (Number.isNaN(date.getTime())) return `day ${days}`;
  return date.toISOString().slice(0, hasTime ? 16 : 10);
}
