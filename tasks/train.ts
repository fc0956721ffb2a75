/**
 * Trains a network on a table of your own or on a recipe's dataset, prepared first where needed, and keeps it in
 * data/runs/<run-name>/.
 *
 *   deno task train
 *   deno task train --data houses.csv --target price
 *   deno task train --recipe xor --hidden-size 3 --seed 7 --run-name narrow
 */

import { isSmallStep } from "../lib/adapter.ts";
import { Device } from "../lib/device.ts";
import { DeviceError, NotFiniteError } from "../lib/errors.ts";
import type { Evaluation, EvaluationOptions } from "../lib/evaluation.ts";
import { multilayerPerceptron } from "../lib/layers.ts";
import type { Loss } from "../lib/losses.ts";
import { Model } from "../lib/model.ts";
import { type DataSource, dataSource } from "../lib/model_metadata.ts";
import { createOptimizer } from "../lib/optimizers.ts";
import { Random } from "../lib/random.ts";
import { LOSSES, type ModelDescription, SavedModel, saveModel } from "../lib/saved_model.ts";
import { selfTest } from "../lib/self_check.ts";
import { Trainer } from "../lib/trainer.ts";
import type { EpochResult } from "../lib/trainer_options.ts";
import { ConfigError, type TaskConfig } from "./config.ts";
import { checkRows, stepFaults } from "./known_rows.ts";
import { openParts, type Part } from "./parts.ts";
import { Progress } from "./progress.ts";
import { recipeOf } from "./recipes.ts";
import { RunFolder } from "./run_folder.ts";
import { runTask } from "./run_task.ts";
import type { ScaledDataset } from "./scaled_dataset.ts";
import type { PartName } from "./split.ts";
import { prepareDataset } from "./stages.ts";
import { formatEpoch, formatExamples, formatParameters, formatSummary, formatTensors } from "./train_report.ts";
import { fromUsersFolder } from "./users_files.ts";

/** All that training needs. */
interface Training {
  dataset: ScaledDataset;
  model: Model;
  loss: Loss;
  trainer: Trainer;
  /** The parts that have rows; the first is for training. */
  parts: Part[];
  evaluatePart: (part: Part, options?: EvaluationOptions) => Promise<Evaluation>;
  /** The user's own file; a recipe's can be made anew. */
  source?: DataSource;
}

async function main(config: TaskConfig): Promise<void> {
  using stack = new DisposableStack();
  // How wide a table of the user's own is, only reading it tells.
  const table = config.data === "" ? undefined : stack.use(await prepareDataset(config));
  const widths = widthsOf(config, table);
  const weights = widths.slice(1).reduce((sum, width, i) => sum + width * widths[i], 0);
  // Before anything is written of a recipe, so that a machine that cannot train keeps what it has.
  const device = stack.use(
    await Device.request({ smallDispatches: isSmallStep(expectedRows(config, table), weights) }),
  );
  await checkDevice(device);
  const model = buildModel(stack, device, config, widths);
  if (!table) await checkRows(config, device.limits);

  const dataset = table ?? stack.use(await prepareDataset(config));
  const { rows } = dataset.parts.train;
  const batchSize = batchSizeOf(config, rows);
  const faults = table ? stepFaults(batchSize, widths, config, device.limits) : [];
  if (faults.length > 0) throw new ConfigError(faults);

  const source = table && await dataSource(fromUsersFolder(config.data));
  const training = { ...await build(stack, model, config, dataset, batchSize), source };
  const { trainer } = training;
  const network = `${widths.join("-")}, ${weights + widths.slice(1).reduce((sum, width) => sum + width)} parameters`;
  const { stepsPerEpoch, windows, windowRows } = trainer;
  const streamed = windows > 1 ? `, in ${windows} windows of ${windowRows} rows` : "";
  console.log(
    `network: ${network}; ${rows} rows in batches of ${batchSize}, ${stepsPerEpoch} steps an epoch${streamed}`,
  );

  const folder = new RunFolder(config.runName);
  const aside = await folder.create();
  if (aside) console.log(`run: the earlier ${folder.path} is kept as ${aside}`);
  await folder.writeJson("config.json", config.texts);
  const seconds = await trainEpochs(config, training, folder);
  await keepRun(config, training, folder, seconds);
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

/** Puts the network on the GPU; the stack frees it. */
function buildModel(stack: DisposableStack, device: Device, config: TaskConfig, widths: readonly number[]): Model {
  const layers = multilayerPerceptron(widths[0], config.hiddenSize, widths.at(-1)!);
  try {
    return stack.use(new Model(device, layers, { init: config.init, random: new Random(config.seed, "weights") }));
  } catch (error) {
    // Every setting is checked by now: only the widths can still take more than the device has.
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError([`HIDDEN_SIZE is ${JSON.stringify(config.texts.HIDDEN_SIZE)}: ${error.message}`]);
  }
}

/** Puts optimizer and rows on the GPU, or as many rows as are used at once; the stack frees them. */
async function build(
  stack: DisposableStack,
  model: Model,
  config: TaskConfig,
  dataset: ScaledDataset,
  batchSize: number,
): Promise<Training> {
  const { seed, learningRate } = config;
  const parts = await openParts(stack, model, dataset), loss = LOSSES[dataset.loss];
  const optimizer = stack.use(createOptimizer(config.optimizer, model, learningRate));
  const trainer = stack.use(new Trainer({ model, loss, optimizer, ...parts[0].rows, batchSize, seed }));
  const evaluatePart = async (part: Part, options?: EvaluationOptions): Promise<Evaluation> => {
    const step = trainer.step, evaluation = await part.evaluate(loss, dataset.scalers.targets, options);
    // Stops at weights that an epoch's last step made useless: no step after it would notice.
    if (!Number.isFinite(evaluation.loss)) throw new NotFiniteError(`${part.name} loss`, evaluation.loss, step);
    return evaluation;
  };
  return { dataset, model, loss, trainer, parts, evaluatePart };
}

/** Writes the model and the summary, and prints what was learned. */
async function keepRun(config: TaskConfig, training: Training, folder: RunFolder, seconds: number): Promise<void> {
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
  await folder.writeJson("summary.json", summary);
  console.log(await formatParameters(model));
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

/** Trains; prints and keeps a line per epoch. Returns the seconds it took. */
async function trainEpochs(
  config: TaskConfig,
  { trainer, parts, evaluatePart }: Training,
  folder: RunFolder,
): Promise<number> {
  const start = performance.now();
  using progress = new Progress("training");
  const validation = parts.find(({ name }) => name === "validation");
  const validate = async () => validation && await evaluatePart(validation);
  const total = config.numEpochs * trainer.stepsPerEpoch;
  let isFirst = true;
  const epochs = config.debugTensors
    ? observedEpochs(config.numEpochs, trainer, validate)
    : trainer.epochs(config.numEpochs, {
      evaluate: validate,
      onProgress: (steps) => {
        if (isFirst) {
          console.log(`first steps done ${(performance.now() / 1000).toFixed(2)} s after the process started`);
        }
        isFirst = false;
        progress.update(steps, total, `step ${steps} of ${total}`);
      },
    });
  for await (const { epoch, step, loss, evaluation } of epochs) {
    const line = {
      epoch,
      step,
      trainLoss: loss,
      valLoss: evaluation?.loss ?? null,
      learningRate: config.learningRate,
      seconds: (performance.now() - start) / 1000,
    };
    await folder.appendMetrics(line);
    if (isPrinted(epoch, config.numEpochs)) {
      progress.clear();
      console.log(formatEpoch(line, config.numEpochs));
    }
  }
  return (performance.now() - start) / 1000;
}

/** A long run of short epochs prints fifty of them at most; metrics.jsonl has them all. */
function isPrinted(epoch: number, epochs: number): boolean {
  return epoch % Math.ceil(epochs / 50) === 0 || epoch === 1 || epoch === epochs;
}

async function* observedEpochs<T>(
  count: number,
  trainer: Trainer,
  validate: () => Promise<T>,
): AsyncGenerator<EpochResult<T>, void> {
  for (let epoch = 0; epoch < count; epoch++) {
    const result = await trainer.observedEpoch(async (tensors, step) => {
      console.log(await formatTensors(tensors, step));
    });
    yield { ...result, evaluation: await validate() };
  }
}

if (import.meta.main) await runTask("train", main);
