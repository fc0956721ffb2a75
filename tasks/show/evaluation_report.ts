/** How train and evaluate print evaluations. */

import type { Evaluation } from "../../lib/evaluate/evaluation.ts";
import type { Coverage } from "../../lib/model_file/intervals.ts";
import { visible } from "../../lib/base/printable.ts";
import { someClasses } from "./short_evaluation.ts";
import { formatNumber, formatTable } from "./text_table.ts";

/** The most classes whose confusion matrix fits a terminal. */
const MAX_SHOWN_CLASSES = 12;

/** A line per evaluation, with that of the baseline below it if it is known. */
export function formatEvaluations(evaluations: Readonly<Record<string, Evaluation>>): string {
  const isClassifier = Object.values(evaluations).some(({ accuracy }) => accuracy !== undefined);
  const hasTwoClasses = Object.values(evaluations).some(({ rocAuc }) => rocAuc !== undefined);
  const ofTwo = hasTwoClasses ? ["ROC-AUC", "avg. precision", "Brier"] : [];
  const header = isClassifier
    ? ["classified", "rows", "loss", "accuracy", "macro F1", ...ofTwo]
    : ["in raw units", "rows", "loss", "mse", "rmse", "mae", "r2"];
  // The r2 of a mean on its own rows is 0, except for rounding.
  const roundOff = (value: number) => Math.abs(value) < 1e-12 ? 0 : value;
  const line = (name: string, evaluation: Evaluation) => {
    const { rows, loss, mse, rmse, mae, r2, accuracy, macroF1, rocAuc, averagePrecision, brier } = evaluation;
    const classified = [loss, accuracy, macroF1, ...hasTwoClasses ? [rocAuc, averagePrecision, brier] : []];
    const measures = isClassifier ? classified : [loss, mse, rmse, mae, r2];
    return [name, `${rows}`, ...measures.map((value) => value === undefined ? "" : formatNumber(roundOff(value)))];
  };
  const lines = Object.entries(evaluations).flatMap(([name, evaluation]) => [
    line(name, evaluation),
    ...(evaluation.baseline ? [line(isClassifier ? "  majority class" : "  mean", evaluation.baseline)] : []),
  ]);
  return formatTable([header, ...lines]);
}

/**
 * Each class with precision, recall and F1, and after them the confusion matrix: how its rows were predicted. Of many
 * classes only some. A threshold other than 0.5 stands above.
 */
export function formatClasses({ confusion, perClass, threshold }: Evaluation): string | undefined {
  if (!confusion || !perClass) return undefined;
  const isShown = perClass.length <= MAX_SHOWN_CLASSES;
  const predicted = isShown ? perClass.map((one) => `as ${one.class}`) : [];
  const some = someClasses(perClass);
  const rows = some.map((one, i) => [
    one.class,
    `${one.rows}`,
    ...[one.precision, one.recall, one.f1].map(formatNumber),
    ...(isShown ? [...confusion.row(i)].map(String) : []),
  ]);
  const table = formatTable([["class", "rows", "precision", "recall", "F1", ...predicted], ...rows]);
  if (threshold !== undefined) {
    const name = visible(perClass[1].class);
    return `from a probability of ${formatNumber(threshold)} on, a row counts as ${name}\n${table}`;
  }
  if (some.length === perClass.length) return table;
  const which = `${some.length} of ${perClass.length} classes: those with the lowest F1, and those with the most rows`;
  return `${which}\n${table}\n\`deno task evaluate --data FILE --confusion FILE\` writes how often each is taken for which`;
}

/** How often intervals of a level held the truth. */
export interface IntervalCoverage {
  /** The share of new rows that shall lie within. */
  readonly level: number;
  /** Whether there are sets of classes instead of intervals. */
  readonly isOfClasses: boolean;
  /** Each numeric target's; of classes the one. */
  readonly targets: readonly Coverage[];
}

/** The most targets whose intervals are told. */
const MAX_INTERVALS = 10;

/** A line for each target. */
export function formatCoverage({ level, isOfClasses, targets }: IntervalCoverage): string[] {
  const lines = targets.slice(0, MAX_INTERVALS).map(({ target, coverage, width }) => {
    const held = `${(100 * coverage).toFixed(1)}% of the rows`;
    const name = targets.length > 1 ? ` of ${target}` : "";
    const size = formatNumber(Number(width.toPrecision(4)));
    return isOfClasses
      ? `sets of classes at level ${level} hold the class of ${held}, and ${size} ${
        size === "1" ? "class" : "classes"
      } on average`
      : `intervals${name} at level ${level} hold ${held}; mean width ${size}`;
  });
  const more = targets.length - lines.length;
  return more > 0 ? [...lines, `and those of ${more} more targets`] : lines;
}
