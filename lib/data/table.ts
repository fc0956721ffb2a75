/**
 * A user's table as a network sees it: which columns go in, how each becomes numbers, and what is predicted.
 *
 * @module
 */

import type { DatePart } from "./dates.ts";

/** Longest name of a column, a category or a class. */
export const MAX_NAME_LENGTH = 10_000;

/** An input column of numbers. */
export interface NumericColumn {
  /** What makes it different from other columns. */
  readonly kind: "numeric";
  /** The column's name in the header. */
  readonly name: string;
  /** The value of a missing cell; without it a missing cell is refused. */
  readonly fill?: number;
}

/**
 * An input column of names: one network input, which holds the number of the category. A name that training did not see has
 * the number after the last. With `shares` it counts as the mix of all categories, so that it says nothing; without shares
 * it is a category of its own, which it shares with `others`.
 */
export interface CategoricalColumn {
  /** What makes it different from other columns. */
  readonly kind: "categorical";
  /** The column's name in the header. */
  readonly name: string;
  /** The names seen in training that have a number of their own, in its order: 0, 1, ... */
  readonly categories: readonly string[];
  /** Share of the training rows of each category; not together with `others`. */
  readonly shares?: readonly number[];
  /** The names seen in training that are too rare for a number of their own. */
  readonly others?: readonly string[];
  /** The value of a missing cell; without it a missing cell is refused. */
  readonly fill?: string;
}

/**
 * An input column of dates: a network input for the days since `origin`; where they vary one for the year, and two, sine and
 * cosine, for each of month, weekday and hour.
 */
export interface DateColumn {
  /** What makes it different from other columns. */
  readonly kind: "date";
  /** The column's name in the header. */
  readonly name: string;
  /** How its dates are written, such as `%d.%m.%Y`; if left out, year-month-day as in ISO 8601. */
  readonly format?: string;
  /** Mean of the training rows, in days since 1970-01-01 UTC. */
  readonly origin: number;
  /** The parts that differ among the training rows. */
  readonly parts: readonly DatePart[];
  /** The value of a missing cell, in days since 1970-01-01 UTC; without it a missing cell is refused. */
  readonly fill?: number;
}

/** An input column. */
export type InputColumn = NumericColumn | CategoricalColumn | DateColumn;

/** What is predicted: numbers, or one of some classes. */
export type Target =
  | { readonly kind: "numeric"; readonly names: readonly string[] }
  | { readonly kind: "classes"; readonly name: string; readonly classes: readonly string[] };

/** What happens to missing cells of inputs. */
export type MissingPolicy = "error" | "mean" | "median" | "drop" | "category";

/** A table: its input columns, in the order in which a network takes them, and its target. */
export interface Table {
  /** The input columns, in the order of the network's inputs. */
  readonly inputs: readonly InputColumn[];
  /** What is predicted. */
  readonly target: Target;
  /** What happened to missing cells in training. */
  readonly missing: MissingPolicy;
  /** Texts that mean that a cell is missing, besides empty ones; if left out, NA, NaN, nan, null and NULL. */
  readonly missingTexts?: readonly string[];
}

/**
 * The category of missing cells under the policy "category".
 *
 * @example
 * ```ts
 * import { MISSING_CATEGORY, type Table, TableEncoder } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const color = { kind: "categorical", name: "color", categories: ["red", MISSING_CATEGORY], fill: MISSING_CATEGORY } as const;
 * const out = new Float64Array(1);
 * new TableEncoder({ inputs: [color] }).encode([""], out, 0);
 * assertEquals([...out], [1]);
 * ```
 */
export const MISSING_CATEGORY = "(missing)";

/**
 * Names of the network's inputs: the column's own for numbers and for categories, `sold (days)`, `sold (year)`,
 * `sold (month sin)` and the like for dates.
 *
 * @param inputs The input columns.
 * @returns One name per network input.
 *
 * @example
 * ```ts
 * import { encodedNames } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const color = { kind: "categorical", name: "color", categories: ["red"], others: ["teal"] } as const;
 * const sold = { kind: "date", name: "sold", origin: 19_000, parts: ["weekday"] } as const;
 * assertEquals(encodedNames([{ kind: "numeric", name: "age" }, color]), ["age", "color"]);
 * assertEquals(encodedNames([sold]), ["sold (days)", "sold (weekday sin)", "sold (weekday cos)"]);
 * ```
 */
export function encodedNames(inputs: readonly InputColumn[]): string[] {
  return inputs.flatMap(namesOf);
}

function namesOf(column: InputColumn): string[] {
  const { name } = column;
  if (column.kind !== "date") return [name];
  const parts = column.parts.flatMap((part) => part === "year" ? [part] : [`${part} sin`, `${part} cos`]);
  return ["days", ...parts].map((part) => `${name} (${part})`);
}

/**
 * How many rows of weights a network has for a categorical column: one for each category, and without shares one more for
 * the names that training did not see and those that are rare.
 */
export function nameRows({ categories, shares }: CategoricalColumn): number {
  return categories.length + (shares ? 0 : 1);
}

/**
 * The table of columns that are all numbers, none of which may be missing.
 *
 * @param features Names of the input columns.
 * @param targets Names of the target columns.
 * @returns The table.
 *
 * @example
 * ```ts
 * import { numericTable } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * assertEquals(numericTable(["x"], ["y"]), {
 *   inputs: [{ kind: "numeric", name: "x" }],
 *   target: { kind: "numeric", names: ["y"] },
 *   missing: "error",
 * });
 * ```
 */
export function numericTable(features: readonly string[], targets: readonly string[]): Table {
  const inputs = features.map((name) => ({ kind: "numeric", name } as const));
  return { inputs, target: { kind: "numeric", names: [...targets] }, missing: "error" };
}
