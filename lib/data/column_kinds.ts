/**
 * What cells are, and what columns look like.
 *
 * @module
 */

/**
 * What a column looks like. "placeholders" holds numbers, or dates, and texts such as `?` in place of some; "other dates"
 * holds dates that are not written year-month-day; "mixed" mostly numbers or dates, but some of them written otherwise (1,234
 * or $5), or texts too; "prose" texts that are too long or too many to be names.
 */
export type ColumnLook =
  | "numeric"
  | "date"
  | "categorical"
  | "constant"
  | "identifier"
  | "prose"
  | "placeholders"
  | "other dates"
  | "mixed";

/**
 * What a cell is that is not missing. "written" and "unit" are numbers that are written otherwise, "other date" such a date,
 * and "no date" a day or time that there is not, such as 2024-02-30.
 */
export type CellKind = "number" | "date" | "other date" | "no date" | "written" | "unit" | "placeholder" | "text";

/** How to read a column. */
export interface ProfileOptions {
  /** Texts that mean that a cell is missing, besides blank ones; if left out, NA, NaN, nan, null and NULL. */
  readonly missingTexts?: readonly string[];
  /** Whether its numbers are names: all that differ are counted then, not only up to 1,000. */
  readonly isNames?: boolean;
  /** What is said of its dates, if it is said to hold dates: their format, or year-month-day without one. */
  readonly dates?: { readonly format?: string };
  /** Bytes that are left for names, which the columns of a table share; if left out, the column has 400 MB of its own. */
  readonly room?: { left: number };
}
