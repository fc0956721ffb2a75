/** The scaled rows that a run was trained on, and what its model says of them. */

import { visible } from "../../lib/base/printable.ts";
import type { Folds } from "../../lib/base/folds.ts";
import type { RowSource } from "../../lib/data/row_source.ts";
import { type Evaluation, type EvaluationOptions, Evaluator } from "../../lib/evaluate/evaluation.ts";
import { outOfFold } from "../../lib/evaluate/out_of_fold.ts";
import { applyRule } from "../../lib/model_file/output_rule.ts";
import { Predictor } from "../../lib/evaluate/predictor.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import { foldsOf } from "../prepare/folds.ts";
import { PART_NAMES, type PartName } from "../prepare/split.ts";
import { openScaledDataset, type ScaledDataset, scaledPathOf, sourceName } from "../prepare/scaled_dataset.ts";
import { readConfig } from "../settings/config.ts";
import { SETTINGS } from "../settings/settings.ts";

/** Only the run's own settings count. */
const NO_SURROUNDINGS = { env: () => undefined, dotenv: "" };

/** The scaled rows of a run. */
export interface RunRows extends ScaledDataset {
  /** Where its members hold out parts of the training rows, which: these are its validation rows. */
  readonly folds?: Folds;
}

/** Opens the scaled rows of a run, if its model was trained on them; else gives a sentence that says why not. */
export async function openRunRows(
  runName: string,
  { description: { scalers, settings }, model }: SavedModel,
): Promise<RunRows | string> {
  const way = `\`deno task train --resume ${runName}\` makes its rows again.`;
  try {
    // Settings of another version may be unknown here.
    const known = Object.entries(settings).filter(([key]) => key in SETTINGS && key !== "TRIALS");
    const config = readConfig("train", [], NO_SURROUNDINGS, Object.fromEntries(known));
    const path = scaledPathOf(config);
    const dataset = await openScaledDataset(path);
    if (JSON.stringify(dataset.scalers) === JSON.stringify(scalers)) {
      return { ...dataset, folds: await foldsOf(dataset, config, model.members) };
    }
    dataset[Symbol.dispose]();
    if (dataset.madeOf === sourceName(config)) return `The scaled rows have changed since this run. ${way}`;
    const others = `${visible(path)} now holds those of ${visible(dataset.madeOf)}, not of ${sourceName(config)}`;
    return `The scaled rows are of something else: ${others}. ${way}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `The scaled rows of this run no longer exist. ${way}`;
    if (error instanceof RangeError || error instanceof SyntaxError) {
      return `The scaled rows cannot be read: ${visible(error.message)}. ${way}`;
    }
    throw error;
  }
}

/** Rows to judge a model by. */
export interface JudgedRows {
  readonly part: PartName;
  /** What people call them. */
  readonly name: string;
  readonly source: RowSource;
  /** Where only the members that held a row out may say what it is. */
  readonly folds?: Folds;
}

/** The rows of the first of some parts that has any. With folds those of training stand for validation rows. */
export function firstRows(
  { parts, folds }: Pick<RunRows, "parts" | "folds">,
  order: readonly PartName[],
): JudgedRows | undefined {
  const part = order.find((part) => parts[part].rows > 0 || part === "validation" && folds);
  if (part === undefined) return undefined;
  if (part === "validation" && folds) return { part, name: "out-of-fold", source: parts.train, folds };
  return { part, name: PART_NAMES[part], source: parts[part] };
}

/** The rows that a run was judged by while it trained, where there are any. */
export function validationOf(rows: RunRows): JudgedRows | undefined {
  return firstRows(rows, ["validation"]);
}

/** Measures a model on scaled rows; with folds, each by the members that held it out. */
export async function measureRows(
  { model, description: { loss, scalers, output: rule = {} } }: SavedModel,
  { source, folds }: JudgedRows,
  options: EvaluationOptions,
): Promise<Evaluation> {
  const evaluator = new Evaluator(loss, scalers.targets, options);
  using predictor = new Predictor(model, source.inputs, source.rows, loss.kind);
  const blocks = predictor.predictBlocks(source);
  for await (const { output, y } of folds ? outOfFold(blocks, folds, source.targets, loss.kind) : blocks) {
    evaluator.add(applyRule(output, rule, scalers.targets), y);
  }
  return evaluator.result();
}
