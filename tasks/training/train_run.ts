/** One training, from its settings to its report, as a script. */

import { DataError } from "../../lib/base/errors.ts";
import type { LiveServer } from "../live/server.ts";
import { lockRun } from "../prepare/locks.ts";
import { Checkpoints, type RunFiles } from "../runs/checkpoints.ts";
import { forLogs, RunFolder } from "../runs/folder.ts";
import { type Origin, originOf, usedTexts } from "../runs/origin.ts";
import { recall } from "../runs/records.ts";
import type { TaskConfig } from "../settings/config.ts";
import { settingAt } from "../settings/faults.ts";
import { describeError } from "../settings/run_task.ts";
import { createView } from "../show/create_view.ts";
import type { RunView } from "../show/view.ts";
import { trainEpochs } from "./epochs.ts";
import { finishRun, formatPlace } from "./finish.ts";
import { openNetwork } from "./network.ts";
import { checkFiles, checkOrigin, checkSettings } from "./resume.ts";
import { openRows } from "./rows.ts";
import { type Run, RunState } from "./run_state.ts";
import { StopSignal } from "./stop_signal.ts";
import { buildTraining, type Training } from "./training.ts";

/** Who starts a training, and how. */
export interface Start {
  /** The command that starts one like it; messages tell it. */
  readonly command: string;
  /** Threads that a software adapter may take; undefined for all cores. */
  readonly threads?: number;
  /** Resolves when the search ends that this training is a trial of. */
  readonly searchEnd?: Promise<void>;
}

/** Trains a network. Returns an exit code if somebody has asked the run to end. */
export async function train(given: TaskConfig, start: Start): Promise<number | void> {
  using stack = new DisposableStack();
  const view = createView(given);
  const files = await openFiles(stack, given, view);

  // A recipe's columns are known: its rows are written only once it is sure that a device has room for them.
  const table = given.data === "" ? undefined : await openRows(stack, given, view);
  const asked = { ...given, members: table?.folds?.members ?? given.members };
  const network = await openNetwork(stack, {
    config: asked,
    view,
    table,
    checkpoint: files.checkpoint,
    threads: start.threads,
  });
  const rows = table ?? await openRows(stack, asked, view);
  const config = { ...asked, texts: usedTexts(asked.texts, rows.sources) };
  const training = await buildTraining(stack, { config, view, network, rows });
  await network.model.device.examine(); // nothing of the run is written before

  const origin = originOfTraining(training);
  const state = new RunState(config, training, files, origin);
  using signal = new StopSignal(start.searchEnd);
  await using live = await openLive(config, { training, state, view, signal });
  const run: Run = { config, view, live, signal, ...files, training, state, origin, command: start.command };
  await beginRun(run);
  return await withHint(run, async () => await finishRun(run, await trainEpochs(run)));
}

/** Locks the run, and reads the last checkpoint of one that is resumed. */
export async function openFiles(stack: DisposableStack, config: TaskConfig, view: RunView): Promise<RunFiles> {
  const folder = new RunFolder(config.runName);
  const checkpoints = new Checkpoints(folder.path, config.keepCheckpoints);
  stack.use(await lockRun(config.runName, (text) => view.warning(text)));
  if (config.extras.RESUME === undefined) return { folder, checkpoints };
  const checkpoint = await checkpoints.open((fault) => view.warning(`warning: ${fault}`));
  const record = await folder.readRecord();
  if (record) checkSettings(config, record.settings);
  const origin = record ?? checkpoint?.notes.origin;
  if (origin) await checkFiles(config, origin);
  return { folder, checkpoints, checkpoint };
}

/** What the result of a training depends on, besides its settings. */
export function originOfTraining({ model, dataset, sources, folder }: Training): Origin {
  const { name, products } = model.device;
  return { ...originOf(name, dataset.sha256, sources, folder), products };
}

/** Makes the run's folder; under --resume continues from its last checkpoint, or begins anew if there is none. */
export async function beginRun(run: Run): Promise<void> {
  const { config, view, live, folder, checkpoint, state, origin, training: { trainer } } = run;
  const isResumed = config.extras.RESUME !== undefined;
  if (checkpoint) {
    for (const what of checkOrigin(config, checkpoint.notes.origin, origin)) view.warning(`warning: ${what}`);
    await state.restore(checkpoint);
    const text = rateHint(config, state.rateFactor);
    if (text) view.warning(`warning: ${text}`);
  } else if (isResumed) {
    await beginAnew(run);
  } else {
    const aside = await folder.create();
    if (aside) view.note(`run: moved the earlier ${folder.path} to ${aside}`);
  }
  if (isResumed && !state.isOver) await folder.removeSummary(); // a run that continues has not ended
  if (checkpoint) view.note(`resume: ${folder.path} from ${formatPlace(trainer)}`);
  await folder.writeJson("config.json", config.texts);
  await folder.writeJson("origin.json", { ...origin, settings: config.texts });
  view.note(`process: ${Deno.pid}; \`kill ${Deno.pid}\` ends it with a checkpoint`);
  if (!live || !isResumed) return;
  try {
    await recall(config.runName, live);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    view.warning(`warning: the live page does not show the earlier epochs: ${error.message}`);
  }
}

/** Begins a run again that has no whole checkpoint. What there is of it is kept, and its rows must be those of then. */
async function beginAnew({ config, view, folder, origin }: Run): Promise<void> {
  const record = await folder.readRecord();
  for (const what of record ? checkOrigin(config, record, origin) : []) view.warning(`warning: ${what}`);
  if (!await folder.hasResults()) {
    await folder.cut(forLogs(() => 0));
    view.note(`resume: ${folder.path} begins again, as it has no checkpoint yet`);
    return;
  }
  const aside = await folder.create();
  view.warning(`warning: no whole checkpoint is left: the run begins anew, and what there was is kept in ${aside}`);
}

/** What a learning rate that is given to a resumed run amounts to, if not to what it says. */
function rateHint(config: TaskConfig, factor: number): string | undefined {
  const { given, learningRate, runName } = config;
  if (given.LEARNING_RATE === undefined || factor === 1) return undefined;
  const short = (value: number) => `${Number(value.toPrecision(4))}`;
  return `${settingAt("LEARNING_RATE", config)}, but ${runName} continues with ${factor} of it, ` +
    `${short(learningRate * factor)}: --on-nan halve-lr or the live page has reduced it; ` +
    `LEARNING_RATE=${short(learningRate / factor)} gives ${learningRate}`;
}

/** Serves the live page, if it was asked for. Before anything is written, because the port may be taken. */
async function openLive(
  { extras: { LIVE = "false", QUIET }, learningRate, runName }: TaskConfig,
  { training: { rateOf, judge }, state, view, signal }: Pick<Run, "training" | "state" | "view" | "signal">,
): Promise<LiveServer | undefined> {
  if (LIVE === "false") return undefined;
  const { LiveServer } = await import("../live/server.ts"); // with the page and its script
  // Whoever asked for the page has to find it, under --quiet too.
  const tell = (text: string) => QUIET === "true" ? view.warning(text) : view.note(text);
  const live: LiveServer = new LiveServer({
    port: LIVE === "true" ? undefined : Number(LIVE),
    run: state,
    rateOf: (step) => (judge?.verdict.rateFactor ?? 1) * rateOf(step),
    learningRate,
    note: (text) => [view, live].forEach((one) => one.note(text)),
    tell,
    resume: `deno task train --resume ${runName}`,
    isEnding: () => signal.isAsking,
  });
  tell(`live: ${live.url}`);
  return live;
}

/** Adds to an error how the run can continue, and shows it on the live page, too. */
export async function withHint<T>(
  { config, checkpoints, state, live, command }: Run,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const lastStep = await checkpoints.lastStep().catch(() => undefined); // the first error is the one to tell
    if (error instanceof Error && lastStep !== undefined) {
      const how = state.wouldHalvingHelp ? " --on-nan halve-lr" : "";
      const hint = `the last checkpoint is at step ${lastStep}: ` +
        `\`${command} --resume ${config.runName}${how}\` continues from there`;
      Object.defineProperty(error, "message", { value: `${error.message}\n${hint}` }); // a DOMException has no setter
    }
    live?.warning(describeError("train", error));
    throw error;
  }
}
