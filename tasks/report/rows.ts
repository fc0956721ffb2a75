/** What a report takes from the rows of a scaled dataset, a piece at a time: histograms, and a sample. */

import type { RowBlock, RowSource } from "../../lib/data/row_source.ts";
import type { Scaler } from "../../lib/data/scaler.ts";
import type { Histogram } from "../charts/data_charts.ts";

/** Rows that histograms are counted over at most, and values: enough that no bin would look otherwise. */
const COUNTED_ROWS = 131_072;
const COUNTED_VALUES = 1 << 22;

/** Pieces that rows are taken in, spread evenly: tables are often sorted. */
const PIECES = 64;

/** A sample is taken one by one out of so many times as many rows, read in pieces; else in runs. */
const NEAR = 16;
const PIECE_ROWS = 4_096;
const RUN_ROWS = 10;

/** Bins of a histogram. */
const BINS = 30;

/** Counts of columns, and over how many rows. */
export interface Counted {
  readonly inputs: readonly Histogram[];
  readonly targets: readonly Histogram[];
  readonly rows: number;
}

/** Counts how the values of columns are spread. */
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

/** A histogram that is filled. */
interface Filling extends Histogram {
  readonly counts: number[];
}

function emptyOnes({ columns }: Scaler, most: number): Filling[] {
  return columns.slice(0, most).map(({ name, min, max }) => {
    const isOne = min === max;
    const air = isOne ? Math.abs(min) / 2 || 0.5 : 0;
    return { name, low: min - air, high: max + air, counts: new Array<number>(isOne ? 1 : BINS).fill(0) };
  });
}

function count(scaled: Float32Array, scaler: Scaler, histograms: readonly Filling[]): void {
  const { scalings } = scaler;
  const width = scalings.length;
  histograms.forEach(({ low, high, counts }, column) => {
    const { shift, factor } = scalings[column];
    const bins = counts.length;
    for (let i = column; i < scaled.length; i += width) {
      const bin = Math.floor((scaled[i] * factor + shift - low) / (high - low) * bins);
      // A float32 may lie a hair outside of the range that float64 knows.
      counts[Math.max(0, Math.min(bins - 1, bin))]++;
    }
  });
}

/** Rows of a source, all of them or up to a limit in pieces that are spread evenly. */
async function* pieces(source: RowSource, limit: number): AsyncGenerator<RowBlock> {
  const isWhole = source.rows <= limit;
  const count = Math.max(1, Math.ceil(limit / PIECES));
  const number = isWhole ? Math.ceil(source.rows / count) : PIECES;
  for (let i = 0; i < number; i++) {
    const start = isWhole ? i * count : Math.floor(i * (source.rows - count) / (PIECES - 1));
    yield await source.read(start, Math.min(count, source.rows - start));
  }
}

/** Draws rows evenly: every so many-th one; of a very large source in short runs. */
export async function sampleRows(source: RowSource, most: number): Promise<RowBlock> {
  if (source.rows <= most) return await source.read(0, source.rows);
  const x = new Float32Array(most * source.inputs);
  const y = new Float32Array(most * source.targets);
  const isNear = source.rows <= most * NEAR;
  const length = isNear ? PIECE_ROWS : RUN_ROWS;
  let taken = 0;
  while (taken < most) {
    const first = placeOf(taken, most, source.rows);
    const block = await source.read(first, Math.min(length, source.rows - first));
    const has = block.x.length / source.inputs;
    // Of rows that are far from each other, those behind the first one are taken.
    const next = () => isNear ? placeOf(taken, most, source.rows) - first : taken % RUN_ROWS;
    do {
      const row = next();
      x.set(block.x.subarray(row * source.inputs, (row + 1) * source.inputs), taken * source.inputs);
      y.set(block.y.subarray(row * source.targets, (row + 1) * source.targets), taken * source.targets);
      taken++;
    } while (taken < most && next() < has && (isNear || taken % RUN_ROWS !== 0));
  }
  return { x, y };
}

function placeOf(i: number, most: number, rows: number): number {
  return Math.floor(i * rows / most);
}
