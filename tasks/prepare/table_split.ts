/** Which rows of a user's table train, validate and test. */

import { isMissing } from "../../lib/data/cells.ts";
import { ALONE, type Communicator } from "../../lib/ranks/communicator.ts";
import { readRecords } from "../../lib/data/csv_records.ts";
import { gatherNumbers, together } from "../../lib/ranks/together.ts";
import { MAX_CATEGORIES } from "../../lib/data/table_profile.ts";
import type { Config } from "../settings/config_types.ts";
import { RangeSplitter, SPLIT_BLOCK, Splitter } from "./split.ts";
import type { OnProgress, TableLook } from "./table_look.ts";
import type { TablePlan } from "./table_plan.ts";

/** Stands for a row that is left out, where others have the index of their part. */
export const DROPPED = 255;

/**
 * Gives each row its part: by time where there is a time column, else by the seed, each class by itself. Rows of the same time
 * stay together. With files of validation or test rows, all are for training.
 */
export async function assignParts(
  config: Config,
  look: TableLook,
  plan: TablePlan,
  onProgress: OnProgress,
  communicator: Communicator = ALONE,
): Promise<Uint8Array> {
  const parts = new Uint8Array(look.rows);
  if (config.missing === "drop") await together(communicator, () => dropRows(parts, look, plan, onProgress));
  if (config.validation !== "" || config.test !== "") return parts;
  if (look.times) await assignByTime(parts, look.times, config.split, communicator);
  else await assignAtRandom(parts, plan.kind === "classes" ? look.classes : undefined, config, communicator);
  return parts;
}

/** Whether a cell that is needed is missing. */
export function isIncomplete(record: readonly string[], places: readonly number[]): boolean {
  return places.some((place) => isMissing(record[place]));
}

async function dropRows(parts: Uint8Array, look: TableLook, plan: TablePlan, onProgress: OnProgress): Promise<void> {
  const columns = [...plan.inputs.map(({ name }) => name), ...plan.targets];
  const { path, separator, range } = look;
  const before = range?.firstRow ?? 0;
  for await (const { records, places, firstRow } of readRecords(path, { separator, columns, onProgress, range })) {
    records.forEach((record, i) => {
      if (isIncomplete(record, places)) parts[firstRow - before + i] = DROPPED;
    });
  }
}

/** Rows of one class that wait to be split. */
interface Group {
  splitter: RangeSplitter;
  /** How many rows of the class stand before them in the table. */
  first: number;
  rows: number[];
}

/** Splits the rows that are not dropped, those of each class by themselves. */
async function assignAtRandom(
  parts: Uint8Array,
  classes: Uint16Array | undefined,
  { split, seed }: Config,
  communicator: Communicator,
): Promise<void> {
  const counts = new Array<number>(MAX_CATEGORIES).fill(0);
  parts.forEach((part, row) => {
    if (part !== DROPPED) counts[classes ? classes[row] : 0]++;
  });
  const all = await gatherNumbers(communicator, counts);
  const groups: Group[] = [];
  const sum = (id: number, ranks: number) => {
    let rows = 0;
    for (let rank = 0; rank < ranks; rank++) rows += all[rank * counts.length + id];
    return rows;
  };
  const groupOf = (id: number): Group => ({
    splitter: new RangeSplitter(new Splitter(split, seed, `split of class ${id}`), sum(id, communicator.size)),
    first: sum(id, communicator.rank),
    rows: [],
  });
  const assign = (group: Group) => {
    const { splitter, first, rows } = group;
    if (rows.length === 0) return;
    splitter.assign(first, rows.length).forEach((part, i) => parts[rows[i]] = part);
    group.first += rows.length;
    rows.length = 0;
  };
  for (let row = 0; row < parts.length; row++) {
    if (parts[row] === DROPPED) continue;
    const id = classes ? classes[row] : 0;
    const group = groups[id] ??= groupOf(id);
    if ((group.first + group.rows.push(row)) % SPLIT_BLOCK === 0) assign(group);
  }
  groups.forEach(assign);
}

async function assignByTime(
  parts: Uint8Array,
  times: Float64Array,
  [train, validation]: Config["split"],
  communicator: Communicator,
): Promise<void> {
  const kept = times.filter((_, row) => parts[row] !== DROPPED).sort();
  const count = Float64Array.of(kept.length);
  await communicator.allReduce(count);
  const timeAt = async (share: number) => {
    const row = Math.round(share * count[0]);
    return row < count[0] ? await smallest(kept, row, communicator) : Infinity;
  };
  const first = await timeAt(train);
  const second = await timeAt(train + validation);
  for (let row = 0; row < parts.length; row++) {
    if (parts[row] !== DROPPED) parts[row] = times[row] < first ? 0 : times[row] < second ? 1 : 2;
  }
}

/**
 * What would stand at a place if the numbers of all ranks were sorted together; found by halving the numbers that there are,
 * which float64 counts in the order of their bits.
 */
export async function smallest(sorted: Float64Array, place: number, communicator: Communicator): Promise<number> {
  if (communicator.size === 1) return sorted[place];
  const bits = new BigInt64Array(1);
  const number = new Float64Array(bits.buffer);
  // Bits of negative numbers count downward.
  const numberAt = (step: bigint) => {
    bits[0] = step < 0n ? -(2n ** 63n) - step - 1n : step;
    return number[0];
  };
  let low = -0x7ff0_0000_0000_0001n;
  let high = 0x7ff0_0000_0000_0000n;
  // How many are at most the number in the middle says in which half the wanted one is.
  while (low < high) {
    const middle = (low + high) >> 1n;
    const count = Float64Array.of(countUpTo(sorted, numberAt(middle)));
    await communicator.allReduce(count);
    if (count[0] > place) high = middle;
    else low = middle + 1n;
  }
  return numberAt(low);
}

/** How many of sorted numbers are at most a limit. */
function countUpTo(sorted: Float64Array, limit: number): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle] <= limit) from = middle + 1;
    else to = middle;
  }
  return from;
}
