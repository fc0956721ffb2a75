/**
 * Names of categories and classes: which spellings mean the same.
 *
 * @module
 */

/** A number that is no more than a number: no zeros in front, as zip codes have. */
export const PLAIN_NUMBER = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Digits that a float64 holds for sure: longer numbers that differ might become the same. */
export const SURE_DIGITS = 15;

/**
 * What a name is known by. Numbers that are equal are one name however they are written (1, 1.0 and 1e0), and so are `true`,
 * `True` and `TRUE`. A line within a name may end as on Windows or as elsewhere, since CSV files do not keep apart which. All
 * else is known by its characters: also numbers with zeros in front or of more than 15 digits, which are codes.
 *
 * @param name The name, without spaces around it.
 * @returns The same text for all spellings of a name.
 *
 * @example
 * ```ts
 * import { nameKey } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const keys = ["1.0", "+1", "True", "00501", "red"].map((name) => nameKey(name));
 * assertEquals(keys, ["1", "1", "true", "00501", "red"]);
 * ```
 */
export function nameKey(name: string): string {
  if (/^true$|^false$/i.test(name)) return name.toLowerCase();
  if (!PLAIN_NUMBER.test(name)) return name.replaceAll("\r\n", "\n");
  const digits = name.replace(/[eE].*$/, "").replaceAll(/\D/g, "");
  const value = Number(name);
  return digits.length > SURE_DIGITS || !Number.isFinite(value) ? name : `${value + 0}`;
}
