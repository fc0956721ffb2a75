/** Splits and scales data/<recipe>.csv into data/<recipe>.scaled.safetensors. */

import { ALONE, type Communicator } from "../../lib/ranks/communicator.ts";
import { type NumericBlock, placeOfRow, readNumericCsv } from "../../lib/data/csv.ts";
import { type CsvRange, csvRange } from "../../lib/data/csv_range.ts";
import { DataError } from "../../lib/base/errors.ts";
import { together } from "../../lib/ranks/together.ts";
import type { SafetensorsWriter } from "../../lib/safetensors/writer.ts";
import { type ColumnStatistics, RunningStatistics, Scaler } from "../../lib/data/scaler.ts";
import type { Table } from "../../lib/data/table.ts";
import type { TaskConfig } from "../settings/config.ts";
import type { Config, LossName, RecipeName } from "../settings/config_types.ts";
import { csvPath, type FileStamp } from "./dataset_files.ts";
import { lockDataset } from "./locks.ts";
import { Progress } from "../show/progress.ts";
import { checkSame, onFirst, openWritten } from "../mpi/ranks.ts";
import { rowPlaces, writeTogether } from "./rank_writer.ts";
import { recipeOf } from "../settings/recipes.ts";
import {
  changedSource,
  datasetName,
  metadataOf,
  scaledPathOf,
  type Scalers,
  sourcesOf,
  targetScaler,
} from "./scaled_dataset.ts";
import { type PartName, PARTS, RangeSplitter, SPLIT_BLOCK, Splitter } from "./split.ts";
import { formatNumber, formatTable } from "../show/text_table.ts";
import { formatTableReport, scaleTable } from "./scale_table.ts";

/** What scaling did. */
export interface ScaleReport {
  /** The file that was written. */
  path: string;
  /** Rows of each part. */
  counts: Record<PartName, number>;
  /** Statistics of the training rows in raw units: inputs, then targets. */
  before: ColumnStatistics[];
  /** The same of the scaled values, as float32. */
  after: ColumnStatistics[];
}

/** Called with the bytes read so far, and those to read in all. */
type OnProgress = (done: number, total: number) => void;

/** What scaling may be told. */
interface ScaleOptions {
  /** Progress over all passes, of this rank's rows. */
  onProgress?: OnProgress;
  /** The ranks that scale together; one process by itself if left out. */
  communicator?: Communicator;
}

/** Inputs or targets: their scaler, and statistics of what it makes. */
interface Side {
  suffix: string;
  scaler: Scaler;
  names: string[];
  statistics: RunningStatistics;
}

/** The recipe's dataset, and which of its rows are this rank's. */
interface Source {
  path: string;
  /** Left out where all are. */
  range?: CsvRange;
}

/**
 * Splits and scales the dataset, in constant memory: a first pass over the CSV file fits the scaler on the training rows,
 * a second one writes. The result takes the place of the one before it only once it is whole. With a loss of bce the
 * targets are classes: they stay as they are. Hold the dataset's lock. Several ranks read and write a part of the rows each;
 * if anything goes wrong at one of them, all throw.
 *
 * @throws {DataError} If the CSV file cannot be used.
 * @throws {RangeError} If a column has no variance, or no row is left for training.
 */
export async function scaleData(config: Config, options: ScaleOptions = {}): Promise<ScaleReport> {
  const { communicator = ALONE } = options;
  const path = csvPath(config.recipe);
  await onFirst(communicator, () => findSources(config)); // where there is none, no rank waits for it
  const stamps = await openWritten(communicator, () => findSources(config));
  const source: Source = { path, range: await csvRange(path, communicator) };
  const report = (pass: number) => (bytes: number, size: number) => options.onProgress?.(pass * size + bytes, 2 * size);
  const fitted = await together(communicator, () => fit(config, source, report(0)));
  await fitted.statistics.merge(communicator);
  const scalers = await together(communicator, () => scalersOf(config, path, fitted.statistics));
  const before = fitted.statistics.result();
  const rows = await rowPlaces(fitted.counts, communicator);
  const scaled = scaledPathOf(config);
  const widths = { x: scalers.inputs.columns.length, y: scalers.targets.columns.length };
  const metadata = metadataOf(config, { scalers, table: tableOf(config.recipe), loss: lossOf(config) }, stamps);
  const sides = [{ suffix: "x", scaler: scalers.inputs }, { suffix: "y", scaler: scalers.targets }].map((side) => {
    const names = side.scaler.columns.map(({ name }) => name);
    return { ...side, names, statistics: new RunningStatistics(names) };
  });
  const write = (writer: SafetensorsWriter) => writeRows(config, source, sides, writer, report(1));
  const finish = async () => {
    const changed = changedSource(stamps, await sourcesOf(config));
    if (changed) throw new DataError("the file was changed while it was read: run this again", { file: changed });
  };
  await writeTogether(scaled, rows, widths, metadata, write, finish, communicator);
  const after: ColumnStatistics[] = [];
  for (const { statistics } of sides) {
    await statistics.merge(communicator);
    after.push(...statistics.result());
  }
  const [train, validation, test] = rows.total;
  return { path: scaled, counts: { train, validation, test }, before, after };
}

/** A report as a table: one line per column with its statistics before and after. */
export function formatReport(report: ScaleReport): string {
  const numbers = ({ min, max, mean, deviation }: ColumnStatistics) => [min, max, mean, deviation].map(formatNumber);
  const rows = [
    ["column", "", "min", "max", "mean", "deviation"],
    ...report.before.flatMap((column, index) => [
      [column.name, "before", ...numbers(column)],
      ["", "after", ...numbers(report.after[index])],
    ]),
  ];
  const { train, validation, test } = report.counts;
  return [
    `${report.path}: ${train} training, ${validation} validation and ${test} test rows`,
    formatTable(rows, 2),
  ].join("\n");
}

async function findSources(config: Config): Promise<Record<string, FileStamp>> {
  const stamps = await sourcesOf(config);
  if (Object.keys(stamps).length > 0) return stamps;
  const path = csvPath(config.recipe);
  throw new Deno.errors.NotFound(`Cannot read ${path}: there is no such file; deno task gen-data makes it`);
}

/** A recipe's columns: all of them numbers, none missing. */
function tableOf(recipe: RecipeName): Table {
  const { features, targets } = recipeOf(recipe);
  return {
    inputs: features.map((name) => ({ kind: "numeric", name })),
    target: { kind: "numeric", names: targets },
    missing: "error",
  };
}

function lossOf({ loss }: Config): LossName {
  return loss === "auto" ? "mse" : loss;
}

/** First pass: this rank's rows of each part, and statistics of those for training. */
async function fit(config: Config, { path, range }: Source, onProgress: OnProgress) {
  const { features, targets } = recipeOf(config.recipe);
  const columns = [...features, ...targets];
  const statistics = new RunningStatistics(columns);
  const counts: [number, number, number] = [0, 0, 0];
  const splitter = new RangeSplitter(new Splitter(config.split, config.seed), range?.rows);
  for await (const block of readNumericCsv(path, { columns, blockRows: SPLIT_BLOCK, onProgress, range })) {
    if (config.loss === "bce") await checkClasses(path, block, features.length);
    const parts = splitter.assign(block.firstRow, block.count);
    for (let row = 0; row < block.count; row++) {
      counts[parts[row]]++;
      if (parts[row] === 0) statistics.add(block.rows, row * columns.length);
    }
  }
  return { statistics, counts };
}

function scalersOf(config: Config, source: string, rows: RunningStatistics): Scalers {
  if (rows.count === 0) {
    const shares = config.split.join(",");
    throw new RangeError(`${source}: no row is left for training: it has too few rows for SPLIT ${shares}`);
  }
  const statistics = rows.result();
  const width = recipeOf(config.recipe).features.length;
  try {
    return {
      inputs: new Scaler(config.scalingMethod, statistics.slice(0, width)),
      targets: targetScaler(config.loss === "bce" ? "none" : config.scalingMethod, statistics.slice(width)),
    };
  } catch (error) {
    throw error instanceof RangeError ? new RangeError(`${source}: ${error.message}`, { cause: error }) : error;
  }
}

/** Second pass: writes every row of this rank to its part, and gathers the statistics of those for training. */
async function writeRows(
  config: Config,
  { path, range }: Source,
  sides: readonly Side[],
  writer: SafetensorsWriter,
  onProgress: OnProgress,
) {
  const columns = sides.flatMap(({ names }) => names);
  const splitter = new RangeSplitter(new Splitter(config.split, config.seed), range?.rows);
  for await (const block of readNumericCsv(path, { columns, blockRows: SPLIT_BLOCK, onProgress, range })) {
    const assigned = splitter.assign(block.firstRow, block.count);
    for (const [index, part] of PARTS.entries()) {
      const rows = indicesOf(assigned, index);
      for (const { suffix, scaler, names, statistics } of sides) {
        const raw = pick(block, rows, suffix === "x" ? 0 : columns.length - names.length, names.length);
        const values = Float32Array.from(scaler.transform(raw));
        await checkFinite(path, values, names, rows, block.firstRow);
        await writer.append(`${part}.${suffix}`, values);
        if (part !== "train") continue;
        for (let row = 0; row < rows.length; row++) statistics.add(values, row * names.length);
      }
    }
  }
}

function indicesOf(assigned: Uint8Array, part: number): number[] {
  const rows: number[] = [];
  for (let row = 0; row < assigned.length; row++) if (assigned[row] === part) rows.push(row);
  return rows;
}

/** Columns `from` to `from + width` of the given rows of a block. */
function pick(block: NumericBlock, rows: number[], from: number, width: number): Float64Array {
  const picked = new Float64Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const at = rows[i] * block.columns.length + from;
    for (let column = 0; column < width; column++) picked[i * width + column] = block.rows[at + column];
  }
  return picked;
}

async function checkClasses(path: string, block: NumericBlock, from: number): Promise<void> {
  const width = block.columns.length;
  for (let row = 0; row < block.count; row++) {
    for (let column = from; column < width; column++) {
      const value = block.rows[row * width + column];
      if (value >= 0 && value <= 1) continue;
      const place = { ...await placeOfRow(path, block.firstRow + row), column: block.columns[column] };
      throw new DataError(`the target is ${value}: loss bce needs targets from 0 to 1`, place);
    }
  }
}

async function checkFinite(
  path: string,
  values: Float32Array,
  names: string[],
  rows: number[],
  firstRow: number,
): Promise<void> {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at === -1) return;
  const place = await placeOfRow(path, firstRow + rows[Math.floor(at / names.length)]);
  const problem = "scaled, this value is beyond the range of float32, about 3.4e38";
  throw new DataError(problem, { ...place, column: names[at % names.length] });
}

/** Splits and scales the recipe's dataset, or the user's own table. Hold the dataset's lock. */
export async function scale(config: Config, options: ScaleOptions = {}): Promise<string> {
  if (config.data === "") return formatReport(await scaleData(config, options));
  return formatTableReport(await scaleTable(config, options));
}

/** Splits and scales the dataset; rank 0 alone speaks. */
export async function main(config: TaskConfig, communicator: Communicator = ALONE): Promise<void> {
  const source = config.data || csvPath(config.recipe);
  const isFirst = communicator.rank === 0;
  await checkSame(communicator, config.texts);
  // The CSV file of a recipe stays the same under it, too.
  using _lock = await onFirst(communicator, () => lockDataset(datasetName(config), `scales ${source}`));
  using progress = isFirst ? new Progress(`scaling ${source}`) : undefined;
  const report = await scale(config, { communicator, onProgress: (done, total) => progress?.update(done, total) });
  progress?.clear();
  if (isFirst) console.log(report);
}
