/**
 * Compares runs: the settings, rows and columns that differ, the curves of their losses, how they ended.
 *
 *   deno task compare narrow wide
 *   deno task compare narrow wide wider --json
 */

import { printable } from "../lib/base/printable.ts";
import { columnsThatDiffer, differencesOf, formatComparison, notesOf, recordsThatDiffer } from "./report/compare.ts";
import { ConfigError, type TaskConfig } from "./settings/config.ts";
import { SETTINGS } from "./settings/settings.ts";
import { readRuns } from "./runs/records.ts";
import { runTask } from "./settings/run_task.ts";

export async function main({ words: names, extras: { JSON: json = "false" } }: TaskConfig): Promise<void> {
  checkNames(names);
  const runs = await readRuns(names);
  if (json !== "true") return console.log(formatComparison(runs));
  const differing = differencesOf(runs);
  const columns = columnsThatDiffer(runs);
  const records = recordsThatDiffer(runs);
  console.log(printable(JSON.stringify({ runs, differing, records, columns, notes: notesOf(runs, differing) })));
}

function checkNames(names: readonly string[]): void {
  const wrong = names.filter((name) => SETTINGS.RUN_NAME.parse(name) === undefined);
  const twice = new Set(names.filter((name, i) => names.indexOf(name) < i));
  const faults = [
    ...names.length < 2 ? [`compare takes the names of two runs or more, ${names.length} given: compare RUN RUN`] : [],
    ...wrong.map((name) => `${JSON.stringify(name)} is not the name of a run: allowed is ${SETTINGS.RUN_NAME.allowed}`),
    ...[...twice].map((name) => `${JSON.stringify(name)} is named twice`),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
}

if (import.meta.main) await runTask("compare", main);
