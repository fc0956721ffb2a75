/** What predict and evaluate share: the model of a run, and a user's file as what its network takes. */

import { CellError } from "../../lib/data/cells.ts";
import { readRecords } from "../../lib/data/csv_records.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { DataError } from "../../lib/base/errors.ts";
import { SavedModel } from "../../lib/model_file/saved_model.ts";
import { RunFolder } from "./folder.ts";

/** A record of a file. */
export interface FileRecord {
  /** The cells of the wanted columns, in their order. */
  cells: string[];
  /** What a cell's fault becomes, with its place; other errors stay as they are. */
  placed: (error: unknown) => unknown;
}

/** The model of a run. */
export async function loadRun(device: Device, runName: string): Promise<SavedModel> {
  return await readRun(runName, (path) => SavedModel.load(device, path));
}

/**
 * Reads a run's model. A run from elsewhere may hold links: none is followed, so that nothing outside is read or written.
 *
 * @throws {DataError} If folder or model are links.
 */
export async function readRun<T>(runName: string, read: (path: string) => Promise<T>): Promise<T> {
  const run = new RunFolder(runName);
  for (const path of [run.path, run.model]) {
    const found = await Deno.lstat(path).catch(() => undefined); // reading says what is wrong
    if (!found?.isSymlink) continue;
    throw new DataError("this is a link, and a run lies in data/runs itself: copy there what it leads to", {
      file: path,
    });
  }
  return await run.readModel(read);
}

/** The records of a table, block by block. */
export async function* fileRecords(
  path: string,
  wanted: readonly string[],
  onColumns?: (columns: readonly string[]) => void,
): AsyncGenerator<FileRecord[]> {
  for await (const { file, columns, records, places, firstRow, lineOf } of readRecords(path, { columns: wanted })) {
    if (firstRow === 0) onColumns?.(columns);
    yield records.map((record, i) => ({
      cells: places.map((place) => record[place]),
      placed: (error) =>
        error instanceof CellError
          ? new DataError(error.problem, { file, line: lineOf(i), column: error.column }, { cause: error })
          : error,
    }));
  }
}
