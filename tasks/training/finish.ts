/** The end of a run: its model, its summary, its report, and what is said of them. */

import { writing } from "../../lib/base/files.ts";
import { NotFiniteError } from "../../lib/base/errors.ts";
import type { Folds } from "../../lib/base/folds.ts";
import type { Evaluation } from "../../lib/evaluate/evaluation.ts";
import type { ThresholdRule } from "../../lib/evaluate/two_classes.ts";
import { type ModelDescription, SavedModel, saveModel } from "../../lib/model_file/saved_model.ts";
import type { Model } from "../../lib/core/model.ts";
import type { Judge } from "../../lib/training/judge.ts";
import type { Trainer } from "../../lib/training/trainer.ts";
import { BUDGETS, explainModel, type Explanation } from "../explain/explain_model.ts";
import { isNearlyPerfect, leakText } from "../explain/leak.ts";
import { removeFile } from "../runs/folder.ts";
import type { PartName } from "../prepare/split.ts";
import type { ReportRequest } from "../report/writer.ts";
import { describeError } from "../settings/run_task.ts";
import { formatCoverage } from "../show/evaluation_report.ts";
import { type ShortEvaluation, shortEvaluation } from "../show/short_evaluation.ts";
import { formatFolds } from "../show/fold_report.ts";
import { formatExamples, formatParameters, formatSummary } from "../show/train_report.ts";
import type { RunView } from "../show/view.ts";
import { coverageOf, fitRule } from "./fit_rule.ts";
import type { Run } from "./run_state.ts";
import { foldResults } from "./out_of_fold.ts";
import { trainedThreshold } from "./threshold.ts";

/** How good the model is on the parts that there are. */
type Evaluations = Partial<Record<PartName, Evaluation>>;

/**
 * Ends a run. One that was stopped says how to continue; any other, and one that the live page has ended (code 0), writes its
 * model, with the weights of the best epoch, and the summary and the report.
 */
export async function finishRun(run: Run, code: number | undefined): Promise<number | void> {
  const { config, view, signal, training, folder, state, command } = run;
  const { model, dataset, trainer } = training;
  if (code !== undefined) {
    const stop = { run: folder.path, step: trainer.step, resume: `${command} --resume ${config.runName}` };
    const text = `stopped: ${folder.path}, checkpoint at ${formatPlace(trainer)}\ncontinue with: ${stop.resume}`;
    if (code !== 0) {
      view.stopped(stop, text);
      return code;
    }
    view.note(text);
  }
  signal.end(() => view.warning("finishing: model and report are being written; another Ctrl-C ends that"));
  const { seconds } = state;
  const isOther = restoreBest(training, view); // the gradients are those of the last step
  const { summary, evaluations } = await writeResults(run, seconds);
  const told = [await formatParameters(model, state.hasStepped && !isOther)];
  if (config.data === "") {
    told.push(await formatExamples(config.recipe, await SavedModel.load(model.device, folder.model)));
  }
  told.push(formatSummary(summary, namedParts(evaluations, training.folds)));
  const { interval, folds } = summary;
  if (folds) told.push(formatFolds(folds));
  if (interval) told.push(...formatCoverage(interval).map((line) => `test: ${line}`));
  told.push(`run: ${folder.path}`);
  const explanation = await explainIfPerfect(run, evaluations);
  if (explanation?.leak) view.warning(`warning: ${leakText(explanation.leak)}`);
  if (config.report) {
    const rows = { ...dataset, folds: training.folds };
    await reportRun({ runName: config.runName, device: model.device, dataset: rows, explanation }, view);
  }
  view.summary({ run: folder.path, ...summary }, told.join("\n"));
}

/** Explains a model of a table that is so good that a column may give the target away; others are not worth the time. */
async function explainIfPerfect(
  { config, training: { model, dataset: { parts }, folds }, folder }: Run,
  { validation, test, train }: Evaluations,
): Promise<Explanation | undefined> {
  const judged = validation ?? test ?? train!;
  if (config.data === "" || !isNearlyPerfect(judged)) return undefined;
  using saved = await SavedModel.load(model.device, folder.model);
  return await explainModel(saved, { parts, folds }, { budget: BUDGETS.training });
}

export function formatPlace({ step, epoch, stepsPerEpoch }: Trainer): string {
  return `step ${step}, ${step % stepsPerEpoch} of ${stepsPerEpoch} into epoch ${epoch + 1}`;
}

/** What the best weights are restored with. */
interface Judged {
  readonly trainer: Pick<Trainer, "step" | "epoch" | "stepsPerEpoch">;
  readonly judge?: Pick<Judge, "hasBest" | "restore" | "verdict">;
}

/**
 * Gives each member of the model the weights of its best epoch; says which, and whether any are others than the last. The live
 * page may end a run within an epoch, and then even those of the last whole one are.
 */
export function restoreBest({ trainer, judge }: Judged, view: Pick<RunView, "note">): boolean {
  if (!judge?.hasBest) return false;
  judge.restore();
  const { ages, best } = judge.verdict;
  if (trainer.step % trainer.stepsPerEpoch === 0 && ages.every((age) => age === 0)) return false;
  const epochs = ages.map((age) => trainer.epoch - age);
  const [first, last] = [Math.min(...epochs), Math.max(...epochs)];
  const range = (low: string, high: string) => low === high ? low : `${low} to ${high}`;
  const losses = range(Math.min(...best).toPrecision(5), Math.max(...best).toPrecision(5));
  const whose = best.length > 1 ? "for each member " : "";
  const which = `${first === last ? "epoch" : "epochs"} ${range(`${first}`, `${last}`)}`;
  view.note(`weights: ${whose}those of ${which}, with the lowest validation loss, ${losses}`);
  return true;
}

/** Measures the model, and writes it with the measures. */
async function writeResults({ config, training, folder, view }: Run, seconds: number) {
  const { model, trainer, parts, evaluatePart } = training;
  const { loss, source, dataset: { table, features, targets, scalers } } = training;
  const notes = config.data === "" ? undefined : training.dataset.notes;
  const { target } = table;
  // Folds may need more members than were asked for: what is told of the model is the number that it has.
  const settings = { ...config.texts, MEMBERS: `${model.members}` } as Record<string, string>;
  const baseline = scalers.targets.columns.map(({ mean }) => mean);
  const { seed } = config;
  const classes = target.kind === "classes" ? target.classes : undefined;
  const plain = { table, features, targets, scalers, loss, settings, seed, baseline, source, notes };
  const { calibrate, clipTargets } = config;
  const { rule, told } = await fitRule({ model: plain, parts, folds: training.folds, calibrate, clipTargets });
  for (const line of told) view.note(line);
  const validation = parts.find(({ name }) => name === "validation");
  const measure = (threshold?: number | ThresholdRule) => evaluatePart(validation!, { classes, threshold, rule });
  const threshold = await trainedThreshold(config, measure, view);
  const output = threshold === undefined ? rule : { ...rule, threshold };
  const description = Object.keys(output).length === 0 ? plain : { ...plain, output };
  const options = { baseline, classes, threshold, rule };
  const evaluations: Evaluations = {};
  const [train, ...others] = parts;
  evaluations.train = await evaluatePart(train, options); // throws for useless weights, before they are saved
  await writeModel(folder.model, model, description);
  for (const part of others) {
    try {
      evaluations[part.name] = await evaluatePart(part, options);
    } catch (error) {
      // Rows that no step has seen are no reason to lose the model.
      if (!(error instanceof NotFiniteError)) throw error;
      view.warning(`warning: the model is written, but cannot be measured on the ${part.name} rows: ${error.message}`);
    }
  }
  const { folds, dataset } = training;
  const ofFolds = folds && validation && evaluations.validation &&
    await foldResults({ part: validation, folds, dataset, description, options, folder: folder.path });
  const test = parts.find(({ name }) => name === "test");
  const interval = test && evaluations.test && await coverageOf(test, description);
  const { temperature, clip } = rule;
  const clippedTo = clip && scalers.targets.columns.map(({ name, min, max }) => ({ name, min, max }));
  const summary = {
    ...(config.data === "" ? { recipe: config.recipe } : { data: config.data, target: config.target }),
    device: model.device.name,
    steps: trainer.step,
    seconds,
    stepsPerSecond: trainer.step / seconds,
    ...summaryOf(evaluations),
    ...(ofFolds ? { folds: ofFolds } : {}),
    ...(temperature || clippedTo ? { output: { temperature, clippedTo } } : {}),
    ...(interval ? { interval } : {}),
    ...(notes ? { notes } : {}),
  };
  model.device.check(); // no result counts that comes from a GPU that has failed
  await folder.writeJson("summary.json", summary);
  return { summary, evaluations };
}

/** The parts as people read them. */
function namedParts({ train, validation, test }: Evaluations, folds?: Folds): Record<string, Evaluation> {
  return {
    ...(train ? { train } : {}),
    ...(validation ? { [folds ? "out of fold" : "validation"]: validation } : {}),
    ...(test ? { test } : {}),
  };
}

/** The measures of each part; only the last one has its curve. */
function summaryOf(evaluations: Evaluations): Record<string, ShortEvaluation> {
  const entries = Object.entries(evaluations).map(([part, one]) => [part, shortEvaluation(one)] as const);
  return Object.fromEntries(entries.map(([part, one], i) => {
    const { curve: _points, ...rest } = one;
    return [part, i === entries.length - 1 ? one : rest];
  }));
}

/** Writes the model next to the one that is there, and replaces that only by a file that can be read back. */
export async function writeModel(path: string, model: Model, description: ModelDescription): Promise<void> {
  const fresh = `${path}.new`;
  try {
    await saveModel(fresh, model, description);
    (await SavedModel.load(model.device, fresh)).dispose();
  } catch (error) {
    await removeFile(fresh);
    throw error;
  }
  const { size } = await Deno.stat(fresh);
  await writing(path, size, () => Deno.rename(fresh, path));
}

/** Writes the report. A failure becomes a warning: the run is finished without one, too. Only this loads the chart libraries. */
export async function reportRun(request: ReportRequest, view: Pick<RunView, "note" | "warning">): Promise<void> {
  try {
    const { writeReport } = await import("../report/writer.ts");
    view.note(`report: ${(await writeReport(request)).page}`);
  } catch (error) {
    const why = describeError("report", error).replace(/^error: /, "");
    view.warning(`warning: the run is complete, but has no report: ${why}`);
  }
}
