/** Goes through the epochs of a run: a line of each, and an end before the last where the validation loss asks for it. */

import { EarlyStopping } from "../lib/early_stopping.ts";
import type { Evaluation } from "../lib/evaluation.ts";
import type { EpochResult } from "../lib/trainer_options.ts";
import type { Training } from "./build_training.ts";
import type { TaskConfig } from "./config.ts";
import { Progress } from "./progress.ts";
import type { RunFolder } from "./run_folder.ts";
import { TrainingDoctor } from "./training_doctor.ts";
import { formatEpoch, formatTensors } from "./train_report.ts";

type Epochs = AsyncGenerator<EpochResult<Evaluation | undefined>, void>;

/** Trains; prints and keeps a line per epoch. Returns the seconds it took. */
export async function trainEpochs(config: TaskConfig, training: Training, folder: RunFolder): Promise<number> {
  const { numEpochs, patience } = config, { model, parts, plateau, rateOf, trainer } = training;
  const start = performance.now(), isValidated = parts.some(({ name }) => name === "validation");
  using progress = new Progress("training");
  using doctor = await TrainingDoctor.create(training);
  using stopping = patience > 0 && isValidated ? new EarlyStopping(model, { patience }) : undefined;
  // What is decided between two epochs must be known before the next one begins.
  const atOnce = stopping || plateau || config.debugTensors ? 1 : numEpochs;
  for (let isOver = false; !isOver && trainer.epoch < numEpochs;) {
    for await (const { epoch, step, loss, evaluation } of runEpochs(atOnce, config, training, progress, doctor)) {
      const line = {
        epoch,
        step,
        trainLoss: loss,
        valLoss: evaluation?.loss ?? null,
        learningRate: rateOf(step - 1),
        seconds: (performance.now() - start) / 1000,
      };
      await folder.appendMetrics(line);
      for (const warning of await doctor.warnings(line)) {
        progress.clear();
        console.error(warning);
      }
      if (evaluation) {
        plateau?.observe(evaluation.loss);
        isOver = stopping?.observe(evaluation.loss) ?? false;
      }
      if (!isOver && !isPrinted(epoch, numEpochs)) continue;
      progress.clear();
      console.log(formatEpoch(line, numEpochs));
    }
  }
  stopping?.restore();
  if (stopping && stopping.bestEpoch < trainer.epoch) {
    const { bestEpoch, bestLoss } = stopping;
    console.log(`weights: those of epoch ${bestEpoch}, with the lowest validation loss, ${bestLoss.toPrecision(5)}`);
  }
  return (performance.now() - start) / 1000;
}

/** The next epochs. */
function runEpochs(
  count: number,
  config: TaskConfig,
  training: Training,
  progress: Progress,
  doctor: TrainingDoctor,
): Epochs {
  const { trainer, parts, evaluatePart } = training, total = config.numEpochs * trainer.stepsPerEpoch;
  const validation = parts.find(({ name }) => name === "validation");
  const validate = async () => {
    doctor.look(trainer.epoch);
    return validation && await evaluatePart(validation);
  };
  if (config.debugTensors) return observedEpochs(count, training, validate);
  const before = trainer.epoch * trainer.stepsPerEpoch;
  let isFirst = before === 0;
  return trainer.epochs(count, {
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
): Epochs {
  for (let epoch = 0; epoch < count; epoch++) {
    const result = await trainer.observedEpoch(async (tensors, step) => {
      console.log(await formatTensors(tensors, step));
    });
    yield { ...result, evaluation: await validate() };
  }
}
