/** What predict and evaluate share: the model of a run, and a user's file as what its network takes. */

import { CellError } from "../lib/cells.ts";
import { readRecords } from "../lib/csv_records.ts";
import type { Device } from "../lib/device.ts";
import { DataError } from "../lib/errors.ts";
import { SavedModel } from "../lib/saved_model.ts";
import { RunFolder } from "./run_folder.ts";

/** A record of a file. */
export interface FileRecord {
  /** The cells of the wanted columns, in their order. */
  cells: string[];
  /** What a cell's fault becomes, with its place; other errors stay as they are. */
  placed: (error: unknown) => unknown;
}

/** The model of a run. */
export async function loadRun(device: Device, runName: string): Promise<SavedModel> {
  return await new RunFolder(runName).readModel((path) => SavedModel.load(device, path));
}

/**
 * The records of a CSV file, block by block.
 *
 * @param path The file.
 * @param wanted The wanted columns, wherever they stand in the file.
 * @param onColumns Told the names of all columns, once.
 */
export async function* fileRecords(
  path: string,
  wanted: readonly string[],
  onColumns?: (columns: readonly string[]) => void,
): AsyncGenerator<FileRecord[]> {
  for await (const { columns, records, places, firstRow, lineOf } of readRecords(path, { columns: wanted })) {
    if (firstRow === 0) onColumns?.(columns);
    yield records.map((record, i) => ({
      cells: places.map((place) => record[place]),
      placed: (error) =>
        error instanceof CellError
          ? new DataError(error.problem, { file: path, line: lineOf(i), column: error.column }, { cause: error })
          : error,
    }));
  }
}
