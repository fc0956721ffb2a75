/** Texts for a terminal: tables, numbers, and lines that fit its width, where some characters take two columns, some none. */

import { unicodeWidth } from "@std/cli/unicode-width";
import { printable } from "../../lib/base/printable.ts";

/** Rows as lines of aligned columns. Cells may hold names from files: what a terminal would obey is escaped. */
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

export function cut(text: string, columns: number): string {
  return unicodeWidth(text) <= columns ? text : columns < 1 ? "" : `${headOf(text, columns - 1)}…`;
}

/** Breaks lines that are too wide, between words if possible. What continues on the next line is indented. */
export function wrap(text: string, columns: number): string[] {
  return text.split("\n").flatMap((line) => {
    const lines: string[] = [];
    let rest = line;
    while (unicodeWidth(rest) > columns) {
      const head = headOf(rest, columns);
      const space = head.trimStart().length > 0 ? head.lastIndexOf(" ") : -1;
      const isNext = rest[head.length] === " ";
      const taken = isNext || space < columns / 2 ? head.length : space;
      lines.push(rest.slice(0, taken).trimEnd());
      rest = `  ${rest.slice(taken).trimStart()}`;
    }
    return [...lines, rest];
  });
}

function headOf(text: string, columns: number): string {
  let head = "";
  let width = 0;
  for (const character of text) {
    width += unicodeWidth(character);
    if (width > columns) break;
    head += character;
  }
  return head;
}
