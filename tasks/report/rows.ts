/** Histograms of the rows of a scaled dataset, read in pieces. */

import type { RowBlock, RowSource } from "../../lib/data/row_source.ts";
import type { Scaler } from "../../lib/data/scaler.ts";
import type { Histogram } from "../charts/data_charts.ts";

/** The most rows and values that histograms count: more would change no bin visibly. */
const COUNTED_ROWS = 131_072;
const COUNTED_VALUES = 1 << 22;

/** The number of pieces, spread evenly, because tables are often sorted. */
const PIECES = 64;

const BINS = 30;

/** Histograms of columns, and how many rows they count. */
export interface Counted {
  readonly inputs: readonly Histogram[];
  readonly targets: readonly Histogram[];
  readonly rows: number;
}

export async function countValues(
  source: RowSource,
  scalers: { readonly inputs: Scaler; readonly targets: Scaler },
  most: number,
): Promise<Counted> {
  const width = source.inputs + source.targets;
  const limit = Math.min(COUNTED_ROWS, Math.ceil(COUNTED_VALUES / width));
  const inputs = emptyOnes(scalers.inputs, most);
  const targets = emptyOnes(scalers.targets, most);
  let rows = 0;
  for await (const { x, y } of pieces(source, limit)) {
    count(x, scalers.inputs, inputs);
    count(y, scalers.targets, targets);
    rows += x.length / source.inputs;
  }
  return { inputs, targets, rows };
}

interface Filling extends Histogram {
  readonly counts: number[];
}

function emptyOnes({ columns }: Scaler, most: number): Filling[] {
  return columns.slice(0, most).map(({ name, min, max, names }) => {
    // A bin for each category; the number after the last, of names never seen, is in no training row.
    if (names !== undefined) return { name, low: -0.5, high: names - 0.5, counts: new Array<number>(names).fill(0) };
    const isOne = min === max;
    const air = isOne ? Math.abs(min) / 2 || 0.5 : 0;
    return { name, low: min - air, high: max + air, counts: new Array<number>(isOne ? 1 : BINS).fill(0) };
  });
}

function count(scaled: Float32Array, scaler: Scaler, histograms: readonly Filling[]): void {
  const raw = scaler.inverse(scaled);
  const width = scaler.columns.length;
  histograms.forEach(({ low, high, counts }, column) => {
    const bins = counts.length;
    for (let i = column; i < raw.length; i += width) {
      const bin = Math.floor((raw[i] - low) / (high - low) * bins);
      // Rounded to float32, a value may lie just outside of the range.
      counts[Math.max(0, Math.min(bins - 1, bin))]++;
    }
  });
}

/** The rows of a source: all of them, or up to a limit in evenly spread pieces. */
async function* pieces(source: RowSource, limit: number): AsyncGenerator<RowBlock> {
  const isWhole = source.rows <= limit;
  const count = Math.max(1, Math.ceil(limit / PIECES));
  const number = isWhole ? Math.ceil(source.rows / count) : PIECES;
  for (let i = 0; i < number; i++) {
    const start = isWhole ? i * count : Math.floor(i * (source.rows - count) / (PIECES - 1));
    yield await source.read(start, Math.min(count, source.rows - start));
  }
}
