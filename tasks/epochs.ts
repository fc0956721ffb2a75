/** Goes through the epochs of a run: a line of each, and an end before the last where the validation loss asks for it. */

import { NotFiniteError } from "../lib/errors.ts";
import type { Evaluation } from "../lib/evaluation.ts";
import type { EpochResult } from "../lib/trainer_options.ts";
import type { Training } from "./build_training.ts";
import type { TaskConfig } from "./config.ts";
import { Progress } from "./progress.ts";
import type { RunKeeper } from "./run_keeper.ts";
import type { StopSignal } from "./stop_signal.ts";
import { formatEpoch, formatTensors } from "./train_report.ts";
import { TrainingDoctor } from "./training_doctor.ts";

type Epochs = AsyncGenerator<EpochResult<Evaluation | undefined>, void>;

/**
 * Trains until the run is over, or a signal asks for an end; prints and keeps a line per epoch.
 *
 * @param config The settings.
 * @param training What trains.
 * @param keeper Keeps the run.
 * @param signal What may ask for an end.
 */
export async function trainEpochs(
  config: TaskConfig,
  training: Training,
  keeper: RunKeeper,
  signal: StopSignal,
): Promise<void> {
  const { numEpochs, debugTensors } = config, { plateau, rateOf, trainer } = training;
  using progress = new Progress("training");
  using doctor = await TrainingDoctor.create(training);
  // What is decided between two epochs must be known before the next one begins.
  const isOneByOne = keeper.stopping || plateau || debugTensors;
  const between = (step: number) => signal.code === undefined ? keeper.between(step) : 0;
  await keeper.keepIfDue();
  const run = async () => {
    const count = isOneByOne ? 1 : numEpochs - trainer.epoch;
    for await (
      const { epoch, step, loss, evaluation } of runEpochs(count, config, training, { progress, doctor, between })
    ) {
      const valLoss = evaluation?.loss ?? null;
      const line = { epoch, step, trainLoss: loss, valLoss, learningRate: rateOf(step - 1) };
      await keeper.epochDone(line);
      for (const warning of await doctor.warnings(line)) {
        progress.clear();
        console.error(warning);
      }
      if (!keeper.stopping?.isOver && !isPrinted(epoch, numEpochs)) continue;
      progress.clear();
      console.log(formatEpoch(line, numEpochs, keeper.seconds));
    }
    await keeper.keepIfDue();
    if (keeper.isOver || signal.code !== undefined) await keeper.keepNow();
  };
  await keeper.keepIfDue();
  while (!keeper.isOver && signal.code === undefined) {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      progress.clear();
      await keeper.recover(error);
    }
  }
  await keeper.settle();
}

/** The next epochs, or as far as `between` lets them run. */
function runEpochs(
  count: number,
  config: TaskConfig,
  training: Training,
  { progress, doctor, between }: { progress: Progress; doctor: TrainingDoctor; between: (step: number) => number },
): Epochs {
  const { trainer, parts, evaluatePart } = training, total = config.numEpochs * trainer.stepsPerEpoch;
  const validation = parts.find(({ name }) => name === "validation");
  const validate = async () => {
    doctor.look(trainer.epoch);
    return validation && await evaluatePart(validation);
  };
  if (config.debugTensors) return observedEpochs(count, training, validate, between);
  const before = trainer.step;
  let isFirst = before === 0;
  return trainer.epochs(count, {
    between,
    evaluate: validate,
    onProgress: (steps) => {
      if (isFirst) {
        console.log(`first steps done ${(performance.now() / 1000).toFixed(2)} s after the process started`);
      }
      isFirst = false;
      progress.update(before + steps, total, `step ${before + steps} of ${total}`);
    },
  });
}

/** A long run of short epochs prints fifty of them at most; metrics.jsonl has them all. */
function isPrinted(epoch: number, epochs: number): boolean {
  return epoch % Math.ceil(epochs / 50) === 0 || epoch === 1 || epoch === epochs;
}

async function* observedEpochs(
  count: number,
  { trainer }: Training,
  validate: () => Promise<Evaluation | undefined>,
  between: (step: number) => number,
): Epochs {
  for (let epoch = 0; epoch < count; epoch++) {
    const result = await trainer.observedEpoch(async (tensors, step) => {
      console.log(await formatTensors(tensors, step));
    }, { between });
    if (!result) return;
    yield { ...result, evaluation: await validate() };
  }
}
