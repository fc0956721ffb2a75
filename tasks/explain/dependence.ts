/**
 * What a model predicts on average if a column has one value in all rows (partial dependence: Friedman, "Greedy function
 * approximation", 2001), at values that rows have.
 */

import { toRaw } from "../../lib/evaluate/evaluation.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import { type ColumnGroup, gridOf } from "./columns.ts";
import { type Change, outputsOfVariants } from "./variants.ts";

/** Most outputs whose predictions are told: of many classes the most frequent. */
const MOST_OUTPUTS = 8;

/** The average prediction at one value of a column. */
export interface DependencePoint {
  /** What the table calls the value. */
  readonly label: string;
  /** The number, days since 1970-01-01 UTC, or the place among the names. */
  readonly at: number;
  /** Share of the training rows that lie nearest to it: where it is small, the model has seen little. */
  readonly share: number;
  /** The average prediction of each output, in raw units or as a probability. */
  readonly predicted: readonly number[];
}

export interface Dependence {
  readonly column: string;
  readonly kind: "numeric" | "categorical" | "date";
  /** Targets, or classes; of two classes only the second. */
  readonly outputs: readonly string[];
  /** In ascending order; names with the most frequent first. */
  readonly points: readonly DependencePoint[];
}

/**
 * Partial dependence of some columns.
 *
 * @param saved The model.
 * @param groups The columns.
 * @param x Scaled rows [n, inputs] over which predictions are averaged.
 * @param trained Scaled training rows, from which the values come.
 */
export async function dependenceOf(
  saved: SavedModel,
  groups: readonly ColumnGroup[],
  x: Float32Array,
  trained: Float32Array,
): Promise<Dependence[]> {
  const { loss, scalers, targets } = saved.description;
  const width = scalers.inputs.columns.length;
  const shown = shownOutputs(saved);
  const grids = groups.map((group) => gridOf(group, trained, scalers.inputs));
  const changes = grids.flatMap((grid, i) =>
    grid.map(({ inputs }): Change => (copy) => {
      for (let at = groups[i].first; at < copy.length; at += width) copy.set(inputs, at);
    })
  );
  const averages: number[][] = [];
  for await (const output of outputsOfVariants(saved, x, changes)) {
    const predicted = toRaw(output, loss, scalers.targets);
    const rows = predicted.length / targets.length;
    averages.push(shown.map(({ place }) => {
      let sum = 0;
      for (let at = place; at < predicted.length; at += targets.length) sum += predicted[at];
      return sum / rows;
    }));
  }
  let next = 0;
  return grids.map((grid, i) => ({
    column: groups[i].column.name,
    kind: groups[i].column.kind,
    outputs: shown.map(({ name }) => name),
    points: grid.map(({ label, at, share }) => ({ label, at, share, predicted: averages[next++] })),
  }));
}

/** The outputs that are told, and where they stand. */
function shownOutputs(
  { description: { table: { target }, targets, baseline } }: SavedModel,
): { name: string; place: number }[] {
  if (target.kind === "classes" && target.classes.length === 2) {
    return [{ name: target.classes[1], place: targets.length - 1 }];
  }
  const all = targets.map((name, place) => ({ name, place }));
  if (target.kind === "numeric" || !baseline) return all.slice(0, MOST_OUTPUTS);
  const frequent = all.toSorted((a, b) => baseline[b.place] - baseline[a.place]).slice(0, MOST_OUTPUTS);
  return frequent.sort((a, b) => a.place - b.place);
}
