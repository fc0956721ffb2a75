/** What predict, evaluate and export share: the model of a run, and the records of a user's file. */

import { CellError } from "../../lib/data/cells.ts";
import { readRecords, type RecordBlock } from "../../lib/data/csv_records.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { DataError } from "../../lib/base/errors.ts";
import { printable } from "../../lib/base/printable.ts";
import { SavedModel } from "../../lib/model_file/saved_model.ts";
import { RunFolder } from "./folder.ts";

export interface FileRecord {
  /** The cells of the wanted columns, in their order. */
  cells: string[];
  /** Adds the place to the error of a cell; other errors stay as they are. */
  placed: (error: unknown) => unknown;
}

export async function loadRun(device: Device, runName: string): Promise<SavedModel> {
  return await readRun(runName, (path) => SavedModel.load(device, path));
}

/**
 * Reads a run's model.
 *
 * @throws {DataError} If folder or model are links.
 * @throws {Deno.errors.NotFound} If there is no model; the message says how to make it.
 */
export async function readRun<T>(runName: string, read: (path: string) => Promise<T>): Promise<T> {
  const run = new RunFolder(runName);
  const { path, model } = run;
  for (const file of [path, model]) await refuseLink(file);
  try {
    return await read(model);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const way = await run.hasSettings()
      ? `\`deno task train --resume ${runName}\` restores it`
      : `\`deno task train --run-name ${runName}\` makes it, with the data and the settings that you give: ` +
        `none are kept under this name`;
    throw new Deno.errors.NotFound(`${error.message}; ${way}`);
  }
}

/**
 * Refuses a link: a run from elsewhere must not lead to files outside.
 *
 * @throws {DataError} If there is one.
 */
export async function refuseLink(file: string): Promise<void> {
  const found = await Deno.lstat(file).catch(() => undefined); // reading says what is wrong
  if (!found?.isSymlink) return;
  const problem = "this is a link, and a run must be in data/runs itself: copy there what the link leads to";
  throw new DataError(problem, { file });
}

/**
 * The records of a table, block by block.
 *
 * @param source The table's path, or its blocks.
 * @param wanted The columns whose cells are given.
 * @param onFirst Called with the table's first block.
 */
export async function* fileRecords(
  source: string | AsyncIterable<RecordBlock>,
  wanted: readonly string[],
  onFirst?: (block: RecordBlock) => void,
): AsyncGenerator<FileRecord[]> {
  const onNote = (note: string) => console.error(printable(`note: ${source}: ${note}`));
  const blocks = typeof source === "string" ? readRecords(source, { columns: wanted, onNote }) : source;
  for await (const block of blocks) {
    const { records, places, firstRow, placeOf } = block;
    if (firstRow === 0) onFirst?.(block);
    yield records.map((record, i) => ({
      cells: places.map((place) => record[place]),
      placed: (error) =>
        error instanceof CellError
          ? new DataError(error.problem, { ...placeOf(i), column: error.column }, { cause: error })
          : error,
    }));
  }
}
