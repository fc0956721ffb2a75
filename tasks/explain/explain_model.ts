/** Explains a model by its rows: which columns matter, what it predicts by them, and whether one gives the target away. */

import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import { firstRows, type RunRows } from "../runs/run_rows.ts";
import { sampleRows } from "../runs/sample_rows.ts";
import { groupsOf } from "./columns.ts";
import { type Dependence, dependenceOf } from "./dependence.ts";
import { type ColumnImportance, importanceOf, type MainMeasure } from "./importance.ts";
import { type Leak, leakIn } from "./leak.ts";
import { affordableRows } from "./variants.ts";

/** Fewest and most rows that are shuffled, and over which predictions are averaged. */
const SHUFFLED = { least: 50, most: 10_000 };
const AVERAGED = { least: 20, most: 500 };

/** Training rows that values are taken from. */
const VALUE_ROWS = 5_000;

/** Columns whose partial dependence is told, and values of each at most. */
const DEPENDENCES = 6;
const VALUES = 20;

/** Multiplications that may be spent on each of both: at the end of a training a moment; where somebody asks for it, more. */
export const BUDGETS = { training: 5e8, asked: 2e10 };

export interface Explanation {
  /** The part that the rows are of, how many were used, and how many it has. */
  readonly part: string;
  readonly rows: number;
  readonly of: number;
  readonly repeats: number;
  readonly seed: number;
  /** How good the model is on these rows. */
  readonly loss: number;
  readonly measure: MainMeasure;
  /** The most important column first. */
  readonly columns: readonly ColumnImportance[];
  /** Of the most important columns. */
  readonly dependence: readonly Dependence[];
  readonly leak?: Leak;
}

interface ExplainOptions {
  /** How often each column is shuffled; 5 by default. */
  readonly repeats?: number;
  /** How much may be computed; decides how many rows are used. */
  readonly budget?: number;
}

/**
 * Explains a model on validation rows, with folds on training rows as the members say that held them out; where there are none on
 * test rows, else on training rows. Partial dependence is always that of the model as it is.
 */
export async function explainModel(
  saved: SavedModel,
  { parts, folds }: Pick<RunRows, "parts" | "folds">,
  { repeats = 5, budget = BUDGETS.asked }: ExplainOptions = {},
): Promise<Explanation> {
  const { table, seed = 42 } = saved.description;
  const judged = firstRows({ parts, folds }, ["validation", "test", "train"])!;
  const groups = groupsOf(table);
  const rows = within(SHUFFLED, affordableRows(saved, groups.length * repeats, budget));
  const block = await sampleRows(judged.source, rows);
  const { whole, measure, columns } = await importanceOf(saved, block, repeats, seed, judged.folds);

  const chosen = columns.slice(0, DEPENDENCES).map(({ column }) => groups.find((one) => one.column.name === column)!);
  const averaged = within(AVERAGED, affordableRows(saved, chosen.length * VALUES, budget));
  const [some, trained] = await Promise.all([sampleRows(judged.source, averaged), sampleRows(parts.train, VALUE_ROWS)]);
  return {
    part: judged.name,
    rows: whole.rows,
    of: judged.source.rows,
    repeats,
    seed,
    loss: whole.loss,
    measure,
    columns,
    dependence: await dependenceOf(saved, chosen, some.x, trained.x),
    leak: leakIn(whole, columns),
  };
}

function within({ least, most }: { least: number; most: number }, count: number): number {
  return Math.max(least, Math.min(most, count));
}
