/**
 * Cells that hold no number as files write it, but mean one, or mean that there is none.
 *
 * @module
 */

import { numberOf } from "./cells.ts";

/** A number that a cell writes otherwise than as 12.5 or -3e4. */
export interface WrittenNumber {
  /** What it has that a number has not, such as "a unit: kg". */
  readonly has: string;
  /** The unit, or the letter for thousands or millions. */
  readonly unit?: string;
  /** The number as files write it, where there is only one way to read it. */
  readonly plain?: string;
}

/** One way to write a number otherwise. */
interface Form {
  readonly pattern: RegExp;
  readonly has: (found: RegExpMatchArray) => string;
  /** The text without what makes it odd. */
  readonly rest: (found: RegExpMatchArray) => string;
  readonly unit?: (found: RegExpMatchArray) => string;
  /** Whether the rest is the number that is meant. */
  readonly isSure: boolean;
}

/** What stands for a currency. */
const MONEY = "(?:[A-Z]{0,3}\\p{Sc}|(?:USD|EUR|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|Rs\\.?|kr\\.?)(?!\\p{L}))";

/** Longest number that a person writes. */
const WRITTEN_LENGTH = 40;

/** How a number may begin, and that it has a digit: most texts have not, and are asked for nothing else. */
const BEGINNING = new RegExp(`^(?:[^A-Za-z]|${MONEY}).*\\p{Nd}|^\\p{Nd}`, "u");

/** Most odd things in one number: brackets, a dollar sign, a comma. */
const MAX_FORMS = 4;

/** Marks that take no room. */
const INVISIBLE = /[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/;
const DASHES = "\\u2010-\\u2015\\u2212\\u02d7\\u207b\\ufe58\\ufe63\\uff0d";

/** The second and third are groups of thousands with points, the fourth is India's. */
const GROUPED =
  /^[-+]?(?:\d{1,3}(?:[,'’ \u00a0\u2009\u202f]\d{3})+(?:[.,]\d+)?|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}|\d{1,2}(?:,\d\d)+,\d{3}(?:\.\d+)?|\d+,\d+(?:[eE][-+]?\d+)?|\d+·\d+)$/;

const FORMS: readonly Form[] = [
  {
    pattern: INVISIBLE,
    has: ([mark]) => `an invisible character ${codeOf(mark)}`,
    rest: ({ input }) => input!.replaceAll(new RegExp(INVISIBLE, "g"), ""),
    isSure: true,
  },
  {
    pattern: /^(?:="?(.+?)"?|["“”„](.+)["“”]|['‘’`´](.+?)['’]?)$/,
    has: ({ input }) => `${input![0]} before the number`,
    rest: (found) => found[1] ?? found[2] ?? found[3],
    isSure: true,
  },
  {
    pattern: new RegExp(`(^|[eE])([${DASHES}])`),
    has: (found) => `a minus sign that is not -, but ${codeOf(found[2])}`,
    rest: ({ input }) => input!.replaceAll(new RegExp(`(^|[eE])[${DASHES}]`, "g"), "$1-"),
    isSure: true,
  },
  {
    pattern: /^([-+])\s+(.+)$/,
    has: () => "a space after the sign",
    rest: (found) => found[1] + found[2],
    isSure: true,
  },
  {
    pattern: /^\((?![-+])(.+)\)$/,
    has: () => "brackets for a negative number",
    rest: (found) => `-${found[1]}`,
    isSure: true,
  },
  {
    pattern: /^(?![-+])(.*\d)\s?-$/,
    has: () => "a minus sign after the number",
    rest: (found) => `-${found[1]}`,
    isSure: true,
  },
  {
    pattern: /[\uff01-\uff5e]|[^\P{Nd}0-9]/u,
    has: () => "digits or signs of another script",
    rest: ({ input }) => westernOf(input!),
    isSure: true,
  },
  {
    pattern: /^[-+]?0(?:x[\da-f]+|b[01]+|o[0-7]+)$/i,
    has: () => "a base other than ten",
    rest: ([text]) => (text.startsWith("-") ? "-" : "") + Number(text.replace(/^[-+]/, "")),
    isSure: true,
  },
  {
    pattern: /^[-+]?\d{1,3}(?:_\d{3})+(?:\.\d+)?$/,
    has: () => "underscores between digits",
    rest: ([text]) => text.replaceAll("_", ""),
    isSure: true,
  },
  {
    pattern: new RegExp(`^([-+]?)\\s?(${MONEY})\\s?(.+)$`, "u"),
    has: (found) => `a currency: ${found[2]}`,
    rest: (found) => found[1] + found[3],
    isSure: true,
  },
  {
    pattern: new RegExp(`^(.*\\d\\.?)\\s?(${MONEY})$`, "u"),
    has: (found) => `a currency: ${found[2]}`,
    rest: (found) => found[1],
    isSure: true,
  },
  {
    pattern:
      /^-?(?:\d+ days?,? )?\d+:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[ap]\.?m\.?)?$|^\d+ ?h(?:ours?)? ?\d+ ?m(?:in)?(?: ?\d+ ?s)?$/i,
    has: () => "the form of a time",
    rest: () => "0",
    isSure: false,
  },
  { pattern: /^(.+?)\s?[%‰‱]$/, has: () => "a percent sign", rest: (found) => found[1], isSure: false },
  {
    pattern: /^(.*\d)\s?([*†‡]+|\[\w{1,3}\])$/,
    has: (found) => `a mark after the number: ${found[2]}`,
    rest: (found) => found[1],
    isSure: true,
  },
  {
    pattern: /^([-+]?(?:\d+\.?\d*|\.\d+))[dD]([-+]?\d+)$/,
    has: () => "D before the exponent",
    rest: (found) => `${found[1]}e${found[2]}`,
    isSure: true,
  },
  {
    pattern: /^(.*\d)\s?[x×*·]\s?10(?:\^|\*\*)?[-+]?(?:(?<=[\^*][-+]?)\d+|[⁻⁺]?[⁰¹²³⁴-⁹]+)$/,
    has: () => "a power of ten",
    rest: (found) => found[1],
    isSure: false,
  },
  { pattern: GROUPED, has: ([text]) => `${separatorIn(text)} between digits`, rest: () => "0", isSure: false },
  {
    pattern: /^(.*\d\.?)\s?([kKMB]|[bBmMtT]n|[mM]ln|[mM]io|[mM]rd|thousand|[mb]illion|lakh|crore)\.?$/,
    has: (found) => `${found[2]} in place of zeros`,
    rest: (found) => found[1],
    unit: (found) => found[2],
    isSure: false,
  },
  {
    // An ordinal such as 1st is a name, and so is a quarter such as 2024Q2: only lengths and times have powers.
    pattern:
      /^(.*\d\.?)\s?(?!(?:st|nd|rd|th|er|ère|re|e|ème|eme|o|º|ª)$)([\p{L}°µ"′″'][\p{L}\p{M}°²³/.·^ -]{0,14}(?:(?<=m|ft|in|yd|mi|s)[23])?)$/iu,
    has: (found) => `a unit: ${found[2]}`,
    rest: (found) => found[1],
    unit: (found) => found[2],
    isSure: true,
  },
];

/** Texts that hold the place of a number, in any case. */
const PLACEHOLDER =
  /^(?:[?¿]+|[-_\u2010-\u2015\u2212]+|\.+|…|\*+|#+|#(?:n\/a|value!|ref!|div\/0!|name\?|num!|null!)|[<([]?(?:n\/?a|n\.a\.?|n\/d|[-+]?nan|nat|null|none|nil)[>)\]]?|\\N|[-+]?1\.#[a-z]+0*)$/i;

/** Words that mean that a value is missing where all others are numbers or dates; elsewhere they are good names. */
const MISSING_WORD =
  /^(?:missing|unknown|unk|undefined|not (?:available|applicable|known|given)|no data|nodata|void|blank|empty|tb[ad]|nd|n\.d\.)$/i;

/**
 * What a cell has that a number in a file has not, if it is a number to a person.
 *
 * @param cell The cell; spaces around it are ignored.
 * @returns Nothing for numbers, and for texts that are none.
 */
export function writtenNumber(cell: string): WrittenNumber | undefined {
  const text = cell.trim();
  if (text.length > WRITTEN_LENGTH) return undefined;
  if (/^[-+\u2212]?(?:inf|infinity|∞)$/i.test(text)) return { has: "no finite value" };
  return BEGINNING.test(text) && !isNumber(text) ? peel(text, MAX_FORMS) : undefined;
}

/**
 * Whether a text means that there is no value: `?`, `-`, `N/A` and the like.
 *
 * @param text The cell, without spaces around it.
 * @param withWords Whether words such as `unknown` are counted, which are good names among names.
 */
export function isPlaceholder(text: string, withWords: boolean): boolean {
  return text.length <= 20 && (PLACEHOLDER.test(text) || (withWords && MISSING_WORD.test(text)));
}

/** Takes what is odd away, one thing after the other, until a number is left. */
function peel(text: string, forms: number): WrittenNumber | undefined {
  for (const { pattern, has, rest, unit, isSure } of FORMS) {
    const found = text.match(pattern);
    if (!found) continue;
    const left = rest(found).trim();
    const inner: WrittenNumber | undefined = isNumber(left)
      ? { has: "", plain: left }
      : forms > 1
      ? peel(left, forms - 1)
      : undefined;
    if (!inner) continue;
    return {
      has: inner.has === "" ? has(found) : `${has(found)} and ${inner.has}`,
      unit: unit?.(found) ?? inner.unit,
      plain: isSure ? inner.plain : undefined,
    };
  }
}

function isNumber(text: string): boolean {
  return !Number.isNaN(numberOf(text));
}

/** A character's name in Unicode: U+200B. */
function codeOf(mark: string): string {
  return `U+${mark.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}

function separatorIn(text: string): string {
  const names: [string, RegExp][] = [["a comma", /,/], ["a space", /\s/], ["an apostrophe", /['’]/], ["a dot", /·/]];
  return names.find(([_, pattern]) => pattern.test(text))?.[0] ?? "more than one point";
}

/** Digits, signs and marks of other scripts as 0 to 9, - and points. */
function westernOf(text: string): string {
  const narrow = text.replaceAll(/[\uff01-\uff5e]/g, (mark) => String.fromCharCode(mark.charCodeAt(0) - 0xfee0));
  const digits = narrow.replaceAll(/[^\P{Nd}0-9]/gu, (digit) => {
    // Ten digits stand in a row, from a multiple of 16 on or six further; those of mathematics have a simpler form.
    const simple = digit.normalize("NFKC");
    if (/^\d$/.test(simple)) return simple;
    const code = digit.codePointAt(0)!;
    const place = code % 16;
    return `${/\p{Nd}/u.test(String.fromCodePoint(code - place)) ? place : place - 6}`;
  });
  return digits.replaceAll("٬", "").replace("٫", ".");
}
