/**
 * What the columns of a table hold, found in one pass in constant memory.
 *
 * @module
 */

import type { Communicator } from "../ranks/communicator.ts";
import { isMissing, isWrittenNumber, numberOf } from "./cells.ts";
import { gatherTexts, shareText } from "../ranks/together.ts";

/** Different texts of a column that are told apart; one with more is no category. */
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

/** All that a profile knows. */
interface ProfileState {
  firstMissing: number[];
  firstText?: { readonly text: string; readonly row: number };
  min: number | null;
  max: number | null;
  missing: number;
  numbers: number;
  texts: number;
  written: number;
  values?: string[];
  countsUp: boolean;
  first: number | null;
  last: number | null;
}

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
  #missing = 0;
  #numbers = 0;
  #texts = 0;
  /** Those of the texts that are numbers to a person. */
  #written = 0;
  /** Different texts; undefined once there are too many. */
  #values: Set<string> | undefined = new Set();
  #countsUp = true;
  #first = Infinity;
  #last = -Infinity;

  /**
   * Begins with no rows.
   *
   * @param name The column's name.
   */
  constructor(name: string) {
    this.name = name;
  }

  /** How many cells are missing. */
  get missing(): number {
    return this.#missing;
  }

  /** How many cells hold numbers. */
  get numbers(): number {
    return this.#numbers;
  }

  /** How many cells hold other texts. */
  get texts(): number {
    return this.#texts;
  }

  /** The different texts of cells that are not missing, in order; undefined where there are more than 1,000, or very long ones. */
  get values(): string[] | undefined {
    return this.#values && sortValues([...this.#values]);
  }

  /** Whether all cells that are not missing hold the same. */
  get isConstant(): boolean {
    return this.#texts === 0 ? this.min >= this.max : this.#values?.size === 1;
  }

  /**
   * What the column looks like. A constant has one value or none. An identifier tells rows from each other and nothing about
   * them: whole numbers that only go up in a column with a name such as "id", or texts of which more than half, or more than
   * 1,000, differ, or of which one is longer than 1,000 characters.
   */
  get look(): ColumnLook {
    const numbers = this.#numbers;
    const texts = this.#texts;
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
      this.#missing++;
      if (this.firstMissing.length < FIRST_MISSING) this.firstMissing.push(row);
      return;
    }
    const value = numberOf(cell);
    if (Number.isNaN(value)) {
      this.#texts++;
      if (isWrittenNumber(cell)) this.#written++;
      this.firstText ??= { text: cell.trim(), row };
    } else {
      this.#numbers++;
      if (value < this.min) this.min = value;
      if (value > this.max) this.max = value;
      this.#countsUp &&= value > this.#last && Number.isInteger(value);
      if (this.#numbers === 1) this.#first = value;
      this.#last = value;
    }
    if (this.#values) this.#addValue(cell.trim());
  }

  /**
   * Puts the cells of all ranks together, those of rank 0 before those of rank 1 and so on.
   *
   * @param communicator The ranks.
   * @returns What the whole column holds, the same at every rank.
   */
  async merged(communicator: Communicator): Promise<ColumnProfile> {
    if (communicator.size === 1) return this;
    const joined = new ColumnProfile(this.name);
    const texts = await gatherTexts(communicator, JSON.stringify(this.#state()));
    for (const text of texts ?? []) joined.#join(JSON.parse(text));
    const whole = await shareText(communicator, JSON.stringify(joined.#state()));
    return new ColumnProfile(this.name).#join(JSON.parse(whole));
  }

  /** All that is known; JSON has null for the infinite ends of no numbers. */
  #state(): ProfileState {
    return {
      firstMissing: this.firstMissing,
      firstText: this.firstText,
      min: this.min,
      max: this.max,
      missing: this.#missing,
      numbers: this.#numbers,
      texts: this.#texts,
      written: this.#written,
      values: this.#values && [...this.#values],
      countsUp: this.#countsUp,
      first: this.#first,
      last: this.#last,
    };
  }

  /** Adds the cells of rows behind these. */
  #join(behind: ProfileState): this {
    this.firstMissing.push(...behind.firstMissing.slice(0, FIRST_MISSING - this.firstMissing.length));
    this.firstText ??= behind.firstText;
    if (behind.numbers > 0) {
      this.min = Math.min(this.min, behind.min!);
      this.max = Math.max(this.max, behind.max!);
      this.#countsUp &&= behind.countsUp && behind.first! > this.#last;
      if (this.#numbers === 0) this.#first = behind.first!;
      this.#last = behind.last!;
    }
    this.#missing += behind.missing;
    this.#numbers += behind.numbers;
    this.#texts += behind.texts;
    this.#written += behind.written;
    if (behind.values === undefined) this.#values = undefined;
    for (const text of behind.values ?? []) if (this.#values) this.#addValue(text);
    return this;
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
