/**
 * Separators of CSV files, and what may be wrong where a header does not fit.
 *
 * @module
 */

import { numberOf } from "./cells.ts";

/** A character between two cells that is looked for in a header. */
export type Separator = "," | ";" | "\t" | "|";

/** The separators with their names, the most usual first. */
export const SEPARATORS: ReadonlyMap<Separator, string> = new Map([
  [",", "comma"],
  [";", "semicolon"],
  ["\t", "tab"],
  ["|", "pipe"],
]);

/** A hint for a header that lacks a column or has one twice: it may be no header, or be cut at another character. */
export function headerHint(columns: readonly string[], used: string | undefined): string {
  return commentHint(columns) || separatorHint(columns, used) || otherSeparatorHint(columns) || numbersHint(columns);
}

/** Why a row may have more or fewer cells than the header. */
export function widthHint(row: readonly string[], header: readonly string[], separator: string): string {
  const hint = commentHint(header) || separatorHint(header, separator);
  if (hint !== "") return hint;
  const name = nameOf(separator);
  const cellsBy = (record: readonly string[], other: string) => record.join(separator).split(other).length;
  const other = [...SEPARATORS].find(([other]) =>
    other !== separator && cellsBy(row, other) > 1 && cellsBy(row, other) === cellsBy(header, other)
  );
  if (other) return `; is the separator a ${other[1]}, not a ${name}? If so, say --separator ${other[1]}`;
  const rest = row.slice(header.length);
  if (rest.length === 0) return "";
  const title = header.length === 1 ? ", or if the header is in a later line, take out what stands before it" : "";
  if (rest.some((cell) => cell.trim() !== "")) return `; quote a cell that holds a ${name}${title}`;
  return `; it ends in a ${name}: take it off the ends of the rows, or write one at the end of the header, too`;
}

function commentHint([first]: readonly string[]): string {
  return first.startsWith("#") ? "; the header begins with #: if it is a comment, take it out of the file" : "";
}

/** A hint, if a header of one column holds other separators than the one that was used. */
function separatorHint(columns: readonly string[], used: string | undefined): string {
  if (columns.length > 1 || used === undefined) return "";
  const other = [...SEPARATORS].find(([separator]) => separator !== used && columns[0].includes(separator));
  return other ? `; is the separator a ${other[1]}, not a ${nameOf(used)}?` : "";
}

/** The same for separators that are not looked for. */
function otherSeparatorHint(columns: readonly string[]): string {
  if (columns.length > 1) return "";
  const mark = /[^\p{L}\p{N}\s_.()[\]"'/%-]/u.exec(columns[0])?.[0];
  if (mark !== undefined) return `; if ${mark} is the separator, write a first line sep=${mark}`;
  return /\S\s+\S/.test(columns[0]) ? "; if spaces are the separator, write commas in place of them" : "";
}

function numbersHint(columns: readonly string[]): string {
  const areNumbers = columns.some((name) => !Number.isNaN(numberOf(name)));
  return areNumbers ? "; is this the header? The first line has the names of the columns" : "";
}

/** A separator's name, for messages. */
function nameOf(separator: string): string {
  return SEPARATORS.get(separator as Separator) ?? JSON.stringify(separator);
}
