/**
 * Cells of tables: strict numbers, and what counts as missing.
 *
 * @module
 */

import { showName } from "../base/printable.ts";

/** A decimal number. Each text is one in a single way, so that long ones take no longer than their length. */
export const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/** Texts that mean that a value is missing, besides empty ones, where nothing else is said. */
export const MISSING_TEXTS: readonly string[] = ["NA", "NaN", "nan", "null", "NULL"];

/**
 * A cell of a table that cannot be used. The message names column and text.
 *
 * @example
 * ```ts
 * import { CellError } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new CellError('"tall" is not a number', "height");
 * assertEquals(error.message, 'column "height": "tall" is not a number');
 * assertEquals([error.column, error.problem], ["height", '"tall" is not a number']);
 * ```
 */
export class CellError extends SyntaxError {
  /** Always "CellError". */
  override readonly name: string = "CellError";
  /** Name of the column. */
  readonly column: string;
  /** What is wrong, without the place. */
  readonly problem: string;

  /**
   * Puts the column before the problem.
   *
   * @param problem What is wrong, with the cell's text.
   * @param column Name of the column.
   */
  constructor(problem: string, column: string) {
    super(`column ${showName(column)}: ${problem}`);
    this.column = column;
    this.problem = problem;
  }
}

/**
 * Whether a cell holds no value: it is blank, or one of the texts that mean so.
 *
 * @param text The cell; spaces around it are ignored.
 * @param texts The texts, besides blank ones; if left out, NA, NaN, nan, null and NULL.
 * @returns True for `undefined`, a blank text and these texts.
 *
 * @example
 * ```ts
 * import { isMissing } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(["", " NA ", "null"].every((cell) => isMissing(cell)), true);
 * assertEquals(["0", "none"].some((cell) => isMissing(cell)), false);
 * assertEquals(isMissing("NA", ["?"]), false); // NA is Namibia
 * ```
 */
export function isMissing(text: string | undefined, texts: readonly string[] = MISSING_TEXTS): boolean {
  if (text === undefined) return true;
  const trimmed = text.trim();
  return trimmed === "" || texts.includes(trimmed);
}

/**
 * Reads a decimal number, as strictly as a cell of a file.
 *
 * @param text The text; spaces around it are ignored.
 * @returns The number, finite.
 * @throws {SyntaxError} If it is blank, not a number or not finite.
 *
 * @example
 * ```ts
 * import { parseNumber } from "@backhand/backhand";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(parseNumber(" -2.5e1 "), -25);
 * assertThrows(() => parseNumber("1,5"), SyntaxError, '"1,5" is not a number');
 * ```
 */
export function parseNumber(text: string): number {
  const value = numberOf(text);
  if (Number.isNaN(value)) throw new SyntaxError(`Cannot read a number: ${cellFault(text)}`);
  return value;
}

/** The number that a cell holds; NaN if it holds none, or one that is not finite. */
export function numberOf(cell: string): number {
  const text = cell.trim();
  const value = NUMBER.test(text) ? Number(text) : NaN;
  return value === Infinity || value === -Infinity ? NaN : value;
}

/** Why a cell holds no number. */
export function cellFault(cell: string): string {
  const text = cell.trim();
  if (text === "") return "the cell is blank, a number is needed";
  const shown = showCell(text);
  if (NUMBER.test(text)) return `${shown} is beyond the range of a number, about 1.8e308`;
  if (/^[+-]?(nan|inf|infinity)$/i.test(text)) return `${shown} is not finite`;
  return `${shown} is not a number`;
}

/** A cell's text in quotes, for messages, as names are shown. */
export function showCell(cell: string): string {
  return showName(cell.trim());
}
