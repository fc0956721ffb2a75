/**
 * Trains a network on a table of your own or on a recipe's dataset, prepared first where needed, and keeps it in
 * data/runs/<run-name>/.
 *
 *   deno task train
 *   deno task train --data houses.csv --target price
 *   deno task train --recipe xor --hidden-size 3 --seed 7 --run-name narrow
 *   deno task train --resume narrow
 *
 * What is printed hangs on where it goes: a picture that is redrawn on a terminal, lines elsewhere; see tasks/create_view.ts.
 */

import { isSmallStep } from "../lib/adapter.ts";
import { Device } from "../lib/device.ts";
import { DataError, DeviceError } from "../lib/errors.ts";
import { dataSource } from "../lib/model_metadata.ts";
import { selfTest } from "../lib/self_check.ts";
import type { Trainer } from "../lib/trainer.ts";
import { VERSION } from "../lib/version.ts";
import { buildModel, buildTraining, type Training } from "./build_training.ts";
import { Checkpoints, type Origin, type RunCheckpoint } from "./checkpoints.ts";
import { ConfigError, type TaskConfig } from "./config.ts";
import { createView } from "./create_view.ts";
import { trainEpochs } from "./epochs.ts";
import { finishRun } from "./finish_run.ts";
import { checkRows, stepFaults, trainingFaults } from "./known_rows.ts";
import type { LiveServer } from "./live.ts";
import { lockRun } from "./locks.ts";
import { recipeOf } from "./recipes.ts";
import { checkOrigin, readTrainConfig } from "./resume.ts";
import { forLogs, RunFolder } from "./run_folder.ts";
import { RunKeeper } from "./run_keeper.ts";
import { recall } from "./run_records.ts";
import { describeError, runTask } from "./run_task.ts";
import type { ScaledDataset } from "./scaled_dataset.ts";
import { Spectators } from "./spectator.ts";
import { prepareDataset } from "./stages.ts";
import { StopSignal } from "./stop_signal.ts";
import { fromUsersFolder } from "./users_files.ts";
import type { View } from "./view.ts";

async function main(config: TaskConfig): Promise<number | void> {
  using stack = new DisposableStack();
  const view = createView(config), folder = new RunFolder(config.runName);
  stack.use(await lockRun(config.runName, (text) => view.warning(text)));
  const checkpoints = new Checkpoints(folder.path, config.keepCheckpoints);
  const checkpoint = config.extras.RESUME === undefined ? undefined : await checkpoints.open(warner(view));
  const training = await prepare(stack, config, view, checkpoint), { trainer, model, dataset } = training;

  const origin = { version: VERSION, device: model.device.name, data: dataset.sha256 };
  const keeper = stack.use(new RunKeeper(config, training, folder, checkpoints, origin));
  using signal = new StopSignal();
  await using live = await openLive(config, { training, keeper, view, signal });
  await takeUp(config, { folder, keeper, checkpoint, origin, trainer, view });
  if (live && config.extras.RESUME !== undefined) await recallPast(config, live, view);
  const begunAt = trainer.step, guests = live ? [live] : [];
  const party = {
    config,
    training,
    keeper,
    spectators: new Spectators([view, ...guests]),
    controls: [signal, ...guests],
  };
  return await withHint(config, { checkpoints, keeper, live }, async () => {
    const code = await trainEpochs(party).finally(() => party.spectators.end());
    if (code !== undefined) {
      const stop = { run: folder.path, step: trainer.step, resume: `deno task train --resume ${config.runName}` };
      const text = `stopped: ${folder.path} is kept at ${formatPlace(trainer)}\ngo on with: ${stop.resume}`;
      if (code !== 0) {
        view.stopped(stop, text);
        return code;
      }
      view.note(text); // from the live page: the model is saved, too
    }
    signal.end(() => view.warning("finishing: model and report are being written; another Ctrl-C ends that"));
    await finishRun({ config, training, folder, keeper, view, hasStepped: trainer.step > begunAt });
  });
}

/** Tells of what is wrong with something that the run can do without. */
function warner(view: View): (text: string) => void {
  return (text) => view.warning(`warning: ${text}`);
}

/** Prepares rows, network and optimizer, and refuses what cannot go together before anything of the run is written. */
async function prepare(
  stack: DisposableStack,
  config: TaskConfig,
  view: View,
  checkpoint: RunCheckpoint | undefined,
): Promise<Training> {
  // How wide a table of the user's own is, only reading it tells.
  const table = config.data === "" ? undefined : stack.use(await prepareDataset(config, view));
  const widths = widthsOf(config, table);
  const weights = widths.slice(1).reduce((sum, width, i) => sum + width * widths[i], 0);
  // Before anything is written of a recipe, so that a machine that cannot train keeps what it has.
  const device = stack.use(
    await Device.request({ smallDispatches: isSmallStep(expectedRows(config, table), weights) }),
  );
  await checkDevice(device, view);
  const model = await buildModel(stack, device, checkpoint ? { ...config, initFrom: "" } : config, widths);
  if (!table) await checkRows(config, device.limits);

  const dataset = table ?? stack.use(await prepareDataset(config, view));
  const { train: { rows }, validation } = dataset.parts;
  const batchSize = batchSizeOf(config, rows);
  const faults = [
    ...trainingFaults(config, dataset.loss, [rows, validation.rows], batchSize),
    ...(table ? stepFaults(batchSize, widths, config, device.limits) : []),
  ];
  if (faults.length > 0) throw new ConfigError(faults);

  const source = table && await dataSource(fromUsersFolder(config.data));
  const training = { ...await buildTraining(stack, model, config, dataset, batchSize), source };
  const network = `${widths.join("-")}, ${weights + widths.slice(1).reduce((sum, width) => sum + width)} parameters`;
  const { stepsPerEpoch, windows, windowRows } = training.trainer;
  const streamed = windows > 1 ? `, in ${windows} windows of ${windowRows} rows` : "";
  view.note(
    `network: ${network}; ${rows} rows in batches of ${batchSize}, ${stepsPerEpoch} steps an epoch${streamed}`,
  );
  return training;
}

/** What a run takes up from. */
interface Beginning {
  folder: RunFolder;
  keeper: RunKeeper;
  checkpoint: RunCheckpoint | undefined;
  origin: Origin;
  trainer: Trainer;
  view: View;
}

/** Makes the run's folder, or takes the run up where it was left. */
async function takeUp(config: TaskConfig, begin: Beginning): Promise<void> {
  const { folder, keeper, checkpoint, origin, trainer, view } = begin, isResumed = config.extras.RESUME !== undefined;
  if (checkpoint) {
    for (const what of checkOrigin(config, checkpoint.notes.origin, origin)) warner(view)(what);
    await keeper.restore(checkpoint);
    const text = formatRate(config, keeper.rateFactor);
    if (text) warner(view)(text);
  } else if (isResumed) {
    await folder.cut(forLogs(() => 0));
  } else {
    const aside = await folder.create();
    if (aside) view.note(`run: the earlier ${folder.path} is kept as ${aside}`);
  }
  if (isResumed && !keeper.isOver) await folder.removeSummary(); // a run that goes on has not ended
  if (isResumed) view.note(`resume: ${folder.path} from ${formatPlace(trainer)}`);
  await folder.writeJson("config.json", config.texts);
}

/** What a learning rate that is given to a resumed run comes to, where it is not what it says. */
function formatRate({ given, learningRate, runName }: TaskConfig, factor: number): string | undefined {
  if (given.LEARNING_RATE === undefined || factor === 1) return undefined;
  const short = (value: number) => `${Number(value.toPrecision(4))}`;
  return `LEARNING_RATE is ${learningRate}, but ${runName} goes on with ${factor} of it, ${
    short(learningRate * factor)
  }: ` +
    `--on-nan halve-lr or the live page has made it so; LEARNING_RATE=${
      short(learningRate / factor)
    } gives ${learningRate}`;
}

/** Shows the live page what the run did before it was resumed. */
async function recallPast({ runName }: TaskConfig, live: LiveServer, view: View): Promise<void> {
  try {
    await recall(runName, live);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    warner(view)(`the live page begins without what was before: ${error.message}`);
  }
}

/** Serves the live page, where that was asked for: before anything is written, for the port may be taken. */
async function openLive(
  { extras: { LIVE = "false", QUIET }, learningRate }: TaskConfig,
  { training: { rateOf }, keeper, view, signal }: {
    training: Training;
    keeper: RunKeeper;
    view: View;
    signal: StopSignal;
  },
): Promise<LiveServer | undefined> {
  if (LIVE === "false") return undefined;
  const { LiveServer } = await import("./live.ts"); // with the page and its script
  const live: LiveServer = new LiveServer({
    port: LIVE === "true" ? undefined : Number(LIVE),
    run: keeper,
    ...{ rateOf, learningRate },
    note: (text) => [view, live].forEach((one) => one.note(text)),
    isEnding: () => signal.isAsking,
  });
  const line = `live: ${live.url}`;
  if (QUIET === "true") view.warning(line); // whoever asked for the page has to find it
  else view.note(line);
  return live;
}

/** Says with an error what is left of the run, on the live page too. */
async function withHint<T>(
  { runName }: TaskConfig,
  { checkpoints, keeper, live }: { checkpoints: Checkpoints; keeper: RunKeeper; live: LiveServer | undefined },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const lastStep = await checkpoints.lastStep().catch(() => undefined); // the first error is the one to tell
    if (error instanceof Error && lastStep !== undefined) {
      const how = keeper.wouldHalvingHelp ? " --on-nan halve-lr" : "";
      error.message +=
        `\nthe run is kept at step ${lastStep}: \`deno task train --resume ${runName}${how}\` goes on from there`;
    }
    live?.warning(describeError("train", error));
    throw error;
  }
}

/** Where a run is, in words. */
function formatPlace({ step, epoch, stepsPerEpoch }: Trainer): string {
  return `step ${step}, ${step % stepsPerEpoch} of ${stepsPerEpoch} into epoch ${epoch + 1}`;
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

if (import.meta.main) await runTask("train", main, readTrainConfig);
