/**
 * What was made of a table, for people: what each column was taken as, and what was left out, filled in, merged or guessed.
 *
 * @module
 */

import { showJson } from "../base/printable.ts";

/** What became of a column. */
export interface ColumnNote {
  /** The column's name. */
  readonly name: string;
  /** What it was taken as: numeric, categorical, date, target, classes or left out. */
  readonly as: string;
  /** What it holds; of a column that was left out, why it was. */
  readonly holds: string;
  /** How many of its cells are missing. */
  readonly missing: number;
}

/** What became of a table. */
export interface TableNotes {
  /** Its columns, in the order of the header. */
  readonly columns: readonly ColumnNote[];
  /** What else is worth knowing, a sentence each. */
  readonly notes: readonly string[];
}

/** Most columns and notes that are read back. */
const MAX_NOTES = 200_000;

/**
 * Makes notes of parsed JSON.
 *
 * @param value The parsed JSON.
 * @returns The notes, without anything that does not belong into them.
 * @throws {SyntaxError} If it is something else.
 *
 * @example
 * ```ts
 * import { parseTableNotes } from "@backhand/backhand";
 * import { assertEquals, assertThrows } from "@std/assert";
 * const notes = { columns: [{ name: "id", as: "left out", holds: "an identifier", missing: 0 }], notes: ["1 row is left out"] };
 * assertEquals(parseTableNotes(notes), notes);
 * assertThrows(() => parseTableNotes({ columns: 3 }), SyntaxError, "Cannot read notes of a table");
 * ```
 */
export function parseTableNotes(value: unknown): TableNotes {
  const { columns, notes } = Object(value) as Record<string, unknown>;
  const isList = (list: unknown): list is unknown[] => Array.isArray(list) && list.length <= MAX_NOTES;
  if (!isList(columns) || !isList(notes) || !notes.every((note) => typeof note === "string")) {
    throw new SyntaxError(`Cannot read notes of a table: found ${showJson(value)}, need columns and notes`);
  }
  return { columns: columns.map(parseColumn), notes };
}

function parseColumn(value: unknown): ColumnNote {
  const { name, as, holds, missing } = Object(value) as Record<string, unknown>;
  const areTexts = typeof name === "string" && typeof as === "string" && typeof holds === "string";
  if (areTexts && Number.isInteger(missing)) return { name, as, holds, missing: missing as number };
  throw new SyntaxError(`Cannot read notes of a table: ${showJson(value)} is no column`);
}
