/** What stands before training: the rows, the device, the network, and whether they go together. */

import { isSmallStep } from "../../lib/gpu/adapter.ts";
import type { Communicator } from "../../lib/ranks/communicator.ts";
import { Device } from "../../lib/gpu/device.ts";
import { DeviceError } from "../../lib/base/errors.ts";
import { dataSource } from "../../lib/model_file/metadata.ts";
import { together } from "../../lib/ranks/together.ts";
import { selfTest } from "../../lib/check/self_test.ts";
import { buildModel, buildTraining, type Training } from "./build.ts";
import type { RunCheckpoint } from "../runs/checkpoints.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { datasetState } from "../prepare/generate.ts";
import { checkRows, stepFaults, trainingFaults } from "./known_rows.ts";
import { describeDevices, gatherDevices, warnOfSharing } from "../mpi/rank_devices.ts";
import { checkSame, fromFirst, onFirst, openWritten, type Ranks } from "../mpi/ranks.ts";
import { recipeOf } from "../settings/recipes.ts";
import { openScaledDataset, type ScaledDataset, scaledPathOf } from "../prepare/scaled_dataset.ts";
import { prepareDataset } from "../prepare/stages.ts";
import { fromUsersFolder } from "../settings/users_files.ts";
import type { View } from "../show/view.ts";

/** What is to be trained. */
interface Request {
  readonly config: TaskConfig;
  readonly view: View;
  /** Where the run goes on from; its weights need not come from elsewhere. */
  readonly checkpoint: RunCheckpoint | undefined;
  readonly ranks: Ranks;
}

/**
 * Prepares rows, network and optimizer, and refuses what cannot go together before anything of the run is written.
 *
 * @throws {ConfigError} If settings and rows do not go together.
 */
export async function prepare(stack: DisposableStack, request: Request): Promise<Training> {
  const { config, view, checkpoint, ranks } = request;
  // How wide a table of the user's own is, only reading it tells.
  const table = config.data === "" ? undefined : stack.use(await preparedRows(request));
  const widths = widthsOf(config, table);
  const weights = widths.slice(1).reduce((sum, width, i) => sum + width * widths[i], 0);
  // Before anything is written of a recipe, so that a machine that cannot train keeps what it has.
  const device = stack.use(
    await together(
      ranks.communicator,
      () =>
        Device.request({
          smallDispatches: isSmallStep(expectedRows(config, table) / ranks.communicator.size, weights),
          threads: ranks.threads,
        }),
    ),
  );
  if (config.selfTest) await together(ranks.communicator, () => checkDevice(device, view));
  else view.note(`device: ${device.name}; its kernels were not checked`);
  await tellDevices(request, device);
  // The first rank's view: what another looks for too early, its file system may go on missing.
  const made = table ? undefined : await fromFirst(ranks.communicator, () => datasetState(config));
  const model = await together(ranks.communicator, async () => {
    if (made) checkRows(config, device.limits, made);
    const settings = checkpoint ? { ...config, initFrom: "" } : config;
    return await buildModel(stack, device, settings, widths, ranks.communicator.rank);
  });

  const dataset = table ?? stack.use(await preparedRows(request));
  const { train: { rows }, validation } = dataset.parts;
  const batchSize = await together(ranks.communicator, () => batchSizeOf(config, rows));
  const faults = [
    ...trainingFaults(config, dataset.loss, [rows, validation.rows], batchSize),
    ...(table ? stepFaults(batchSize, widths, config, device.limits) : []),
    ...groupFaults(config, batchSize, ranks.communicator),
  ];
  await together(ranks.communicator, () => {
    if (faults.length > 0) throw new ConfigError(faults);
  });

  const describe = () => table && dataSource(fromUsersFolder(config.data));
  const source = await onFirst(ranks.communicator, describe);
  const build = () => buildTraining(stack, model, config, dataset, batchSize, ranks.communicator);
  const training = { ...await together(ranks.communicator, build), source };
  const network = `${widths.join("-")}, ${weights + widths.slice(1).reduce((sum, width) => sum + width)} parameters`;
  const { stepsPerEpoch, windows, windowRows } = training.trainer;
  const streamed = windows > 1 ? `, in ${windows} windows of ${windowRows} rows` : "";
  view.note(
    `network: ${network}; ${rows} rows in batches of ${batchSize}, ${stepsPerEpoch} steps an epoch${streamed}`,
  );
  return training;
}

/** The rows: the first rank prepares them, and the others open what it wrote. */
async function preparedRows({ config, view, ranks: { communicator } }: Request): Promise<ScaledDataset> {
  using stack = new DisposableStack();
  const first = await onFirst(communicator, async () => stack.use(await prepareDataset(config, view)));
  const open = async () => first ?? stack.use(await openScaledDataset(scaledPathOf(config)));
  const dataset = await openWritten(communicator, open);
  await checkSame(communicator, { "scaled rows": dataset.sha256 });
  stack.move();
  return dataset;
}

/** Tells which device each rank has, where there are several. */
async function tellDevices({ ranks, view }: Request, { name }: Device): Promise<void> {
  if (ranks.communicator.size === 1) return;
  const devices = await gatherDevices(ranks, name) ?? [];
  for (const line of describeDevices(devices)) view.note(line);
  for (const line of warnOfSharing(devices)) view.warning(line);
  if (new Set(devices.map(({ name }) => name)).size < 2) return;
  view.warning("warning: the ranks have unlike devices: where these round otherwise, their weights drift apart");
}

/** What ranks cannot do together. */
function groupFaults(config: TaskConfig, batchSize: number, { size }: Communicator): string[] {
  const { syncEvery } = config;
  if (size === 1 && syncEvery === 1) return [];
  return [
    ...batchSize < size ? [`BATCH_SIZE is ${batchSize}: ${size} ranks share a batch, and each needs a row of it`] : [],
    ...config.trace > 0 || config.debugTensors
      ? [
        "TRACE and DEBUG_TENSORS look at steps that one process does by itself: take `deno task train`, with SYNC_EVERY 1",
      ]
      : [],
    ...config.onNan === "halve-lr"
      ? [
        "ON_NAN is halve-lr: steps that several processes share cannot be taken back; with stop, the run can be resumed",
      ]
      : [],
  ];
}

/** Widths of the network, from its inputs to its outputs. */
function widthsOf({ recipe, hiddenSize }: TaskConfig, table: ScaledDataset | undefined): number[] {
  const { features, targets } = table ?? recipeOf(recipe);
  return [features.length, ...hiddenSize, targets.length];
}

/** Rows of a step; a hint for the device, which needs no exact count. */
function expectedRows({ batchSize, numDataset, split }: TaskConfig, table: ScaledDataset | undefined): number {
  return batchSize !== "full" ? batchSize : table ? table.parts.train.rows : numDataset * split[0];
}

/** Rows of a step; a preset that is more than there are gives way, one that was asked for does not. */
function batchSizeOf({ batchSize, given }: TaskConfig, rows: number): number {
  if (batchSize === "full" || (batchSize > rows && !given.BATCH_SIZE)) return rows;
  if (batchSize <= rows) return batchSize;
  throw new ConfigError([`BATCH_SIZE is ${batchSize}: allowed is 1 to the ${rows} training rows there are, or full`]);
}

/** Tells the device, and refuses one whose kernels give wrong results. */
async function checkDevice(device: Device, view: View): Promise<void> {
  const checks = await selfTest(device);
  const wrong = checks.filter(({ ok }) => !ok).map(({ kernel, on }) => `${kernel} on ${on}`);
  if (wrong.length > 0) {
    throw new DeviceError(
      `Cannot train on ${device.name}: it gives wrong results for ${
        wrong.join(", ")
      }; \`deno task doctor\` shows them all`,
    );
  }
  view.note(`device: ${device.name}; ${checks.length} kernel checks passed`);
}
