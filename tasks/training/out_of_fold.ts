/** What a run with folds says of the rows that its members held out: each measure over the folds, and a file of predictions. */

import { writing } from "../../lib/base/files.ts";
import type { Folds } from "../../lib/base/folds.ts";
import { type Evaluation, type EvaluationOptions, Evaluator, toRaw } from "../../lib/evaluate/evaluation.ts";
import { classIndices } from "../../lib/evaluate/metrics.ts";
import { applyRule, type OutputRule } from "../../lib/model_file/output_rule.ts";
import type { ModelDescription } from "../../lib/model_file/saved_model.ts";
import { Answers, freeNames, rounder } from "../runs/answers.ts";
import type { ScaledDataset } from "../prepare/scaled_dataset.ts";
import { OUT_OF_FOLD } from "../runs/folder.ts";
import type { FoldMeasure, FoldMeasures } from "../show/fold_report.ts";
import type { Part } from "./training.ts";

/** Measures that are told of the folds of classes. */
const OF_CLASSES = ["loss", "accuracy", "macroF1", "rocAuc", "averagePrecision", "brier"] as const;

/** The same of numbers. */
const OF_NUMBERS = ["loss", "rmse", "mae", "r2"] as const;

/** Those that a fold without a row of some class cannot have. */
const OF_ALL_CLASSES: readonly string[] = ["macroF1", "rocAuc", "averagePrecision"];

interface FoldRequest {
  /** The validation rows, each with the output of the members that held it out. */
  readonly part: Part;
  readonly folds: Folds;
  readonly dataset: ScaledDataset;
  readonly description: ModelDescription;
  readonly options: EvaluationOptions;
  /** The folder of the run. */
  readonly folder: string;
}

/** Measures each fold by the members that held it out, and writes the file. */
export async function foldResults(request: FoldRequest): Promise<FoldMeasures> {
  await writeOutOfFold(request);
  return await measureFolds(request);
}

async function measureFolds({ part, folds, description, options }: FoldRequest): Promise<FoldMeasures> {
  const { loss, scalers: { targets }, output: rule = {} } = description;
  const columns = targets.columns.length;
  const evaluators = folds.sizes.map(() => new Evaluator(loss, targets, options));
  let first = 0;
  for await (const { output, y } of part.outputs()) {
    const ruled = applyRule(output, rule, targets);
    const rows = y.length / columns;
    for (const [fold, evaluator] of evaluators.entries()) {
      const own = Array.from({ length: rows }, (_, row) => row).filter((row) => folds.foldOf[first + row] === fold);
      const pick = (values: ArrayLike<number>) =>
        Float64Array.from({ length: own.length * columns }, (_, i) => {
          return values[own[Math.floor(i / columns)] * columns + i % columns];
        });
      if (own.length > 0) evaluator.add(pick(ruled), pick(y));
    }
    first += rows;
  }
  const results = evaluators.map((evaluator) => evaluator.result());
  const names = description.table.target.kind === "classes" ? OF_CLASSES : OF_NUMBERS;
  const told = names.flatMap((name): [string, FoldMeasure][] => {
    const each = results.map((result) => measureOf(result, name));
    return each.filter(Number.isFinite).length > 1 ? [[name, spreadOf(each)]] : [];
  });
  return { folds: folds.count, rows: folds.sizes, measures: Object.fromEntries(told) };
}

/** A measure of a fold; NaN where its rows do not allow it. */
function measureOf(result: Evaluation, name: (typeof OF_CLASSES | typeof OF_NUMBERS)[number]): number {
  const lacksClass = result.perClass?.some(({ rows }) => rows === 0);
  return lacksClass && OF_ALL_CLASSES.includes(name) ? NaN : result[name] ?? NaN;
}

/** Mean and deviation over the folds that have a measure, that of a sample. */
function spreadOf(each: readonly number[]): FoldMeasure {
  const had = each.filter(Number.isFinite);
  const mean = had.reduce((sum, value) => sum + value, 0) / had.length;
  const squares = had.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (had.length - 1)), each };
}

/**
 * Writes a row of CSV for each row that was cut into folds: where it stands in its table, the truth, and what the members that
 * held it out predict.
 */
async function writeOutOfFold({ part, dataset, description, folder }: FoldRequest): Promise<void> {
  const { places, parts: { train } } = dataset;
  const { table: { target }, loss, scalers: { targets }, output: rule = {} as OutputRule } = description;
  const origin = (await places!.read(0, train.rows)).x;
  const names = target.kind === "classes" ? [target.name] : target.names;
  const tables = origin.some((value, i) => i % 2 === 0 && value > 0) ? ["table"] : [];
  const columns = [...freeNames([...tables, "row"], names), ...names];
  const answers = new Answers(description, columns, false);
  const pieces: string[] = [];
  let first = 0;
  for await (const { output, own, y } of part.outputs()) {
    const rows = y.length / targets.columns.length;
    const truth = truthOf(y, description);
    const cells = Array.from({ length: rows }, (_, i) => {
      const [table, row] = origin.subarray(2 * (first + i));
      return [...tables.map(() => table > 0 ? "VALIDATION" : "DATA"), `${row + 1}`, ...truth[i]];
    });
    const predicted = toRaw(applyRule(output, rule, targets), loss, targets);
    pieces.push(answers.write({ cells, kept: [] }, { predicted, own }));
    first += rows;
  }
  const path = `${folder}/${OUT_OF_FOLD}`;
  const bytes = new TextEncoder().encode(pieces.join(""));
  await writing(path, bytes.length, () => Deno.writeFile(path, bytes));
}

/** What is true of each row, as cells. */
function truthOf(y: Float32Array, { table: { target }, scalers: { targets } }: ModelDescription): string[][] {
  const width = targets.columns.length;
  if (target.kind === "classes") return [...classIndices(y, width)].map((index) => [target.classes[index]]);
  const raw = targets.inverse(y);
  // They went through float32.
  const round = targets.columns.map(({ deviation }) => rounder(deviation));
  return Array.from({ length: y.length / width }, (_, row) => {
    return Array.from({ length: width }, (_, i) => `${round[i](raw[row * width + i])}`);
  });
}
