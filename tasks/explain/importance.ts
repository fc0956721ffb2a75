/**
 * Which columns matter: how much worse a model gets if the values of a column are shuffled among the rows (permutation
 * importance: Breiman, "Random Forests", 2001; Fisher, Rudin and Dominici 2019).
 */

import type { Folds } from "../../lib/base/folds.ts";
import { Random } from "../../lib/base/random.ts";
import { evaluate, type Evaluation } from "../../lib/evaluate/evaluation.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import type { SampledRows } from "../runs/sample_rows.ts";
import { type ColumnGroup, groupsOf } from "./columns.ts";
import { type Change, outputsOfVariants } from "./variants.ts";

/** How much worse, over the repeats. */
export interface Worse {
  readonly mean: number;
  /** Standard deviation over the repeats, divided by n as scikit-learn's permutation_importance does. */
  readonly deviation: number;
}

/** How much worse a model gets without what a column says. */
export interface ColumnImportance {
  readonly column: string;
  /** What the loss rises by, in the units of training. */
  readonly loss: Worse;
  /** What the main measure gets worse by: an error rises, a share of right rows falls. */
  readonly measure: Worse;
}

/** The main measure of a model: in raw units, higher or lower is better. */
export interface MainMeasure {
  readonly name: "rmse" | "rocAuc" | "accuracy";
  readonly value: number;
}

export interface Importance {
  /** How good the model is on the rows as they are. */
  readonly whole: Evaluation;
  readonly measure: MainMeasure;
  /** The most important column first, by the loss. */
  readonly columns: readonly ColumnImportance[];
}

/**
 * Shuffles each column some times; all inputs of a column together.
 *
 * @param saved The model.
 * @param block Scaled rows, with their places.
 * @param repeats How often each column is shuffled.
 * @param seed The same seed gives the same shuffles.
 * @param folds Where the model's members held these rows out, which.
 */
export async function importanceOf(
  saved: SavedModel,
  { x, y, places }: SampledRows,
  repeats: number,
  seed: number,
  folds?: Folds,
): Promise<Importance> {
  const { table, loss, scalers, baseline } = saved.description;
  const classes = table.target.kind === "classes" ? table.target.classes : undefined;
  const width = scalers.inputs.columns.length;
  const rows = x.length / width;
  const groups = groupsOf(table);
  const shuffles = groups.flatMap((group) =>
    Array.from({ length: repeats }, (_, repeat): Change => {
      const order = new Random(seed, `shuffle ${repeat} of ${group.column.name}`).permutation(rows);
      return (copy) => shuffle(x, copy, width, group, order);
    })
  );
  const measured: Evaluation[] = [];
  for await (const output of outputsOfVariants(saved, x, [() => {}, ...shuffles], folds && { folds, rows: places })) {
    // Only of the rows as they are is the baseline asked for.
    const options = measured.length === 0 ? { classes, baseline } : { classes };
    measured.push(evaluate(output, y, loss, scalers.targets, options));
  }
  const [whole, ...others] = measured;
  const measure = mainMeasureOf(whole);
  const sign = measure.name === "rmse" ? 1 : -1;
  const columns = groups.map(({ column }, i): ColumnImportance => {
    const own = others.slice(i * repeats, (i + 1) * repeats);
    return {
      column: column.name,
      loss: worseOf(own.map((one) => one.loss - whole.loss)),
      measure: worseOf(own.map((one) => sign * (one[measure.name]! - measure.value))),
    };
  });
  return { whole, measure, columns: columns.sort((a, b) => b.loss.mean - a.loss.mean) };
}

/** ROC-AUC of two classes, accuracy of more, RMSE of numbers. */
function mainMeasureOf({ rocAuc, accuracy, rmse }: Evaluation): MainMeasure {
  if (rocAuc !== undefined && !Number.isNaN(rocAuc)) return { name: "rocAuc", value: rocAuc };
  return accuracy === undefined ? { name: "rmse", value: rmse } : { name: "accuracy", value: accuracy };
}

function shuffle(
  x: Float32Array,
  copy: Float32Array,
  width: number,
  { first, count }: ColumnGroup,
  order: Uint32Array,
): void {
  order.forEach((from, row) => {
    for (let i = first; i < first + count; i++) copy[row * width + i] = x[from * width + i];
  });
}

function worseOf(values: readonly number[]): Worse {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
}
