/** Texts for a terminal: tables, numbers, and lines that fit its width, where some characters take two columns, some none. */

import { unicodeWidth } from "@std/cli/unicode-width";
import { visible } from "../../lib/base/printable.ts";

/** Rows as lines of aligned columns. Cells may hold names from files: what cannot be seen is written as in JSON. */
export function formatTable(cells: readonly (readonly string[])[], left = 1): string {
  const rows = cells.map((row) => row.map((cell) => visible(cell)));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    column < left ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

/** Digits that are shown of a number. */
const DIGITS = 6;

/** Digits of float64: with so many, each value is known. */
const MOST_DIGITS = 17;

/** The smallest difference that a range shows, as a share of its width. */
const RESOLUTION = 1e-3;

/** A number in six digits, without trailing zeros. */
export function formatNumber(value: number): string {
  return `${roundTo(value, DIGITS, Infinity)}`;
}

/** A number among others that are spread over a width: whole numbers as they are, others in six digits or as many as tell. */
export function formatNear(value: number, width: number): string {
  return `${Number.isInteger(value) ? value : roundTo(value, DIGITS, width * RESOLUTION)}`;
}

/** Rounds to some digits; to more, up to all that a float64 has, where values that differ by `step` would be the same. */
export function roundTo(value: number, digits: number, step: number): number {
  if (value === 0) return 0;
  const needed = step > 0 ? Math.floor(Math.log10(Math.abs(value))) - Math.floor(Math.log10(step)) + 1 : MOST_DIGITS;
  return +value.toPrecision(Math.min(Math.max(digits, needed), MOST_DIGITS));
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
