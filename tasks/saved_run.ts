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
  const { model } = new RunFolder(runName);
  try {
    return await SavedModel.load(device, model);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`${error.message}; \`deno task train --run-name ${runName}\` makes it`);
  }
}

/**
 * The records of a CSV file, block by block.
 *
 * @param path The file.
 * @param columns The wanted columns, wherever they stand in the file.
 */
export async function* fileRecords(path: string, columns: readonly string[]): AsyncGenerator<FileRecord[]> {
  for await (const { records, places, lineOf } of readRecords(path, { columns })) {
    yield records.map((record, i) => ({
      cells: places.map((place) => record[place]),
      placed: (error) =>
        error instanceof CellError
          ? new DataError(error.problem, { file: path, line: lineOf(i), column: error.column }, { cause: error })
          : error,
    }));
  }
}
