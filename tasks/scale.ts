/**
 * Splits and scales data/<recipe>.csv into data/<recipe>.scaled.safetensors, and prints the columns before and after.
 *
 *   deno task scale --recipe cubic --scaling-method standardize --split 0.8,0.1,0.1 --seed 42
 *   deno task scale --data houses.csv --target price
 */

import { lineOfRow, type NumericBlock, readNumericCsv } from "../lib/csv.ts";
import { DataError } from "../lib/errors.ts";
import { SafetensorsWriter } from "../lib/safetensors_writer.ts";
import { type ColumnStatistics, RunningStatistics, Scaler } from "../lib/scaler.ts";
import type { Table } from "../lib/table.ts";
import type { Config, LossName, RecipeName } from "./config_types.ts";
import { csvPath, isSameStamp, stampOf } from "./dataset_files.ts";
import { lockDataset } from "./locks.ts";
import { Progress } from "./progress.ts";
import { recipeOf } from "./recipes.ts";
import { runTask } from "./run_task.ts";
import { datasetName, metadataOf, scaledPathOf, type Scalers, targetScaler } from "./scaled_dataset.ts";
import { type PartName, PARTS, SPLIT_BLOCK, Splitter } from "./split.ts";
import { formatNumber, formatTable } from "./table.ts";
import { formatTableReport, scaleTable } from "./table_scale.ts";

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

/** Called with the bytes read so far in both passes, and those to read in all. */
type OnProgress = (done: number, total: number) => void;

/**
 * Splits and scales the dataset, in constant memory: a first pass over the CSV file fits the scaler on the training rows,
 * a second one writes. The result takes the place of the one before it only once it is whole. With a loss of bce the
 * targets are classes: they stay as they are. Hold the dataset's lock.
 *
 * @param config The settings; recipe, scalingMethod, loss, split and seed count.
 * @param options Progress.
 * @returns Counts and statistics.
 * @throws {DataError} If the CSV file cannot be used.
 * @throws {RangeError} If a column has no variance, or no row is left for training.
 */
export async function scaleData(config: Config, options: { onProgress?: OnProgress } = {}): Promise<ScaleReport> {
  const source = csvPath(config.recipe);
  const stamp = await stampOf(source);
  if (stamp === undefined) {
    throw new Deno.errors.NotFound(`Cannot read ${source}: there is no such file; deno task gen-data makes it`);
  }
  const report = (pass: number) => (bytes: number, size: number) => options.onProgress?.(pass * size + bytes, 2 * size);
  const { before, counts } = await fit(config, source, report(0));
  const scalers = scalersOf(config, source, before);

  const path = scaledPathOf(config);
  const shapes = Object.fromEntries(PARTS.flatMap((part, index) => [
    [`${part}.x`, [counts[index], scalers.inputs.columns.length]],
    [`${part}.y`, [counts[index], scalers.targets.columns.length]],
  ]));
  const metadata = metadataOf(config, { scalers, table: tableOf(config.recipe), loss: lossOf(config) }, {
    [source]: stamp,
  });
  await using writer = await SafetensorsWriter.create(path, shapes, metadata);
  const after = await write(config, source, scalers, writer, report(1));
  if (!isSameStamp(stamp, await stampOf(source))) {
    throw new DataError("the file was changed while it was read: run this again", { file: source });
  }
  await writer.close();
  const [train, validation, test] = counts;
  return { path, counts: { train, validation, test }, before, after };
}

/**
 * A report as a table: one line per column with its statistics before and after.
 *
 * @param report What {@linkcode scaleData} gave.
 * @returns Lines without a last line break.
 */
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

/** First pass: the split's counts, and statistics of the training rows. */
async function fit(config: Config, source: string, onProgress: OnProgress) {
  const { features, targets } = recipeOf(config.recipe);
  const columns = [...features, ...targets];
  const statistics = new RunningStatistics(columns);
  const splitter = new Splitter(config.split, config.seed);
  for await (const block of readNumericCsv(source, { columns, blockRows: SPLIT_BLOCK, onProgress })) {
    if (config.loss === "bce") await checkClasses(source, block, features.length);
    const parts = splitter.assign(block.count);
    for (let row = 0; row < block.count; row++) {
      if (parts[row] === 0) statistics.add(block.rows, row * columns.length);
    }
  }
  if (statistics.count === 0) {
    const shares = config.split.join(",");
    throw new RangeError(`${source}: no row is left for training: it has too few rows for SPLIT ${shares}`);
  }
  return { before: statistics.result(), counts: splitter.counts };
}

function scalersOf(config: Config, source: string, statistics: ColumnStatistics[]): Scalers {
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

/** Second pass: writes every row to its part; returns statistics of the scaled training rows. */
async function write(
  config: Config,
  source: string,
  scalers: Scalers,
  writer: SafetensorsWriter,
  onProgress: OnProgress,
) {
  const sides = [{ suffix: "x", scaler: scalers.inputs }, { suffix: "y", scaler: scalers.targets }].map((side) => ({
    ...side,
    names: side.scaler.columns.map(({ name }) => name),
    statistics: new RunningStatistics(side.scaler.columns.map(({ name }) => name)),
  }));
  const columns = sides.flatMap(({ names }) => names);
  const splitter = new Splitter(config.split, config.seed);
  for await (const block of readNumericCsv(source, { columns, blockRows: SPLIT_BLOCK, onProgress })) {
    const assigned = splitter.assign(block.count);
    for (const [index, part] of PARTS.entries()) {
      const rows = indicesOf(assigned, index);
      for (const { suffix, scaler, names, statistics } of sides) {
        const raw = pick(block, rows, suffix === "x" ? 0 : columns.length - names.length, names.length);
        const values = Float32Array.from(scaler.transform(raw));
        await checkFinite(source, values, names, rows, block.firstRow);
        await writer.append(`${part}.${suffix}`, values);
        if (part !== "train") continue;
        for (let row = 0; row < rows.length; row++) statistics.add(values, row * names.length);
      }
    }
  }
  return sides.flatMap(({ statistics }) => statistics.result());
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

async function checkClasses(file: string, block: NumericBlock, from: number): Promise<void> {
  const width = block.columns.length;
  for (let row = 0; row < block.count; row++) {
    for (let column = from; column < width; column++) {
      const value = block.rows[row * width + column];
      if (value >= 0 && value <= 1) continue;
      const place = { file, line: await lineOfRow(file, block.firstRow + row), column: block.columns[column] };
      throw new DataError(`the target is ${value}: loss bce needs targets from 0 to 1`, place);
    }
  }
}

async function checkFinite(
  file: string,
  values: Float32Array,
  names: string[],
  rows: number[],
  firstRow: number,
): Promise<void> {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at === -1) return;
  const line = await lineOfRow(file, firstRow + rows[Math.floor(at / names.length)]);
  const problem = "scaled, this value is beyond the range of float32, about 3.4e38";
  throw new DataError(problem, { file, line, column: names[at % names.length] });
}

async function main(config: Config): Promise<void> {
  const source = config.data || csvPath(config.recipe);
  // The CSV file of a recipe stays the same under it, too.
  using _lock = await lockDataset(datasetName(config), `scales ${source}`);
  using progress = new Progress(`scaling ${source}`);
  const onProgress = (done: number, total: number) => progress.update(done, total);
  const report = config.data === ""
    ? formatReport(await scaleData(config, { onProgress }))
    : formatTableReport(await scaleTable(config, { onProgress }));
  progress.clear();
  console.log(report);
}

if (import.meta.main) await runTask("scale", main);
