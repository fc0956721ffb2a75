/** What a run trains with: network, loss, optimizer, learning rates, rows. */

import { NotFiniteError } from "../../lib/base/errors.ts";
import type { Model } from "../../lib/core/model.ts";
import { createOptimizer } from "../../lib/core/optimizers.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import {
  balancedWeights,
  type Loss,
  LOSSES,
  weightedBceWithLogits,
  weightedSoftmaxCrossEntropy,
} from "../../lib/core/losses.ts";
import type { Folds } from "../../lib/base/folds.ts";
import type { RowSource } from "../../lib/data/row_source.ts";
import type { Scaler } from "../../lib/data/scaler.ts";
import { type Evaluation, type EvaluationOptions, Evaluator } from "../../lib/evaluate/evaluation.ts";
import { outOfFold } from "../../lib/evaluate/out_of_fold.ts";
import { type PredictedRows, Predictor } from "../../lib/evaluate/predictor.ts";
import { Matrix } from "../../lib/reference/mod.ts";
import { applyRule, type OutputRule } from "../../lib/model_file/output_rule.ts";
import { ALONE, type Communicator } from "../../lib/ranks/communicator.ts";
import { learningRateAt } from "../../lib/training/learning_rates.ts";
import { Judge, type JudgeOptions } from "../../lib/training/judge.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import type { ResidentRows, StreamedRows } from "../../lib/training/trainer_options.ts";
import { RESIDENT_BYTES } from "../prepare/folds.ts";
import type { ScaledDataset } from "../prepare/scaled_dataset.ts";
import { type PartName, PARTS } from "../prepare/split.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { settingAt } from "../settings/faults.ts";
import type { LossName } from "../settings/settings.ts";
import type { RunView } from "../show/view.ts";
import type { Network } from "./network.ts";
import { batchRows, rankFaults, type Rows, stepFaults, thresholdFaults, trainingFaults } from "./rows.ts";

/** Under schedule plateau without PATIENCE: epochs without a better validation loss until the learning rate is reduced. */
const PLATEAU_PATIENCE = 5;
const PLATEAU = { factor: 0.5 };

/** Under schedule plateau with PATIENCE: all begins again from the best weights, and after two times the run is over. */
const PATIENT_PLATEAU = { factor: 0.2, drops: 2, goesBack: true };

/** What is said of a table without validation rows. */
const NO_VALIDATION_ROWS =
  "validation rows: none, so all epochs run at the rate of the schedule, and there are no early " +
  "stopping, no temperature and no intervals";

export interface Training extends Rows {
  readonly model: Model;
  readonly loss: Loss;
  readonly trainer: Trainer;
  /** The parts that have rows; the first is for training. */
  readonly parts: readonly Part[];
  readonly evaluatePart: (part: Part, options?: MeasureOptions) => Promise<Evaluation>;
  /** Keeps the best weights, if there are validation rows, and ends the run, if PATIENCE asks for it. */
  readonly judge?: Judge;
  /** The validation loss of each member, where the judge must be told. */
  readonly validate?: () => Promise<number[]>;
  /** The learning rate of a step, from 0, but for what the judge makes of it. */
  readonly rateOf: (step: number) => number;
  /** From now on all learning rates are multiplied by this, instead of 1. */
  readonly setRateFactor: (factor: number) => void;
}

interface TrainingRequest {
  readonly config: TaskConfig;
  readonly view: RunView;
  readonly network: Network;
  readonly rows: Rows;
  readonly communicator?: Communicator;
}

/**
 * Puts optimizer and rows on the GPU, or as many rows as are used at once; the stack frees them.
 *
 * @throws {ConfigError} If settings and rows do not go together.
 */
export async function buildTraining(stack: DisposableStack, request: TrainingRequest): Promise<Training> {
  const { config, view, network: { model, widths }, rows, communicator = ALONE } = request;
  const { dataset, folds } = rows;
  const { seed, clipNorm, syncEvery, outerLearningRate, outerMomentum } = config;
  const count = folds?.trainedRows ?? dataset.parts.train.rows;
  const judged = folds?.foldOf.length ?? dataset.parts.validation.rows;
  const batchSize = batchSizeOf(config, count);
  const faults = [
    ...trainingFaults(config, dataset.loss, [count, judged], batchSize),
    ...stepFaults(batchSize, widths, config, model.device.limits),
    ...rankFaults(config, batchSize, communicator.size),
    ...thresholdFaults(config, dataset.table.target, judged),
  ];
  if (faults.length > 0) throw new ConfigError(faults);

  const parts = await openParts(stack, model, { ...dataset, folds });
  const loss = lossOf(config, dataset);
  const decay = config.weightDecay === "auto" ? {} : { weightDecay: config.weightDecay };
  const optimizer = stack.use(createOptimizer(config.optimizer, model, config.learningRate, decay));
  const validation = parts.find(({ name }) => name === "validation");
  if (!validation && config.data !== "") view.note(NO_VALIDATION_ROWS);
  // Ranks measure a share each; rows that stay in their file are measured block by block.
  const isTold = communicator.size > 1 || validation?.rows.source !== undefined;
  const measuredByJudge = validation && !isTold ? { loss, folds, ...validation.rows as ResidentRows } : undefined;
  const judge = validation &&
    stack.use(new Judge(model, optimizer, { ...judgeOptionsOf(config), validation: measuredByJudge }));
  let rateFactor = 1;
  const rateOf = (step: number): number => {
    const { learningRate, schedule, warmup } = config;
    const total = config.numEpochs * trainer.stepsPerEpoch;
    const settings = { schedule: schedule === "plateau" ? "constant" : schedule, learningRate, warmup };
    return rateFactor * learningRateAt(settings, step, total);
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
      folds,
      plain: config.plain,
      clipNorm: clipNorm > 0 ? clipNorm : undefined,
      group: communicator.size > 1 || syncEvery > 1
        ? { communicator, syncEvery, outer: { learningRate: outerLearningRate, momentum: outerMomentum } }
        : undefined,
      learningRates: isConstant ? undefined : rateOf,
      judge,
    }),
  );
  const setRateFactor = (factor: number) => {
    rateFactor = factor;
    optimizer.learningRate = factor * config.learningRate; // without a schedule, the trainer takes this one
  };
  const evaluatePart = async (part: Part, options?: MeasureOptions): Promise<Evaluation> => {
    const step = trainer.step;
    const evaluation = await part.evaluate(loss, dataset.scalers.targets, options);
    // Stops at weights that an epoch's last step has ruined: no step after it would notice.
    if (!Number.isFinite(evaluation.loss)) throw new NotFiniteError(`${part.name} loss`, evaluation.loss, step);
    return evaluation;
  };
  const validate = validation && isTold ? () => memberLosses(validation, loss, dataset.targets.length) : undefined;

  const parameters = model.parameters.reduce((sum, { parameter }) => sum + parameter.value.size, 0);
  const { stepsPerEpoch, windows, windowRows } = trainer;
  const streamed = windows > 1 ? `, in ${windows} windows of ${windowRows} rows` : "";
  view.note(
    `network: ${widths.join("-")}, ${parameters} parameters; ` +
      `${count} rows${
        folds ? " of each member" : ""
      } in batches of ${batchSize}, ${stepsPerEpoch} steps an epoch${streamed}`,
  );
  return { ...rows, model, loss, trainer, parts, evaluatePart, judge, validate, rateOf, setRateFactor };
}

/** What follows from PATIENCE and SCHEDULE. */
function judgeOptionsOf({ patience, schedule }: TaskConfig): JudgeOptions {
  if (schedule !== "plateau") return { patience };
  return patience > 0 ? { patience, plateau: PATIENT_PLATEAU } : { patience: PLATEAU_PATIENCE, plateau: PLATEAU };
}

/** Rows of a step. A preset above the number of rows gives way; a value that was asked for does not. */
function batchSizeOf(config: TaskConfig, rows: number): number {
  const batch = batchRows(config, rows);
  if (batch <= rows) return batch;
  if (!config.given.BATCH_SIZE) return rows;
  const allowed = `allowed is 1 to the ${rows} training rows there are, or full`;
  throw new ConfigError([`${settingAt("BATCH_SIZE", config)}: ${allowed}`]);
}

/** The loss that suits the targets; with balanced weights each class counts as if it had as many rows as the others. */
function lossOf({ classWeights }: TaskConfig, { loss, scalers, parts }: ScaledDataset): Loss {
  if (classWeights === "none") return LOSSES[loss];
  // The means of class columns are their shares of the training rows.
  const counts = scalers.targets.columns.map(({ mean }) => Math.round(mean * parts.train.rows));
  if (loss === "softmax") return weightedSoftmaxCrossEntropy(balancedWeights(counts));
  const [zero, one] = balancedWeights([parts.train.rows - counts[0], counts[0]]);
  return weightedBceWithLogits([zero, one]);
}

export interface Part {
  readonly name: PartName;
  /** Its rows, as a trainer takes them. */
  readonly rows: ResidentRows | StreamedRows;
  /**
   * What the model and each of its members put out, block by block, with the targets. If the part lies on the GPU, this uses the
   * weights of this moment; else the weights must not change until it is done.
   */
  readonly outputs: () => AsyncGenerator<PredictedRows & { readonly y: Float32Array }, void>;
  /** Measures the model on it, with the rule that its outputs go through, if any. */
  readonly evaluate: (loss: Loss, targets: Scaler, options?: MeasureOptions) => Promise<Evaluation>;
}

/** What measuring may be told. */
export interface MeasureOptions extends EvaluationOptions {
  /** What is done to the outputs first. */
  readonly rule?: OutputRule;
}

interface PartsRequest {
  readonly parts: Readonly<Record<PartName, RowSource>>;
  readonly loss: LossName;
  /** Of the rows of training, where each member holds out others: these are its rows of validation. */
  readonly folds?: Folds;
}

/** Puts the parts on the GPU if all are small, or leaves them in their file. Those with folds are small. */
export async function openParts(
  stack: DisposableStack,
  model: Model,
  { parts, loss, folds }: PartsRequest,
  residentBytes = RESIDENT_BYTES,
): Promise<Part[]> {
  const sizes = Object.values(parts).map(({ rows, inputs, targets }) => rows * (inputs + targets));
  const bytes = sizes.reduce((sum, size) => sum + size * Float32Array.BYTES_PER_ELEMENT, 0);
  const open = folds || bytes <= residentBytes ? openResident : openStreamed;
  const opened: Part[] = [];
  const add = (name: PartName, part: OpenPart) => {
    const evaluate: Part["evaluate"] = async (loss, targets, { rule = {}, ...options } = {}) => {
      const evaluator = new Evaluator(loss, targets, options);
      for await (const { output, y } of part.outputs()) evaluator.add(applyRule(output, rule, targets), y);
      return evaluator.result();
    };
    opened.push({ name, ...part, evaluate });
  };
  for (const name of PARTS) {
    const source = parts[name];
    if (source.rows === 0) continue;
    const predictor = stack.use(new Predictor(model, source.inputs, source.rows, loss));
    const part = await open(source, predictor, stack);
    add(name, part);
    if (!folds || name !== "train") continue;
    add("validation", {
      rows: part.rows,
      outputs: () => outOfFold(part.outputs(), folds, source.targets, loss),
    });
  }
  return opened;
}

/** Most values that are measured at a time: measuring takes ten times their memory. */
const MAX_VALUES = 1 << 20;

type OpenPart = Pick<Part, "rows" | "outputs">;

async function openResident(source: RowSource, predictor: Predictor, stack: DisposableStack): Promise<OpenPart> {
  const { rows, inputs, targets } = source;
  const block = await source.read(0, rows);
  const x = stack.use(Tensor.from(predictor.device, block.x, [rows, inputs]));
  const y = stack.use(Tensor.from(predictor.device, block.y, [rows, targets]));
  const most = Math.max(1, Math.floor(MAX_VALUES / targets)) * targets;
  const outputs: Part["outputs"] = async function* () {
    const { output, own } = await predictor.predictEach(x);
    const { length } = block.y;
    if (length <= most) return yield { output, own, y: block.y };
    const starts = Array.from({ length: own.length / length }, (_, member) => member * length);
    for (let at = 0; at < length; at += most) {
      const [part, truth] = [output, block.y].map((values) => values.subarray(at, at + most));
      const each = new Float32Array(starts.length * part.length);
      starts.forEach((start, member) => {
        each.set(own.subarray(start + at, start + at + part.length), member * part.length);
      });
      yield { output: part, own: each, y: truth };
    }
  };
  return { rows: { x, y }, outputs };
}

function openStreamed(source: RowSource, predictor: Predictor): OpenPart {
  return { rows: { source }, outputs: () => predictor.predictBlocks(source) };
}

/** The loss of each of the model's members on a part, whose targets have so many columns. */
export async function memberLosses(part: Part, { reference }: Loss, columns: number): Promise<number[]> {
  const sums: number[] = [];
  let rows = 0;
  for await (const { own, y } of part.outputs()) {
    const count = y.length / columns;
    const target = new Matrix(count, columns, y);
    for (let m = 0; m < own.length / y.length; m++) {
      const output = new Matrix(count, columns, own.subarray(m * y.length, (m + 1) * y.length));
      sums[m] = (sums[m] ?? 0) + count * reference.forward(output, target);
    }
    rows += count;
  }
  return sums.map((sum) => sum / rows);
}
