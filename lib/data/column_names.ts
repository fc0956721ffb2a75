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

/** Bytes, roughly, that the names of all columns of a table may take, besides the first thousand of each. */
const ROOM = 400e6;

/** Bytes that a name takes, roughly, besides two for a character: it is kept with what it is known by. */
const NAME_BYTES = 200;

/** Names of a column for which there is always room. */
const FREE_NAMES = 1000;

/** Why the names of a column are no longer counted: they are too many, one is too long, or there is no room left. */
export type NamesFault = "many" | "long" | "large";

/** What is left of the memory for names, which the columns of a table share. */
export class NameRoom {
  left: number = ROOM;
}

/** Counts a number that may be a code, and keeps the first. */
export function addCode(codes: { count: number; first?: string }, text: string): void {
  codes.count++;
  codes.first ??= ownText(text);
}

/** Whether the number is the one that the text says; other than whole numbers are. */
export function isExact(text: string, value: number): boolean {
  return Number.isSafeInteger(value) || !/^[-+]?\d{16,}$/.test(text) || BigInt(text.replace("+", "")) === BigInt(value);
}

/** Counts different names, and says what each was found to be. Spellings of which `nameKey` is the same are one name. */
export class ColumnNames<Kind> {
  /** The first spelling of each name, by its key. */
  readonly #first = new Map<string, string>();
  /** What each spelling was found to be. */
  readonly #kinds = new Map<string, Kind>();
  /** Why names are no longer counted. */
  fault: NamesFault | undefined;
  /** How many there may be. */
  #limit: number;
  readonly #room: { left: number };
  /** What of the room this column has taken. */
  #taken = 0;

  constructor(limit: number, room: { left: number } = new NameRoom()) {
    this.#limit = limit;
    this.#room = room;
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

  /** The spellings that were found to be of some kinds. */
  ofKinds(kinds: readonly Kind[]): string[] {
    return [...this.#kinds].filter(([_, kind]) => kinds.includes(kind)).map(([text]) => text);
  }

  /** Adds a spelling that was not seen. */
  add(text: string, kind: Kind): void {
    if (this.fault) return;
    const own = ownText(text);
    const key = nameKey(own);
    if (!this.#first.has(key)) this.#first.set(key, own);
    this.#kinds.set(own, kind);
    if (text.length > MAX_NAME_CHARACTERS) this.#stop("long");
    else if (this.#kinds.size > FREE_NAMES && !this.#take(NAME_BYTES + 2 * own.length)) this.#stop("large");
    else if (this.size > this.#limit || this.#kinds.size > 2 * this.#limit) this.#stop("many");
  }

  /** Counts on, from nothing, up to another number of names. */
  restart(limit: number): void {
    this.#limit = limit;
    this.fault = undefined;
  }

  #take(bytes: number): boolean {
    this.#taken += bytes;
    this.#room.left -= bytes;
    return this.#room.left >= 0;
  }

  #stop(fault: NamesFault): void {
    this.fault = fault;
    this.#first.clear();
    this.#kinds.clear();
    this.#room.left += this.#taken;
    this.#taken = 0;
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
