/** A sample of the rows of a scaled dataset. */

import type { RowBlock, RowSource } from "../../lib/data/row_source.ts";

/** A sample of up to one in 16 rows is taken row by row, read in pieces; of more rows it is taken in short runs. */
const NEAR = 16;
const PIECE_ROWS = 4_096;
const RUN_ROWS = 10;

/** Rows, and which of the source they are. */
export interface SampledRows extends RowBlock {
  readonly places: Uint32Array;
}

/** Takes evenly spread rows; of a very large source in short runs. */
export async function sampleRows(source: RowSource, most: number): Promise<SampledRows> {
  if (source.rows <= most) {
    return { ...await source.read(0, source.rows), places: Uint32Array.from({ length: source.rows }, (_, row) => row) };
  }
  const places = new Uint32Array(most);
  const x = new Float32Array(most * source.inputs);
  const y = new Float32Array(most * source.targets);
  const isNear = source.rows <= most * NEAR;
  const length = isNear ? PIECE_ROWS : RUN_ROWS;
  let taken = 0;
  while (taken < most) {
    const first = placeOf(taken, most, source.rows);
    const block = await source.read(first, Math.min(length, source.rows - first));
    const has = block.x.length / source.inputs;
    // If rows are far from each other, the next ones in the file are taken, too.
    const next = () => isNear ? placeOf(taken, most, source.rows) - first : taken % RUN_ROWS;
    do {
      const row = next();
      x.set(block.x.subarray(row * source.inputs, (row + 1) * source.inputs), taken * source.inputs);
      y.set(block.y.subarray(row * source.targets, (row + 1) * source.targets), taken * source.targets);
      places[taken++] = first + row;
    } while (taken < most && next() < has && (isNear || taken % RUN_ROWS !== 0));
  }
  return { x, y, places };
}

function placeOf(i: number, most: number, rows: number): number {
  return Math.floor(i * rows / most);
}
