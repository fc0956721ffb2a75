/** One training, from its settings to its report. */

import { DataError } from "../../lib/base/errors.ts";
import { together } from "../../lib/ranks/together.ts";
import type { Trainer } from "../../lib/training/trainer.ts";
import { VERSION } from "../../lib/base/version.ts";
import type { Training } from "./build.ts";
import { Checkpoints, NoCheckpoints, type Origin, type RunCheckpoint } from "../runs/checkpoints.ts";
import type { TaskConfig } from "../settings/config.ts";
import { createView } from "../show/create_view.ts";
import { trainEpochs } from "./epochs.ts";
import { finishRun } from "./finish.ts";
import type { LiveServer } from "../live/server.ts";
import { lockRun } from "../prepare/locks.ts";
import { prepare } from "./prepare.ts";
import { QuietView } from "../show/plain_view.ts";
import { checkSame, checkWeights, NO_RANKS, onFirst, type Ranks, shareCheckpoint, shareWeights } from "../mpi/ranks.ts";
import { checkOrigin } from "./resume.ts";
import { forLogs, NoFolder, RunFolder } from "../runs/folder.ts";
import { RunKeeper } from "./keeper.ts";
import { recall } from "../runs/records.ts";
import { describeError } from "../settings/run_task.ts";
import { Spectators } from "../show/spectator.ts";
import { StopSignal } from "./stop_signal.ts";
import { endOfSearch } from "../tune/trial_environment.ts";
import type { View } from "../show/view.ts";

/** Trains, as one of some ranks or alone. */
export async function train(config: TaskConfig, ranks: Ranks = NO_RANKS): Promise<number | void> {
  using stack = new DisposableStack();
  const { communicator } = ranks;
  const isFirst = communicator.rank === 0;
  const hasOthers = communicator.size > 1;
  const view = await together(communicator, () => isFirst ? createView(config) : new QuietView(() => {}));
  // Before anything hangs on them, and before anything is written.
  if (hasOthers) await checkSame(communicator, config.texts);
  const folder = new (isFirst ? RunFolder : NoFolder)(config.runName);
  const checkpoints = new (isFirst ? Checkpoints : NoCheckpoints)(folder.path, config.keepCheckpoints);
  const found = await onFirst(communicator, async () => {
    stack.use(await lockRun(config.runName, (text) => view.warning(text)));
    return config.extras.RESUME === undefined ? undefined : await checkpoints.open(warner(view));
  });
  const checkpoint = await shareCheckpoint(communicator, found);
  const training = await prepare(stack, { config, view, checkpoint, ranks });
  const { trainer, model, dataset } = training;

  const size = hasOthers ? { ranks: communicator.size } : {};
  const origin = { version: VERSION, device: model.device.name, data: dataset.sha256, ...size };
  const keeper = stack.use(new RunKeeper(config, training, folder, checkpoints, origin));
  using signal = new StopSignal(endOfSearch());
  await using live = await openLive(config, { training, keeper, view, signal });
  await together(communicator, () => takeUp(config, { folder, keeper, checkpoint, origin, trainer, view, isFirst }));
  if (live && config.extras.RESUME !== undefined) await recallPast(config, live, view);
  if (hasOthers) await shareWeights(communicator, model);
  const begunAt = trainer.step;
  const guests = live ? [live] : [];
  const party = {
    config,
    training,
    keeper,
    spectators: new Spectators([view, ...guests]),
    controls: [signal, ...guests],
    communicator,
  };
  return await withHint({ config, checkpoints, keeper, live, ranks }, async () => {
    const code = await trainEpochs(party).finally(() => party.spectators.end());
    if (hasOthers) await checkWeights(communicator, model.values);
    if (!isFirst) return code;
    if (code !== undefined) {
      const stop = { run: folder.path, step: trainer.step, resume: `${ranks.command} --resume ${config.runName}` };
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

/** What a run takes up from. */
interface Beginning {
  folder: RunFolder;
  keeper: RunKeeper;
  checkpoint: RunCheckpoint | undefined;
  origin: Origin;
  trainer: Trainer;
  view: View;
  isFirst: boolean;
}

/** Makes the run's folder, or takes the run up where it was left. */
async function takeUp(config: TaskConfig, begin: Beginning): Promise<void> {
  const { folder, keeper, checkpoint, origin, trainer, view, isFirst } = begin;
  const isResumed = config.extras.RESUME !== undefined;
  if (checkpoint) {
    // Of the ranks' devices a checkpoint names the first one's.
    if (isFirst) { for (const what of checkOrigin(config, checkpoint.notes.origin, origin)) warner(view)(what); }
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
  const { LiveServer } = await import("../live/server.ts"); // with the page and its script
  const live: LiveServer = new LiveServer({
    port: LIVE === "true" ? undefined : Number(LIVE),
    run: keeper,
    rateOf,
    learningRate,
    note: (text) => [view, live].forEach((one) => one.note(text)),
    isEnding: () => signal.isAsking,
  });
  const line = `live: ${live.url}`;
  if (QUIET === "true") view.warning(line); // whoever asked for the page has to find it
  else view.note(line);
  return live;
}

/** A run that may fail. */
interface Hinted {
  config: TaskConfig;
  checkpoints: Checkpoints;
  keeper: RunKeeper;
  live: LiveServer | undefined;
  ranks: Ranks;
}

/** Says with an error what is left of the run, on the live page too. */
async function withHint<T>(hinted: Hinted, work: () => Promise<T>): Promise<T> {
  const { config: { runName }, checkpoints, keeper, live, ranks } = hinted;
  try {
    return await work();
  } catch (error) {
    const lastStep = await checkpoints.lastStep().catch(() => undefined); // the first error is the one to tell
    if (error instanceof Error && lastStep !== undefined) {
      const how = keeper.wouldHalvingHelp ? " --on-nan halve-lr" : "";
      const hint =
        `the run is kept at step ${lastStep}: \`${ranks.command} --resume ${runName}${how}\` goes on from there`;
      Object.defineProperty(error, "message", { value: `${error.message}\n${hint}` }); // a DOMException has no setter
    }
    live?.warning(describeError("train", error));
    throw error;
  }
}

/** Where a run is, in words. */
function formatPlace({ step, epoch, stepsPerEpoch }: Trainer): string {
  return `step ${step}, ${step % stepsPerEpoch} of ${stepsPerEpoch} into epoch ${epoch + 1}`;
}
