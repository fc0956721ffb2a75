/** Goes through the epochs of a run, to an end before the last where the validation loss or somebody asks for it. */

import { NotFiniteError } from "../../lib/base/errors.ts";
import type { Communicator } from "../../lib/ranks/communicator.ts";
import type { EpochResult } from "../../lib/training/trainer_options.ts";
import type { Training } from "./build.ts";
import type { TaskConfig } from "../settings/config.ts";
import { LayersLog } from "./layers_log.ts";
import type { RunKeeper } from "./keeper.ts";
import type { RunControl, Spectators } from "../show/spectator.ts";
import { formatTrace, type TraceLine, Tracer } from "./trace.ts";
import { TrainingDoctor } from "./doctor.ts";

type Epochs = AsyncGenerator<EpochResult<number | undefined>, void>;

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
  /** The ranks that train it. */
  readonly communicator: Communicator;
}

/** Who looks at the network. */
interface Watchers {
  readonly doctor: TrainingDoctor;
  readonly layers: LayersLog;
  readonly tracer: Tracer;
}

/** Trains until the run is over, or somebody asks for an end. */
export async function trainEpochs(party: RunParty): Promise<number | undefined> {
  const { config, training: { trainer }, keeper, spectators, controls } = party;
  const { numEpochs, runName } = config;
  const { stepsPerEpoch } = trainer;
  using doctor = await TrainingDoctor.create(party.training);
  using layers = new LayersLog(party.training, doctor.sample);
  const watchers = { doctor, layers, tracer: tracerOf(party) };
  let code: number | undefined;
  keeper.begin();
  spectators.begin({ runName, stepsPerEpoch, epochs: numEpochs, firstStep: trainer.step });
  await keeper.keepIfDue();
  try {
    while (!keeper.isOver && code === undefined) {
      try {
        await runWhileLet(party, watchers);
        for (const control of controls) {
          if (control.isAsking) code ??= await keeper.hold(() => control.attend(keeper)) ?? undefined;
        }
        code = await agreedCode(party, code);
        if (keeper.isOver || code !== undefined) await keeper.keepNow();
      } catch (error) {
        if (!(error instanceof NotFiniteError)) throw error;
        spectators.warning((await keeper.recover(error)).join("\n"));
      }
    }
  } finally {
    await keeper.written(); // by whatever it ends
  }
  await keeper.settle();
  return code;
}

/** The exit code of whoever asked for an end, on whichever rank. */
async function agreedCode({ communicator }: RunParty, code: number | undefined): Promise<number | undefined> {
  const codes = Float64Array.of(code ?? -1);
  await communicator.allReduce(codes, "max");
  return codes[0] < 0 ? undefined : codes[0];
}

/** Trains on, as far as nobody wants the run to hold. */
async function runWhileLet(party: RunParty, watchers: Watchers): Promise<void> {
  const { config: { numEpochs, debugTensors }, training, keeper, spectators } = party;
  const { trainer } = training;
  const { doctor, layers, tracer } = watchers;
  // With each call ends a look at what the training keeps, and PATIENCE may end the run behind any epoch.
  const count = keeper.stopping ? 1 : numEpochs - trainer.epoch;
  try {
    for await (const result of runEpochs(count, party, watchers)) {
      const { epoch, step, loss, evaluation } = result;
      const valLoss = evaluation ?? null;
      const line = { epoch, step, trainLoss: loss, valLoss, learningRate: training.rateOf(step - 1) };
      if (debugTensors) await tracer.settle();
      const look = await layers.line(line);
      await keeper.epochDone(line, look);
      if (look) spectators.layers(look);
      for (const warning of await doctor.warnings(line)) spectators.warning(warning);
      spectators.epoch(line, keeper.seconds, epoch === numEpochs || (keeper.stopping?.isOver ?? false));
    }
  } finally {
    await tracer.settle(); // before anything is kept
  }
  await keeper.keepIfDue();
}

/** The next epochs, or as many steps of them as nobody wants the run to hold. */
function runEpochs(count: number, party: RunParty, { doctor, layers, tracer }: Watchers): Epochs {
  const { training, keeper, spectators, controls, communicator } = party;
  const { trainer } = training;
  const evaluate = async () => {
    if (communicator.rank === 0) { // who tells of it
      doctor.look(trainer.epoch);
      layers.look(trainer.epoch);
    }
    return await training.validate?.();
  };
  const between = (step: number) => {
    const allowed = controls.some(({ isAsking }) => isAsking) ? 0 : keeper.between(step);
    return allowed > 0 ? Math.min(allowed, tracer.between(step)) : 0; // a step is looked at only if it runs
  };
  const before = trainer.step;
  return trainer.epochs(count, {
    between,
    evaluate,
    onProgress: (steps, loss) => spectators.progress(before + steps, loss),
  });
}

/** Looks at steps for trace.jsonl, and under DEBUG_TENSORS at all of them for the user. */
function tracerOf({ config: { trace, debugTensors }, training: { trainer }, keeper, spectators }: RunParty): Tracer {
  const tell = async (line: TraceLine) => {
    if (debugTensors) spectators.note(formatTrace(line));
    if (trace > 0 && line.step % trace === 0) await keeper.stepTraced(line);
  };
  return new Tracer(trainer, { every: debugTensors ? 1 : trace, tell });
}
