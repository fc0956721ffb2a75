/** Which rows of a user's table train, validate and test. */

import { isMissing } from "../lib/cells.ts";
import { readRecords } from "../lib/csv_records.ts";
import type { Config } from "./config_types.ts";
import { SPLIT_BLOCK, Splitter } from "./split.ts";
import type { OnProgress, TableLook } from "./table_look.ts";
import type { TablePlan } from "./table_plan.ts";

/** Stands for a row that is left out, where others have the index of their part. */
export const DROPPED = 255;

/**
 * Gives each row its part: by time where there is a time column, else by the seed, each class by itself. Rows of the same time
 * stay together. With files of validation or test rows, all are for training.
 *
 * @param config The settings.
 * @param look What the table holds.
 * @param plan Its columns.
 * @param onProgress Progress; under missing "drop" the table is read through.
 * @returns For each row the index of its part in PARTS, or {@linkcode DROPPED}.
 */
export async function assignParts(
  config: Config,
  look: TableLook,
  plan: TablePlan,
  onProgress: OnProgress,
): Promise<Uint8Array> {
  const parts = new Uint8Array(look.rows);
  if (config.missing === "drop") await dropRows(parts, look, plan, onProgress);
  if (config.validation !== "" || config.test !== "") return parts;
  if (look.times) assignByTime(parts, look.times, config.split);
  else assignAtRandom(parts, plan.kind === "classes" ? look.classes : undefined, config);
  return parts;
}

/** Whether a cell that is needed is missing. */
export function isIncomplete(record: readonly string[], places: readonly number[]): boolean {
  return places.some((place) => isMissing(record[place]));
}

async function dropRows(parts: Uint8Array, look: TableLook, plan: TablePlan, onProgress: OnProgress): Promise<void> {
  const columns = [...plan.inputs.map(({ name }) => name), ...plan.targets];
  const { path, separator } = look;
  for await (const { records, places, firstRow } of readRecords(path, { separator, columns, onProgress })) {
    records.forEach((record, i) => {
      if (isIncomplete(record, places)) parts[firstRow + i] = DROPPED;
    });
  }
}

/** Splits the rows that are not dropped, those of each class by themselves. */
function assignAtRandom(parts: Uint8Array, classes: Uint16Array | undefined, { split, seed }: Config): void {
  const groups: { splitter: Splitter; rows: number[] }[] = [];
  const assign = ({ splitter, rows }: typeof groups[0]) => {
    splitter.assign(rows.length).forEach((part, i) => parts[rows[i]] = part);
    rows.length = 0;
  };
  for (let row = 0; row < parts.length; row++) {
    if (parts[row] === DROPPED) continue;
    const id = classes ? classes[row] : 0;
    const group = groups[id] ??= { splitter: new Splitter(split, seed, `split of class ${id}`), rows: [] };
    if (group.rows.push(row) === SPLIT_BLOCK) assign(group);
  }
  groups.forEach(assign);
}

function assignByTime(parts: Uint8Array, times: Float64Array, [train, validation]: Config["split"]): void {
  const kept = times.filter((_, row) => parts[row] !== DROPPED).sort();
  const timeAt = (share: number) => {
    const row = Math.round(share * kept.length);
    return row < kept.length ? kept[row] : Infinity;
  };
  const first = timeAt(train), second = timeAt(train + validation);
  for (let row = 0; row < parts.length; row++) {
    if (parts[row] !== DROPPED) parts[row] = times[row] < first ? 0 : times[row] < second ? 1 : 2;
  }
}
