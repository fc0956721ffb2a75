/** The rows of a run. Settings that do not suit them are refused before the dataset that they would overwrite is touched. */

import { basename, resolve } from "node:path";
import { showName } from "../../lib/base/printable.ts";
import type { Folds } from "../../lib/base/folds.ts";
import type { Target } from "../../lib/data/table.ts";
import type { DataSource } from "../../lib/model_file/metadata.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { type Key, type LossName, SETTINGS } from "../settings/settings.ts";
import { pointTo, settingAt } from "../settings/faults.ts";
import type { DatasetState } from "../prepare/generate.ts";
import { recipeOf } from "../settings/recipes.ts";
import { foldsAsked, foldsOf } from "../prepare/folds.ts";
import { countOf } from "../prepare/name_counts.ts";
import type { ScaledDataset } from "../prepare/scaled_dataset.ts";
import { Splitter } from "../prepare/split.ts";
import { prepareDataset } from "../prepare/stages.ts";
import { folderOf, type Sources, sourcesOf } from "../runs/origin.ts";
import { NO_VALIDATION, targetFault } from "../runs/threshold.ts";
import type { RunView } from "../show/view.ts";

export interface Rows {
  readonly dataset: ScaledDataset;
  /** The user's own file; undefined for a recipe, which can be made again. */
  readonly source?: DataSource;
  /** Where each member holds out a part of the rows, which part. */
  readonly folds?: Folds;
  /** Hashes of the files that the rows come from. */
  readonly sources: Sources;
  /** The folder that their paths are relative to. */
  readonly folder?: string;
}

export async function openRows(stack: DisposableStack, config: TaskConfig, view: RunView): Promise<Rows> {
  const dataset = stack.use(await prepareDataset(config, view));
  const folds = await openFolds(config, dataset, view);
  const sources = await sourcesOf(config);
  const folder = folderOf(config);
  return {
    dataset,
    folds,
    sources,
    folder,
    source: sources.DATA === undefined ? undefined : sourceOf(config.data, sources.DATA),
  };
}

/** What is said of a table's rows under INIT_FROM. */
const FIRST_WEIGHTS =
  "folds: none with INIT_FROM; if its weights were trained on validation or test rows of this run, " +
  "what is measured on those is too good";

/**
 * Says how the rows are cut into folds, or why they are not.
 *
 * @throws {ConfigError} If folds that were asked for cannot be.
 */
async function openFolds(config: TaskConfig, dataset: ScaledDataset, view: RunView): Promise<Folds | undefined> {
  const count = foldsAsked(config);
  if (count === 0) {
    if (config.data !== "" && config.initFrom !== "") view.note(FIRST_WEIGHTS);
    return undefined;
  }
  const { places, parts: { train }, whyApart = "its rows are not pooled: run deno task scale" } = dataset;
  const why = places ? countFault(count, train.rows) : whyApart;
  if (why !== undefined && (config.folds !== "auto" || places)) {
    const key = config.folds === "auto" ? "MEMBERS" : "FOLDS";
    throw new ConfigError([`${settingAt(key, config)}: ${why}: say --folds 0 to keep validation rows apart`]);
  }
  if (why !== undefined) {
    view.note(`folds: none, because ${why}`);
    return undefined;
  }
  const few = fewRows(dataset, count);
  if (few.length > 0) {
    const less = "measures that need a row of each class leave out the folds that have none";
    view.warning(`warning: ${count} folds, and ${few.join(", ")}: ${less}`);
  }
  const folds = (await foldsOf(dataset, config))!;
  const { members, sizes } = folds;
  if (members !== config.members) {
    view.note(`members: ${members} instead of ${config.members}, a whole multiple of ${count} folds`);
  }
  const least = Math.min(...sizes);
  const rows = least === Math.max(...sizes) ? `${least}` : `${least} or ${least + 1}`;
  view.note(`folds: ${count}; each member holds out another one, of ${rows} of the ${train.rows} rows`);
  return folds;
}

/** The classes that have fewer rows than there are folds, each with its rows. */
function fewRows({ table: { target }, scalers, parts: { train } }: ScaledDataset, folds: number): string[] {
  if (target.kind !== "classes") return [];
  // The means of class columns are their shares of the rows; a single column is that of the second class.
  const shares = scalers.targets.columns.map(({ mean }) => mean);
  const [second] = shares;
  const counts = (shares.length > 1 ? shares : [1 - second, second]).map((share) => Math.round(share * train.rows));
  return target.classes.flatMap((name, i) =>
    counts[i] < folds ? [`${showName(name)} has ${countOf(counts[i], "row")}`] : []
  );
}

/** What is wrong with so many folds; the rows were scaled for fewer, if anything is. */
function countFault(folds: number, rows: number): string | undefined {
  return rows < folds ? `${folds} folds need as many rows, and there are ${rows}` : undefined;
}

/** The file or folder that a setting names, without the folder that it is in. */
function sourceOf(path: string, sha256: string): DataSource {
  return { name: basename(resolve(path)), sha256 };
}

type RowLimits = Pick<GPUSupportedLimits, "maxBufferSize" | "maxStorageBufferBindingSize">;

/**
 * Checks the settings against the rows that a recipe will have. Rows of a hand-made file are counted when it is read.
 *
 * @throws {ConfigError} With everything that does not suit the rows.
 */
export function checkRows(config: TaskConfig, limits: RowLimits, { state }: DatasetState): void {
  if (state === "foreign" && !config.generateDataset) return;
  const faults = rowFaults(config, limits);
  if (faults.length > 0) throw new ConfigError(faults);
}

/** Under BATCH_SIZE auto: rows of a step, for fewer training rows than so many. */
const AUTO_BATCH = [
  { below: 1_000, batch: 32 },
  { below: 3_000, batch: 64 },
  { below: Infinity, batch: 128 },
];

/** Rows of a step as BATCH_SIZE asks for them, of so many training rows. */
export function batchRows({ batchSize }: Pick<TaskConfig, "batchSize">, rows: number): number {
  if (batchSize === "full") return rows;
  if (batchSize !== "auto") return batchSize;
  return Math.min(rows, AUTO_BATCH.find(({ below }) => rows < below)!.batch);
}

/** What does not suit NUM_DATASET rows. */
export function rowFaults(config: TaskConfig, limits: RowLimits): string[] {
  const { numDataset, split, scalingMethod, hiddenSize, texts } = config;
  const [rows, validationRows] = Splitter.countsOf(split, numDataset);
  if (rows === 0) {
    const problem = `none of NUM_DATASET ${numDataset} rows is left for training, allowed is 1 or more`;
    return [`${settingAt("SPLIT", config)}: ${problem}`];
  }
  const faults: string[] = [];
  if (rows < 2 && scalingMethod !== "none") {
    const least = `allowed under SCALING_METHOD ${scalingMethod} is 2 or more`;
    faults.push(
      `${settingAt("NUM_DATASET", config)}: with SPLIT ${texts.SPLIT} 1 row is left for training, ${least}`,
    );
  }
  const batch = batchRows(config, rows);
  if (batch > rows) {
    const given = `NUM_DATASET ${numDataset} and SPLIT ${texts.SPLIT} give`;
    const allowed = `allowed is 1 to the ${rows} training rows that ${given}, or full`;
    return [...faults, `${settingAt("BATCH_SIZE", config)}: ${allowed}`];
  }

  const { features, targets } = recipeOf(config.recipe);
  // No recipe leaves its loss to be found out.
  faults.push(...trainingFaults(config, config.loss as LossName, [rows, validationRows], batch));
  return [...faults, ...stepFaults(batch, [features.length, ...hiddenSize, targets.length], config, limits)];
}

/** What does not suit the values of a step. */
export function stepFaults(batch: number, widths: readonly number[], config: TaskConfig, limits: RowLimits): string[] {
  const allowed = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  const width = Math.max(...widths);
  const { members } = config;
  const bytes = members * batch * width * Float32Array.BYTES_PER_ELEMENT;
  if (bytes <= allowed) return [];
  const rows = members > 1 ? `${members} members of ${batch}` : batch;
  const values = `a step's values [${rows}, ${width}] take ${bytes} bytes, allowed on this device are ${allowed}`;
  const less = members > 1 ? ": take smaller batches, or fewer MEMBERS" : "";
  return [`${settingAt("BATCH_SIZE", config)}: ${values}${less}`];
}

/** What does not suit the loss, the number of rows and the number of steps. */
export function trainingFaults(
  config: TaskConfig,
  loss: LossName,
  [rows, validationRows]: readonly [number, number],
  batch: number,
): string[] {
  const { schedule, patience, warmup, numEpochs, classWeights, given } = config;
  const faults: string[] = [];
  const refuse = (key: Key, problem: string) => faults.push(`${settingAt(key, config)}: ${problem}`);
  if (validationRows === 0) {
    const problem = "it needs the validation loss, and there are no validation rows: give SPLIT or VALIDATION some";
    if (schedule === "plateau" && given.SCHEDULE) refuse("SCHEDULE", problem);
    if (patience > 0 && given.PATIENCE) refuse("PATIENCE", problem);
    if (config.calibrate && given.CALIBRATE) refuse("CALIBRATE", problem);
  }
  const steps = numEpochs * Math.ceil(rows / batch);
  if (warmup >= steps) refuse("WARMUP", `allowed is 0 to ${steps - 1}, of ${steps} steps`);
  if (classWeights !== "none" && loss !== "softmax" && loss !== "bce") {
    refuse("CLASS_WEIGHTS", `under loss ${loss}, which knows no classes, allowed is none`);
  }
  return faults;
}

/** What does not suit the target, or the number of validation rows. */
export function thresholdFaults(config: TaskConfig, target: Target, validationRows: number): string[] {
  if (config.texts.THRESHOLD === SETTINGS.THRESHOLD.default && config.given.THRESHOLD === undefined) return [];
  const none = typeof config.threshold !== "number" && validationRows === 0;
  const fault = targetFault(target) ??
    (none ? `${NO_VALIDATION}: give SPLIT or VALIDATION some, or a number such as 0.3` : undefined);
  return fault ? [`${settingAt("THRESHOLD", config)}: ${fault}`] : [];
}

/** What several processes cannot do together, or one that takes its steps as they do. */
export function rankFaults(config: TaskConfig, batchSize: number, processes: number): string[] {
  const { syncEvery, trace, debugTensors, onNan, given } = config;
  if (processes === 1 && syncEvery === 1) return [];
  const faults: string[] = [];
  if (batchSize < processes) {
    const problem = `${processes} ranks share a batch, and each needs at least one row of it`;
    faults.push(`${pointTo("BATCH_SIZE", given.BATCH_SIZE, `${batchSize}`)}: ${problem}`);
  }
  if (trace > 0 || debugTensors) {
    faults.push(
      "TRACE and DEBUG_TENSORS show the steps of one process: use them with `deno task train` and SYNC_EVERY 1",
    );
  }
  if (onNan === "halve-lr") {
    const problem = "steps that several processes share cannot be undone; use stop, and resume the run";
    faults.push(`${settingAt("ON_NAN", config)}: ${problem}`);
  }
  return faults;
}
