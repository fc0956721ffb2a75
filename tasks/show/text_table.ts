/** Tables for a terminal. */

import { printable } from "../../lib/base/printable.ts";

/** Rows as lines of aligned columns. Names in them come from files: what a terminal would obey is written out. */
export function formatTable(cells: readonly (readonly string[])[], left = 1): string {
  const rows = cells.map((row) => row.map((cell) => printable(cell)));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    column < left ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

/** A number in six digits, without trailing zeros. */
export function formatNumber(value: number): string {
  return value === 0 ? "0" : Number(value.toPrecision(6)).toString();
}
