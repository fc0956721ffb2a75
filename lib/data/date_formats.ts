/**
 * Formats in which a text might be a date: the order of day and month is seldom sure.
 *
 * @module
 */

import { dateReader } from "./dates.ts";

/** Longest text that is a date. */
const DATE_LENGTH = 40;

/** What may follow a date: a time, with or without a zone. */
const TIME = "((?:[T ,]+\\d{1,2}:\\d\\d(?::\\d\\d(?:\\.\\d+)?)?(?: ?[AaPp]\\.?[Mm]\\.?)?)?)$";

/** Year, month and day, or day, month and year, with a time and a zone perhaps. */
const NO_DATE =
  /^(?:\d{4}([-/.])(?<a>\d\d?)\1(?<b>\d\d?)|(?<c>\d\d?)([-/.])(?<d>\d\d?)\5\d{4})(?:(?:T| +)\d\d?:\d\d(?::\d\d(?:\.\d+)?)? *(?:Z|UTC|[+-]\d\d(?::?\d\d)?)?)?$/;

/** What a shape of dates has as groups, as formats. */
const SHAPES: readonly (readonly [pattern: RegExp, formats: (found: RegExpMatchArray) => string[]])[] = [
  [
    new RegExp(`^\\d{1,2}([./-])\\d{1,2}\\1(\\d{4}|\\d\\d)${TIME}`),
    ([_, mark, digits, time]) => {
      const year = yearOf(digits);
      const orders = [["%d", "%m", year], ["%m", "%d", year], ...(year === "%y" ? [["%y", "%m", "%d"]] : [])];
      return orders.map((order) => order.join(mark) + timeOf(time));
    },
  ],
  [
    new RegExp(`^\\d{4}([./年])\\d{1,2}([./月])\\d{1,2}(日?)${TIME}`),
    ([_, first, second, end, time]) => [`%Y${first}%m${second}%d${end}${timeOf(time)}`],
  ],
  [
    // A point after a short name belongs to it.
    new RegExp(`^\\d{1,2}([ .-]+)[A-Za-z]{3,9}\\.?([ .,-]+)(\\d{4}|\\d\\d)${TIME}`),
    ([_, first, second, digits, time]) => [`%d${first}%b${second}${yearOf(digits)}${timeOf(time)}`],
  ],
  [
    new RegExp(`^[A-Za-z]{3,9}\\.? +\\d{1,2}(,?) +(\\d{4})${TIME}`),
    ([_, comma, digits, time]) => [`%b %d${comma} ${yearOf(digits)}${timeOf(time)}`],
  ],
  [/^[A-Za-z]{3,9}\.?([ -]+)(\d{4}|\d\d)$/, ([_, mark, digits]) => [`%b${mark}${yearOf(digits)}`]],
  [/^\d{1,2}([./-])\d{4}$/, ([_, mark]) => [`%m${mark}%Y`]],
  [/^\d{8}T\d{6}(Z?)$/, ([_, zone]) => [`%Y%m%dT%H%M%S${zone && "%z"}`]],
];

/**
 * The formats that fit a text which is a date to a person, but not year-month-day.
 *
 * @param text The text, without spaces around it.
 * @returns Formats that `dateReader` takes and reads the text under, the most usual first; none if it is no such date.
 */
export function formatsOf(text: string): string[] {
  if (text.length > DATE_LENGTH || !/^[A-Za-z\d].*\d/.test(text)) return [];
  for (const [pattern, formats] of SHAPES) {
    const found = text.match(pattern);
    if (found) return formats(found).filter((format) => !Number.isNaN(readerOf(format)(text)));
  }
  return [];
}

/**
 * Whether a text is written as a date and time, but there is no such day or time: 2024-02-30, 2023-13-31, 31.02.2024 or
 * 2024-01-31T24:00. Only for texts that are dates in no format.
 *
 * @param text The text, without spaces around it.
 */
export function isNoDate(text: string): boolean {
  const found = NO_DATE.exec(text);
  if (!found) return false;
  const { a = "", b = "", c = "", d = "" } = found.groups!;
  // Part numbers such as 1234-56-78 have the form, too.
  return [a, b, c, d].every((part) => Number(part) <= 31);
}

/** Readers by format: to make one takes longer than to read with it. */
const READERS = new Map<string, (text: string) => number>();

function readerOf(format: string): (text: string) => number {
  let reader = READERS.get(format);
  if (!reader) READERS.set(format, reader = dateReader(format));
  return reader;
}

function yearOf(digits: string): string {
  return digits.length === 4 ? "%Y" : "%y";
}

/** The format of what follows a date. */
function timeOf(text: string): string {
  const hour = /[AaPp]\.?[Mm]\.?$/.test(text) ? "%I" : "%H";
  return text.replace(/\d{1,2}:/, `${hour}:`).replace(/:\d\d(?:\.\d+)?/, ":%M").replace(/(:%M):\d\d(?:\.\d+)?/, "$1:%S")
    .replace(/[AaPp]\.?[Mm]\.?$/, "%p");
}
