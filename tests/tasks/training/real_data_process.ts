/** Real tables, and the runs of tasks on them; see real_tables.ts. */

import { assert, assertEquals } from "@std/assert";
import type { Evaluation } from "../../../lib/evaluate/evaluation.ts";
import { pathInProject, warningsOf, Workplace } from "../../support/run_task_process.ts";

/** The flags that tell a table's target and what else its columns need. */
const REAL_TABLES: Readonly<Record<string, readonly string[]>> = {
  cars: ["--data", "cars.csv", "--target", "economy (mpg)", "--ignore", "name", "--missing", "drop"],
  iris: ["--data", "iris.csv", "--target", "species"],
  penguins: ["--data", "penguins.csv", "--target", "species", "--missing", "median"],
  diamonds: ["--data", "diamonds.csv", "--target", "price"],
};

/** A folder with the tables as cars.csv, diamonds.csv, iris.csv and penguins.csv. */
export async function withRealTables(): Promise<Workplace> {
  const place = await Workplace.create();
  // Without the project's lock file, into which the tables' packages would be written, and then downloaded by every task.
  const args = ["run", "--quiet", "--no-config", "--no-check", "--no-prompt", "--allow-write=."];
  const { code, stderr } = await place.runDeno([...args, pathInProject("tests/tasks/training/real_tables.ts"), "."]);
  assertEquals(code, 0, stderr);
  return place;
}

/** Trains a run named as table and seed, which has no cause to warn; gives its measures on the test part. */
export async function trainOn(
  place: Workplace,
  table: string,
  seed: number,
  args: readonly string[] = [],
): Promise<Evaluation> {
  const run = `${table}-${seed}`;
  const flags = [...REAL_TABLES[table], "--seed", `${seed}`, "--run-name", run, ...args];
  assertEquals(warningsOf(await place.succeed("train", flags)), [], run);
  const { test } = JSON.parse(await place.read(`data/runs/${run}/summary.json`));
  assert(test.rows > 0);
  return test;
}

/** The middle one of an odd count of numbers. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
