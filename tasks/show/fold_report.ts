/** The measures of cross-validation, as they are printed. */

import { MEASURE_NAMES } from "./measure_names.ts";
import { formatNumber, formatTable } from "./text_table.ts";

/** A measure of each fold. */
export interface FoldMeasure {
  readonly mean: number;
  /** That of a sample, divided by the folds less one. */
  readonly deviation: number;
  /** NaN for a fold that cannot have it, as one without a row of some class: such a fold counts neither for mean nor deviation. */
  readonly each: readonly number[];
}

/** How good the members are on the rows that they held out. */
export interface FoldMeasures {
  readonly folds: number;
  /** Rows of each fold. */
  readonly rows: readonly number[];
  /** By the names of an evaluation. */
  readonly measures: Readonly<Record<string, FoldMeasure>>;
}

/** A line for each measure. */
export function formatFolds({ folds, measures }: FoldMeasures): string {
  const lines = Object.entries(measures).map(([name, { mean, deviation, each }]) => {
    const had = each.filter(Number.isFinite);
    const label = MEASURE_NAMES[name] ?? name;
    return [
      had.length < each.length ? `${label}, over ${had.length}` : label,
      formatNumber(mean),
      formatNumber(deviation),
      formatNumber(Math.min(...had)),
      formatNumber(Math.max(...had)),
    ];
  });
  return formatTable([[`over ${folds} folds`, "mean", "deviation", "least", "most"], ...lines]);
}
