/** What train and evaluate print of evaluations. */

import type { Evaluation } from "../../lib/evaluate/evaluation.ts";
import { formatNumber, formatTable } from "./text_table.ts";

/** Classes up to which a confusion matrix fits a terminal. */
const MAX_SHOWN_CLASSES = 12;

/** A line per evaluation, with the trivial prediction's under it where it is known. */
export function formatEvaluations(evaluations: Readonly<Record<string, Evaluation>>): string {
  const isClassifier = Object.values(evaluations).some(({ accuracy }) => accuracy !== undefined);
  const header = isClassifier
    ? ["classified", "rows", "loss", "accuracy", "macro F1"]
    : ["in raw units", "rows", "loss", "mse", "rmse", "mae", "r2"];
  const line = (name: string, { rows, loss, mse, rmse, mae, r2, accuracy, macroF1 }: Evaluation) => {
    const measures = isClassifier ? [loss, accuracy, macroF1] : [loss, mse, rmse, mae, r2];
    return [name, `${rows}`, ...measures.map((value) => value === undefined ? "" : formatNumber(roundOff(value)))];
  };
  const lines = Object.entries(evaluations).flatMap(([name, evaluation]) => [
    line(name, evaluation),
    ...(evaluation.baseline ? [line(isClassifier ? "  majority class" : "  mean", evaluation.baseline)] : []),
  ]);
  return formatTable([header, ...lines]);
}

/** Each class with its precision, recall and F1, and behind them how its rows were predicted: the confusion matrix. */
export function formatClasses({ confusion, perClass }: Evaluation): string | undefined {
  if (!confusion || !perClass) return undefined;
  const isShown = perClass.length <= MAX_SHOWN_CLASSES;
  const predicted = isShown ? perClass.map((one) => `as ${one.class}`) : [];
  const rows = perClass.map((one, i) => [
    one.class,
    `${one.rows}`,
    ...[one.precision, one.recall, one.f1].map(formatNumber),
    ...(isShown ? confusion[i].map(String) : []),
  ]);
  return formatTable([["class", "rows", "precision", "recall", "F1", ...predicted], ...rows]);
}

/** A mean's r2 on its own rows is 0 but for rounding. */
function roundOff(value: number): number {
  return Math.abs(value) < 1e-12 ? 0 : value;
}
