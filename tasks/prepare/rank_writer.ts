/** Writing one scaled dataset from several ranks: each writes its rows at their places. */

import { ALONE, type Communicator } from "../../lib/ranks/communicator.ts";
import { gatherNumbers, together } from "../../lib/ranks/together.ts";
import { SafetensorsWriter, type TensorPiece } from "../../lib/safetensors/writer.ts";
import { onFirst, openWritten, shareValue } from "../mpi/ranks.ts";
import { PARTS } from "./split.ts";

/** Rows of each part: those of one rank among those of all. */
export interface RowPlaces {
  /** Rows of all ranks. */
  readonly total: [number, number, number];
  /** Rows of the ranks before this one. */
  readonly before: [number, number, number];
  /** Rows of this rank. */
  readonly own: [number, number, number];
}

/** Where a rank's rows stand among those of all. */
export async function rowPlaces(own: [number, number, number], communicator: Communicator): Promise<RowPlaces> {
  const all = await gatherNumbers(communicator, own);
  const places: RowPlaces = { total: [0, 0, 0], before: [0, 0, 0], own };
  all.forEach((rows, i) => {
    places.total[i % 3] += rows;
    if (i < 3 * communicator.rank) places.before[i % 3] += rows;
  });
  return places;
}

/** Writes a scaled dataset. Rank 0 begins the file and puts it into place once all ranks have written their rows. */
export async function writeTogether(
  path: string,
  rows: RowPlaces,
  widths: { x: number; y: number },
  metadata: Record<string, string>,
  write: (writer: SafetensorsWriter) => Promise<void>,
  finish: () => Promise<void>,
  communicator: Communicator = ALONE,
): Promise<void> {
  const shapes: Record<string, number[]> = {};
  const pieces: Record<string, TensorPiece> = {};
  for (const [index, part] of PARTS.entries()) {
    for (const [suffix, width] of Object.entries(widths)) {
      shapes[`${part}.${suffix}`] = [rows.total[index], width];
      pieces[`${part}.${suffix}`] = { from: rows.before[index] * width, length: rows.own[index] * width };
    }
  }
  // A file's time may differ from host to host, and with it where the tensors begin.
  const shared = await shareValue(communicator, metadata);
  await using stack = new AsyncDisposableStack();
  const first = await onFirst(communicator, async () => {
    return stack.use(await SafetensorsWriter.create(path, shapes, shared, pieces));
  });
  const writer = await openWritten(communicator, async () => {
    return first ?? stack.use(await SafetensorsWriter.join(path, shapes, shared, pieces));
  });
  await together(communicator, async () => {
    await write(writer);
    await finish();
    await writer.flush();
  });
  await together(communicator, () => writer.close());
}
