/** A column that gives the target away: one that nobody has when the model is asked, such as what was written down afterwards. */

import { showName } from "../../lib/base/printable.ts";
import { flagFor } from "../prepare/typed_names.ts";
import type { Evaluation } from "../../lib/evaluate/evaluation.ts";
import type { ColumnImportance } from "./importance.ts";

/**
 * A score is nearly perfect if so much of the baseline's squared error is gone; for classes of its wrong rows, and so much of
 * its loss. Of the loss less is asked for: a temperature keeps probabilities from 1 where validation rows are few.
 */
const PERFECT = { squares: 0.99, wrong: 0.95, loss: 0.8 };

/** A column is nearly all if it has so much of the sum of what the columns raise the loss by. */
const NEARLY_ALL = 0.9;

/** A column that is likely to give the target away. */
export interface Leak {
  readonly column: string;
  /** Its share of what all columns raise the loss by. */
  readonly share: number;
  /** Share of the baseline's squared error that is gone: r2; for classes of its wrong rows. */
  readonly score: number;
}

/** What share of the baseline's error a model takes away: r2; for classes of the wrong rows. */
function scoreOf({ accuracy, r2, baseline }: Evaluation): number {
  return accuracy === undefined ? r2 : 1 - (1 - accuracy) / (1 - (baseline?.accuracy ?? 1));
}

/** Whether a model is so good that it is worth a second look. */
export function isNearlyPerfect(evaluation: Evaluation): boolean {
  const { accuracy, loss, baseline } = evaluation;
  const score = scoreOf(evaluation);
  if (accuracy === undefined) return score >= PERFECT.squares;
  return baseline !== undefined && score >= PERFECT.wrong && 1 - loss / baseline.loss >= PERFECT.loss;
}

/**
 * The column that gives the target away, if there seems to be one. A table of one column has none: there is nothing else to
 * predict from. Two columns that both give it away share the importance, and are not found.
 */
export function leakIn(whole: Evaluation, columns: readonly ColumnImportance[]): Leak | undefined {
  if (columns.length < 2 || !isNearlyPerfect(whole)) return undefined;
  const risen = columns.map(({ loss }) => Math.max(0, loss.mean));
  const sum = risen.reduce((sum, one) => sum + one, 0);
  const largest = risen.indexOf(Math.max(...risen));
  const share = risen[largest] / sum;
  return share >= NEARLY_ALL ? { column: columns[largest].column, share, score: scoreOf(whole) } : undefined;
}

/** The warning, and what to do. */
export function leakText({ column, share }: Leak): string {
  const percent = Math.floor(100 * share);
  return `${showName(column)} is likely to give the target away: the score is nearly perfect, and ${percent}% of the ` +
    `importance is that column's; if it is not known when you predict, train with ${flagFor("--ignore", column)}`;
}
