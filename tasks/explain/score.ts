/** How good a model is on rows that did not train it, and how sure that is. */

import {
  type BootstrapInterval,
  bootstrapIntervals,
  countedMean,
  type CountedMeasure,
  countedR2,
  countedRmse,
  countedRocAuc,
} from "../../lib/evaluate/bootstrap.ts";
import { evaluate, type Evaluation, toRaw } from "../../lib/evaluate/evaluation.ts";
import { classIndices } from "../../lib/evaluate/metrics.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import type { JudgedRows } from "../runs/run_rows.ts";
import { sampleRows } from "../runs/sample_rows.ts";
import { outputsOf } from "./variants.ts";

/** Most rows that are measured: of more the interval would be wide for another reason, that they are so many. */
const MOST_ROWS = 20_000;

/** A measure with its 95% interval, and what the trivial prediction reaches. */
export interface SureMeasure {
  readonly name: "rmse" | "r2" | "accuracy" | "rocAuc";
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly baseline?: number;
}

export interface Score {
  /** Rows that were measured, and that there are. */
  readonly rows: number;
  readonly of: number;
  readonly resamples: number;
  readonly measures: readonly SureMeasure[];
  readonly evaluation: Evaluation;
}

function endsOf({ low, high }: BootstrapInterval): { low: number; high: number } {
  return { low, high };
}

/** The 95% interval of a share of right rows that is 1 or 0, of which no resample differs (Clopper and Pearson, 1934). */
function certain(share: number, rows: number): { low: number; high: number } | undefined {
  const far = 0.025 ** (1 / rows);
  return share === 1 ? { low: far, high: 1 } : share === 0 ? { low: 0, high: 1 - far } : undefined;
}

/** Measures some rows. Of more than 20,000 rows a sample is taken, spread evenly. */
export async function scoreOf(saved: SavedModel, { source, folds }: JudgedRows, seed: number): Promise<Score> {
  const { table: { target }, targets, loss, scalers, baseline, output: { threshold } = {} } = saved.description;
  const sample = await sampleRows(source, MOST_ROWS);
  const { y } = sample;
  const output = await outputsOf(saved, sample, folds);
  const classes = target.kind === "classes" ? target.classes : undefined;
  const evaluation = evaluate(output, y, loss, scalers.targets, { baseline, classes, threshold });
  const predicted = toRaw(output, loss, scalers.targets);
  const actual = scalers.targets.inverse(y);
  const width = targets.length;
  const counted: Partial<Record<SureMeasure["name"], CountedMeasure>> = {};
  if (evaluation.perClass) {
    const second = predicted.filter((_, i) => i % width === width - 1);
    const labels = classIndices(actual, width);
    const found = threshold === undefined ? classIndices(predicted, width) : classIndices(second, 1, threshold);
    counted.accuracy = countedMean(labels.map((label, row) => Number(label === found[row])));
    if (evaluation.rocAuc !== undefined) counted.rocAuc = countedRocAuc(second, labels);
  } else if (evaluation.accuracy === undefined) {
    counted.rmse = countedRmse(predicted, actual, width);
    if (width === 1) counted.r2 = countedR2(predicted, actual);
  }
  const entries = Object.entries(counted) as [SureMeasure["name"], CountedMeasure][];
  const intervals = bootstrapIntervals(evaluation.rows, entries.map((entry) => entry[1]), seed);
  return {
    rows: evaluation.rows,
    of: source.rows,
    resamples: intervals[0]?.resamples ?? 0,
    evaluation,
    measures: entries.map(([name], i) => ({
      name,
      value: evaluation[name]!,
      ...name === "accuracy"
        ? certain(evaluation.accuracy!, evaluation.rows) ?? endsOf(intervals[i])
        : endsOf(intervals[i]),
      // That of r2 is 0 by its definition.
      baseline: name === "r2" ? undefined : evaluation.baseline?.[name],
    })),
  };
}
