/** How the text of a setting is read, and what it may be: choices, numbers, names of columns and the like. */

import { parse as parseCsv } from "@std/csv";
import type { Init } from "../../lib/base/init.ts";
import { MISSING_TEXTS } from "../../lib/data/cells.ts";
import type { ThresholdRule } from "../../lib/evaluate/two_classes.ts";
import { dateForm } from "../../lib/data/dates.ts";

/** How far apart two checkpoints are. */
type Interval = { readonly steps: number; readonly seconds?: undefined } | {
  readonly steps?: undefined;
  readonly seconds: number;
};

export interface Reader<T> {
  /** What the text may be, in words. */
  readonly allowed: string;
  /** The same in few words, for lists of settings; "" if the meaning of the setting says enough. */
  readonly short?: string;
  /** Reads the text; undefined if it is not allowed. */
  parse(text: string): T | undefined;
  /** Whether its flag may stand alone, for true. */
  readonly isBoolean?: true;
}

export function choice<const T extends string>(...values: readonly T[]): Reader<T> {
  const allowed = `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
  return { allowed, parse: (text) => values.find((value) => value === text) };
}

export const YES_OR_NO: Reader<boolean> = {
  allowed: "true or false",
  short: "",
  parse: (text) => text === "true" ? true : text === "false" ? false : undefined,
  isBoolean: true,
};

export function text(allowed: string): Reader<string> {
  return { allowed, short: "", parse: (text) => text };
}

/** Names of columns, as a record of a CSV file. */
export const COLUMNS: Reader<string[]> = {
  allowed: 'names of columns, comma-separated; one with a comma is quoted: a,"b,c"',
  short: "",
  parse: (text) => {
    try {
      const names = (parseCsv(text)[0] ?? []).map((name) => name.trim());
      return new Set(names).size === names.length && !names.includes("") ? names : undefined;
    } catch {
      return undefined;
    }
  },
};

/** Texts that mean missing, as a record of a CSV file, or a word for the usual ones or for none. */
export const TEXTS: Reader<string[]> = {
  allowed: 'texts, comma-separated, such as "?,-,N/A"; or auto or none',
  short: "",
  parse: (text) => text === "none" ? [] : text === "auto" ? [...MISSING_TEXTS] : COLUMNS.parse(text),
};

/** A column of dates, and how they are written. */
export interface DateColumnSetting {
  readonly name: string;
  /** Undefined for year-month-day. */
  readonly format?: string;
}

/** Names of columns, each perhaps with a colon and the form of its dates. */
export const DATES: Reader<DateColumnSetting[]> = {
  allowed:
    "columns, each perhaps with the form of its dates, such as day:%d.%m.%Y; of %Y %y %m %b %d %H %I %M %S %p %z",
  short: "",
  parse: (text) => {
    try {
      return COLUMNS.parse(text)?.map((column) => {
        const at = column.search(/:[^:%]*%/);
        if (at < 0) return { name: column };
        const name = column.slice(0, at).trim();
        const format = column.slice(at + 1);
        dateForm(format);
        return { name, format };
      });
    } catch {
      return undefined;
    }
  },
};

/** The name of a run, which is that of its folder on every system. */
export const RUN_NAME: Reader<string> = {
  allowed:
    "1 to 100 letters, digits, dots, dashes and underscores, a letter or digit first, no dot last, no device's name",
  short: "",
  parse: (text) =>
    /^(?!(con|prn|aux|nul|com\d|lpt\d)(\.|$))[a-z0-9]([a-z0-9._-]{0,98}[a-z0-9_-])?$/i.test(text) ? text : undefined,
};

export function whole(low: number, high: number): Reader<number> {
  return { allowed: `a whole number from ${low} to ${high}`, short: "", parse: (text) => parseWhole(text, low, high) };
}

export function number(allowed: string, isAllowed: (value: number) => boolean, short = ""): Reader<number> {
  return {
    allowed,
    short,
    parse: (text) => {
      const value = parseDecimal(text);
      return value !== undefined && isAllowed(value) ? value : undefined;
    },
  };
}

/** A number that the GPU sees as above 0 and not infinite. */
export const POSITIVE: Reader<number> = number("a number above 0, also as float32", isPositiveFloat32, "above 0");

/** A number that the GPU sees as 0 only if it is 0, and not as infinite. */
export const NOT_NEGATIVE: Reader<number> = number(
  "a number from 0 on, also as float32",
  (value) => value === 0 || isPositiveFloat32(value),
);

export const SHARE: Reader<number> = number(
  "a number from 0 to less than 1",
  (value) => value >= 0 && Math.fround(value) < 1,
  "from 0 to below 1",
);

/** A share of rows that shall lie within intervals. */
export const LEVEL: Reader<number> = number(
  "a share over 0 and under 1, such as 0.9",
  (value) => value > 0 && value < 1,
);

/** Reads what another reader does, or a word. */
export function orWord<T, const W extends string>(word: W, allowed: string, reader: Reader<T>): Reader<T | W> {
  return { allowed, short: "", parse: (text) => text === word ? word : reader.parse(text) };
}

/** How many folds; a single one would hold out all rows. */
export const FOLDS: Reader<number | "auto"> = {
  allowed: "auto, 0 for none, or a whole number from 2 to 64",
  short: "",
  parse: (text) => text === "auto" ? text : text === "0" ? 0 : parseWhole(text, 2, 64),
};

/** A share, or how to choose one. */
export const THRESHOLD: Reader<number | ThresholdRule> = {
  allowed: "a number above 0 and below 1, best-f1, or cost:R with R above 0",
  short: "0.3, best-f1 or cost:5",
  parse: (text) => {
    if (text === "best-f1") return text;
    const [_, ratio] = text.match(/^cost:(.*)$/) ?? [];
    const value = parseDecimal(ratio ?? text);
    if (value === undefined || value <= 0) return undefined;
    return ratio === undefined ? (value < 1 ? value : undefined) : { cost: value };
  },
};

/** Steps between two checkpoints, or a time. */
export const INTERVAL: Reader<Interval> = {
  allowed: "steps such as 1000, or a time such as 30s, 5m or 1h",
  short: "1000 (steps), 30s, 5m or 1h",
  parse: (text) => {
    const [_, digits, unit] = text.match(/^(\d+)([smh]?)$/) ?? [];
    const count = parseWhole(digits ?? "", 1, 1_000_000_000);
    if (count === undefined) return undefined;
    return unit === "" ? { steps: count } : { seconds: count * { s: 1, m: 60, h: 3600 }[unit as "s" | "m" | "h"] };
  },
};

export const SECONDS: Reader<number> = {
  allowed: "a time such as 30s, 5m or 1h",
  short: "30s, 5m or 1h",
  parse: (text) => INTERVAL.parse(text)?.seconds,
};

/** Every how many steps; the flag alone is each step, 0 never. */
export const EVERY: Reader<number> = {
  allowed: "a whole number from 0 on, or true for 1",
  short: "",
  parse: (text) => text === "true" ? 1 : text === "false" ? 0 : parseWhole(text, 0, 1_000_000_000),
  isBoolean: true,
};

export const WIDTHS: Reader<number[]> = {
  allowed: "1 to 64 whole numbers from 1 to 65536, such as 64 or 128,64",
  short: "64 or 128,64",
  parse: (text) => {
    const widths = text.split(",").map((width) => parseWhole(width.trim(), 1, 65_536));
    return widths.length <= 64 && widths.every((width) => width !== undefined) ? widths : undefined;
  },
};

export const INIT: Reader<Init> = {
  allowed: "kaiming, xavier, uniform:A, normal:S or ones, with A and S above 0, also as float32",
  short: "kaiming, xavier, uniform:A, normal:S",
  parse: (text) => {
    if (text === "kaiming" || text === "xavier" || text === "ones") return { kind: text };
    const [kind, amount, ...rest] = text.split(":");
    const scale = POSITIVE.parse(amount ?? "");
    const isKnown = (kind === "uniform" || kind === "normal") && rest.length === 0;
    return isKnown && scale !== undefined ? { kind, scale } : undefined;
  },
};

export const SPLIT: Reader<[number, number, number]> = {
  allowed: "three numbers from 0 on that add up to 1, the first above 0, such as 0.8,0.1,0.1",
  short: "",
  parse: (text) => {
    const shares = text.split(",").map((share) => parseDecimal(share.trim()) ?? NaN);
    if (shares.length !== 3 || !shares.every((share) => share >= 0) || shares[0] === 0) return undefined;
    return Math.abs(shares[0] + shares[1] + shares[2] - 1) <= 1e-9 ? shares as [number, number, number] : undefined;
  },
};

function parseWhole(text: string, low: number, high: number): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  return value >= low && value <= high ? value : undefined;
}

function parseDecimal(text: string): number | undefined {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : undefined;
}

function isPositiveFloat32(value: number): boolean {
  return Math.fround(value) > 0 && Math.fround(value) < Infinity;
}
