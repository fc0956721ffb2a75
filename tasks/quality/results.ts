/** Results as tables, and what is wrong with them. */

import { formatTable } from "../show/text_table.ts";
import type { Result } from "./measure.ts";
import type { Errors } from "./tables.ts";

/** Each measure by its name. */
const MEASURES: readonly (readonly [key: keyof Errors, name: string])[] = [
  ["error", "error"],
  ["logLoss", "log-loss"],
];

/** Standard deviations over seeds that a limit lies above the mean. */
const MARGIN = 3;

/** The errors that are over their limits, a text each. */
export function faultsOf(results: readonly Result[]): string[] {
  return results.flatMap(({ table, seed, errors, limits }) =>
    MEASURES.flatMap(([key, name]) => {
      const limit = limits?.[key];
      const value = errors[key];
      // An error that is not a number is over each limit.
      if (limit === undefined || (value !== undefined && value <= limit)) return [];
      return [`${table}, seed ${seed}: ${name} is ${format(value)}, and may be ${format(limit)} at most`];
    })
  );
}

/** A row for each table and seed, and with several seeds one for each table. */
export function formatResults(results: readonly Result[]): string {
  const cells = (of: Errors | undefined) => MEASURES.map(([key]) => format(of?.[key]));
  const rows = results.map(({ table, seed, rows, errors, baseline, limits, seconds }) => {
    const [error, logLoss] = cells(errors);
    const [baseError, baseLoss] = cells(baseline);
    const [maxError, maxLoss] = cells(limits);
    return [table, `${seed}`, `${rows}`, error, maxError, baseError, logLoss, maxLoss, baseLoss, seconds.toFixed(1)];
  });
  const head = "table,seed,test rows,error,limit,baseline,log-loss,limit,baseline,seconds".split(",");
  const all = formatTable([head, ...rows]);
  const tables = [...new Set(results.map(({ table }) => table))].map((name) => spreadOf(results, name));
  if (tables.every(({ seeds }) => seeds < 2)) return all;
  const spreads = tables.map(({ table, seeds, spread }) => [
    table,
    `${seeds}`,
    ...MEASURES.flatMap(([key]) => {
      const { mean, deviation } = spread[key] ?? {};
      const limit = mean === undefined || deviation === undefined ? undefined : mean + MARGIN * deviation;
      return [mean, deviation, limit].map(format);
    }),
  ]);
  const columns = ["deviation", `mean + ${MARGIN} d`];
  return `${all}\n\n${formatTable([["table", "seeds", "error", ...columns, "log-loss", ...columns], ...spreads])}`;
}

interface Spread {
  readonly mean: number;
  /** Standard deviation of a sample: over one less than the number of seeds. */
  readonly deviation: number;
}

/** Mean and deviation of a table's errors over the seeds. */
function spreadOf(results: readonly Result[], table: string) {
  const own = results.filter((result) => result.table === table);
  const spread: Partial<Record<keyof Errors, Spread>> = {};
  for (const [key] of MEASURES) {
    const values = own.flatMap(({ errors }) => errors[key] ?? []);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    if (values.length > 1) spread[key] = { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
  }
  return { table, seeds: own.length, spread };
}

function format(value: number | undefined): string {
  return value === undefined ? "-" : value.toFixed(4);
}
