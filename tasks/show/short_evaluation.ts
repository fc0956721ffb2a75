/** Evaluations as files and JSON hold them. A matrix of 900 classes would take 40 MB of text in each. */

import type { ClassMetrics } from "../../lib/evaluate/classification_metrics.ts";
import type { ConfusionMatrix } from "../../lib/evaluate/confusion_matrix.ts";
import type { Evaluation } from "../../lib/evaluate/evaluation.ts";
import type { CurvePoint } from "../../lib/evaluate/two_classes.ts";

/** With more classes than this, only some are told. */
export const MANY_CLASSES = 50;

/** Of many classes: how many of the lowest F1, as many with the most rows, and how many pairs. */
const SOME_CLASSES = 25;
const MOST_CONFUSIONS = 100;

/** Digits of a curve's points. */
const DIGITS = 4;

/** Rows of one class that were predicted as another. */
export interface NamedConfusion {
  readonly actual: string;
  readonly predicted: string;
  readonly rows: number;
  /** Their share of the rows of the actual class. */
  readonly share: number;
}

/** An evaluation of at most {@linkcode MANY_CLASSES} classes, the curve rounded; one of more without its matrix. */
export interface ShortEvaluation extends Omit<Evaluation, "confusion" | "baseline"> {
  readonly confusion?: ConfusionMatrix;
  readonly baseline?: ShortEvaluation;
  /** How many classes there are, where `perClass` has only some. */
  readonly classes?: number;
  /** The wrong predictions with the most rows, and how many pairs of classes are confused in all. */
  readonly confusions?: readonly NamedConfusion[];
  readonly confusedPairs?: number;
}

export function shortEvaluation(evaluation: Evaluation): ShortEvaluation {
  const { confusion, perClass, baseline, ...rest } = evaluation;
  if (evaluation.curve) return withShortCurve(evaluation, evaluation.curve);
  if (!confusion || !perClass || perClass.length <= MANY_CLASSES) return evaluation;
  // That of a constant prediction tells nothing.
  const { confusion: _matrix, perClass: _classes, ...measures } = baseline ?? {};
  return {
    ...rest,
    classes: perClass.length,
    perClass: someClasses(perClass),
    confusedPairs: confusion.confusedPairs,
    confusions: confusion.largest(MOST_CONFUSIONS).map(({ actual, predicted, rows }) => ({
      actual: perClass[actual].class,
      predicted: perClass[predicted].class,
      rows,
      share: rows / perClass[actual].rows,
    })),
    ...(baseline ? { baseline: measures as ShortEvaluation } : {}),
  };
}

/** The curve of a constant prediction tells nothing. */
function withShortCurve({ baseline, ...evaluation }: Evaluation, curve: readonly CurvePoint[]): ShortEvaluation {
  const rounded = (value: number) => Number(value.toPrecision(DIGITS));
  const points = curve.map(({ threshold, falsePositiveRate, recall, precision }) => ({
    threshold: rounded(threshold),
    falsePositiveRate: rounded(falsePositiveRate),
    recall: rounded(recall),
    precision: rounded(precision),
  }));
  const short = { ...evaluation, curve: points };
  if (!baseline) return short;
  const { curve: _points, ...measures } = baseline;
  return { ...short, baseline: measures };
}

/** Of many classes those with the lowest F1 and those with the most rows, in their order. */
export function someClasses(perClass: readonly ClassMetrics[]): readonly ClassMetrics[] {
  if (perClass.length <= MANY_CLASSES) return perClass;
  const largest = perClass.toSorted((a, b) => b.rows - a.rows);
  const worst = largest.filter(({ rows }) => rows > 0).sort((a, b) => a.f1 - b.f1);
  const some = new Set([...largest.slice(0, SOME_CLASSES), ...worst.slice(0, SOME_CLASSES)]);
  return perClass.filter((one) => some.has(one));
}
