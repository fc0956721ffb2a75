/**
 * The range of a column's values, and whether one of its ends lies far from all others, as -999 among temperatures does.
 *
 * @module
 */

/** Longest text that does not keep the block of a file, from which it was cut, in memory. */
const SHORT_TEXT = 12;

/** Values that differ by no more than so many roundings of a float64 are the same number, computed in two ways. */
const ROUNDINGS = 8;

/** Whether all values of a range are the same but for rounding. */
export function isSame({ min, max }: { readonly min: number; readonly max: number }): boolean {
  return max - min <= ROUNDINGS * Number.EPSILON * Math.max(Math.abs(min), Math.abs(max));
}

/** An end of a range, far from all other values. */
export interface FarValue {
  /** The value. */
  readonly value: number;
  /** How it was first written; undefined if that is long. */
  readonly text: string | undefined;
  /** How often it was added. */
  readonly count: number;
  /** The smallest of all other values. */
  readonly from: number;
  /** The largest of them. */
  readonly to: number;
}

/**
 * The smallest and the largest of some values, and those next to them.
 *
 * @example
 * ```ts
 * import { ValueRange } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 *
 * const range = new ValueRange();
 * for (const text of ["12", "-999", "30", "-999"]) range.add(Number(text), text);
 * assertEquals([range.min, range.max], [-999, 30]);
 * assertEquals(range.far, [{ value: -999, text: "-999", count: 2, from: 12, to: 30 }]);
 * ```
 */
export class ValueRange {
  /** The smallest value; Infinity if there is none. */
  min: number = Infinity;
  /** The largest value; -Infinity if there is none. */
  max: number = -Infinity;
  /** The smallest but one, and the largest but one. */
  #second = Infinity;
  #secondLast = -Infinity;
  #minCount = 0;
  #maxCount = 0;
  #minText: string | undefined;
  #maxText: string | undefined;

  /** Adds a value. */
  add(value: number, text: string): void {
    if (value < this.min) {
      this.#second = this.min;
      this.min = value;
      this.#minText = shortText(text);
      this.#minCount = 1;
    } else if (value === this.min) this.#minCount++;
    else if (value < this.#second) this.#second = value;
    if (value > this.max) {
      this.#secondLast = this.max;
      this.max = value;
      this.#maxText = shortText(text);
      this.#maxCount = 1;
    } else if (value === this.max) this.#maxCount++;
    else if (value > this.#secondLast) this.#secondLast = value;
  }

  /** The ends that are farther from the next value than all others are from each other. */
  get far(): FarValue[] {
    const { min, max } = this;
    const low = { value: min, text: this.#minText, count: this.#minCount, from: this.#second, to: max };
    const high = { value: max, text: this.#maxText, count: this.#maxCount, from: min, to: this.#secondLast };
    return [low, high].filter(({ value, from, to }) => from < to && Math.max(from - value, value - to) > to - from);
  }
}

function shortText(text: string): string | undefined {
  return text.length > SHORT_TEXT ? undefined : text;
}
