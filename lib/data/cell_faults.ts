/**
 * What is wrong with a cell of a known column, and what to do.
 *
 * @module
 */

import { CellError, cellFault, showCell } from "./cells.ts";
import { isPlaceholder, writtenNumber } from "./odd_cells.ts";

/** Why a cell holds no date. */
export function dateFault(cell: string, format: string | undefined): string {
  const form = format === undefined
    ? "a date is written 2026-01-31, or 2026-01-31T12:00"
    : `dates are said to be ${format}`;
  return `${showCell(cell)} is no such date: ${form}`;
}

/** Why a cell holds no number, and what to write where that is known. */
export function numberFault(cell: string): string {
  const plain = writtenNumber(cell)?.plain;
  return cellFault(cell) + (plain === undefined ? blankHint(cell) : `; write it as ${plain}`);
}

/** What to do about a cell such as `?`. */
export function blankHint(cell: string): string {
  return isPlaceholder(cell.trim(), true) ? "; if it means that a value is missing, leave the cell blank" : "";
}

/** That a cell is missing where none may be. */
export function missingCell(cell: string | undefined, column: string): CellError {
  const found = cell === undefined || cell.trim() === "" ? "the cell is empty" : `the cell is ${showCell(cell)}`;
  const fix = "fill it in, or train with --missing mean, median or category";
  return new CellError(`${found}, and the column has no fill value: ${fix}`, column);
}
