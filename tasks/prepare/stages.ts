/** The stages before training: what is missing, or was made with other settings, is made; a line says what was done. */

import { ALONE, type Communicator } from "../../lib/ranks/communicator.ts";
import type { Config } from "../settings/config.ts";
import { csvPath, describeDifferences, removeAbandoned } from "./dataset_files.ts";
import { clearUp, datasetState, genData } from "./generate.ts";
import { lockDataset } from "./locks.ts";
import { checkSame, fromFirst, onFirst, openWritten } from "../mpi/ranks.ts";
import { scale } from "./scale_recipe.ts";
import { datasetName, openScaledDataset, type ScaledDataset, scaledPathOf, scaledState } from "./scaled_dataset.ts";
import type { View } from "../show/view.ts";

/**
 * Makes the dataset, or takes the user's own table, scales it where that is needed, and opens it. From the first to the last
 * no other process changes it: it is what these settings ask for. Once open it stays whole, as writers replace the file.
 * Several ranks make, scale and open it together; rank 0 holds the lock, and what is there decides by what it sees.
 */
export async function prepareDataset(
  config: Config,
  view: View,
  communicator: Communicator = ALONE,
): Promise<ScaledDataset> {
  const doing = `prepares ${config.data || csvPath(config.recipe)}`;
  using _lock = await onFirst(communicator, () => lockDataset(datasetName(config), doing, view.warning.bind(view)));
  if (config.data === "") await prepareCsv(config, view, communicator);
  await prepareScaled(config, view, communicator);
  using stack = new DisposableStack();
  const dataset = stack.use(await openWritten(communicator, () => openScaledDataset(scaledPathOf(config))));
  await checkSame(communicator, { "scaled rows": dataset.sha256 });
  stack.move();
  return dataset;
}

async function prepareCsv(config: Config, view: View, communicator: Communicator): Promise<void> {
  const path = csvPath(config.recipe);
  const { state, differs } = await fromFirst(communicator, async () => {
    await clearUp(config);
    return await datasetState(config);
  });
  if (!config.generateDataset && state === "current") {
    view.note(`gen-data: skipped, ${path} is current`);
    return;
  }
  if (!config.generateDataset && state === "foreign") {
    view.note(`gen-data: skipped, ${path} was not made by gen-data, or was changed since: it is used as it is`);
    return;
  }
  using progress = view.job(`generating ${path}`);
  await genData(config, { communicator, onProgress: (rows, total) => progress.update(rows, total) });
  progress.clear();
  const why = config.generateDataset
    ? "as asked"
    : state === "missing"
    ? "it was missing"
    : describeDifferences(differs);
  view.note(`gen-data: wrote ${path}, ${config.numDataset} rows (${why})`);
}

async function prepareScaled(config: Config, view: View, communicator: Communicator): Promise<void> {
  const path = scaledPathOf(config);
  const { state, differs } = await fromFirst(communicator, async () => {
    await removeAbandoned(path);
    return await scaledState(config);
  });
  if (state === "current") {
    view.note(`scale: skipped, ${path} is current`);
    return;
  }
  using progress = view.job(`scaling ${config.data || csvPath(config.recipe)}`);
  const report = await scale(config, { communicator, onProgress: (done, total) => progress.update(done, total) });
  progress.clear();
  view.note(`scale: wrote ${path} (${state === "missing" ? "it was missing" : describeDifferences(differs)})`);
  view.note(report.replaceAll(/^/gm, "  "));
}
