/**
 * What the columns of a table hold, found in one pass in bounded memory.
 *
 * @module
 */

import { isMissing, MISSING_TEXTS, numberOf } from "./cells.ts";
import type { CellKind, ColumnLook, ProfileOptions } from "./column_kinds.ts";
import { addCode, ColumnNames, isExact, MAX_NAMES, ownText, sortValues } from "./column_names.ts";
import { formatsOf, isNoDate } from "./date_formats.ts";
import { dateReader, hasZone } from "./dates.ts";
import { SURE_DIGITS } from "./names.ts";
import { isPlaceholder, writtenNumber } from "./odd_cells.ts";
import { ValueRange } from "./statistics.ts";

export { ownText, sortValues } from "./column_names.ts";

/** Most classes of a target, and most different numbers that are kept of a column that holds nothing else. */
export const MAX_CLASSES = 1000;

/** Rows of missing cells that are kept for messages. */
const FIRST_MISSING = 3;

/** Different placeholders and missing texts that are kept for messages. */
const MAX_PLACEHOLDERS = 16;

/** Different units up to which numbers with units are numbers; with more of them they are names, such as seats. */
const MAX_UNITS = 3;

/** Different numbers or dates from which on a column is no longer one of names, if there are as many for each text. */
const MANY_VALUES = 10;
const MANY_VALUES_A_TEXT = 4;

/** Of texts beyond those that are counted, one in so many is looked at. */
const SAMPLE_STEP = 16;

/** Rows from which on a share of different texts says something. */
const MIN_ROWS = 20;

/** Names of columns that count rows: id, house_id, Row, Unnamed: 0; and houseId. */
const ID_NAMES = [/(^|[_\s.-])(id|idx|index|nr|no|row|uuid|key)$|^unnamed/i, /[a-z](Id|ID|Nr|No)$/];

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
 *
 * const price = new ColumnProfile("price");
 * ["1.5", "?", "7"].forEach((cell, row) => price.add(cell, row));
 * assertEquals([price.look, [...price.placeholders]], ["placeholders", [["?", 1]]]);
 * ```
 */
export class ColumnProfile {
  /** The column's name. */
  readonly name: string;
  /** Rows of the first missing cells, three at most. */
  readonly firstMissing: number[] = [];
  /** The first cell of each kind, and its row. */
  readonly first: Partial<Record<CellKind, { readonly text: string; readonly row: number }>> = {};
  /** Texts such as `?` that hold the place of a value, with their counts; the first sixteen different ones. */
  readonly placeholders: Map<string, number> = new Map();
  /** Missing texts that were found, such as NA. */
  readonly missingFound: Set<string> = new Set();
  /** The formats under which all dates are read that are not written year-month-day. */
  dateFormats: readonly string[] | undefined;
  /** The range of its numbers. */
  readonly range: ValueRange = new ValueRange();
  /** The range of its dates, in days since 1970-01-01 UTC. */
  readonly days: ValueRange = new ValueRange();
  /** The first date with a zone, and the first without one. */
  readonly zones: { with?: string; without?: string } = {};
  /** How many cells are missing. */
  missing: number = 0;
  /** How many cells hold numbers. */
  numbers: number = 0;
  /** How many cells hold no number, but a date or any other text. */
  texts: number = 0;
  /** Numbers with zeros in front, such as zip codes: how many, and the first. */
  readonly zeroLed: { count: number; first?: string } = { count: 0 };
  /** Whole numbers of more than 15 digits, some of which a float64 does not hold. */
  readonly overlong: { count: number; first?: string } = { count: 0 };
  /** Whether names were counted only after the first thousand different numbers: their count is a lower bound. */
  isNamesCut: boolean = false;
  readonly #counts: Partial<Record<CellKind, number>> = {};
  readonly #units = new Set<string>();
  readonly #missingTexts: readonly string[];
  /** Whether a number may mean that a cell is missing, such as -999. */
  readonly #hasMissingNumbers: boolean;
  readonly #isNames: boolean;
  readonly #isDates: boolean;
  readonly #dayOf: (text: string) => number;
  readonly #names: ColumnNames<CellKind>;
  /** What the last text was that is no date and no placeholder. */
  #lastKind: CellKind | undefined;
  #countsUp = true;
  #last = -Infinity;

  /**
   * Begins with no rows.
   *
   * @param name The column's name.
   * @param options What is said of it.
   */
  constructor(name: string, { missingTexts = MISSING_TEXTS, isNames = false, dates, room }: ProfileOptions = {}) {
    this.name = name;
    this.#missingTexts = missingTexts;
    this.#hasMissingNumbers = missingTexts.some((text) => !Number.isNaN(numberOf(text)));
    this.#isNames = isNames;
    this.#isDates = dates !== undefined;
    this.#dayOf = dateReader(dates?.format);
    this.#names = new ColumnNames(isNames ? MAX_NAMES : MAX_CLASSES, room);
  }

  /** The different names of cells that are not missing, in order, each as it is first spelt; undefined if they are not counted. */
  get values(): string[] | undefined {
    return this.#names.fault ? undefined : sortValues(this.#names.values);
  }

  /** How many different names there are; undefined if they are not counted. */
  get different(): number | undefined {
    return this.#names.fault ? undefined : this.#names.size;
  }

  /** Why names are not counted: they are too many, one is too long, or there is no room left. */
  get namesFault(): "many" | "long" | "large" | undefined {
    return this.#names.fault;
  }

  /** The different spellings of some kinds of cells; none if names are not counted. */
  namesOf(...kinds: CellKind[]): string[] {
    return this.#names.ofKinds(kinds);
  }

  /** Whether all cells that are not missing hold the same. */
  get isConstant(): boolean {
    if (this.texts === 0 && !this.#isNames) return this.range.min >= this.range.max;
    const areDates = this.count("date") === this.texts + this.numbers;
    return (!this.isNamesCut && (this.different ?? 2) < 2) || (areDates && this.days.min >= this.days.max);
  }

  /**
   * How many cells are of a kind. Numbers with more than three different units are other texts, and so are days that there are
   * not, unless there are dates besides them: then they are other dates.
   */
  count(kind: CellKind): number {
    const { [kind]: count = 0, unit = 0, "no date": noDates = 0, date = 0, "other date": others = 0 } = this.#counts;
    if (kind === "number") return this.numbers;
    const isUnit = kind === (this.#units.size > MAX_UNITS ? "text" : "written");
    const isNoDate = kind === (date + others > 0 ? "other date" : "text");
    return count + (isUnit ? unit : 0) + (isNoDate ? noDates : 0);
  }

  /** The first cell that is neither of a kind nor a placeholder. */
  firstBut(...kinds: CellKind[]): { readonly text: string; readonly row: number } | undefined {
    const [first] = Object.entries(this.first)
      .filter(([kind]) => kind !== "placeholder" && !kinds.includes(kind as CellKind))
      .map(([_, cell]) => cell).sort((a, b) => a.row - b.row);
    return first;
  }

  /** Whether the column is one of dates to a person, and not of numbers. */
  get isMostlyDates(): boolean {
    return this.#isDates || this.count("date") + this.count("other date") > this.numbers + this.count("written");
  }

  /**
   * What the column looks like. A constant has one value or none. An identifier tells rows from each other and nothing about
   * them: whole numbers that only go up in a column with a name such as "id", or texts of which more than half differ. Names
   * may be 65,536, of 1,000 characters at most.
   */
  get look(): ColumnLook {
    if (this.isConstant) return "constant";
    if (this.texts === 0 && !this.#isDates) {
      return this.#countsUp && ID_NAMES.some((pattern) => pattern.test(this.name)) ? "identifier" : "numeric";
    }
    const numbers = this.numbers + this.count("written");
    const dates = this.count("date");
    const others = this.count("other date");
    const texts = this.count("text");
    const rest = this.count("placeholder") > 0 ? "placeholders" : undefined;
    if (this.#isDates) return numbers + others + texts > 0 ? "mixed" : rest ?? "date";
    if (numbers + dates + others <= texts || numbers + dates + others === 0) {
      return this.#isOneTextAmongMany() ? "mixed" : this.#nameLook();
    }
    if (!this.isMostlyDates) return numbers > this.numbers || dates + others + texts > 0 ? "mixed" : "placeholders";
    if (dates === 0) return "other dates";
    return numbers + others + texts > 0 ? "mixed" : rest ?? "date";
  }

  /** Whether most cells hold one of few texts, and the others very different numbers or dates: these are no names. */
  #isOneTextAmongMany(): boolean {
    const values = this.#isDates || this.isMostlyDates
      ? this.namesOf("date", "other date")
      : this.namesOf("number", "written");
    const count = values.length + (this.isNamesCut ? MAX_CLASSES : 0);
    return count >= MANY_VALUES && count > MANY_VALUES_A_TEXT * this.namesOf("text", "no date").length;
  }

  #nameLook(): ColumnLook {
    const { different } = this;
    if (different === undefined) return "prose";
    const cells = this.numbers + this.texts;
    return cells >= MIN_ROWS && different > cells / 2 ? "identifier" : "categorical";
  }

  /**
   * Adds a cell.
   *
   * @param cell Its text.
   * @param row Its row.
   */
  add(cell: string, row: number): void {
    const text = cell.trim();
    // Most cells are plain numbers: they are asked for nothing else.
    const value = numberOf(text);
    if (!Number.isNaN(value) && !this.#isDates && !this.#hasMissingNumbers) {
      this.#addNumber(text, value, row);
      return;
    }
    const known = this.#names.kindOf(text);
    if (known !== undefined) {
      if (known === "number") this.#addNumber(text, value, row);
      else this.#addText(text, known, row);
      return;
    }
    if (isMissing(text, this.#missingTexts)) {
      this.missing++;
      if (this.firstMissing.length < FIRST_MISSING) this.firstMissing.push(row);
      if (text !== "" && this.missingFound.size < MAX_PLACEHOLDERS) this.missingFound.add(text);
      return;
    }
    const kind = this.#kindOf(text, value);
    if (kind === "number") {
      this.#addNumber(text, value, row);
      return;
    }
    // Numbers alone are counted only as far as classes go; texts make them names.
    if (this.texts === 0 && this.#names.fault === "many") this.isNamesCut = true;
    if (this.texts === 0) this.#names.restart(MAX_NAMES);
    this.#addText(text, kind, row);
    this.#names.add(text, kind);
  }

  #addNumber(text: string, value: number, row: number): void {
    this.numbers++;
    this.range.add(value, text);
    this.#countsUp &&= value > this.#last && Number.isInteger(value);
    this.#last = value;
    if (this.numbers === 1) this.first.number = { text: ownText(text), row };
    if (text.charCodeAt(0) === 48 && text.charCodeAt(1) !== 46 && /^0\d+$/.test(text)) addCode(this.zeroLed, text);
    if (text.length > SURE_DIGITS && !isExact(text, value)) addCode(this.overlong, text);
    if (!this.#names.fault && this.#names.kindOf(text) === undefined) this.#names.add(text, "number");
  }

  #addText(text: string, kind: CellKind, row: number): void {
    this.texts++;
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    this.first[kind] ??= { text: ownText(text), row };
    if (kind !== "placeholder") return;
    const count = this.placeholders.get(text);
    if (count !== undefined || this.placeholders.size < MAX_PLACEHOLDERS) {
      this.placeholders.set(ownText(text), (count ?? 0) + 1);
    }
  }

  /** What a text is; keeps what is wanted of dates and units. */
  #kindOf(text: string, value: number): CellKind {
    const day = this.#dayOf(text);
    if (!Number.isNaN(day)) {
      this.days.add(day, text);
      this.zones[hasZone(text) ? "with" : "without"] ??= ownText(text);
      return "date";
    }
    if (!Number.isNaN(value)) return "number";
    if (isPlaceholder(text, true)) return "placeholder";
    // What so many are is known from some of them.
    if (this.#names.fault && this.#lastKind && this.texts % SAMPLE_STEP !== 0) return this.#lastKind;
    return this.#lastKind = this.#textKindOf(text);
  }

  #textKindOf(text: string): CellKind {
    const formats = formatsOf(text);
    if (formats.length > 0) {
      this.dateFormats = this.dateFormats?.filter((format) => formats.includes(format)) ?? formats;
      return "other date";
    }
    const written = writtenNumber(text);
    if (!written) return isNoDate(text) ? "no date" : "text";
    if (written.unit === undefined) return "written";
    if (this.#units.size <= MAX_UNITS) this.#units.add(written.unit);
    return "unit";
  }
}
