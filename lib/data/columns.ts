/**
 * The names of a table's columns, checked; and those columns that have none.
 *
 * @module
 */

import { numberOf, showCell } from "./cells.ts";
import { DataError, type DataPlace } from "../base/errors.ts";
import { plain, showName, visible } from "../base/printable.ts";
import { MAX_NAME_LENGTH } from "./table.ts";

/** Most columns: what is known of each takes a kilobyte. */
const MAX_COLUMNS = 100_000;

/** Rows of a file's first block that are asked whether they are counted. */
const COUNTED_ROWS = 4096;

/** Names of columns, and where those that are wanted stand among them. */
export interface Columns {
  /** Names of all columns, without spaces around them. */
  readonly columns: readonly string[];
  /** Places of the columns that were asked for, or of all. */
  readonly places: readonly number[];
}

/**
 * Checks the names of columns.
 *
 * @param names The names, without spaces around them.
 * @param place Where they stand.
 * @param wanted Columns that must be there; all if left out.
 * @param hint What a message says if one of them is not, or is there twice.
 * @throws {DataError} If they are too many, too long, none, there twice, or lack a wanted one.
 */
export function checkColumns(
  names: readonly string[],
  place: DataPlace,
  wanted: readonly string[] = names,
  hint: string = "",
): Columns {
  if (names.length > MAX_COLUMNS) {
    throw new DataError(`the header has ${names.length} columns, at most ${MAX_COLUMNS} are read`, place);
  }
  if (names.length === 0) throw new DataError("there are no columns", place);
  const long = names.find((name) => name.length > MAX_NAME_LENGTH);
  if (long !== undefined) {
    const problem = `a column's name of ${long.length} characters, at most ${MAX_NAME_LENGTH} are read: ${
      showCell(long)
    }`;
    throw new DataError(problem, place);
  }
  const blank = names.indexOf("");
  if (blank !== -1) throw noName(blank, place);
  const places = new Map(names.map((name, index) => [name, index]));
  const repeated = names.find((name, index) => places.get(name) !== index);
  if (repeated !== undefined) throw new DataError(`the header names column ${showName(repeated)} twice${hint}`, place);
  const missing = wanted.filter((name) => !places.has(name));
  if (missing.length > 0) {
    const shown = names.map((name) => visible(name) === name ? name : showName(name)).join(", ");
    const look = missing.flatMap((name) => {
      const alike = names.find((other) => plain(other) === plain(name));
      return alike === undefined
        ? []
        : [`; ${showName(alike)} differs from ${showName(name)} only by what cannot be seen`];
    });
    const problem = `there is no column ${missing.map(showName).join(", ")}; there are ${shown}`;
    throw new DataError(`${problem}${look.join("")}${hint}`, place);
  }
  return { columns: names, places: wanted.map((name) => places.get(name)!) };
}

/** Which columns may hold what is no cell: of a table those that are ignored, of wanted columns all others. */
export function isUnused(
  wanted: readonly string[] | undefined,
  isIgnored: ((name: string) => boolean) | undefined,
): (name: string) => boolean {
  return (name) => wanted ? !wanted.includes(name) : isIgnored?.(name) ?? false;
}

/** How to leave a column out, unless it is one that is wanted. */
export function orIgnore(name: string, wanted: readonly string[] | undefined): string {
  return wanted ? "" : `, or if it is no input, say --ignore ${/^\w+$/.test(name) ? name : showName(name)}`;
}

function noName(index: number, place: DataPlace, holds: string = ""): DataError {
  return new DataError(`column ${index + 1} of the header has no name: give it one${holds}`, place);
}

/**
 * Columns of a CSV file that its header does not name. They are left out if that loses nothing: if they are empty, or if the
 * first one holds row numbers, as pandas and R write them.
 */
export class UnnamedColumns {
  /** Their places. */
  readonly places: readonly number[];
  /** Places of the others. */
  readonly named: readonly number[];
  readonly #place: DataPlace;
  #isIndex: boolean | undefined;

  /**
   * Takes the header.
   *
   * @param names The names, without spaces around them.
   * @param place Where it stands.
   * @throws {DataError} If there are no names at all, or nothing but numbers.
   */
  constructor(names: readonly string[], place: DataPlace) {
    const all = [...names.keys()];
    this.places = all.filter((index) => names[index] === "");
    this.named = all.filter((index) => names[index] !== "");
    this.#place = place;
    if (this.named.length === 0) throw noName(0, place);
  }

  /** What a block's records are without these columns. */
  leaveOut(records: readonly string[][], lineOf: (index: number) => number): readonly string[][] {
    if (this.places.length === 0 || records.length === 0) return records;
    this.#isIndex ??= this.places[0] === 0 && isCounted(records.slice(0, COUNTED_ROWS));
    for (const place of this.places) {
      const isRight = place === 0 && this.#isIndex ? isWhole : isBlank;
      const bad = records.findIndex((record) => !isRight(record[place]));
      if (bad === -1) continue;
      throw noName(place, this.#place, `; it holds ${showCell(records[bad][place])} in line ${lineOf(bad)}`);
    }
    return records.map((record) => this.named.map((place) => record[place]));
  }

  /** What was left out, a sentence each; known after the first block. */
  notes(): string[] {
    const empty = this.#isIndex ? this.places.slice(1) : this.places;
    const notes = this.#isIndex ? ["column 1 has no name and numbers the rows, as pandas writes them: left out"] : [];
    if (empty.length === 1) notes.push(`column ${empty[0] + 1} has no name and is empty: left out`);
    if (empty.length > 1) notes.push(`${empty.length} columns have no name and are empty: left out`);
    return notes;
  }
}

/** Whether the first cells are row numbers: no two are the same, or they count and begin again where files were joined. */
function isCounted(records: readonly string[][]): boolean {
  const cells = records.map(([cell]) => cell);
  if (!cells.every(isWhole)) return false;
  if (new Set(cells).size === cells.length) return true;
  const numbers = cells.map(Number);
  return numbers.every((number, i) => i === 0 || number === numbers[i - 1] + 1 || number === numbers[0]);
}

function isWhole(cell: string): boolean {
  return /^\d+$/.test(cell);
}

function isBlank(cell: string): boolean {
  return cell.trim() === "";
}

/** Whether a header holds nothing but numbers: then it is a row, and there is none. */
export function areNumbers(names: readonly string[]): boolean {
  const given = names.filter((name) => name !== "");
  return given.length > 0 && given.every((name) => !Number.isNaN(numberOf(name)));
}
