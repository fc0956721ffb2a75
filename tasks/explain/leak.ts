/** A column that gives the target away: one that nobody has when the model is asked, such as what was written down afterwards. */

import { showName } from "../../lib/base/printable.ts";
import { flagFor } from "../prepare/typed_names.ts";
import type { Evaluation } from "../../lib/evaluate/evaluation.ts";
import type { ColumnImportance } from "./importance.ts";

/** A score is nearly perfect if so much of the baseline's squared error, or of its loss for classes, is gone. */
const PERFECT = { numbers: 0.99, classes: 0.95 };

/** A column is nearly all if it has so much of the sum of what the columns raise the loss by. */
const NEARLY_ALL = 0.9;

/** A column that is likely to give the target away. */
export interface Leak {
  readonly column: string;
  /** Its share of what all columns raise the loss by. */
  readonly share: number;
  /** Share of the baseline's squared error that is gone: r2; for classes of its loss. */
  readonly score: number;
}

/** What share of the baseline's error a model takes away: r2; for classes of the loss. */
function scoreOf({ accuracy, r2, loss, baseline }: Evaluation): number {
  if (accuracy === undefined) return r2;
  return baseline && baseline.loss > 0 ? 1 - loss / baseline.loss : 0;
}

/** Whether a model is so good that it is worth a second look. */
export function isNearlyPerfect(evaluation: Evaluation): boolean {
  return scoreOf(evaluation) >= (evaluation.accuracy === undefined ? PERFECT.numbers : PERFECT.classes);
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
