/**
 * Cells of a table as numbers for a network, in raw units: scaling comes after.
 *
 * @module
 */

import { CellError, cellFault, isMissing, numberOf, showCell } from "./cells.ts";
import { encodedNames, type InputColumn, type Table, type Target } from "./table.ts";

/** Writes a cell's numbers; the place is that of the column's first. */
type CellEncoder = (cell: string | undefined, out: Float64Array, place: number) => void;

/** How an encoded target looks: a number per target, a number per class of which one is 1, or 1 for the second class. */
export type TargetForm = "values" | "one-hot" | "binary";

/**
 * Makes network inputs of a table's cells: a number for a numeric column, for a categorical one as many as it has
 * categories and one more, of which one is 1: its category's, or the last for a name that training did not see.
 *
 * @example
 * ```ts
 * import { type Table, TableEncoder } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * const table: Table = {
 *   inputs: [
 *     { kind: "numeric", name: "age", fill: 30 },
 *     { kind: "categorical", name: "color", categories: ["blue", "red"] },
 *   ],
 *   target: { kind: "numeric", names: ["price"] },
 *   missing: "mean",
 * };
 * const encoder = new TableEncoder(table), out = new Float64Array(8);
 * assertEquals(encoder.names, ["age", "color=blue", "color=red", "color=(unseen)"]);
 * encoder.encode(["41", "red"], out, 0);
 * encoder.encode(["NA", "pink"], out, 4);
 * assertEquals([...out], [41, 0, 1, 0, 30, 0, 0, 1]);
 * ```
 */
export class TableEncoder {
  /** Names of the network's inputs, as {@linkcode encodedNames} gives them. */
  readonly names: string[];
  readonly #columns: { encode: CellEncoder; place: number }[];

  /**
   * Looks the columns up once.
   *
   * @param table The table; its inputs count.
   */
  constructor({ inputs }: Pick<Table, "inputs">) {
    this.names = encodedNames(inputs);
    let place = 0;
    this.#columns = inputs.map((column) => {
      const encoder = { encode: encoderOf(column), place };
      place += column.kind === "numeric" ? 1 : column.categories.length + 1;
      return encoder;
    });
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
  readonly #places: Map<string, number>;

  /**
   * Looks the classes up once.
   *
   * @param target The target.
   * @param form "values" for numbers, "one-hot" or, of two classes, "binary" for classes.
   * @throws {TypeError} If the form is another target's.
   */
  constructor(target: Target, form: TargetForm) {
    const classes = target.kind === "classes" ? target.classes : [];
    if ((form === "values") !== (target.kind === "numeric") || (form === "binary" && classes.length !== 2)) {
      const found = target.kind === "numeric" ? "numbers" : `${classes.length} classes`;
      throw new TypeError(`Cannot encode ${found} as ${form}: numbers are values, two classes may be binary`);
    }
    this.#target = target;
    this.#form = form;
    this.names = target.kind === "numeric" ? [...target.names] : form === "binary" ? [target.name] : [...classes];
    this.#places = new Map(classes.map((name, place) => [name, place]));
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
        const value = numberOf(cells[i] ?? "");
        if (Number.isNaN(value)) {
          throw new CellError(isMissing(cells[i]) ? "the target is missing" : cellFault(cells[i]!), name);
        }
        out[offset + i] = value;
      });
      return;
    }
    const { name, classes } = this.#target;
    const [cell] = cells;
    const place = isMissing(cell) ? undefined : this.#places.get(cell!.trim());
    if (place === undefined) {
      const problem = isMissing(cell)
        ? "the class is missing"
        : `the class ${showCell(cell!)} is in no training row; there are ${listOf(classes)}`;
      throw new CellError(problem, name);
    }
    if (this.#form === "binary") out[offset] = place;
    else out.fill(0, offset, offset + classes.length)[offset + place] = 1;
  }
}

function encoderOf(column: InputColumn): CellEncoder {
  const { name, fill } = column;
  if (column.kind === "numeric") {
    return (cell, out, place) => {
      const value = numberOf(cell ?? "");
      if (!Number.isNaN(value)) out[place] = value;
      else if (!isMissing(cell)) throw new CellError(cellFault(cell!), name);
      else if (column.fill === undefined) throw missingCell(cell, name);
      else out[place] = column.fill;
    };
  }
  const { categories } = column;
  const places = new Map(categories.map((category, i) => [category, i]));
  return (cell, out, place) => {
    const text = isMissing(cell) ? fill : cell!.trim();
    if (text === undefined) throw missingCell(cell, name);
    out.fill(0, place, place + categories.length + 1);
    out[place + (places.get(text as string) ?? categories.length)] = 1;
  };
}

function missingCell(cell: string | undefined, column: string): CellError {
  const found = cell === undefined || cell.trim() === "" ? "the cell is empty" : `the cell is ${showCell(cell)}`;
  return new CellError(`${found}, and the column has no fill value`, column);
}

function listOf(names: readonly string[]): string {
  return names.length <= 20 ? names.join(", ") : `${names.slice(0, 20).join(", ")} and ${names.length - 20} more`;
}
