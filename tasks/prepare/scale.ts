/**
 * Splits, encodes and scales a table, a recipe's or the user's own, into data/<name>.scaled.safetensors. It passes over the
 * rows several times: to look at the columns (of a recipe, to count the rows), under missing "drop" to find the rows to leave
 * out, to learn from the training rows, and to write.
 */

import { CellError } from "../../lib/data/cells.ts";
import { DataError } from "../../lib/base/errors.ts";
import { targetForm } from "../../lib/model_file/metadata.ts";
import { printable, visible } from "../../lib/base/printable.ts";
import { SafetensorsWriter } from "../../lib/safetensors/writer.ts";
import type { Scaler } from "../../lib/data/scaler.ts";
import { type ColumnStatistics, RunningStatistics } from "../../lib/data/statistics.ts";
import type { TableNotes } from "../../lib/data/table_notes.ts";
import { TableEncoder, TargetEncoder } from "../../lib/data/table_encoder.ts";
import type { TaskConfig } from "../settings/config.ts";
import type { Config } from "../settings/settings.ts";
import { DATA_FOLDER } from "../settings/data_folder.ts";
import { lockDataset } from "./locks.ts";
import { Progress } from "../show/progress.ts";
import {
  changedSource,
  datasetName,
  metadataOf,
  PLACES,
  scaledPathOf,
  scaledState,
  sourceName,
  sourcesOf,
  tablesOf,
} from "./scaled_dataset.ts";
import { foldsAsked, pooled, whyApart } from "./folds.ts";
import { seal } from "./seal.ts";
import { assignParts, type PartName, PARTS } from "./split.ts";
import { fit } from "./fit_pass.ts";
import { countRows, lookAt, type OnProgress } from "./table_look.ts";
import { formatColumns, planColumns, recipePlan, type TablePlan } from "./table_plan.ts";
import { partedBlocks, type PartedTable } from "./table_rows.ts";
import { formatNumber, formatTable } from "../show/text_table.ts";

/** Told where the user gave validation rows. */
const POOLED_FILES =
  "the rows of VALIDATION are pooled with those of DATA and cut into folds; --folds 0 keeps them apart";

/** What scaling did. */
interface ScaleReport {
  /** The file that was written. */
  path: string;
  /** Rows of each part. */
  counts: Record<PartName, number>;
  /** Whether those of training hold those of validation, for folds. */
  isPooled: boolean;
  /** What each column of a user's table is taken as, and what else is worth knowing. */
  notes: TableNotes;
  /** Of a recipe: statistics of the training rows in raw units, inputs first. */
  before: ColumnStatistics[];
  /** The same of the scaled values, as float32. */
  after: ColumnStatistics[];
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
  let passes = config.missing === "drop" ? 4 : 3;
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
  const apart: PartedTable[] = [{ path, part: 0, parts }, ...others];
  const folds = foldsAsked(config);
  // Where the look tells that the table is too large, a pass over it is saved.
  const bytes = look.rows * (plan.inputs.length + plan.targets.length) * Float32Array.BYTES_PER_ELEMENT;
  let why = folds > 0 ? whyApart(config, { rows: Infinity, classes: new Map(), bytes }) : undefined;
  let isPooled = folds > 0 && why === undefined;
  let fitted = await fit(config, plan, isPooled ? pooled(apart) : apart, progress());
  if (isPooled) why = whyApart(config, measuresOf(fitted));
  if (isPooled && why !== undefined) {
    isPooled = false;
    passes++;
    fitted = await fit(config, plan, apart, progress());
  }
  const tables = isPooled ? pooled(apart) : apart;
  const { table, inputPlaces, scalers, counts } = fitted;
  const more = isPooled && config.validation !== "" ? [POOLED_FILES] : [];
  const notes = { ...fitted.notes, notes: [...fitted.notes.notes, ...more] };
  const scaled = scaledPathOf(config);
  await Deno.mkdir(DATA_FOLDER, { recursive: true });
  const encoders = {
    x: new TableEncoder(table),
    y: new TargetEncoder(table.target, targetForm(table.target, plan.loss), table.missingTexts),
  };
  const sides: Side[] = [
    { suffix: "x", encoder: encoders.x, scaler: scalers.inputs, statistics: new RunningStatistics(encoders.x.names) },
    { suffix: "y", encoder: encoders.y, scaler: scalers.targets, statistics: new RunningStatistics(encoders.y.names) },
  ];
  const shapes: Record<string, number[]> = {};
  for (const part of PARTS) {
    for (const { suffix, encoder } of sides) shapes[`${part}.${suffix}`] = [counts[part], encoder.names.length];
  }
  if (isPooled) shapes[PLACES] = [counts.train, 2];
  const least = Math.min(counts.train, ...fitted.classes.values());
  await using writer = await SafetensorsWriter.create(
    scaled,
    shapes,
    metadataOf(config, { scalers, table, loss: plan.loss, notes, whyApart: why }, stamps, least),
  );
  await write(config, plan, inputPlaces, tables, sides, writer, isPooled, progress());
  const changed = changedSource(stamps, await sourcesOf(config));
  if (changed) throw new DataError("the file was changed while it was read: run this again", { file: changed });
  await writer.close();
  await seal(scaled);

  return {
    path: scaled,
    counts,
    isPooled,
    notes,
    before: isRecipe ? [...scalers.inputs.columns, ...scalers.targets.columns] : [],
    after: isRecipe ? sides.flatMap(({ statistics }) => statistics.result()) : [],
  };
}

/** How large what was fitted is, as folds depend on it. */
function measuresOf({ counts, classes, scalers }: Awaited<ReturnType<typeof fit>>) {
  const width = scalers.inputs.columns.length + scalers.targets.columns.length;
  const all = counts.train + counts.validation + counts.test;
  return { rows: counts.train, classes, bytes: all * width * Float32Array.BYTES_PER_ELEMENT };
}

/** A report as lines: of a recipe its columns before and after, of a user's table what each column is taken as. */
export function formatReport(
  { path, counts, isPooled, notes: { columns, notes }, before, after }: ScaleReport,
): string {
  const { train, validation, test } = counts;
  const trained = isPooled ? `${train} training and validation` : `${train} training, ${validation} validation`;
  const written = `${path}: ${trained} and ${test} test rows`;
  if (columns.length > 0) {
    return [formatColumns(columns), ...notes.map((note) => visible(note)), written].join("\n");
  }
  const numbers = ({ min, max, mean, deviation }: ColumnStatistics) => [min, max, mean, deviation].map(formatNumber);
  const rows = before.flatMap((column, index) => [
    [column.name, "before", ...numbers(column)],
    ["", "after", ...numbers(after[index])],
  ]);
  return [written, formatTable([["column", "", "min", "max", "mean", "deviation"], ...rows], 2)].join("\n");
}

/** Last pass: every row goes to its part. */
async function write(
  config: Config,
  plan: TablePlan,
  inputPlaces: readonly number[],
  tables: readonly PartedTable[],
  sides: readonly Side[],
  writer: SafetensorsWriter,
  isPooled: boolean,
  onProgress: OnProgress,
): Promise<void> {
  for await (const block of partedBlocks(config, plan, tables, onProgress)) {
    const { records, parts, places, faultOf } = block;
    const sidePlaces = { x: inputPlaces.map((place) => places[place]), y: places.slice(plan.inputs.length) };
    for (const [index, part] of PARTS.entries()) {
      const rows: number[] = [];
      parts.forEach((of, row) => of === index && rows.push(row));
      if (rows.length === 0) continue;
      if (index === 0 && isPooled) {
        await writer.append(PLACES, Float32Array.from(rows.flatMap((row) => [block.part, block.firstRow + row])));
      }
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

/** A report as one JSON object. */
function jsonOf({ path, counts, notes: { columns, notes } }: ScaleReport): string {
  return printable(JSON.stringify({ path, counts, columns, notes }));
}

/** Splits and scales the dataset, and prints what came of it. */
export async function main(config: TaskConfig): Promise<void> {
  const source = sourceName(config);
  // The CSV file of a recipe stays the same under it, too.
  using _lock = await lockDataset(datasetName(config), `scales ${source}`);
  const { differs } = await scaledState(config);
  if (differs.includes("data") || differs.includes("recipe")) {
    console.error(visible(`note: ${scaledPathOf(config)} holds the rows of another file or recipe: they are replaced`));
  }
  using progress = new Progress(`scaling ${source}`);
  const report = await scale(config, (done, total) => progress.update(done, total));
  progress.clear();
  console.log(config.extras.JSON === "true" ? jsonOf(report) : formatReport(report));
}
