/** Goes through the epochs of a run, to an end before the last where the validation loss or somebody asks for it. */

import { NotFiniteError } from "../lib/errors.ts";
import type { Evaluation } from "../lib/evaluation.ts";
import type { EpochResult } from "../lib/trainer_options.ts";
import type { Training } from "./build_training.ts";
import type { TaskConfig } from "./config.ts";
import type { RunKeeper } from "./run_keeper.ts";
import type { RunControl, Spectators } from "./spectator.ts";
import { formatTensors } from "./train_report.ts";
import { TrainingDoctor } from "./training_doctor.ts";

type Epochs = AsyncGenerator<EpochResult<Evaluation | undefined>, void>;

/** A run, and who has to do with it. */
export interface RunParty {
  readonly config: TaskConfig;
  readonly training: Training;
  /** Keeps the run. */
  readonly keeper: RunKeeper;
  /** Who looks on. */
  readonly spectators: Spectators;
  /** Who may ask something of it. */
  readonly controls: readonly RunControl[];
}

/**
 * Trains until the run is over, or somebody asks for an end.
 *
 * @param party The run, and who has to do with it.
 * @returns The exit code of whoever asked for an end; undefined where the run is over.
 */
export async function trainEpochs(party: RunParty): Promise<number | undefined> {
  const { config, training: { trainer }, keeper, spectators, controls } = party;
  const { numEpochs, runName } = config, { stepsPerEpoch } = trainer;
  using doctor = await TrainingDoctor.create(party.training);
  let code: number | undefined;
  spectators.begin({ runName, stepsPerEpoch, epochs: numEpochs, firstStep: trainer.step });
  await keeper.keepIfDue();
  while (!keeper.isOver && code === undefined) {
    try {
      await runWhileLet(party, doctor);
      for (const control of controls) if (control.isAsking) code ??= await control.attend(keeper) ?? undefined;
      if (keeper.isOver || code !== undefined) await keeper.keepNow();
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      spectators.warning((await keeper.recover(error)).join("\n"));
    }
  }
  await keeper.settle();
  return code;
}

/** Trains on, as far as nobody wants the run to hold. */
async function runWhileLet(party: RunParty, doctor: TrainingDoctor): Promise<void> {
  const { config: { numEpochs, debugTensors }, training, keeper, spectators } = party, { plateau, trainer } = training;
  // What is decided between two epochs must be known before the next one begins.
  const isOneByOne = keeper.stopping || plateau || debugTensors;
  for await (const result of runEpochs(isOneByOne ? 1 : numEpochs - trainer.epoch, party, doctor)) {
    const { epoch, step, loss, evaluation } = result, valLoss = evaluation?.loss ?? null;
    const line = { epoch, step, trainLoss: loss, valLoss, learningRate: training.rateOf(step - 1) };
    await keeper.epochDone(line);
    for (const warning of await doctor.warnings(line)) spectators.warning(warning);
    spectators.epoch(line, keeper.seconds, epoch === numEpochs || (keeper.stopping?.isOver ?? false));
  }
  await keeper.keepIfDue();
}

/** The next epochs, or as many steps of them as nobody wants the run to hold. */
function runEpochs(count: number, party: RunParty, doctor: TrainingDoctor): Epochs {
  const { config, training, keeper, spectators, controls } = party, { trainer, parts, evaluatePart } = training;
  const validation = parts.find(({ name }) => name === "validation");
  const evaluate = async () => {
    doctor.look(trainer.epoch);
    return validation && await evaluatePart(validation);
  };
  const between = (step: number) => controls.some(({ isAsking }) => isAsking) ? 0 : keeper.between(step);
  if (config.debugTensors) return observedEpochs(count, training, evaluate, between, spectators);
  const before = trainer.step;
  return trainer.epochs(count, { between, evaluate, onProgress: (steps) => spectators.progress(before + steps) });
}

async function* observedEpochs(
  count: number,
  { trainer }: Training,
  validate: () => Promise<Evaluation | undefined>,
  between: (step: number) => number,
  spectators: Spectators,
): Epochs {
  for (let epoch = 0; epoch < count; epoch++) {
    const result = await trainer.observedEpoch(async (tensors, step) => {
      spectators.note(await formatTensors(tensors, step));
    }, { between });
    if (!result) return;
    yield { ...result, evaluation: await validate() };
  }
}
