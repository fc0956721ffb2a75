/** Trains a table as its user would, and measures the model on the rows that it was not trained on. */

import { runToEnd } from "../bench/processes.ts";
import type { ShortEvaluation } from "../show/short_evaluation.ts";
import type { Errors, Table } from "./tables.ts";

/** What a training came to. */
export interface Result {
  readonly table: string;
  readonly seed: number;
  /** Rows that it was measured on. */
  readonly rows: number;
  readonly errors: Errors;
  /** Of a model that always predicts the training rows' mean or, for classes, their shares. */
  readonly baseline: Errors;
  readonly limits?: Errors;
  /** Time of the training, with the start of its process. */
  readonly seconds: number;
}

/** How all tables are trained. */
export interface Measuring {
  /** A folder for runs, empty before and after. */
  readonly folder: string;
  /** Flags of `train` with their values, instead of defaults. */
  readonly set: Readonly<Record<string, string>>;
  /** The folder to write predictions of test rows to. */
  readonly output?: string;
}

const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env"];

/**
 * Trains one table with one seed.
 *
 * @throws {Error} If the training fails; the message holds what it said.
 */
export async function measure(table: Table, seed: number, { folder, set, output }: Measuring): Promise<Result> {
  const flags = { ...table.flags, "--seed": `${seed}`, "--report": "false", "--self-test": "false", ...set };
  const args = Object.entries(flags).map(([flag, value]) => `${flag}=${value}`);
  try {
    const start = performance.now();
    await runToEnd({ script: "tasks/train.ts", args: ["--quiet", ...args], flags: PERMISSIONS, cwd: folder });
    const seconds = (performance.now() - start) / 1000;
    const { test } = JSON.parse(await Deno.readTextFile(`${folder}/data/runs/default_run/summary.json`));
    if (output !== undefined && table.testRows !== undefined) {
      await Deno.mkdir(output, { recursive: true });
      const files = [`--input=${table.testRows}`, `--output=${output}/${table.name}.csv`];
      await runToEnd({ script: "tasks/predict.ts", args: files, flags: PERMISSIONS, cwd: folder });
    }
    const of = { errors: errorsOf(test), baseline: errorsOf(test.baseline) };
    return { table: table.name, seed, rows: test.rows, ...of, limits: table.limits, seconds };
  } finally {
    await Deno.remove(`${folder}/data`, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

/** The errors of an evaluation. */
export function errorsOf({ accuracy, loss, r2 }: Pick<ShortEvaluation, "accuracy" | "loss" | "r2">): Errors {
  return accuracy === undefined ? { error: Math.sqrt(1 - r2) } : { error: 1 - accuracy, logLoss: loss };
}
