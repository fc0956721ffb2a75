/** Which rows train, which validate and which test. */

import { isMissing } from "../../lib/data/cells.ts";
import { readRecords } from "../../lib/data/csv_records.ts";
import { Random } from "../../lib/base/random.ts";
import type { Config } from "../settings/settings.ts";
import type { OnProgress, RowLook } from "./table_look.ts";
import type { TablePlan } from "./table_plan.ts";

/** The parts, in the order in which a split names them. */
export const PARTS = ["train", "validation", "test"] as const;

/** The parts as people read them. */
export const PART_NAMES = { train: "training", validation: "validation", test: "test" };

/** Name of a part. */
export type PartName = typeof PARTS[number];

/** Rows that are split at a time; a dataset up to this size is split wholly at random. */
const SPLIT_BLOCK = 4096;

/** Stands for a row that is left out, where others have the index of their part. */
export const DROPPED = 255;

/**
 * Splits rows block by block: a random split stratified by position. For each row of a block, the part furthest below its
 * share of all rows so far gets one row more (the largest remainder method; a remainder is carried to the next block). Within
 * the block every assignment with these counts is equally likely. If the shares are whole numbers of rows, the parts get
 * exactly these, otherwise the nearest possible.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const splitter = new Splitter([0.5, 0.25, 0.25], 42);
 * assertEquals(splitter.assign(8).toSorted(), Uint8Array.of(0, 0, 0, 0, 1, 1, 2, 2));
 * assertEquals(splitter.counts, [4, 2, 2]);
 * ```
 */
export class Splitter {
  readonly #shares: readonly [number, number, number];
  readonly #random: Random;
  readonly #counts: [number, number, number] = [0, 0, 0];

  constructor(shares: readonly [number, number, number], seed: number, purpose = "split") {
    this.#shares = shares;
    this.#random = new Random(seed, purpose);
  }

  /** How many rows each part gets in the end, without splitting any. */
  static countsOf(shares: readonly [number, number, number], rows: number): [number, number, number] {
    const splitter = new Splitter(shares, 0);
    for (let done = 0; done < rows; done += SPLIT_BLOCK) splitter.#takeQuotas(Math.min(SPLIT_BLOCK, rows - done));
    return splitter.counts;
  }

  /** Rows of each part so far. */
  get counts(): [number, number, number] {
    return [...this.#counts];
  }

  /** Splits the next rows. */
  assign(count: number): Uint8Array {
    const quotas = this.#takeQuotas(count);
    const order = this.#random.permutation(count);
    const parts = new Uint8Array(count);
    let taken = 0;
    for (const [part, quota] of quotas.entries()) {
      for (let i = 0; i < quota; i++) parts[order[taken++]] = part;
    }
    return parts;
  }

  /** Rows of each part in the next block; adds them to the counts. */
  #takeQuotas(count: number): [number, number, number] {
    const total = this.#counts[0] + this.#counts[1] + this.#counts[2] + count;
    const quotas: [number, number, number] = [0, 0, 0];
    // A part that lags by two rows or more gets them in any case; only the last rows need to be decided one by one.
    for (let part = 0; part < 3; part++) {
      quotas[part] = Math.max(0, Math.floor(this.#shares[part] * total - this.#counts[part]) - 1);
      this.#counts[part] += quotas[part];
    }
    for (let row = quotas[0] + quotas[1] + quotas[2]; row < count; row++) {
      const lags = this.#shares.map((share, part) => share * total - this.#counts[part]);
      const part = lags.indexOf(Math.max(...lags));
      this.#counts[part]++;
      quotas[part]++;
    }
    return quotas;
  }
}

/**
 * Gives each row its part: by time if there is a time column, else by the seed, each class separately. Rows of the same time
 * stay together. With files of validation or test rows, all are for training.
 */
export async function assignParts(
  config: Config,
  look: RowLook,
  plan: TablePlan,
  onProgress: OnProgress,
): Promise<Uint8Array> {
  const parts = new Uint8Array(look.rows);
  if (config.missing === "drop") await dropRows(parts, look, plan, config.missingTexts, onProgress);
  if (config.validation !== "" || config.test !== "") return parts;
  if (look.times) assignByTime(parts, look.times, config.split);
  else assignAtRandom(parts, plan.kind === "classes" ? look.classes : undefined, config);
  return parts;
}

/** Whether a cell that is needed is missing. */
export function isIncomplete(
  record: readonly string[],
  places: readonly number[],
  missingTexts: readonly string[],
): boolean {
  return places.some((place) => isMissing(record[place], missingTexts));
}

async function dropRows(
  parts: Uint8Array,
  look: RowLook,
  plan: TablePlan,
  missingTexts: readonly string[],
  onProgress: OnProgress,
): Promise<void> {
  const columns = [...plan.inputs.map(({ name }) => name), ...plan.targets];
  const { path, separator } = look;
  for await (const { records, places, firstRow } of readRecords(path, { separator, columns, onProgress })) {
    records.forEach((record, i) => {
      if (isIncomplete(record, places, missingTexts)) parts[firstRow + i] = DROPPED;
    });
  }
}

/** Splits the rows that are not dropped, those of each class separately. */
function assignAtRandom(parts: Uint8Array, classes: Uint16Array | undefined, { data, split, seed }: Config): void {
  const groups: { splitter: Splitter; rows: number[] }[] = [];
  const assign = ({ splitter, rows }: typeof groups[number]) => {
    splitter.assign(rows.length).forEach((part, i) => parts[rows[i]] = part);
    rows.length = 0;
  };
  for (let row = 0; row < parts.length; row++) {
    if (parts[row] === DROPPED) continue;
    const id = classes ? classes[row] : 0;
    const purpose = data === "" ? "split" : `split of class ${id}`;
    const group = groups[id] ??= { splitter: new Splitter(split, seed, purpose), rows: [] };
    if (group.rows.push(row) === SPLIT_BLOCK) assign(group);
  }
  groups.forEach(assign);
}

function assignByTime(parts: Uint8Array, times: Float64Array, [train, validation]: Config["split"]): void {
  const sorted = times.filter((_, row) => parts[row] !== DROPPED).sort();
  const timeAt = (share: number) => sorted[Math.round(share * sorted.length)] ?? Infinity;
  const first = timeAt(train);
  const second = timeAt(train + validation);
  for (let row = 0; row < parts.length; row++) {
    if (parts[row] !== DROPPED) parts[row] = times[row] < first ? 0 : times[row] < second ? 1 : 2;
  }
}
