/** An explanation as text. */

import { printable, visible } from "../../lib/base/printable.ts";
import { MEASURE_NAMES } from "../show/measure_names.ts";
import { formatNumber, formatTable } from "../show/text_table.ts";
import type { Dependence } from "./dependence.ts";
import type { Explanation } from "./explain_model.ts";
import type { Worse } from "./importance.ts";
import { leakText } from "./leak.ts";

/** Most columns and values that are listed; JSON has all. */
const MOST_COLUMNS = 30;
const MOST_VALUES = 6;

/** Digits of a number that is spread, and of an average. */
const DIGITS = 3;

export function formatExplanation(explanation: Explanation): string {
  const { part, rows, of, repeats, loss, measure, columns, leak } = explanation;
  const name = MEASURE_NAMES[measure.name];
  const isError = measure.name === "rmse";
  const worse = ({ mean, deviation }: Worse) => [short(mean), short(deviation)];
  const shown = columns.slice(0, MOST_COLUMNS);
  const hidden = columns.length - shown.length;
  const header = ["column", "loss rises by", "+/-", `${name} ${isError ? "rises" : "falls"} by`, "+/-"];
  const table = [header, ...shown.map((one) => [one.column, ...worse(one.loss), ...worse(one.measure)])];
  const some = rows === of ? `${rows} ${part} rows` : `${rows} of ${of} ${part} rows`;
  return [
    `${some}: loss ${formatNumber(loss)}, ${name} ${formatNumber(measure.value)}`,
    `what is lost if the values of a column are shuffled among these rows, ${
      repeats === 1 ? "once" : `${repeats} times`
    }:`,
    `${formatTable(table)}${hidden > 0 ? `\nand ${hidden} more columns; --json has all` : ""}`,
    ...explanation.dependence.map(formatDependence),
    ...leak ? [printable(`warning: ${leakText(leak)}`)] : [],
  ].join("\n\n");
}

/** What is predicted on average by a column, at some of its values. */
function formatDependence({ column, outputs, points, kind }: Dependence): string {
  const step = Math.max(1, (points.length - 1) / (MOST_VALUES - 1));
  const count = Math.min(points.length, MOST_VALUES);
  const some = kind === "categorical"
    ? points.slice(0, MOST_VALUES)
    : Array.from({ length: count }, (_, i) => points[Math.round(i * step)]);
  const header = [column, ...outputs, ...kind === "categorical" ? ["rows"] : []];
  const rows = some.map(({ label, share, predicted }) => [
    label,
    ...predicted.map(short),
    ...kind === "categorical" ? [`${(100 * share).toFixed(1)}%`] : [],
  ]);
  const more = kind === "categorical" && points.length > some.length ? "; --json has more" : "";
  return `${visible(column)}: the average prediction if all rows had this value${more}\n${
    formatTable([header, ...rows])
  }`;
}

function short(value: number): string {
  return formatNumber(Number(value.toPrecision(DIGITS)));
}
