/**
 * Formats in which a text might be a date: the order of day and month is seldom sure.
 *
 * @module
 */

import { dateReader } from "./dates.ts";

/** Three numbers with the same mark between them, and perhaps a time. */
const NUMBERS = /^\d{1,2}([./-])\d{1,2}\1(\d{4}|\d\d)(?!\d)(.*)$/;

/** A day, a month's name and a year, and perhaps a time. */
const DAY_NAME = /^\d{1,2}([ .-]+)[A-Za-z]{3,9}(\.?[ .,-]+)(\d{4}|\d\d)(?!\d)(.*)$/;

/** A month's name, a day and a year, and perhaps a time. */
const NAME_DAY = /^[A-Za-z]{3,9}(\.?) +\d{1,2}(,?) +(\d{4})(.*)$/;

/**
 * The formats that fit a text which is a date to a person.
 *
 * @param text The text, without spaces around it.
 * @returns Formats that `dateReader` takes and reads the text under, the most usual first; none if it is no such date.
 */
export function formatsOf(text: string): string[] {
  return candidates(text).filter((format) => !Number.isNaN(dateReader(format)(text)));
}

function candidates(text: string): string[] {
  const numbers = text.match(NUMBERS);
  if (numbers) {
    const [_, mark, digits, time] = numbers;
    const year = yearOf(digits);
    const orders = [["%d", "%m", year], ["%m", "%d", year], ...(year === "%y" ? [["%y", "%m", "%d"]] : [])];
    return orders.map((order) => order.join(mark) + timeOf(time));
  }
  const dayName = text.match(DAY_NAME);
  if (dayName) {
    const [_, first, second, digits, time] = dayName;
    // A point after a short name belongs to it.
    return [`%d${first}%b${second.replace(/^\./, "")}${yearOf(digits)}${timeOf(time)}`];
  }
  const nameDay = text.match(NAME_DAY);
  return nameDay ? [`%b %d${nameDay[2]} ${yearOf(nameDay[3])}${timeOf(nameDay[4])}`] : [];
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
