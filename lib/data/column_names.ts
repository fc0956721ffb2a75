/**
 * The different names in a column, in bounded memory.
 *
 * @module
 */

import { numberOf } from "./cells.ts";
import { nameKey } from "./names.ts";

/** Most different names of a column of categories. */
export const MAX_NAMES = 65_536;

/** Longest text that is a name; longer ones are prose. */
export const MAX_NAME_CHARACTERS = 1000;

/** Most characters of the different names of a column together. */
export const MAX_CHARACTERS = 8_388_608;

/** Pairs of spellings that are kept for messages. */
const FIRST_MERGED = 3;

/** Why the names of a column are no longer counted: there are too many, one is too long, or all together are. */
export type NamesFault = "many" | "long" | "large";

/** Numbers that may be codes: how many, and the first. */
export interface Codes {
  count: number;
  first?: string;
}

/** Counts a number that may be a code. */
export function addCode(codes: Codes, text: string): void {
  codes.count++;
  codes.first ??= ownText(text);
}

/** Counts different names, and says what each was found to be. Spellings of which `nameKey` is the same are one name. */
export class ColumnNames<Kind> {
  /** The first spelling of each name, by its key. */
  readonly #first = new Map<string, string>();
  /** What each spelling was found to be. */
  readonly #kinds = new Map<string, Kind>();
  /** Spellings of which the name was known by another one, with that one; the first few. */
  readonly merged: [spelling: string, first: string][] = [];
  /** Why names are no longer counted. */
  fault: NamesFault | undefined;
  /** How many there may be. */
  #limit: number;
  #characters = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many different names there are. */
  get size(): number {
    return this.#first.size;
  }

  /** The first spelling of each name. */
  get values(): string[] {
    return [...this.#first.values()];
  }

  /** What a spelling was found to be; undefined if it was not seen, or is not kept. */
  kindOf(text: string): Kind | undefined {
    return this.#kinds.get(text);
  }

  /** Adds a spelling that was not seen. */
  add(text: string, kind: Kind): void {
    if (this.fault) return;
    const own = ownText(text);
    const key = nameKey(own);
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, own);
    else if (this.merged.length < FIRST_MERGED) this.merged.push([own, first]);
    this.#kinds.set(own, kind);
    this.#characters += own.length;
    if (text.length > MAX_NAME_CHARACTERS) this.#stop("long");
    else if (this.#characters > MAX_CHARACTERS) this.#stop("large");
    else if (this.size > this.#limit || this.#kinds.size > 2 * this.#limit) this.#stop("many");
  }

  /** Counts on, from nothing, up to another number of names. */
  restart(limit: number): void {
    this.#limit = limit;
    this.fault = undefined;
  }

  #stop(fault: NamesFault): void {
    this.fault = fault;
    this.#first.clear();
    this.#kinds.clear();
    this.#characters = 0;
  }
}

/** The same text without the block of a file that it was cut from, which would stay in memory with it. */
export function ownText(text: string): string {
  return text.length < 13 ? text : new TextDecoder().decode(new TextEncoder().encode(text));
}

/** Puts categories or classes in their order: numbers by size, texts by their characters. */
export function sortValues(values: string[]): string[] {
  const areNumbers = values.every((value) => !Number.isNaN(numberOf(value)));
  return areNumbers ? values.sort((a, b) => Number(a) - Number(b)) : values.sort();
}
