/** The epochs of a run, until its end: the last epoch, no more patience, or somebody asks for it. */

import { NotFiniteError } from "../../lib/base/errors.ts";
import { type RunControl, Views } from "../show/view.ts";
import { TrainingDoctor } from "./doctor.ts";
import { LayersLog } from "./layers_log.ts";
import type { Run } from "./run_state.ts";
import { formatTrace, type TraceLine, Tracer } from "./trace.ts";

interface Watched {
  readonly run: Run;
  readonly views: Views;
  /** Who may ask the run to hold. */
  readonly controls: readonly RunControl[];
  readonly doctor: TrainingDoctor;
  readonly layers: LayersLog;
  readonly tracer: Tracer;
}

/** Agrees on one exit code, if several processes train and one of them was asked to end. */
type Agree = (code: number | undefined) => number | undefined | Promise<number | undefined>;

/** Trains. If somebody asked for the end, this returns the exit code. */
export async function trainEpochs(run: Run, agree: Agree = (code) => code): Promise<number | undefined> {
  const { config: { numEpochs, runName }, view, live, signal, training, state } = run;
  const { trainer } = training;
  const views = new Views(live ? [view, live] : [view]);
  const controls: RunControl[] = live ? [signal, live] : [signal];
  using doctor = await TrainingDoctor.create(training);
  using layers = new LayersLog(training, doctor.sample);
  const watched: Watched = { run, views, controls, doctor, layers, tracer: tracerOf(run, views) };
  let code: number | undefined;
  try {
    state.begin();
    views.begin({ runName, stepsPerEpoch: trainer.stepsPerEpoch, epochs: numEpochs, firstStep: trainer.step });
    await state.checkpointIfDue();
    while (!state.isOver && code === undefined) {
      try {
        await trainUntilHeld(watched);
        for (const control of controls) {
          if (control.isAsking) code ??= await state.hold(() => control.attend(state)) ?? undefined;
        }
        code = await agree(code);
        if (state.isOver || code !== undefined) await state.checkpointNow();
      } catch (error) {
        if (!(error instanceof NotFiniteError)) throw error;
        views.warning((await state.recover(error)).join("\n"));
      }
    }
    await state.settle();
    return code;
  } finally {
    await state.written();
    views.end();
  }
}

/** Trains until a checkpoint is due, a control asks, or the run may be over. */
async function trainUntilHeld(watched: Watched): Promise<void> {
  const { run, views, controls, doctor, layers, tracer } = watched;
  const { config: { numEpochs, debugTensors }, training, state, folder: { logs } } = run;
  const { trainer } = training;
  const count = numEpochs - trainer.epoch;
  const { judge, validate } = training;
  const before = trainer.step;
  const options = {
    between: (step: number) => {
      const allowed = controls.some(({ isAsking }) => isAsking) ? 0 : state.between(step);
      return allowed > 0 ? Math.min(allowed, tracer.between(step)) : 0; // only a step that runs is measured
    },
    onProgress: (steps: number, loss?: number) => views.progress(before + steps, loss),
    // What looks at the network of an epoch holds those after it up.
    evaluate: () => {
      const looks = [doctor.look(trainer.epoch), layers.look(trainer.epoch)];
      const told = validate?.().then((losses) => judge!.tell(losses));
      return told || looks.some((look) => look) ? Promise.all([told, ...looks]) : undefined;
    },
    isAhead: true,
  };
  try {
    for await (const { epoch, step, loss, verdict, rateFactor } of trainer.epochs(count, options)) {
      const valLoss = verdict ? mean(verdict.losses) : null;
      const line = { epoch, step, trainLoss: loss, valLoss, learningRate: rateFactor * training.rateOf(step - 1) };
      if (debugTensors) await tracer.settle();
      const record = await layers.line(line);
      await logs.metrics.append(line);
      if (record) {
        await logs.layers.append(record);
        views.layers(record);
      }
      state.epochDone(line);
      for (const warning of await doctor.warnings(line)) views.warning(warning);
      views.epoch(line, state.seconds, epoch === numEpochs || verdict?.isOver === true);
    }
  } finally {
    await tracer.settle(); // before a checkpoint
  }
  await state.checkpointIfDue();
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Measures steps for trace.jsonl, and under DEBUG_TENSORS all of them for the user. */
function tracerOf({ config: { trace, debugTensors }, training: { trainer }, folder }: Run, view: Views): Tracer {
  const tell = async (line: TraceLine) => {
    if (debugTensors) view.note(formatTrace(line));
    if (trace > 0 && line.step % trace === 0) await folder.logs.trace.append(line);
  };
  return new Tracer(trainer, { every: debugTensors ? 1 : trace, tell });
}
