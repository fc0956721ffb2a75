/**
 * A user's table as a network sees it: which columns go in, how each becomes numbers, and what is predicted.
 *
 * @module
 */

/** Longest name of a column, a category or a class. */
export const MAX_NAME_LENGTH = 10_000;

/** An input column of numbers. */
export interface NumericColumn {
  /** What makes it different from a categorical one. */
  readonly kind: "numeric";
  /** The column's name in the header. */
  readonly name: string;
  /** The value of a missing cell; without it a missing cell is refused. */
  readonly fill?: number;
}

/** An input column of names, one-hot: a network input for each category, and a last one for names not seen in training. */
export interface CategoricalColumn {
  /** What makes it different from a numeric one. */
  readonly kind: "categorical";
  /** The column's name in the header. */
  readonly name: string;
  /** The names seen in training, in the order of their inputs. */
  readonly categories: readonly string[];
  /** The value of a missing cell; without it a missing cell is refused. */
  readonly fill?: string;
}

/** An input column. */
export type InputColumn = NumericColumn | CategoricalColumn;

/** What is predicted: numbers, or one of some classes. */
export type Target =
  | { readonly kind: "numeric"; readonly names: readonly string[] }
  | { readonly kind: "classes"; readonly name: string; readonly classes: readonly string[] };

/** What happens to missing cells of inputs: empty ones, NA, NaN, null. */
export type MissingPolicy = "error" | "mean" | "median" | "drop" | "category";

/** A table: its input columns, in the order in which a network takes them, and its target. */
export interface Table {
  /** The input columns, in the order of the network's inputs. */
  readonly inputs: readonly InputColumn[];
  /** What is predicted. */
  readonly target: Target;
  /** What happened to missing cells in training. */
  readonly missing: MissingPolicy;
}

/**
 * The category of missing cells under the policy "category".
 *
 * @example
 * ```ts
 * import { MISSING_CATEGORY, type Table, TableEncoder } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const color = { kind: "categorical", name: "color", categories: [MISSING_CATEGORY, "red"], fill: MISSING_CATEGORY } as const;
 * const out = new Float64Array(3);
 * new TableEncoder({ inputs: [color] }).encode([""], out, 0);
 * assertEquals([...out], [1, 0, 0]);
 * ```
 */
export const MISSING_CATEGORY = "(missing)";

/**
 * Names of the network's inputs: `age` for a numeric column, `color=red`, `color=blue`, `color=(unseen)` for a categorical one.
 *
 * @param inputs The input columns.
 * @returns One name per network input.
 *
 * @example
 * ```ts
 * import { encodedNames } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const color = { kind: "categorical", name: "color", categories: ["red"] } as const;
 * assertEquals(encodedNames([{ kind: "numeric", name: "age" }, color]), ["age", "color=red", "color=(unseen)"]);
 * ```
 */
export function encodedNames(inputs: readonly InputColumn[]): string[] {
  return inputs.flatMap((column) =>
    column.kind === "numeric"
      ? [column.name]
      : [...column.categories, "(unseen)"].map((category) => `${column.name}=${category}`)
  );
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
