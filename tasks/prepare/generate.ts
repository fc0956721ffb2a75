/** Makes a recipe's dataset, data/<recipe>.csv, and beside it a note of what made it. */

import { stringify } from "@std/csv";
import { ALONE, type Communicator } from "../../lib/ranks/communicator.ts";
import { openFile, writeFully } from "../../lib/base/files.ts";
import { Random } from "../../lib/base/random.ts";
import { gatherNumbers, together } from "../../lib/ranks/together.ts";
import type { Config, TaskConfig } from "../settings/config.ts";
import {
  csvPath,
  DATA_FOLDER,
  describeDifferences,
  differences,
  type FileStamp,
  isSameStamp,
  parseObject,
  removeAbandoned,
  sidecarPath,
  stampOf,
} from "./dataset_files.ts";
import { lockDataset } from "./locks.ts";
import { Progress } from "../show/progress.ts";
import { checkSame, fromFirst, onFirst, openWritten } from "../mpi/ranks.ts";
import { recipeOf, type Streams } from "../settings/recipes.ts";

/** Raised whenever the same settings would give other bytes. */
const FORMAT = 1;

/** Rows made and written at a time. */
const BLOCK_ROWS = 4096;

/** Blocks that a rank makes before it meets the others. */
const TURN_BLOCKS = 16;

/** How a dataset on disk relates to the settings. */
export interface DatasetState {
  /**
   * "missing"; "current", made with these settings; "other settings"; or "foreign", not made by gen-data or changed since.
   */
  state: "missing" | "current" | "other settings" | "foreign";
  /** Under "other settings": which. */
  differs: string[];
}

/** What made a dataset. */
interface Sidecar {
  made: Record<string, unknown>;
  file: FileStamp;
}

/** Compares the dataset on disk with the settings. */
export async function datasetState(config: Config): Promise<DatasetState> {
  const stamp = await stampOf(csvPath(config.recipe));
  if (stamp === undefined) return { state: "missing", differs: [] };
  const sidecar = await readSidecar(config);
  if (sidecar === undefined || !isSameStamp(stamp, sidecar.file)) return { state: "foreign", differs: [] };
  const differs = differences(sidecar.made, settingsOf(config));
  return { state: differs.length > 0 ? "other settings" : "current", differs };
}

/** What {@linkcode genData} may be told. */
export interface GenDataOptions {
  /** Called with rows done and rows in all. */
  onProgress?: (rows: number, total: number) => void;
  /** The ranks that make it together; one process by itself if left out. */
  communicator?: Communicator;
}

/**
 * Makes the dataset, in constant memory. It takes the place of the one before it only once it is whole. Hold the dataset's
 * lock. Several ranks write the same bytes as one; if anything goes wrong at one of them, all throw.
 */
export async function genData(config: Config, options: GenDataOptions = {}): Promise<string> {
  const { communicator = ALONE, onProgress } = options;
  const isFirst = communicator.rank === 0;
  const path = csvPath(config.recipe);
  const partial = `${path}.partial`;
  const sidecar = sidecarPath(config.recipe);
  try {
    await writeRows(partial, config, communicator, onProgress);
    await onFirst(communicator, async () => {
      const content: Sidecar = { made: settingsOf(config), file: (await stampOf(partial))! };
      await Deno.writeTextFile(`${sidecar}.partial`, JSON.stringify(content, null, 2) + "\n");
      await Deno.rename(`${sidecar}.partial`, sidecar);
      await Deno.rename(partial, path);
    });
  } catch (error) {
    if (isFirst && await stampOf(partial) !== undefined) await Deno.remove(partial);
    throw error;
  }
  return path;
}

/**
 * Clears up after a killed gen-data: a dataset that was whole, but not in its place, is put there; half of one is removed.
 * Hold the dataset's lock.
 */
export async function clearUp(config: Config): Promise<void> {
  const path = csvPath(config.recipe);
  const partial = await stampOf(`${path}.partial`);
  if (isSameStamp(partial, (await readSidecar(config))?.file)) await Deno.rename(`${path}.partial`, path);
  else await removeAbandoned(path);
  await removeAbandoned(sidecarPath(config.recipe));
}

/** The dataset's rows, block by block. */
export function* makeRows(config: Config): Generator<number[][]> {
  const recipe = recipeOf(config.recipe);
  const streams: Streams = {
    inputs: new Random(config.seed, `${config.recipe} inputs`),
    noise: new Random(config.seed, `${config.recipe} noise`),
  };
  for (let first = 0; first < config.numDataset; first += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, config.numDataset - first);
    yield Array.from({ length: count }, (_, index) => recipe.row(first + index, streams, config.noise));
  }
}

/**
 * Writes all rows. Ranks take turns of some blocks. The numbers come from streams that have to be followed from their beginning, so
 * each rank draws all of them; but that is a tenth of the work, and the rest, writing them as text, each does for its own
 * blocks. Where a block belongs is known once all have told how long theirs are.
 */
async function writeRows(
  path: string,
  config: Config,
  communicator: Communicator,
  onProgress?: (rows: number, total: number) => void,
) {
  const { rank, size } = communicator;
  const { features, targets } = recipeOf(config.recipe);
  const encode = (rows: readonly (readonly unknown[])[]) => new TextEncoder().encode(stringify(rows));
  const header = encode([[...features, ...targets]]);
  using files = new DisposableStack();
  const first = await onFirst(communicator, async () => {
    await Deno.mkdir(DATA_FOLDER, { recursive: true });
    const file = files.use(await Deno.open(path, { write: true, create: true, truncate: true }));
    await writeFully(file, header);
    return file;
  });
  const file = await openWritten(communicator, async () => {
    return first ?? files.use(await openFile(path, { write: true }));
  });
  let at = header.length;
  let blocks = 0;
  let done = 0;
  let own = [] as Uint8Array<ArrayBuffer>[];
  // One process by itself meets nobody, and writes block by block.
  const turn = size === 1 ? 1 : TURN_BLOCKS;
  const sum = (numbers: Float64Array) => numbers.reduce((sum, n) => sum + n, 0);
  for (const rows of makeRows(config)) {
    if (Math.floor(blocks++ / turn) % size === rank) own.push(encode(rows));
    done += rows.length;
    if (blocks % (turn * size) !== 0 && done < config.numDataset) continue;
    const lengths = await gatherNumbers(communicator, [sum(Float64Array.from(own, ({ length }) => length))]);
    await together(communicator, async () => {
      await file.seek(at + sum(lengths.subarray(0, rank)), Deno.SeekMode.Start);
      for (const bytes of own) await writeFully(file, bytes);
      if (size > 1 && done === config.numDataset) await file.syncData(); // before its size counts on another host
    });
    at += sum(lengths);
    own = [];
    onProgress?.(done, config.numDataset);
  }
}

function settingsOf({ recipe, numDataset, noise, seed }: Config): Record<string, unknown> {
  return { format: FORMAT, recipe, numDataset, noise, seed };
}

async function readSidecar({ recipe }: Config): Promise<Sidecar | undefined> {
  const path = sidecarPath(recipe);
  if (await stampOf(path) === undefined) return undefined;
  const sidecar = parseObject(await Deno.readTextFile(path));
  return sidecar?.made && sidecar.file ? sidecar as unknown as Sidecar : undefined;
}

/** Makes the dataset where that is needed; rank 0 alone speaks. */
export async function main(config: TaskConfig, communicator: Communicator = ALONE): Promise<void> {
  const path = csvPath(config.recipe);
  const isFirst = communicator.rank === 0;
  await checkSame(communicator, config.texts);
  using _lock = await onFirst(communicator, () => lockDataset(config.recipe, `writes ${path}`));
  if (!await fromFirst(communicator, () => needsMaking(config, path))) return;
  using progress = isFirst ? new Progress(`generating ${path}`) : undefined;
  await genData(config, { communicator, onProgress: (rows, total) => progress?.update(rows, total) });
  progress?.clear();
  if (isFirst) console.log(`wrote ${path}: ${config.numDataset} rows, ${recipeOf(config.recipe).summary}`);
}

/** Whether the dataset has to be made; says why, or why not. */
async function needsMaking(config: Config, path: string): Promise<boolean> {
  await clearUp(config);
  const { state, differs } = await datasetState(config);
  if (state === "current" && !config.generateDataset) {
    console.log(`${path} is there, made with these settings: nothing to do`);
    return false;
  }
  if (state === "foreign" && !config.generateDataset) {
    const problem = `${path} is there and was not made by gen-data, or was changed since: move it away`;
    throw new Deno.errors.AlreadyExists(`${problem}, or write over it with --generate-dataset`);
  }
  if (state === "other settings") console.log(`${path} was made with ${describeDifferences(differs)}: making it anew`);
  return true;
}
