/**
 * Splits, encodes and scales a table, a recipe's or the user's own, into data/<name>.scaled.safetensors. It passes over the
 * rows several times: to look at the columns (of a recipe, to count the rows), under missing "drop" to find the rows to leave
 * out, to learn from the training rows, and to write.
 */

import { CellError, cellFault, numberOf } from "../../lib/data/cells.ts";
import { DataError } from "../../lib/base/errors.ts";
import { targetForm } from "../../lib/model_file/metadata.ts";
import { printable } from "../../lib/base/printable.ts";
import { SafetensorsWriter } from "../../lib/safetensors/writer.ts";
import { type ColumnStatistics, RunningStatistics, Scaler } from "../../lib/data/scaler.ts";
import type { Table } from "../../lib/data/table.ts";
import type { TableNotes } from "../../lib/data/table_notes.ts";
import { TableEncoder, TargetEncoder } from "../../lib/data/table_encoder.ts";
import type { TaskConfig } from "../settings/config.ts";
import type { Config } from "../settings/settings.ts";
import { DATA_FOLDER } from "./dataset_files.ts";
import { lockDataset } from "./locks.ts";
import { Progress } from "../show/progress.ts";
import {
  changedSource,
  datasetName,
  metadataOf,
  scaledPathOf,
  type Scalers,
  sourceName,
  sourcesOf,
  tablesOf,
  targetScaler,
} from "./scaled_dataset.ts";
import { assignParts, DROPPED, type PartName, PARTS } from "./split.ts";
import { CategoricalFit, type ColumnFit, NumericFit, oneHotStatistics, TargetFit } from "./table_fit.ts";
import { countRows, lookAt, type OnProgress } from "./table_look.ts";
import { formatColumns, planColumns, recipePlan, type TablePlan } from "./table_plan.ts";
import { partedBlocks, type PartedTable } from "./table_rows.ts";
import { formatNumber, formatTable } from "../show/text_table.ts";

/** What scaling did. */
interface ScaleReport {
  /** The file that was written. */
  path: string;
  /** Rows of each part. */
  counts: Record<PartName, number>;
  /** What each column of a user's table is taken as, and what else is worth knowing. */
  notes: TableNotes;
  /** Of a recipe: statistics of the training rows in raw units, inputs first. */
  before: ColumnStatistics[];
  /** The same of the scaled values, as float32. */
  after: ColumnStatistics[];
}

/** What the training rows say, and how many rows each part has. */
interface Fitted {
  table: Table;
  scalers: Scalers;
  counts: Record<PartName, number>;
  rareClasses: string[];
}

/** Inputs or targets: where they come from and how they are written. */
interface Side {
  suffix: "x" | "y";
  encoder: TableEncoder | TargetEncoder;
  scaler: Scaler;
  /** Of what is written for training. */
  statistics: RunningStatistics;
}

/**
 * Prepares the dataset, in constant memory but for some bytes a row. The result replaces the one before it only once it is
 * whole. Hold the dataset's lock.
 *
 * @throws {ConfigError} If settings and columns do not go together.
 * @throws {DataError} If the file cannot be used.
 * @throws {RangeError} If the training rows are too few, or say nothing.
 */
export async function scale(config: Config, onProgress: OnProgress = () => {}): Promise<ScaleReport> {
  const stamps = await sourcesOf(config);
  const passes = config.missing === "drop" ? 4 : 3;
  let pass = 0;
  const progress = (): OnProgress => {
    const before = pass++;
    return (bytes, size) => onProgress(before * size + bytes, passes * size);
  };
  const [{ path }, ...others] = tablesOf(config);
  const isRecipe = config.data === "";
  const look = isRecipe ? await countRows(path, config, progress()) : await lookAt(path, config, progress());
  const plan = isRecipe ? recipePlan(config) : await planColumns(config, look);
  const parts = await assignParts(config, look, plan, config.missing === "drop" ? progress() : () => {});
  const tables: PartedTable[] = [{ path, part: 0, parts }, ...others];
  const { table, scalers, counts, rareClasses } = await fit(config, plan, tables, progress());

  const dropped = parts.reduce((count, part) => part === DROPPED ? count + 1 : count, 0);
  const notes: TableNotes = {
    columns: plan.notes.columns,
    notes: [
      ...plan.notes.notes,
      ...(dropped > 0 ? [`${dropped} rows with missing cells are left out`] : []),
      ...(rareClasses.length > 0 ? [`classes with a single training row: ${rareClasses.join(", ")}`] : []),
    ],
  };
  const scaled = scaledPathOf(config);
  await Deno.mkdir(DATA_FOLDER, { recursive: true });
  const encoders = {
    x: new TableEncoder(table),
    y: new TargetEncoder(table.target, targetForm(table.target, plan.loss)),
  };
  const sides: Side[] = [
    { suffix: "x", encoder: encoders.x, scaler: scalers.inputs, statistics: new RunningStatistics(encoders.x.names) },
    { suffix: "y", encoder: encoders.y, scaler: scalers.targets, statistics: new RunningStatistics(encoders.y.names) },
  ];
  const shapes: Record<string, number[]> = {};
  for (const part of PARTS) {
    for (const { suffix, encoder } of sides) shapes[`${part}.${suffix}`] = [counts[part], encoder.names.length];
  }
  await using writer = await SafetensorsWriter.create(
    scaled,
    shapes,
    metadataOf(config, { scalers, table, loss: plan.loss, notes }, stamps),
  );
  await write(config, plan, tables, sides, writer, progress());
  const changed = changedSource(stamps, await sourcesOf(config));
  if (changed) throw new DataError("the file was changed while it was read: run this again", { file: changed });
  await writer.close();

  return {
    path: scaled,
    counts,
    notes,
    before: isRecipe ? [...scalers.inputs.columns, ...scalers.targets.columns] : [],
    after: isRecipe ? sides.flatMap(({ statistics }) => statistics.result()) : [],
  };
}

/** A report as lines: of a recipe its columns before and after, of a user's table what each column is taken as. */
export function formatReport({ path, counts, notes: { columns, notes }, before, after }: ScaleReport): string {
  const { train, validation, test } = counts;
  const written = `${path}: ${train} training, ${validation} validation and ${test} test rows`;
  if (columns.length > 0) {
    return [formatColumns(columns), ...notes.map((note) => printable(note)), written].join("\n");
  }
  const numbers = ({ min, max, mean, deviation }: ColumnStatistics) => [min, max, mean, deviation].map(formatNumber);
  const rows = before.flatMap((column, index) => [
    [column.name, "before", ...numbers(column)],
    ["", "after", ...numbers(after[index])],
  ]);
  return [written, formatTable([["column", "", "min", "max", "mean", "deviation"], ...rows], 2)].join("\n");
}

/** Table and scalers, from what the training rows hold. */
async function fit(
  config: Config,
  plan: TablePlan,
  tables: readonly PartedTable[],
  onProgress: OnProgress,
): Promise<Fitted> {
  const { missing, scalingMethod, seed } = config;
  const fits = plan.inputs.map(({ name, kind }): ColumnFit =>
    kind === "numeric" ? new NumericFit(name, missing, seed) : new CategoricalFit(name, missing)
  );
  const targetFit = new TargetFit(plan.targets, plan.kind);
  const rows = [0, 0, 0];
  for await (const { records, parts, places, faultOf } of partedBlocks(config, plan, tables, onProgress)) {
    const targets = places.slice(fits.length);
    for (let i = 0; i < records.length; i++) {
      const fault = plan.isLookedAt ? undefined : cellErrorIn(plan, records[i], places);
      if (fault) throw faultOf(fault, i);
      if (parts[i] !== DROPPED) rows[parts[i]]++;
      if (parts[i] !== 0) continue;
      for (let column = 0; column < fits.length; column++) fits[column].add(records[i][places[column]]);
      targetFit.add(targets.map((place) => records[i][place]));
    }
  }
  const [train, validation, test] = rows;
  const name = sourceName(config);
  if (train === 0) throw new RangeError(`${name}: no row is left for training`);
  try {
    const columns = fits.map((fit) => fit.result());
    const { target, statistics, counts: classCounts } = targetFit.result();
    const outputs = target.kind === "numeric" ? [] : new TargetEncoder(target, targetForm(target, plan.loss)).names;
    return {
      table: { inputs: columns.map(({ column }) => column), target, missing },
      scalers: {
        inputs: new Scaler(scalingMethod, columns.flatMap(({ statistics }) => statistics)),
        targets: target.kind === "classes"
          ? new Scaler("none", shareStatistics(outputs, target.classes, classCounts))
          // A recipe's targets from 0 to 1 are classes, too.
          : targetScaler(plan.loss === "bce" ? "none" : scalingMethod, statistics),
      },
      counts: { train, validation, test },
      rareClasses: [...classCounts].filter(([_, count]) => count === 1).map(([name]) => name),
    };
  } catch (error) {
    throw error instanceof RangeError ? new RangeError(`${name}: ${error.message}`, { cause: error }) : error;
  }
}

/** What is wrong with a row that no look has checked. */
function cellErrorIn(
  { inputs, targets, loss }: TablePlan,
  record: readonly string[],
  places: readonly number[],
): CellError | undefined {
  for (let i = 0; i < places.length; i++) {
    const cell = record[places[i]];
    const value = numberOf(cell);
    const isClass = loss === "bce" && i >= inputs.length;
    if (isClass ? value >= 0 && value <= 1 : !Number.isNaN(value)) continue;
    const problem = Number.isNaN(value)
      ? cellFault(cell)
      : `the target is ${value}: loss bce needs targets from 0 to 1`;
    return new CellError(problem, i < inputs.length ? inputs[i].name : targets[i - inputs.length]);
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

/** Last pass: every row goes to its part. */
async function write(
  config: Config,
  plan: TablePlan,
  tables: readonly PartedTable[],
  sides: readonly Side[],
  writer: SafetensorsWriter,
  onProgress: OnProgress,
): Promise<void> {
  for await (const { records, parts, places, faultOf } of partedBlocks(config, plan, tables, onProgress)) {
    const sidePlaces = { x: places.slice(0, plan.inputs.length), y: places.slice(plan.inputs.length) };
    for (const [index, part] of PARTS.entries()) {
      const rows: number[] = [];
      parts.forEach((of, row) => of === index && rows.push(row));
      if (rows.length === 0) continue;
      for (const { suffix, encoder, scaler, statistics } of sides) {
        const width = encoder.names.length;
        const raw = new Float64Array(rows.length * width);
        rows.forEach((row, i) => {
          try {
            encoder.encode(sidePlaces[suffix].map((place) => records[row][place]), raw, i * width);
          } catch (error) {
            throw faultOf(error, row);
          }
        });
        const values = Float32Array.from(scaler.transform(raw));
        const at = values.findIndex((value) => !Number.isFinite(value));
        if (at !== -1) {
          const problem = "scaled, this value is beyond the range of float32, about 3.4e38";
          throw faultOf(new CellError(problem, encoder.names[at % width]), rows[Math.floor(at / width)]);
        }
        await writer.append(`${part}.${suffix}`, values);
        // Only a recipe's report shows them.
        if (plan.isLookedAt || index !== 0) continue;
        for (let row = 0; row < rows.length; row++) statistics.add(values, row * width);
      }
    }
  }
}

/** Splits and scales the dataset, and prints what came of it. */
export async function main(config: TaskConfig): Promise<void> {
  const source = sourceName(config);
  // The CSV file of a recipe stays the same under it, too.
  using _lock = await lockDataset(datasetName(config), `scales ${source}`);
  using progress = new Progress(`scaling ${source}`);
  const report = await scale(config, (done, total) => progress.update(done, total));
  progress.clear();
  console.log(formatReport(report));
}
