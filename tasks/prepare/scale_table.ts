/**
 * Splits, encodes and scales a user's own table into data/<name>.scaled.safetensors. Passes over its files: one looks at the
 * columns, one gathers what the training rows alone say, one writes; under missing "drop" another finds the rows to leave out.
 */

import { CellError } from "../../lib/data/cells.ts";
import { ALONE, type Communicator } from "../../lib/ranks/communicator.ts";
import { csvRange } from "../../lib/data/csv_range.ts";
import { DataError } from "../../lib/base/errors.ts";
import { printable } from "../../lib/base/printable.ts";
import { gatherNumbers, together } from "../../lib/ranks/together.ts";
import type { SafetensorsWriter } from "../../lib/safetensors/writer.ts";
import { type ColumnStatistics, Scaler } from "../../lib/data/scaler.ts";
import type { Table } from "../../lib/data/table.ts";
import { TableEncoder, TargetEncoder } from "../../lib/data/table_encoder.ts";
import type { Config } from "../settings/config_types.ts";
import { DATA_FOLDER } from "./dataset_files.ts";
import { type RowPlaces, rowPlaces, writeTogether } from "./rank_writer.ts";
import { changedSource, metadataOf, scaledPathOf, type Scalers, sourcesOf, targetScaler } from "./scaled_dataset.ts";
import { type PartName, PARTS } from "./split.ts";
import { partedBlocks, type Source } from "./table_blocks.ts";
import { CategoricalFit, type ColumnFit, NumericFit, oneHotStatistics, TargetFit } from "./table_fit.ts";
import { lookAt, type OnProgress } from "./table_look.ts";
import { planColumns, type TablePlan } from "./table_plan.ts";
import { assignParts, DROPPED } from "./table_split.ts";
import { fromUsersFolder } from "../settings/users_files.ts";

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

/** What the training rows hold, and how many rows each part has. */
interface Training {
  fits: ColumnFit[];
  targetFit: TargetFit;
  counts: [number, number, number];
}

/** What the training rows say. */
interface Fitted {
  table: Table;
  scalers: Scalers;
  rows: RowPlaces;
  notes: string[];
}

/** What {@linkcode scaleTable} may be told. */
export interface ScaleTableOptions {
  /** Called with the bytes read so far in all passes, and those to read in all, of this rank's rows. */
  onProgress?: (done: number, total: number) => void;
  /** The ranks that prepare it together; one process by itself if left out. */
  communicator?: Communicator;
}

/**
 * Prepares the table, in constant memory but for some bytes a row. The result takes the place of the one before it only once
 * it is whole. Hold the dataset's lock. Several ranks read and write a part of the rows each; if anything goes wrong at one
 * of them, all throw.
 *
 * @throws {ConfigError} If settings and columns do not go together.
 * @throws {DataError} If the file cannot be used.
 * @throws {RangeError} If the training rows are too few, or say nothing.
 */
export async function scaleTable(config: Config, options: ScaleTableOptions = {}): Promise<TableReport> {
  const { communicator = ALONE } = options;
  const stamps = await together(communicator, () => sourcesOf(config));
  const path = fromUsersFolder(config.data);
  const passes = 3 + (config.missing === "drop" ? 1 : 0) + (readsTwice(config, communicator) ? 1 : 0);
  let pass = 0;
  const progress = (): OnProgress => {
    const before = pass++;
    return (bytes, size) => options.onProgress?.(before * size + bytes, passes * size);
  };
  const look = await lookAt(path, config, progress(), communicator);
  const plan = await together(communicator, () => planColumns(config, look));
  const dropping = config.missing === "drop" ? progress() : () => {};
  const parts = await assignParts(config, look, plan, dropping, communicator);
  const sources: Source[] = [{ path, range: look.range, parts, part: 0 }];
  for (const [part, name] of [[1, config.validation], [2, config.test]] as const) {
    if (name === "") continue;
    const path = fromUsersFolder(name);
    sources.push({ path, range: await csvRange(path, communicator), part });
  }
  const fitted = await fit(config, plan, sources, progress, communicator);

  const { rows, scalers, table } = fitted;
  const scaled = scaledPathOf(config);
  await together(communicator, () => Deno.mkdir(DATA_FOLDER, { recursive: true }));
  const widths = { x: scalers.inputs.columns.length, y: scalers.targets.columns.length };
  const metadata = metadataOf(config, { scalers, table, loss: plan.loss }, stamps);
  const writing = (writer: SafetensorsWriter) => write(config, plan, sources, fitted, writer, progress());
  const checkSources = async () => {
    const changed = changedSource(stamps, await sourcesOf(config));
    if (changed) throw new DataError("the file was changed while it was read: run this again", { file: changed });
  };
  await writeTogether(scaled, rows, widths, metadata, writing, checkSources, communicator);
  const [train, validation, test] = rows.total;
  const dropped = Float64Array.of(countOf(parts, DROPPED));
  await communicator.allReduce(dropped);
  const notes = dropped[0] > 0 ? [`${dropped[0]} rows with missing cells are left out`, ...fitted.notes] : fitted.notes;
  return { path: scaled, counts: { train, validation, test }, columns: plan.columns, notes };
}

/** Whether the training rows are read once more: a rank's sample for the median depends on the rows of ranks before it. */
function readsTwice({ missing }: Config, { size }: Communicator): boolean {
  return missing === "median" && size > 1;
}

function countOf(values: Uint8Array, wanted: number): number {
  let count = 0;
  for (const value of values) if (value === wanted) count++;
  return count;
}

/** A report as lines. */
export function formatTableReport({ path, counts: { train, validation, test }, columns, notes }: TableReport): string {
  return [
    columns,
    ...notes.map((note) => printable(note)),
    `${path}: ${train} training, ${validation} validation and ${test} test rows`,
  ].join("\n");
}

async function fit(
  config: Config,
  plan: TablePlan,
  sources: readonly Source[],
  progress: () => OnProgress,
  communicator: Communicator,
): Promise<Fitted> {
  let gathered = await together(communicator, () => readTraining(config, plan, sources, progress()));
  if (readsTwice(config, communicator)) {
    const own = gathered.fits.map((fit) => fit instanceof NumericFit ? fit.count : 0);
    const all = await gatherNumbers(communicator, own);
    const before = own.map(() => 0);
    all.subarray(0, communicator.rank * own.length).forEach((count, i) => before[i % own.length] += count);
    gathered = await together(communicator, () => readTraining(config, plan, sources, progress(), before));
  }
  const rows = await rowPlaces(gathered.counts, communicator);
  for (const fit of [...gathered.fits, gathered.targetFit]) await fit.merge(communicator);
  return { ...await together(communicator, () => describe(config, plan, gathered, rows)), rows };
}

/** Table and scalers, from what the training rows of all ranks hold. */
function describe(
  { data, missing, scalingMethod }: Config,
  plan: TablePlan,
  { fits, targetFit }: Training,
  rows: RowPlaces,
): Omit<Fitted, "rows"> {
  const rowsOf = `${data}: `;
  if (rows.total[0] === 0) throw new RangeError(`${rowsOf}no row is left for training`);
  try {
    const columns = fits.map((fit) => fit.result());
    const { target, statistics, counts: classCounts } = targetFit.result();
    const table: Table = { inputs: columns.map(({ column }) => column), target, missing };
    const names = target.kind === "numeric" ? [] : new TargetEncoder(target, formOf(plan)).names;
    const scalers = {
      inputs: new Scaler(scalingMethod, columns.flatMap(({ statistics }) => statistics)),
      targets: target.kind === "numeric"
        ? targetScaler(scalingMethod, statistics)
        : new Scaler("none", shareStatistics(names, target.classes, classCounts)),
    };
    const rare = [...classCounts].filter(([_, count]) => count === 1).map(([name]) => name);
    const notes = rare.length > 0 ? [`classes with a single training row: ${rare.join(", ")}`] : [];
    return { table, scalers, notes };
  } catch (error) {
    throw error instanceof RangeError ? new RangeError(rowsOf + error.message, { cause: error }) : error;
  }
}

/** What this rank's training rows hold, and how many rows of each part it has. */
async function readTraining(
  config: Config,
  plan: TablePlan,
  sources: readonly Source[],
  onProgress: OnProgress,
  before?: readonly number[],
): Promise<Training> {
  const { missing, seed } = config;
  const fits = plan.inputs.map(({ name, kind }, i): ColumnFit =>
    kind === "numeric" ? new NumericFit(name, missing, seed, before?.[i]) : new CategoricalFit(name, missing)
  );
  const targetFit = new TargetFit(plan.targets, plan.kind);
  const counts: [number, number, number] = [0, 0, 0];
  const blocks = partedBlocks(config, plan, sources, onProgress);
  for await (const { records, parts, inputs, targets } of blocks) {
    for (let i = 0; i < records.length; i++) {
      if (parts[i] !== DROPPED) counts[parts[i]]++;
      if (parts[i] !== 0) continue;
      for (let column = 0; column < fits.length; column++) fits[column].add(records[i][inputs[column]]);
      targetFit.add(targets.map((place) => records[i][place]));
    }
  }
  return { fits, targetFit, counts };
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
  const x = new TableEncoder(table);
  const y = new TargetEncoder(table.target, formOf(plan));
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
        const width = encoder.names.length;
        const raw = new Float64Array(rows.length * width);
        rows.forEach((row, i) => {
          try {
            encoder.encode(places.map((place) => records[row][place]), raw, i * width);
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
      }
    }
  }
}
