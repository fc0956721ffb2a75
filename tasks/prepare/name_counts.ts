/** Counts the names of a column, those that mean the same as one. */

import { shorten } from "../../lib/base/printable.ts";
import { nameKey } from "../../lib/data/names.ts";
import { ownText, sortValues } from "../../lib/data/table_profile.ts";

/** A name, and how many rows hold it. */
export interface NameCount {
  /** Its first spelling in the training rows; of a name that is in none of them, its first spelling. */
  text: string;
  /** Another spelling, if there is one. */
  alike?: string;
  /** Training rows that hold it. */
  rows: number;
  /** Validation and test rows that hold it. */
  otherRows: number;
}

/** How many names a note shows. */
const SHOWN = 5;

/** Gathers the names of a column, row by row. */
export class NameCounts {
  /** By what each name is known by. */
  readonly #names = new Map<string, NameCount>();
  /** The same by each spelling: a look there is faster than to find out what a name is known by. */
  readonly #spellings = new Map<string, NameCount>();

  /** Adds the name of a training row. */
  add(text: string): void {
    const name = this.#spellings.get(text) ?? this.#addSpelling(text);
    if (name.rows++ === 0 && name.text !== text) {
      name.alike = name.text;
      name.text = ownText(text);
    }
  }

  /** Adds the name of a validation or test row. */
  addOther(text: string): void {
    const name = this.#spellings.get(text) ?? this.#addSpelling(text);
    name.otherRows++;
  }

  /** The names of the training rows, in order. */
  sorted(): NameCount[] {
    const seen = this.#names.values().filter(({ rows }) => rows > 0);
    const byText = new Map(seen.map((name) => [name.text, name]));
    return sortValues([...byText.keys()]).map((text) => byText.get(text)!);
  }

  /** A sentence if names are spelled in several ways. */
  mergedNote(column: string): string[] {
    const merged = [...this.#names.values().filter(({ alike }) => alike !== undefined)];
    if (merged.length === 0) return [];
    const shown = listOf(merged.map(({ text, alike }) => `${shorten(text)} and ${shorten(alike!)}`));
    return [`${column}: names that mean the same are one: ${shown}`];
  }

  /** A sentence if validation or test rows hold names that no training row has. */
  unseenNote(column: string): string[] {
    const unseen = [...this.#names.values().filter(({ rows }) => rows === 0)];
    if (unseen.length === 0) return [];
    const cells = countOf(unseen.reduce((sum, { otherRows }) => sum + otherRows, 0), "validation or test row");
    const verb = cells.startsWith("1 ") ? "has" : "have";
    return [
      `${column}: ${cells} ${verb} a name that no training row has: ${listOf(unseen.map(({ text }) => shorten(text)))}`,
    ];
  }

  #addSpelling(text: string): NameCount {
    const own = ownText(text);
    const key = nameKey(own);
    let name = this.#names.get(key);
    if (name) name.alike ??= own;
    else this.#names.set(key, name = { text: own, rows: 0, otherRows: 0 });
    this.#spellings.set(own, name);
    return name;
  }
}

/** A count of things, for people: 1 row, 2,345 rows. */
export function countOf(count: number, thing: string): string {
  return `${count.toLocaleString("en-US")} ${thing}${count === 1 ? "" : "s"}`;
}

function listOf(names: readonly string[]): string {
  return names.slice(0, SHOWN).join(", ") + (names.length > SHOWN ? ", ..." : "");
}
