/**
 * Splits, encodes and scales a user's own table into data/<name>.scaled.safetensors. Passes over the file: one looks at the
 * columns, one gathers what the training rows alone say, one writes; under missing "drop" another finds the rows to leave out.
 */

import { CellError } from "../lib/cells.ts";
import { readRecords } from "../lib/csv_records.ts";
import { DataError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import { SafetensorsWriter } from "../lib/safetensors_writer.ts";
import { type ColumnStatistics, Scaler } from "../lib/scaler.ts";
import type { Table } from "../lib/table.ts";
import { TableEncoder, TargetEncoder } from "../lib/table_encoder.ts";
import type { Config } from "./config_types.ts";
import { DATA_FOLDER, isSameStamp } from "./dataset_files.ts";
import { metadataOf, scaledPathOf, type Scalers, sourcesOf, targetScaler } from "./scaled_dataset.ts";
import { type PartName, PARTS } from "./split.ts";
import { CategoricalFit, type ColumnFit, NumericFit, oneHotStatistics, TargetFit } from "./table_fit.ts";
import { lookAt, type OnProgress, separatorNamed } from "./table_look.ts";
import { planColumns, type TablePlan } from "./table_plan.ts";
import { assignParts, DROPPED, isIncomplete } from "./table_split.ts";
import { fromUsersFolder } from "./users_files.ts";

/** What preparing a table did. */
export interface TableReport {
  /** The file that was written. */
  path: string;
  /** Rows of each part. */
  counts: Record<PartName, number>;
  /** What each column is taken as, for people to read. */
  columns: string;
  /** What is worth knowing beside it. */
  notes: string[];
}

/** A file of rows. */
interface Source {
  path: string;
  /** Part of each of its rows; where it is left out, all are of `part`. */
  parts?: Uint8Array;
  part: number;
}

/** Rows of a file with their parts. */
interface PartedBlock {
  records: readonly (readonly string[])[];
  parts: Uint8Array;
  /** Places of inputs and targets in a record. */
  inputs: readonly number[];
  targets: readonly number[];
  /** An error as one of the file, with the line of a record. */
  faultOf: (error: unknown, index: number) => unknown;
}

/** What the training rows say. */
interface Fitted {
  table: Table;
  scalers: Scalers;
  counts: [number, number, number];
  notes: string[];
}

/**
 * Prepares the table, in constant memory but for some bytes a row. The result takes the place of the one before it only once
 * it is whole. Hold the dataset's lock.
 *
 * @param config The settings.
 * @param options Progress, in passes.
 * @returns What was done.
 * @throws {ConfigError} If settings and columns do not go together.
 * @throws {DataError} If the file cannot be used.
 * @throws {RangeError} If the training rows are too few, or say nothing.
 */
export async function scaleTable(
  config: Config,
  options: { onProgress?: (done: number, total: number) => void } = {},
): Promise<TableReport> {
  const stamps = await sourcesOf(config);
  const path = fromUsersFolder(config.data), passes = config.missing === "drop" ? 4 : 3;
  let pass = 0;
  const progress = (): OnProgress => {
    const before = pass++;
    return (bytes, size) => options.onProgress?.(before * size + bytes, passes * size);
  };
  const look = await lookAt(path, config, progress());
  const plan = await planColumns(config, look);
  const parts = await assignParts(config, look, plan, config.missing === "drop" ? progress() : () => {});
  const sources: Source[] = [{ path, parts, part: 0 }];
  if (config.validation !== "") sources.push({ path: fromUsersFolder(config.validation), part: 1 });
  if (config.test !== "") sources.push({ path: fromUsersFolder(config.test), part: 2 });
  const fitted = await fit(config, plan, sources, progress());

  const { counts, scalers, table } = fitted, scaled = scaledPathOf(config);
  await Deno.mkdir(DATA_FOLDER, { recursive: true });
  const shapes = Object.fromEntries(PARTS.flatMap((part, index) => [
    [`${part}.x`, [counts[index], scalers.inputs.columns.length]],
    [`${part}.y`, [counts[index], scalers.targets.columns.length]],
  ]));
  const metadata = metadataOf(config, { scalers, table, loss: plan.loss }, stamps);
  await using writer = await SafetensorsWriter.create(scaled, shapes, metadata);
  await write(config, plan, sources, fitted, writer, progress());
  const now = await sourcesOf(config);
  const changed = Object.keys(stamps).find((file) => !isSameStamp(stamps[file], now[file]));
  if (changed) throw new DataError("the file was changed while it was read: run this again", { file: changed });
  await writer.close();
  const [train, validation, test] = counts;
  const dropped = parts.filter((part) => part === DROPPED).length;
  const notes = dropped > 0 ? [`${dropped} rows with missing cells are left out`, ...fitted.notes] : fitted.notes;
  return { path: scaled, counts: { train, validation, test }, columns: plan.columns, notes };
}

/** A report as lines. */
export function formatTableReport({ path, counts: { train, validation, test }, columns, notes }: TableReport): string {
  return [
    columns,
    ...notes.map((note) => printable(note)),
    `${path}: ${train} training, ${validation} validation and ${test} test rows`,
  ].join("\n");
}

/** All rows, file by file; progress is that of the first. */
async function* partedBlocks(
  config: Config,
  plan: TablePlan,
  sources: readonly Source[],
  onProgress: OnProgress,
): AsyncGenerator<PartedBlock> {
  const inputs = plan.inputs.map(({ name }) => name), columns = [...inputs, ...plan.targets];
  for (const [index, source] of sources.entries()) {
    const options = { separator: separatorNamed(config.separator), columns, ...(index === 0 ? { onProgress } : {}) };
    for await (const { records, places, firstRow, lineOf } of readRecords(source.path, options)) {
      const parts = source.parts ? source.parts.subarray(firstRow, firstRow + records.length) : Uint8Array.from(
        records,
        (record) => config.missing === "drop" && isIncomplete(record, places) ? DROPPED : source.part,
      );
      const faultOf = (error: unknown, index: number) =>
        error instanceof CellError
          ? new DataError(error.problem, { file: source.path, line: lineOf(index), column: error.column }, {
            cause: error,
          })
          : error;
      yield { records, parts, inputs: places.slice(0, inputs.length), targets: places.slice(inputs.length), faultOf };
    }
  }
}

async function fit(
  config: Config,
  plan: TablePlan,
  sources: readonly Source[],
  onProgress: OnProgress,
): Promise<Fitted> {
  const { missing, seed, scalingMethod } = config;
  const fits = plan.inputs.map(({ name, kind }): ColumnFit =>
    kind === "numeric" ? new NumericFit(name, missing, seed) : new CategoricalFit(name, missing)
  );
  const targetFit = new TargetFit(plan.targets, plan.kind);
  const counts: Fitted["counts"] = [0, 0, 0];
  for await (const { records, parts, inputs, targets } of partedBlocks(config, plan, sources, onProgress)) {
    for (let i = 0; i < records.length; i++) {
      if (parts[i] !== DROPPED) counts[parts[i]]++;
      if (parts[i] !== 0) continue;
      for (let column = 0; column < fits.length; column++) fits[column].add(records[i][inputs[column]]);
      targetFit.add(targets.map((place) => records[i][place]));
    }
  }
  const rowsOf = `${config.data}: `;
  if (counts[0] === 0) throw new RangeError(`${rowsOf}no row is left for training`);
  try {
    const columns = fits.map((fit) => fit.result()), { target, statistics, counts: classCounts } = targetFit.result();
    const table: Table = { inputs: columns.map(({ column }) => column), target, missing };
    const names = target.kind === "numeric" ? [] : new TargetEncoder(target, formOf(plan)).names;
    const scalers = {
      inputs: new Scaler(scalingMethod, columns.flatMap(({ statistics }) => statistics)),
      targets: target.kind === "numeric"
        ? targetScaler(scalingMethod, statistics)
        : new Scaler("none", shareStatistics(names, target.classes, classCounts)),
    };
    const rare = [...classCounts].filter(([, count]) => count === 1).map(([name]) => name);
    const notes = rare.length > 0 ? [`classes with a single training row: ${rare.join(", ")}`] : [];
    return { table, scalers, counts, notes };
  } catch (error) {
    throw error instanceof RangeError ? new RangeError(rowsOf + error.message, { cause: error }) : error;
  }
}

/** Statistics of the outputs of classes: their means are the shares of the training rows, as a baseline needs them. */
function shareStatistics(
  outputs: readonly string[],
  classes: readonly string[],
  counts: ReadonlyMap<string, number>,
): ColumnStatistics[] {
  const rows = classes.reduce((sum, name) => sum + counts.get(name)!, 0);
  // A single output is the probability of the second class.
  const counted = outputs.length === 1 ? [classes[1]] : classes;
  return outputs.map((name, i) => ({ ...oneHotStatistics(name), mean: counts.get(counted[i])! / rows }));
}

function formOf({ kind, loss }: TablePlan): "values" | "one-hot" | "binary" {
  return kind === "numeric" ? "values" : loss === "bce" ? "binary" : "one-hot";
}

/** Last pass: every row goes to its part. */
async function write(
  config: Config,
  plan: TablePlan,
  sources: readonly Source[],
  { table, scalers }: Fitted,
  writer: SafetensorsWriter,
  onProgress: OnProgress,
): Promise<void> {
  const x = new TableEncoder(table), y = new TargetEncoder(table.target, formOf(plan));
  for await (const { records, parts, inputs, targets, faultOf } of partedBlocks(config, plan, sources, onProgress)) {
    for (const [index, part] of PARTS.entries()) {
      const rows: number[] = [];
      parts.forEach((of, row) => of === index && rows.push(row));
      if (rows.length === 0) continue;
      for (
        const [suffix, encoder, places, scaler] of [
          ["x", x, inputs, scalers.inputs],
          ["y", y, targets, scalers.targets],
        ] as const
      ) {
        const width = encoder.names.length, raw = new Float64Array(rows.length * width);
        rows.forEach((row, i) => {
          try {
            encoder.encode(places.map((place) => records[row][place]), raw, i * width);
          } catch (error) {
            throw faultOf(error, row);
          }
        });
        const values = Float32Array.from(scaler.transform(raw)),
          at = values.findIndex((value) => !Number.isFinite(value));
        if (at !== -1) {
          const problem = "scaled, this value is beyond the range of float32, about 3.4e38";
          throw faultOf(new CellError(problem, encoder.names[at % width]), rows[Math.floor(at / width)]);
        }
        await writer.append(`${part}.${suffix}`, values);
      }
    }
  }
}
