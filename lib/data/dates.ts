/**
 * Dates and times of cells as days, and the parts of a date: the year, and month, weekday and hour, which come again.
 *
 * @module
 */

/** What a piece of a written date says, by the letter that formats have for it. */
type Field = "Y" | "y" | "m" | "b" | "d" | "H" | "I" | "M" | "S" | "p" | "z";

/** How a column's dates are written. */
export interface DateForm {
  /** A regular expression, in the syntax that JavaScript and Python share, for the whole text. */
  readonly pattern: string;
  /** What each of its groups says. */
  readonly fields: readonly Field[];
}

/** A part of a date: the year, or one that comes again. */
export type DatePart = "year" | "month" | "weekday" | "hour";

/** The parts, in the order of their inputs. */
export const DATE_PARTS: readonly DatePart[] = ["year", "month", "weekday", "hour"];

/** Names of the months as formats with %b have them. */
export const MONTHS: readonly string[] = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/** What each field looks like, as a group. */
const PATTERNS: Record<Field, string> = {
  Y: "(\\d{4})",
  y: "(\\d\\d)",
  m: "(\\d\\d?)",
  b: "([A-Za-z]{3,9})\\.?",
  d: "(\\d\\d?)",
  H: "(\\d\\d?)",
  I: "(\\d\\d?)",
  M: "(\\d\\d)",
  S: "(\\d\\d(?:\\.\\d+)?)",
  p: "([AaPp])\\.?[Mm]\\.?",
  z: "(Z|UTC|[+-]\\d\\d(?::?\\d\\d)?)",
};

/** Year, month, perhaps day, perhaps time, perhaps zone, as in ISO 8601; also with slashes, a space and short numbers. */
const ISO: DateForm = {
  pattern:
    `^(\\d{4})[-/](\\d\\d?)(?:[-/](\\d\\d?)(?:(?:T| +)(\\d\\d?):(\\d\\d)(?::(\\d\\d(?:\\.\\d+)?))? *(Z|UTC|[+-]\\d\\d(?::?\\d\\d)?)?)?)?$`,
  fields: ["Y", "m", "d", "H", "M", "S", "z"],
};

/** Days in each month of a year that is no leap year. */
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * The form that a format describes.
 *
 * @param format Pieces such as `%d.%m.%Y` or `%m/%d/%y %I:%M %p`; undefined for year-month-day, as in ISO 8601.
 * @throws {SyntaxError} If it has unknown pieces, or no year.
 */
export function dateForm(format?: string): DateForm {
  if (format === undefined) return ISO;
  const fields: Field[] = [];
  const parts = format.trim().match(/%.?|\s+|[^%\s]/gu) ?? [];
  const patterns = parts.map((part) => {
    if (/^\s/.test(part)) return "\\s+";
    if (!part.startsWith("%")) return part.replace(/[.*+?^${}()|[\]\\/-]/, "\\$&");
    const field = (part === "%B" ? "b" : part.slice(1)) as Field;
    if (!Object.hasOwn(PATTERNS, field)) {
      throw new SyntaxError(`the date format ${format} has ${part}: allowed are %Y %y %m %b %d %H %I %M %S %p %z`);
    }
    fields.push(field);
    return PATTERNS[field];
  });
  const repeated = fields.find((field, i) => fields.indexOf(field) !== i);
  if (repeated) throw new SyntaxError(`the date format ${format} has %${repeated} twice`);
  if (!fields.includes("Y") && !fields.includes("y")) {
    throw new SyntaxError(`the date format ${format} has no year: write %Y for 2026, or %y for 26`);
  }
  return { pattern: `^${patterns.join("")}$`, fields };
}

/**
 * Makes a reader of dates.
 *
 * @param format As {@linkcode dateForm} takes it.
 * @returns Gives the days since 1970-01-01 at 0:00 UTC of a text, with the time as a fraction; NaN if it is no such date. A
 * text without a zone counts as UTC.
 */
export function dateReader(format?: string): (text: string) => number {
  const { pattern, fields } = dateForm(format);
  const expression = new RegExp(pattern);
  return (text) => {
    const found = text.trim().match(expression);
    return found ? daysOf(fields, found) : NaN;
  };
}

/**
 * A part of a date: the year as it is, the others from 0 on: months to 11, days of the week from Monday to 6, hours to 24,
 * with their minutes as a fraction.
 *
 * @param days Days since 1970-01-01 UTC.
 * @param part Which part.
 */
export function datePart(days: number, part: DatePart): number {
  const day = Math.floor(days);
  if (part === "hour") return (days - day) * 24;
  // 1970-01-01 was a Thursday.
  if (part === "weekday") return ((day + 3) % 7 + 7) % 7;
  const date = new Date(day * 86_400_000);
  return part === "year" ? date.getUTCFullYear() : date.getUTCMonth();
}

/** How many of a part there are until it comes again; the year does not. */
export const PERIODS: Readonly<Record<Exclude<DatePart, "year">, number>> = { month: 12, weekday: 7, hour: 24 };

/** A day as year-month-day, for people; with the time where it has one. */
export function formatDate(days: number): string {
  const text = new Date(Math.round(days * 86_400) * 1000).toISOString();
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, -14) : text.slice(0, -5).replace(/:00$/, "");
}

/** Whether a text that is a date ends in a time with a zone. */
export function hasZone(text: string): boolean {
  return /:\d\d(?:\.\d+)? *(?:Z|UTC|[+-]\d\d(?::?\d\d)?)$/.test(text);
}

function daysOf(fields: readonly Field[], found: readonly string[]): number {
  const text = (field: Field) => fields.includes(field) ? found[fields.indexOf(field) + 1] : undefined;
  const has = (field: Field) => text(field) !== undefined;
  const number = (field: Field, preset: number) => has(field) ? Number(text(field)) : preset;
  const short = number("y", 0);
  // As POSIX has it: 69 is 1969, 68 is 2068.
  const year = has("Y") ? number("Y", 0) : short + (short < 69 ? 2000 : 1900);
  const month = has("b") ? MONTHS.indexOf(text("b")!.slice(0, 3).toLowerCase()) + 1 : number("m", 1);
  const day = number("d", 1);
  const minute = number("M", 0);
  const second = number("S", 0);
  const hour = has("I") ? number("I", 12) % 12 + (has("p") && /p/i.test(text("p")!) ? 12 : 0) : number("H", 0);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const last = month === 2 && isLeap ? 29 : MONTH_DAYS[month - 1] ?? 0;
  const isTwelve = !has("I") || (number("I", 12) >= 1 && number("I", 12) <= 12);
  if (day < 1 || day > last || hour > 23 || minute > 59 || second >= 60 || !isTwelve) return NaN;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day); // Date.UTC takes 26 for 1926
  return date.getTime() / 86_400_000 + (hour * 3600 + minute * 60 + second - zoneSeconds(text("z"))) / 86_400;
}

/** Seconds that a zone such as +02:00 is ahead of UTC. */
function zoneSeconds(zone: string | undefined): number {
  if (zone === undefined || zone === "Z" || zone === "UTC") return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(":", "") || 0);
  return (zone.startsWith("-") ? -60 : 60) * minutes;
}
