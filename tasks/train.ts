/**
 * Trains a network on a table of your own or on a recipe's dataset, prepared first where needed, and keeps it in
 * data/runs/<run-name>/.
 *
 *   deno task train
 *   deno task train --data houses.csv --target price
 *   deno task train --recipe xor --hidden-size 3 --seed 7 --run-name narrow
 *   deno task train --resume narrow
 */

import { isSmallStep } from "../lib/adapter.ts";
import { Device } from "../lib/device.ts";
import { DeviceError, NotFiniteError } from "../lib/errors.ts";
import type { Evaluation } from "../lib/evaluation.ts";
import { dataSource } from "../lib/model_metadata.ts";
import { type ModelDescription, SavedModel, saveModel } from "../lib/saved_model.ts";
import { selfTest } from "../lib/self_check.ts";
import type { Trainer } from "../lib/trainer.ts";
import { VERSION } from "../lib/version.ts";
import { buildModel, buildTraining, type Training } from "./build_training.ts";
import { Checkpoints } from "./checkpoints.ts";
import { ConfigError, type TaskConfig } from "./config.ts";
import { trainEpochs } from "./epochs.ts";
import { checkRows, stepFaults, trainingFaults } from "./known_rows.ts";
import type { LiveOptions, LiveServer } from "./live.ts";
import { lockRun } from "./locks.ts";
import { PlainView } from "./plain_view.ts";
import { recipeOf } from "./recipes.ts";
import { checkOrigin, readTrainConfig } from "./resume.ts";
import { RunFolder } from "./run_folder.ts";
import { RunKeeper } from "./run_keeper.ts";
import { runTask } from "./run_task.ts";
import type { ScaledDataset } from "./scaled_dataset.ts";
import { Spectators } from "./spectator.ts";
import type { PartName } from "./split.ts";
import { prepareDataset } from "./stages.ts";
import { StopSignal } from "./stop_signal.ts";
import { formatExamples, formatParameters, formatSummary } from "./train_report.ts";
import { fromUsersFolder } from "./users_files.ts";

async function main(config: TaskConfig): Promise<number | void> {
  using stack = new DisposableStack();
  stack.use(await lockRun(config.runName));
  const { RESUME: resumed } = config.extras;
  // How wide a table of the user's own is, only reading it tells.
  const table = config.data === "" ? undefined : stack.use(await prepareDataset(config));
  const widths = widthsOf(config, table);
  const weights = widths.slice(1).reduce((sum, width, i) => sum + width * widths[i], 0);
  // Before anything is written of a recipe, so that a machine that cannot train keeps what it has.
  const device = stack.use(
    await Device.request({ smallDispatches: isSmallStep(expectedRows(config, table), weights) }),
  );
  await checkDevice(device);
  const folder = new RunFolder(config.runName), checkpoints = new Checkpoints(folder.path, config.keepCheckpoints);
  const checkpoint = resumed ? await checkpoints.open((message) => console.error(`warning: ${message}`)) : undefined;
  const model = await buildModel(stack, device, checkpoint ? { ...config, initFrom: "" } : config, widths);
  if (!table) await checkRows(config, device.limits);

  const dataset = table ?? stack.use(await prepareDataset(config));
  const { train: { rows }, validation } = dataset.parts;
  const batchSize = batchSizeOf(config, rows);
  const faults = [
    ...trainingFaults(config, dataset.loss, [rows, validation.rows], batchSize),
    ...(table ? stepFaults(batchSize, widths, config, device.limits) : []),
  ];
  if (faults.length > 0) throw new ConfigError(faults);

  const source = table && await dataSource(fromUsersFolder(config.data));
  const training = { ...await buildTraining(stack, model, config, dataset, batchSize), source };
  const { trainer } = training;
  const network = `${widths.join("-")}, ${weights + widths.slice(1).reduce((sum, width) => sum + width)} parameters`;
  const { stepsPerEpoch, windows, windowRows } = trainer;
  const streamed = windows > 1 ? `, in ${windows} windows of ${windowRows} rows` : "";
  console.log(
    `network: ${network}; ${rows} rows in batches of ${batchSize}, ${stepsPerEpoch} steps an epoch${streamed}`,
  );

  const origin = { version: VERSION, device: device.name, data: dataset.sha256 };
  const keeper = stack.use(new RunKeeper(config, training, folder, checkpoints, origin));
  await using live = await openLive(config, training, keeper, {
    note: (text) => spectators.note(text),
    isEnding: () => signal.isAsking,
  });
  if (checkpoint) {
    for (const what of checkOrigin(config, checkpoint.notes.origin, origin)) console.error(`warning: ${what}`);
    await keeper.restore(checkpoint);
  } else if (!resumed) {
    const aside = await folder.create();
    if (aside) console.log(`run: the earlier ${folder.path} is kept as ${aside}`);
  } else {
    await folder.cutMetrics(0);
  }
  if (resumed) console.log(`resume: ${folder.path} from ${formatPlace(trainer)}`);
  await folder.writeJson("config.json", config.texts);

  const begunAt = trainer.step;
  using signal = new StopSignal();
  const spectators = new Spectators([new PlainView(), ...(live ? [live] : [])]),
    controls = [signal, ...(live ? [live] : [])];
  const party = { config, training, keeper, spectators };
  const code = await withHint(config, checkpoints, async () => {
    try {
      return await trainEpochs({ ...party, controls });
    } finally {
      spectators.end();
    }
  });
  if (code !== undefined) {
    console.log(`stopped: ${folder.path} is kept at ${formatPlace(trainer)}`);
    console.log(`go on with: deno task train --resume ${config.runName}`);
    return code;
  }
  keepBest(keeper, trainer);
  const hasStepped = trainer.step > begunAt;
  await withHint(config, checkpoints, () => keepRun(config, training, folder, keeper.seconds, hasStepped));
}

/** Serves the live page, where that was asked for: before anything is written, for the port may be taken. */
async function openLive(
  { extras: { LIVE = "false" }, learningRate }: TaskConfig,
  { rateOf }: Training,
  run: RunKeeper,
  others: Pick<LiveOptions, "note" | "isEnding">,
): Promise<LiveServer | undefined> {
  if (LIVE === "false") return undefined;
  const { LiveServer } = await import("./live.ts"); // with the page and its script
  const live = new LiveServer({
    ...others,
    port: LIVE === "true" ? undefined : Number(LIVE),
    run,
    rateOf,
    learningRate,
  });
  console.log(`live: ${live.url}`);
  return live;
}

/** Says with an error what is left of the run. */
async function withHint<T>({ runName }: TaskConfig, checkpoints: Checkpoints, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const lastStep = await checkpoints.lastStep().catch(() => undefined); // the first error is the one to tell
    if (error instanceof Error && lastStep !== undefined) {
      const how = error instanceof NotFiniteError ? " --on-nan halve-lr" : "";
      error.message +=
        `\nthe run is kept at step ${lastStep}: \`deno task train --resume ${runName}${how}\` goes on from there`;
    }
    throw error;
  }
}

/** Where a run is, in words. */
function formatPlace({ step, epoch, stepsPerEpoch }: Trainer): string {
  return `step ${step}, ${step % stepsPerEpoch} of ${stepsPerEpoch} into epoch ${epoch + 1}`;
}

/** Gives the model the weights of its best epoch, where the run looked for it. */
function keepBest({ stopping }: RunKeeper, { epoch }: Trainer): void {
  stopping?.restore();
  if (!stopping || stopping.bestEpoch === epoch) return;
  const { bestEpoch, bestLoss } = stopping;
  console.log(`weights: those of epoch ${bestEpoch}, with the lowest validation loss, ${bestLoss.toPrecision(5)}`);
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

/** Writes the model and the summary, and prints what was learned. */
async function keepRun(
  config: TaskConfig,
  training: Training,
  folder: RunFolder,
  seconds: number,
  hasStepped: boolean,
): Promise<void> {
  const { model, trainer, parts, evaluatePart } = training, description = describe(config, training);
  const { baseline, table: { target } } = description;
  const options = { baseline, classes: target.kind === "classes" ? target.classes : undefined };
  const evaluations: Partial<Record<PartName, Evaluation>> = {};
  for (const part of parts) evaluations[part.name] = await evaluatePart(part, options);
  await saveModel(folder.model, model, description);
  const summary = {
    ...(config.data === "" ? { recipe: config.recipe } : { data: config.data, target: config.target }),
    device: model.device.name,
    steps: trainer.step,
    seconds,
    stepsPerSecond: trainer.step / seconds,
    ...evaluations,
  };
  model.device.check(); // nothing counts that comes from a GPU that has failed
  await folder.writeJson("summary.json", summary);
  console.log(await formatParameters(model, hasStepped));
  if (config.data === "") {
    console.log(await formatExamples(config.recipe, await SavedModel.load(model.device, folder.model)));
  }
  console.log(formatSummary(summary, evaluations));
  console.log(`run: ${folder.path}`);
}

/** What the model file says of the model. */
function describe({ texts, seed }: TaskConfig, { dataset, loss, source }: Training): ModelDescription {
  const { table, features, targets, scalers } = dataset, settings = texts as Record<string, string>;
  const baseline = scalers.targets.columns.map(({ mean }) => mean);
  return { table, features, targets, scalers, loss, settings, seed, baseline, source };
}

/** Prints the device, and refuses one whose kernels give wrong results. */
async function checkDevice(device: Device): Promise<void> {
  const checks = await selfTest(device);
  const wrong = checks.filter(({ ok }) => !ok).map(({ kernel, on }) => `${kernel} on ${on}`);
  if (wrong.length > 0) {
    throw new DeviceError(
      `Cannot train on ${device.name}: it gives wrong results for ${
        wrong.join(", ")
      }; \`deno task doctor\` shows them all`,
    );
  }
  console.log(`device: ${device.name}; ${checks.length} kernel checks passed`);
}

if (import.meta.main) await runTask("train", main, readTrainConfig);
