/** Makes a recipe's dataset, data/<recipe>.csv, and a note of what made it. */

import { DATA_FOLDER } from "../settings/data_folder.ts";
import { createHash } from "node:crypto";
import { stringify } from "@std/csv";
import { writeFully } from "../../lib/base/files.ts";
import { dataSource } from "../../lib/model_file/metadata.ts";
import { Random } from "../../lib/base/random.ts";
import type { Config, TaskConfig } from "../settings/config.ts";
import {
  csvPath,
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
import { recipeOf, type Streams } from "../settings/recipes.ts";

/** Raised whenever the same settings would give other bytes. */
const FORMAT = 1;

/** Rows made and written at a time. */
const BLOCK_ROWS = 4096;

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
  /** Size and time of the file: the same, and it need not be read. */
  file: FileStamp;
  /** SHA-256 of its bytes, which a copy has, too. */
  sha256?: string;
}

/** Compares the dataset on disk with the settings. */
export async function datasetState(config: Config): Promise<DatasetState> {
  const stamp = await stampOf(csvPath(config.recipe));
  if (stamp === undefined) return { state: "missing", differs: [] };
  const sidecar = await readSidecar(config);
  if (sidecar === undefined || !await isMade(config, stamp, sidecar)) return { state: "foreign", differs: [] };
  const differs = differences(sidecar.made, settingsOf(config));
  return { state: differs.length > 0 ? "other settings" : "current", differs };
}

/** Whether the file is the one that gen-data made: a copy has another time. */
async function isMade({ recipe }: Config, stamp: FileStamp, { file, sha256 }: Sidecar): Promise<boolean> {
  if (isSameStamp(stamp, file)) return true;
  return stamp.size === file.size && sha256 !== undefined && (await dataSource(csvPath(recipe))).sha256 === sha256;
}

/**
 * Makes the dataset, in constant memory. It replaces the one before it only once it is whole. Hold the dataset's lock.
 */
export async function genData(config: Config, onProgress?: (rows: number, total: number) => void): Promise<void> {
  const path = csvPath(config.recipe);
  const partial = `${path}.partial`;
  const sidecar = sidecarPath(config.recipe);
  try {
    const sha256 = await writeRows(partial, config, onProgress);
    const content: Sidecar = { made: settingsOf(config), file: (await stampOf(partial))!, sha256 };
    await Deno.writeTextFile(`${sidecar}.partial`, JSON.stringify(content, null, 2) + "\n");
    await Deno.rename(`${sidecar}.partial`, sidecar);
    await Deno.rename(partial, path);
  } catch (error) {
    await removeAbandoned(path);
    throw error;
  }
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

async function writeRows(
  path: string,
  config: Config,
  onProgress?: (rows: number, total: number) => void,
): Promise<string> {
  const { features, targets } = recipeOf(config.recipe);
  await Deno.mkdir(DATA_FOLDER, { recursive: true });
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const hash = createHash("sha256");
  const write = async (rows: readonly (readonly unknown[])[]) => {
    const bytes = new TextEncoder().encode(stringify(rows));
    hash.update(bytes);
    await writeFully(file, bytes);
  };
  await write([[...features, ...targets]]);
  let done = 0;
  for (const rows of makeRows(config)) {
    await write(rows);
    done += rows.length;
    onProgress?.(done, config.numDataset);
  }
  return hash.digest("hex");
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

/** Makes the dataset if that is needed, and says so. */
export async function main(config: TaskConfig): Promise<void> {
  const path = csvPath(config.recipe);
  using _lock = await lockDataset(config.recipe, `writes ${path}`);
  if (!await needsMaking(config, path)) return;
  using progress = new Progress(`generating ${path}`);
  await genData(config, (rows, total) => progress.update(rows, total));
  progress.clear();
  console.log(`wrote ${path}: ${config.numDataset} rows, ${recipeOf(config.recipe).summary}`);
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
  if (state === "other settings") console.log(`${path} was made with ${describeDifferences(differs)}: making it again`);
  return true;
}
