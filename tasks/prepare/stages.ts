/** The stages before training: what is missing, or was made with other settings, is made; a line says what was done. */

import { DataError } from "../../lib/base/errors.ts";
import { visible } from "../../lib/base/printable.ts";
import { type Config, ConfigError, type TaskConfig } from "../settings/config.ts";
import { pointTo } from "../settings/faults.ts";
import { csvPath, describeDifferences, removeAbandoned } from "./dataset_files.ts";
import { clearUp, datasetState, genData } from "./generate.ts";
import { lockDataset } from "./locks.ts";
import { formatReport, scale } from "./scale.ts";
import {
  datasetName,
  openScaledDataset,
  type ScaledDataset,
  scaledPathOf,
  scaledState,
  sourceName,
} from "./scaled_dataset.ts";
import type { RunView } from "../show/view.ts";

/** The settings, and where they were set, if that is known. */
type Asked = Config & Partial<Pick<TaskConfig, "given">>;

/**
 * Makes the dataset, or takes the user's own table, scales it where that is needed, and opens it. Meanwhile no other process
 * changes it. Once open it stays whole, as writers replace the file.
 */
export async function prepareDataset(config: Asked, view: RunView): Promise<ScaledDataset> {
  const doing = `prepares ${sourceName(config)}`;
  using _lock = await lockDataset(datasetName(config), doing, view.warning.bind(view));
  if (config.data === "") await prepareCsv(config, view);
  return await prepareScaled(config, view);
}

async function prepareCsv(config: Asked, view: RunView): Promise<void> {
  const path = csvPath(config.recipe);
  await clearUp(config);
  const { state, differs } = await datasetState(config);
  if (!config.generateDataset && state === "current") {
    view.note(`gen-data: skipped, ${path} is current`);
    return;
  }
  if (!config.generateDataset && state === "foreign") {
    refuseVoid(config, path);
    view.note(`gen-data: skipped, ${path} was not made by gen-data, or was changed since: it is used as it is`);
    return;
  }
  using progress = view.job(`generating ${path}`);
  await genData(config, (rows, total) => progress.update(rows, total));
  progress.clear();
  const why = config.generateDataset
    ? "as asked"
    : state === "missing"
    ? "it was missing"
    : describeDifferences(differs);
  view.note(`gen-data: wrote ${path}, ${config.numDataset} rows (${why})`);
}

/** Refuses settings that somebody gave and that a file of the user's own would make void. */
function refuseVoid({ given = {} }: Asked, path: string): void {
  const faults = (["NUM_DATASET", "NOISE"] as const).filter((key) => given[key] !== undefined).map((key) =>
    `${pointTo(key, given[key])} would mean nothing: ${path} was not made by gen-data, or was changed since. ` +
    `Leave it out to use the file as it is, or say --generate-dataset to make the file anew`
  );
  if (faults.length > 0) throw new ConfigError(faults);
}

/** Opens the scaled dataset. It is made first unless it is current and whole. */
async function prepareScaled(config: Config, view: RunView): Promise<ScaledDataset> {
  const path = scaledPathOf(config);
  await removeAbandoned(path);
  const { state, differs } = await scaledState(config);
  const whole = state === "current" ? await openWhole(path) : undefined;
  if (whole) {
    view.note(`scale: skipped, ${path} is current`);
    // Those of a dataset that is made now are told with its columns.
    whole.notes.notes.forEach((note) => view.note(`  ${visible(note)}`));
    return whole;
  }
  using progress = view.job(`scaling ${sourceName(config)}`);
  const report = await scale(config, (done, total) => progress.update(done, total));
  progress.clear();
  const why = state === "missing"
    ? "it was missing"
    : state === "other settings"
    ? describeDifferences(differs)
    : "it was damaged";
  view.note(`scale: wrote ${path} (${why})`);
  view.note(formatReport(report).replaceAll(/^/gm, "  "));
  return await openScaledDataset(path);
}

/** Opens a scaled dataset; undefined if it is not as it was written. */
async function openWhole(path: string): Promise<ScaledDataset | undefined> {
  try {
    return await openScaledDataset(path);
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}
