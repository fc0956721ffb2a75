/** What training prints. */

import type { Evaluation } from "../../lib/evaluate/evaluation.ts";
import type { Model } from "../../lib/core/model.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import { formatShape } from "../../lib/base/shape.ts";
import { formatClasses, formatEvaluations } from "./evaluation_report.ts";
import { type RecipeName, recipeOf } from "../settings/recipes.ts";
import { formatNumber, formatTable } from "./text_table.ts";
import type { EpochLine } from "./view.ts";

const MAX_VALUES = 8;

/** An epoch as a line, with the seconds of training so far. */
export function formatEpoch({ epoch, trainLoss, valLoss }: EpochLine, epochs: number, seconds: number): string {
  const count = `${epoch}`.padStart(`${epochs}`.length);
  const validation = valLoss === null ? "" : `  validation loss ${valLoss.toPrecision(5)}`;
  return `epoch ${count}/${epochs}  train loss ${trainLoss.toPrecision(5)}${validation}  ${seconds.toFixed(1)} s`;
}

export async function formatParameters(model: Model, hasStepped = true): Promise<string> {
  const values = await model.read();
  const gradients = await model.readGradients();
  const rows = model.parameters.map(({ name, parameter }) => {
    const shown = [...values[name].subarray(0, MAX_VALUES)].map(formatNumber).join(", ");
    const norm = Math.sqrt(gradients[name].reduce((sum, g) => sum + g * g, 0));
    const more = values[name].length > MAX_VALUES ? ", ..." : "";
    return [name, formatShape(parameter.shape), `${shown}${more}`, hasStepped ? formatNumber(norm) : ""];
  });
  return formatTable([["parameter", "shape", "learned values", hasStepped ? "gradient norm" : ""], ...rows], 3);
}

/** What the model predicts for the recipe's examples, next to the truth. */
export async function formatExamples(recipe: RecipeName, saved: SavedModel): Promise<string> {
  using model = saved;
  const { features, targets } = model.description;
  const { examples } = recipeOf(recipe);
  const inputs = examples.map((row) => row.slice(0, features.length));
  const predicted = await model.predict(inputs.flat());
  const rows = examples.map((row, i) => {
    const pairs = targets.flatMap((_, j) => [row[features.length + j], predicted[i * targets.length + j]]);
    return [...row.slice(0, features.length), ...pairs].map(formatNumber);
  });
  return formatTable([[...features, ...targets.flatMap((name) => [name, `predicted ${name}`])], ...rows], 0);
}

/** The last summary: speed, a line per part in raw units, and the classes of the last part. */
export function formatSummary(
  { steps, seconds, stepsPerSecond }: { steps: number; seconds: number; stepsPerSecond: number },
  evaluations: Readonly<Record<string, Evaluation>>,
): string {
  const speed = `${steps} steps in ${seconds.toFixed(1)} s, ${Math.round(stepsPerSecond)} steps/s`;
  const [name, last] = Object.entries(evaluations).at(-1)!;
  const classes = formatClasses(last);
  return [speed, formatEvaluations(evaluations), ...(classes ? [`${name}:`, classes] : [])].join("\n");
}
