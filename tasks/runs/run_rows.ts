/** The scaled rows that a run was trained on, and what its model says of them. */

import { visible } from "../../lib/base/printable.ts";
import type { RowSource } from "../../lib/data/row_source.ts";
import { type Evaluation, type EvaluationOptions, Evaluator } from "../../lib/evaluate/evaluation.ts";
import { applyRule } from "../../lib/model_file/output_rule.ts";
import { Predictor } from "../../lib/evaluate/predictor.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import { openScaledDataset, type ScaledDataset, scaledPathOf, sourceName } from "../prepare/scaled_dataset.ts";
import { readConfig } from "../settings/config.ts";
import { SETTINGS } from "../settings/settings.ts";

/** Only the run's own settings count. */
const NO_SURROUNDINGS = { env: () => undefined, dotenv: "" };

/** Opens the scaled rows of a run, if its model was trained on them; else gives a sentence that says why not. */
export async function openRunRows(
  runName: string,
  { description: { scalers, settings } }: SavedModel,
): Promise<ScaledDataset | string> {
  const way = `\`deno task train --resume ${runName}\` makes its rows again.`;
  try {
    // Settings of another version may be unknown here.
    const known = Object.entries(settings).filter(([key]) => key in SETTINGS && key !== "TRIALS");
    const config = readConfig("train", [], NO_SURROUNDINGS, Object.fromEntries(known));
    const path = scaledPathOf(config);
    const dataset = await openScaledDataset(path);
    if (JSON.stringify(dataset.scalers) === JSON.stringify(scalers)) return dataset;
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

/** Measures a model on scaled rows. */
export async function measureRows(
  { model, description: { loss, scalers, output: rule = {} } }: SavedModel,
  source: RowSource,
  options: EvaluationOptions,
): Promise<Evaluation> {
  const evaluator = new Evaluator(loss, scalers.targets, options);
  using predictor = new Predictor(model, source.inputs, source.rows, loss.kind);
  for await (const { output, y } of predictor.predictBlocks(source)) {
    evaluator.add(applyRule(output, rule, scalers.targets), y);
  }
  return evaluator.result();
}
