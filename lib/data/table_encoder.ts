/**
 * Cells of a table as numbers for a network, in raw units: scaling comes after.
 *
 * @module
 */

import { CellError, isMissing, numberOf, showCell } from "./cells.ts";
import { datePart, dateReader, PERIODS } from "./dates.ts";
import { blankHint, dateFault, missingCell, numberFault } from "./cell_faults.ts";
import { nameKey } from "./names.ts";
import {
  type CategoricalColumn,
  type DateColumn,
  encodedNames,
  type InputColumn,
  type NumericColumn,
  type Table,
  type Target,
} from "./table.ts";

/** Writes a cell's numbers; the place is that of the column's first. */
type CellEncoder = (cell: string | undefined, out: Float64Array, place: number) => void;

/** Names that training did not see, of one column. */
export interface UnseenNames {
  /** The column. */
  readonly column: string;
  /** Cells that held such a name. */
  count: number;
  /** The first different ones, five at most. */
  readonly first: string[];
}

export const MISSING_TARGET = "the target is missing: fill it in, or take the row out";

/** How many different names are kept for a message. */
const FIRST_UNSEEN = 5;

/** How an encoded target looks: a number per target, a number per class of which one is 1, or 1 for the second class. */
export type TargetForm = "values" | "one-hot" | "binary";

/**
 * Makes network inputs of a table's cells: a number for a numeric column; for a categorical one the number of the cell's
 * category, 0, 1, ...; for a date the days since the training mean, and the parts that its column names: the year as a
 * number, month, weekday and hour as sine and cosine. Names that training did not see, and those that are too rare for a
 * number of their own, have the number after the last category.
 *
 * @example
 * ```ts
 * import { type Table, TableEncoder } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * const table: Table = {
 *   inputs: [
 *     { kind: "numeric", name: "age", fill: 30 },
 *     { kind: "categorical", name: "color", categories: ["blue", "red"], shares: [0.75, 0.25] },
 *   ],
 *   target: { kind: "numeric", names: ["price"] },
 *   missing: "mean",
 * };
 * const encoder = new TableEncoder(table), out = new Float64Array(4);
 * assertEquals(encoder.names, ["age", "color"]);
 * encoder.encode(["41", "red"], out, 0);
 * encoder.encode(["NA", "pink"], out, 2);
 * assertEquals([...out], [41, 1, 30, 2]);
 * assertEquals(encoder.unseen, [{ column: "color", count: 1, first: ["pink"] }]);
 * ```
 */
export class TableEncoder {
  /** Names of the network's inputs, as {@linkcode encodedNames} gives them. */
  readonly names: string[];
  readonly #columns: { encode: CellEncoder; place: number }[];
  readonly #unseen = new Map<string, UnseenNames>();

  /**
   * Looks the columns up once.
   *
   * @param table The table; its inputs and what counts as missing.
   */
  constructor({ inputs, missingTexts }: Pick<Table, "inputs" | "missingTexts">) {
    this.names = encodedNames(inputs);
    let place = 0;
    this.#columns = inputs.map((column) => {
      const encoder = { encode: encoderOf(column, missingTexts, (name) => this.#addUnseen(column.name, name)), place };
      place += encodedNames([column]).length;
      return encoder;
    });
  }

  /** Names that training did not see, among the rows encoded so far. */
  get unseen(): readonly UnseenNames[] {
    return [...this.#unseen.values()];
  }

  #addUnseen(column: string, name: string): void {
    let unseen = this.#unseen.get(column);
    if (!unseen) this.#unseen.set(column, unseen = { column, count: 0, first: [] });
    unseen.count++;
    if (unseen.first.length < FIRST_UNSEEN && !unseen.first.includes(name)) unseen.first.push(name);
  }

  /**
   * Encodes one row.
   *
   * @param cells The cells in the order of the table's inputs; `undefined` is missing like an empty one.
   * @param out Gets `names.length` numbers in raw units.
   * @param offset Where in out they begin.
   * @throws {CellError} Naming column and text, if a cell is missing and its column has no fill, or is not the number that it
   * should be.
   * @throws {TypeError} If there is another number of cells than of columns.
   */
  encode(cells: readonly (string | undefined)[], out: Float64Array, offset: number): void {
    if (cells.length !== this.#columns.length) {
      throw new TypeError(`Cannot encode ${cells.length} cells: the table has ${this.#columns.length} input columns`);
    }
    for (let i = 0; i < cells.length; i++) this.#columns[i].encode(cells[i], out, offset + this.#columns[i].place);
  }
}

/**
 * Makes what a network is trained on of a table's target cells.
 *
 * @example
 * ```ts
 * import { TargetEncoder } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * const target = { kind: "classes", name: "answer", classes: ["no", "yes"] } as const, out = new Float64Array(2);
 * new TargetEncoder(target, "one-hot").encode(["yes"], out, 0);
 * assertEquals([...out], [0, 1]);
 * new TargetEncoder(target, "binary").encode(["yes"], out, 0);
 * assertEquals(out[0], 1);
 * ```
 */
export class TargetEncoder {
  /** Names of the network's outputs: the targets, or the classes. */
  readonly names: string[];
  readonly #target: Target;
  readonly #form: TargetForm;
  readonly #missingTexts: readonly string[] | undefined;
  readonly #read: (cell: string | undefined) => number;
  readonly #places: Map<string, number>;

  /**
   * Looks the classes up once.
   *
   * @param target The target.
   * @param form "values" for numbers, "one-hot" or, of two classes, "binary" for classes.
   * @param missingTexts What counts as missing, as in a table.
   * @throws {TypeError} If the form is another target's.
   */
  constructor(target: Target, form: TargetForm, missingTexts?: readonly string[]) {
    const classes = target.kind === "classes" ? target.classes : [];
    if ((form === "values") !== (target.kind === "numeric") || (form === "binary" && classes.length !== 2)) {
      const found = target.kind === "numeric" ? "numbers" : `${classes.length} classes`;
      throw new TypeError(`Cannot encode ${found} as ${form}: numbers are values, two classes may be binary`);
    }
    this.#target = target;
    this.#missingTexts = missingTexts;
    this.#read = numberReader(missingTexts);
    this.#form = form;
    this.names = target.kind === "numeric" ? [...target.names] : form === "binary" ? [target.name] : [...classes];
    this.#places = placesOf(classes);
  }

  /**
   * Encodes one row.
   *
   * @param cells The cells of the target's columns: one for classes.
   * @param out Gets `names.length` numbers in raw units.
   * @param offset Where in out they begin.
   * @throws {CellError} Naming column and text, if a cell is missing, not a number, or no known class.
   */
  encode(cells: readonly (string | undefined)[], out: Float64Array, offset: number): void {
    if (this.#target.kind === "numeric") {
      this.#target.names.forEach((name, i) => {
        const value = this.#read(cells[i]);
        if (Number.isNaN(value)) {
          throw new CellError(
            isMissing(cells[i], this.#missingTexts) ? MISSING_TARGET : numberFault(cells[i]!),
            name,
          );
        }
        out[offset + i] = value;
      });
      return;
    }
    const { name, classes } = this.#target;
    const [cell] = cells;
    const lacks = isMissing(cell, this.#missingTexts);
    const place = lacks ? undefined : placeOf(this.#places, cell!.trim());
    if (place === undefined) {
      const problem = lacks
        ? "the class is missing"
        : `the class ${showCell(cell!)} is in no training row; there are ${listOf(classes)}`;
      throw new CellError(problem, name);
    }
    if (this.#form === "binary") out[offset] = place;
    else out.fill(0, offset, offset + classes.length)[offset + place] = 1;
  }
}

function encoderOf(
  column: InputColumn,
  missingTexts: readonly string[] | undefined,
  onUnseen: (name: string) => void,
): CellEncoder {
  if (column.kind === "numeric") return numberEncoder(column, missingTexts);
  if (column.kind === "date") return dateEncoder(column, missingTexts);
  return nameEncoder(column, missingTexts, onUnseen);
}

function numberEncoder({ name, fill }: NumericColumn, missingTexts: readonly string[] | undefined): CellEncoder {
  const read = numberReader(missingTexts);
  return (cell, out, place) => {
    const value = read(cell);
    if (!Number.isNaN(value)) out[place] = value;
    else if (!isMissing(cell, missingTexts)) throw new CellError(numberFault(cell!), name);
    else if (fill === undefined) throw missingCell(cell, name);
    else out[place] = fill;
  };
}

/** Reads the number of a cell; NaN if it holds none, or a number such as -999 that means that it is missing. */
export function numberReader(missingTexts: readonly string[] = []): (cell: string | undefined) => number {
  if (missingTexts.every((text) => Number.isNaN(numberOf(text)))) return (cell) => numberOf(cell ?? "");
  return (cell) => isMissing(cell, missingTexts) ? NaN : numberOf(cell!);
}

function dateEncoder(column: DateColumn, missingTexts: readonly string[] | undefined): CellEncoder {
  const { name, format, fill } = column;
  const read = dateReader(format);
  return (cell, out, place) => {
    const days = isMissing(cell, missingTexts) ? fill : read(cell!);
    if (days === undefined) throw missingCell(cell, name);
    if (Number.isNaN(days)) throw new CellError(dateFault(cell!, format) + blankHint(cell!), name);
    encodeDate(column, days, out, place);
  };
}

/** Writes the numbers of a day, in days since 1970-01-01 UTC. */
export function encodeDate({ origin, parts }: DateColumn, days: number, out: Float64Array, place: number): void {
  out[place++] = days - origin;
  for (const part of parts) {
    const value = datePart(days, part);
    if (part === "year") {
      out[place++] = value;
      continue;
    }
    const angle = 2 * Math.PI * value / PERIODS[part];
    out[place++] = Math.sin(angle);
    out[place++] = Math.cos(angle);
  }
}

function nameEncoder(
  { name, categories, others, fill }: CategoricalColumn,
  missingTexts: readonly string[] | undefined,
  onUnseen: (name: string) => void,
): CellEncoder {
  const places = placesOf(categories);
  const rare = placesOf(others ?? []);
  return (cell, out, place) => {
    const text = isMissing(cell, missingTexts) ? fill : cell!.trim();
    if (text === undefined) throw missingCell(cell, name);
    const own = placeOf(places, text);
    if (own === undefined && placeOf(rare, text) === undefined) onUnseen(text);
    out[place] = own ?? categories.length;
  };
}

/** The place of each name, by the name as it stands and by what it is known by. */
export function placesOf(names: readonly string[]): Map<string, number> {
  const places = new Map<string, number>();
  names.forEach((name, place) => places.set(nameKey(name), place));
  names.forEach((name, place) => places.set(name, place));
  return places;
}

/** The place of a name among those of {@linkcode placesOf}; undefined if it is none of them. */
export function placeOf(places: ReadonlyMap<string, number>, name: string): number | undefined {
  return places.get(name) ?? places.get(nameKey(name));
}

function listOf(names: readonly string[]): string {
  return names.length <= 20 ? names.join(", ") : `${names.slice(0, 20).join(", ")} and ${names.length - 20} more`;
}
