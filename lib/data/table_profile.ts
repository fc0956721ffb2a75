/**
 * What the columns of a table hold, found in one pass in constant memory.
 *
 * @module
 */

import { isMissing, isWrittenNumber, numberOf } from "./cells.ts";

/** Most different texts of a column of categories. */
export const MAX_CATEGORIES = 1000;

/** Longest text that is a category; longer ones are prose, and a thousand of them might not fit into memory. */
export const MAX_CATEGORY_LENGTH = 1000;

/** Rows of missing cells that are kept for messages. */
const FIRST_MISSING = 3;

/** Rows from which on a share of different texts says something. */
const MIN_ROWS = 20;

/** Names of columns that count rows: id, house_id, Row, Unnamed: 0; and houseId. */
const ID_NAMES = [/(^|[_\s.-])(id|idx|index|nr|no|row|uuid|key)$|^unnamed/i, /[a-z](Id|ID|Nr|No)$/];

/** What a column looks like: "mixed" holds mostly numbers, some or all of them written otherwise (1,234 or $5), or texts too. */
export type ColumnLook = "numeric" | "categorical" | "constant" | "identifier" | "mixed";

/**
 * What one column holds.
 *
 * @example
 * ```ts
 * import { ColumnProfile } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * const color = new ColumnProfile("color");
 * ["red", "NA", "blue", "red"].forEach((cell, row) => color.add(cell, row));
 * assertEquals([color.look, color.missing, color.values], ["categorical", 1, ["blue", "red"]]);
 * ```
 */
export class ColumnProfile {
  /** The column's name. */
  readonly name: string;
  /** Rows of the first missing cells, three at most. */
  readonly firstMissing: number[] = [];
  /** The first cell that is no number, and its row. */
  firstText: { readonly text: string; readonly row: number } | undefined;
  /** The smallest number. */
  min: number = Infinity;
  /** The largest number. */
  max: number = -Infinity;
  /** How many cells are missing. */
  missing: number = 0;
  /** How many cells hold numbers. */
  numbers: number = 0;
  /** How many cells hold other texts. */
  texts: number = 0;
  /** Those of the texts that are numbers to a person. */
  #written = 0;
  /** Different texts; undefined once there are too many. */
  #values: Set<string> | undefined = new Set();
  #countsUp = true;
  #last = -Infinity;

  /**
   * Begins with no rows.
   *
   * @param name The column's name.
   */
  constructor(name: string) {
    this.name = name;
  }

  /** The different texts of cells that are not missing, in order; undefined if there are more than 1,000, or very long ones. */
  get values(): string[] | undefined {
    return this.#values && sortValues([...this.#values]);
  }

  /** Whether all cells that are not missing hold the same. */
  get isConstant(): boolean {
    return this.texts === 0 ? this.min >= this.max : this.#values?.size === 1;
  }

  /**
   * What the column looks like. A constant has one value or none. An identifier tells rows from each other and nothing about
   * them: whole numbers that only go up in a column with a name such as "id", or texts of which more than half, or more than
   * 1,000, differ, or of which one is longer than 1,000 characters.
   */
  get look(): ColumnLook {
    const { numbers, texts } = this;
    if (this.isConstant) return "constant";
    if (texts === 0) {
      return this.#countsUp && ID_NAMES.some((pattern) => pattern.test(this.name)) ? "identifier" : "numeric";
    }
    if (numbers + this.#written > texts - this.#written) return "mixed";
    const cells = numbers + texts;
    const isNearlyDistinct = this.#values === undefined || (cells >= MIN_ROWS && this.#values.size > cells / 2);
    return isNearlyDistinct ? "identifier" : "categorical";
  }

  /**
   * Adds a cell.
   *
   * @param cell Its text.
   * @param row Its row.
   */
  add(cell: string, row: number): void {
    if (isMissing(cell)) {
      this.missing++;
      if (this.firstMissing.length < FIRST_MISSING) this.firstMissing.push(row);
      return;
    }
    const value = numberOf(cell);
    if (Number.isNaN(value)) {
      this.texts++;
      if (isWrittenNumber(cell)) this.#written++;
      this.firstText ??= { text: cell.trim(), row };
    } else {
      this.numbers++;
      if (value < this.min) this.min = value;
      if (value > this.max) this.max = value;
      this.#countsUp &&= value > this.#last && Number.isInteger(value);
      this.#last = value;
    }
    if (this.#values) this.#addValue(cell.trim());
  }

  #addValue(text: string): void {
    if (this.#values!.has(text)) return;
    this.#values!.add(ownText(text));
    if (this.#values!.size > MAX_CATEGORIES || text.length > MAX_CATEGORY_LENGTH) this.#values = undefined;
  }
}

/** Puts categories or classes in their order: numbers by size, texts by their characters. */
export function sortValues(values: string[]): string[] {
  const areNumbers = values.every((value) => !Number.isNaN(numberOf(value)));
  return areNumbers ? values.sort((a, b) => Number(a) - Number(b)) : values.sort();
}

/** The same text without the block of a file that it was cut from, which would stay in memory with it. */
export function ownText(text: string): string {
  return text.length < 13 ? text : new TextDecoder().decode(new TextEncoder().encode(text));
}
