/** The end of a run: its model, its summary and its report, and what is told of them. */

import { NotFiniteError } from "../../lib/base/errors.ts";
import type { Evaluation } from "../../lib/evaluate/evaluation.ts";
import { type ModelDescription, SavedModel, saveModel } from "../../lib/model_file/saved_model.ts";
import type { Training } from "./build.ts";
import type { TaskConfig } from "../settings/config.ts";
import { reportRun } from "./end_report.ts";
import type { RunFolder } from "../runs/folder.ts";
import type { RunKeeper } from "./keeper.ts";
import type { PartName } from "../prepare/split.ts";
import { formatExamples, formatParameters, formatSummary } from "../show/train_report.ts";
import type { View } from "../show/view.ts";

/** A run that is over. */
export interface FinishedRun {
  readonly config: TaskConfig;
  readonly training: Training;
  readonly folder: RunFolder;
  readonly keeper: RunKeeper;
  readonly view: View;
  /** Whether this process has done steps of it. */
  readonly hasStepped: boolean;
}

/** Gives the model its best weights, writes it with the summary and the report, and tells what was learned. */
export async function finishRun(run: FinishedRun): Promise<void> {
  const { config, training, folder, keeper, view, hasStepped } = run;
  const { model, dataset } = training;
  const { seconds } = keeper;
  keepBest(run);
  const { summary, evaluations } = await keepResults(run, seconds);
  const told = [
    await formatParameters(model, hasStepped),
    ...(config.data === ""
      ? [await formatExamples(config.recipe, await SavedModel.load(model.device, folder.model))]
      : []),
    formatSummary(summary, evaluations),
    `run: ${folder.path}`,
  ];
  if (config.report) await reportRun({ runName: config.runName, device: model.device, dataset }, view);
  view.summary({ run: folder.path, ...summary }, told.join("\n"));
}

/** Gives the model the weights of its best epoch, where the run looked for it. */
function keepBest({ keeper: { stopping }, training: { trainer }, view }: FinishedRun): void {
  stopping?.restore();
  if (!stopping || stopping.bestEpoch === 0 || stopping.bestEpoch === trainer.epoch) return;
  const { bestEpoch, bestLoss } = stopping;
  view.note(`weights: those of epoch ${bestEpoch}, with the lowest validation loss, ${bestLoss.toPrecision(5)}`);
}

/** Measures the model, and writes it with the measures. */
async function keepResults({ config, training, folder, view }: FinishedRun, seconds: number) {
  const { model, trainer, parts, evaluatePart } = training;
  const description = describe(config, training);
  const { baseline, table: { target } } = description;
  const options = { baseline, classes: target.kind === "classes" ? target.classes : undefined };
  const evaluations: Partial<Record<PartName, Evaluation>> = {};
  const [train, ...others] = parts;
  evaluations.train = await evaluatePart(train, options); // weights that are useless are not kept as a model
  await saveModel(folder.model, model, description);
  for (const part of others) {
    try {
      evaluations[part.name] = await evaluatePart(part, options);
    } catch (error) {
      // Rows that no step saw are no reason to lose what was learned.
      if (!(error instanceof NotFiniteError)) throw error;
      view.warning(`warning: the model is written, but cannot be measured on the ${part.name} rows: ${error.message}`);
    }
  }
  const summary = {
    ...(config.data === "" ? { recipe: config.recipe } : { data: config.data, target: config.target }),
    device: model.device.name,
    steps: trainer.step,
    seconds,
    stepsPerSecond: trainer.step / seconds,
    ...evaluations,
  };
  model.device.check(); // nothing counts that comes from a GPU that has failed
  await folder.writeJson("summary.json", summary);
  return { summary, evaluations };
}

/** What the model file says of the model. */
function describe({ texts, seed }: TaskConfig, { dataset, loss, source }: Training): ModelDescription {
  const { table, features, targets, scalers } = dataset;
  const settings = texts as Record<string, string>;
  const baseline = scalers.targets.columns.map(({ mean }) => mean);
  return { table, features, targets, scalers, loss, settings, seed, baseline, source };
}
