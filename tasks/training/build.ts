/** What a run trains with: network, loss, optimizer, learning rates, rows. */

import { ALONE, type Communicator } from "../../lib/ranks/communicator.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { NotFiniteError } from "../../lib/base/errors.ts";
import type { Evaluation, EvaluationOptions } from "../../lib/evaluate/evaluation.ts";
import { shareOf } from "../../lib/training/group/group.ts";
import type { Loss } from "../../lib/core/losses.ts";
import { multilayerPerceptron } from "../../lib/core/layers.ts";
import { learningRateAt } from "../../lib/training/learning_rates.ts";
import { Model } from "../../lib/core/model.ts";
import type { DataSource } from "../../lib/model_file/metadata.ts";
import { createOptimizer, type Optimizer } from "../../lib/core/optimizers.ts";
import { Plateau } from "../../lib/training/plateau.ts";
import { MAX_SEED, Random } from "../../lib/base/random.ts";
import { RowRange } from "../../lib/data/row_source.ts";
import { loadWeights, LOSSES } from "../../lib/model_file/saved_model.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import { balancedWeights, weightedBceWithLogits, weightedSoftmaxCrossEntropy } from "../../lib/core/weighted_losses.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { openParts, type Part } from "./parts.ts";
import type { ScaledDataset } from "../prepare/scaled_dataset.ts";
import { fromUsersFolder } from "../settings/users_files.ts";

/** Epochs without a better validation loss after which schedule plateau reduces the learning rate, and by what. */
const PLATEAU = { patience: 5, factor: 0.5 };

/** All that training needs. */
export interface Training {
  dataset: ScaledDataset;
  model: Model;
  loss: Loss;
  trainer: Trainer;
  /** The parts that have rows; the first is for training. */
  parts: Part[];
  evaluatePart: (part: Part, options?: EvaluationOptions) => Promise<Evaluation>;
  /** The validation loss, where there are such rows; of several ranks, each measures its share of them. */
  validate?: () => Promise<number>;
  /** The learning rate of a step, from 0. */
  rateOf: (step: number) => number;
  /** Multiplies all learning rates from now on by this instead of 1. */
  setRateFactor: (factor: number) => void;
  /** Told each epoch's validation loss, where the learning rate goes by it. */
  plateau?: Plateau;
  /** The user's own file; a recipe's can be made anew. */
  source?: DataSource;
}

/** Puts the network on the GPU, with the weights that it starts from; the stack frees it. */
export async function buildModel(
  stack: DisposableStack,
  device: Device,
  config: TaskConfig,
  widths: readonly number[],
  rank = 0,
): Promise<Model> {
  const { hiddenSize, activation, dropout, init, initFrom, seed } = config;
  // Masks of its own for each rank, which has rows of its own.
  const masks = { dropout, seed: (seed + rank) % (MAX_SEED + 1) };
  const layers = multilayerPerceptron(widths[0], hiddenSize, widths.at(-1)!, { activation, ...masks });
  let model: Model;
  try {
    model = stack.use(new Model(device, layers, { init, random: new Random(seed, "weights") }));
  } catch (error) {
    // Every setting is checked by now: only the widths can still take more than the device has.
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError([`HIDDEN_SIZE is ${JSON.stringify(config.texts.HIDDEN_SIZE)}: ${error.message}`]);
  }
  if (initFrom !== "") await loadWeights(model, fromUsersFolder(initFrom));
  return model;
}

/** Puts optimizer and rows on the GPU, or as many rows as are used at once; the stack frees them. */
export async function buildTraining(
  stack: DisposableStack,
  model: Model,
  config: TaskConfig,
  dataset: ScaledDataset,
  batchSize: number,
  communicator: Communicator = ALONE,
): Promise<Training> {
  const { seed, clipNorm, syncEvery, outerLearningRate, outerMomentum } = config;
  const parts = await openParts(stack, model, dataset);
  const loss = lossOf(config, dataset);
  const optimizer = stack.use(buildOptimizer(config, model));
  const plateau = config.schedule === "plateau" ? new Plateau(1, PLATEAU) : undefined;
  let rateFactor = 1;
  const rateOf = (step: number): number => {
    const { learningRate, schedule, warmup } = config;
    const total = config.numEpochs * trainer.stepsPerEpoch;
    const settings = { schedule: schedule === "plateau" ? "constant" : schedule, learningRate, warmup };
    return rateFactor * (plateau?.factor ?? 1) * learningRateAt(settings, step, total);
  };
  const isConstant = config.schedule === "constant" && config.warmup === 0;
  const trainer: Trainer = stack.use(
    new Trainer({
      model,
      loss,
      optimizer,
      ...parts[0].rows,
      batchSize,
      seed,
      plain: config.plain,
      clipNorm: clipNorm > 0 ? clipNorm : undefined,
      group: communicator.size > 1 || syncEvery > 1
        ? { communicator, syncEvery, outer: { learningRate: outerLearningRate, momentum: outerMomentum } }
        : undefined,
      learningRates: isConstant ? undefined : rateOf,
    }),
  );
  const setRateFactor = (factor: number) => {
    rateFactor = factor;
    optimizer.learningRate = factor * config.learningRate; // where there is no schedule, the trainer goes by it
  };
  const evaluatePart = async (part: Part, options?: EvaluationOptions): Promise<Evaluation> => {
    const step = trainer.step;
    const evaluation = await part.evaluate(loss, dataset.scalers.targets, options);
    // Stops at weights that an epoch's last step made useless: no step after it would notice.
    if (!Number.isFinite(evaluation.loss)) throw new NotFiniteError(`${part.name} loss`, evaluation.loss, step);
    return evaluation;
  };
  const validation = parts.find(({ name }) => name === "validation");
  const alone = validation && (async () => (await evaluatePart(validation)).loss);
  const validate = communicator.size > 1 && validation
    ? await validateTogether(stack, { model, dataset, loss, trainer }, communicator)
    : alone;
  return { dataset, model, loss, trainer, parts, evaluatePart, validate, rateOf, setRateFactor, plateau };
}

/** The validation loss of ranks that have the same weights. */
async function validateTogether(
  stack: DisposableStack,
  { model, dataset, loss, trainer }: Pick<Training, "model" | "dataset" | "loss" | "trainer">,
  communicator: Communicator,
): Promise<() => Promise<number>> {
  const source = dataset.parts.validation;
  const none = new RowRange(source, 0, 0);
  const share = new RowRange(source, ...shareOf(source.rows, communicator));
  const [part] = await openParts(stack, model, { parts: { train: none, validation: share, test: none } });
  return async () => {
    const step = trainer.step;
    const sum = new Float64Array(1);
    if (part) sum[0] = share.rows * (await part.evaluate(loss, dataset.scalers.targets)).loss;
    await communicator.allReduce(sum);
    const mean = sum[0] / source.rows;
    if (!Number.isFinite(mean)) throw new NotFiniteError("validation loss", mean, step);
    return mean;
  };
}

function buildOptimizer({ optimizer, learningRate, weightDecay }: TaskConfig, model: Model): Optimizer {
  return createOptimizer(optimizer, model, learningRate, weightDecay === "auto" ? {} : { weightDecay });
}

/** The loss of the targets; with balanced weights each class counts as if it had as many rows as the others. */
function lossOf({ classWeights }: TaskConfig, { loss, scalers, parts }: ScaledDataset): Loss {
  if (classWeights === "none") return LOSSES[loss];
  // The means of class columns are their shares of the training rows.
  const counts = scalers.targets.columns.map(({ mean }) => Math.round(mean * parts.train.rows));
  if (loss === "softmax") return weightedSoftmaxCrossEntropy(balancedWeights(counts));
  const [zero, one] = balancedWeights([parts.train.rows - counts[0], counts[0]]);
  return weightedBceWithLogits([zero, one]);
}
