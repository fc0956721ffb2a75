/** Random search: ranges, as users type them, and what a trial draws from them. */

import { Random } from "../../lib/base/random.ts";

/** Where a setting's values come from. */
export type Range =
  | { kind: "choice"; values: readonly string[] }
  | { kind: "number"; low: number; high: number; isLog: boolean; isWhole: boolean };

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;
const BETWEEN = new RegExp(`^(${NUMBER})\\.\\.(${NUMBER})(:log)?$`);

/** Whether a text is meant as a range. */
export function isRange(text: string): boolean {
  return BETWEEN.test(text) || text.includes("|");
}

/**
 * Reads a range: `1e-4..1e-1` draws uniformly, `1e-4..1e-1:log` uniformly in the logarithm, `16..256` whole numbers because
 * both ends are, `64|128,64` one of the texts.
 *
 * @throws {RangeError} If its ends are in the wrong order, or not above 0 under `:log`.
 */
export function parseRange(text: string): Range | undefined {
  const match = text.match(BETWEEN);
  if (!match) {
    return text.includes("|") ? { kind: "choice", values: text.split("|").map((value) => value.trim()) } : undefined;
  }
  const low = Number(match[1]);
  const high = Number(match[2]);
  const isLog = match[3] !== undefined;
  if (!(low <= high && Number.isFinite(high - low))) {
    throw new RangeError(`${JSON.stringify(text)} is no range: its first number must not be above its second`);
  }
  if (isLog && !(low > 0)) {
    throw new RangeError(`${JSON.stringify(text)} has no logarithm: both numbers must be above 0`);
  }
  const isWhole = [match[1], match[2]].every((end) => /^\+?\d+$/.test(end));
  return { kind: "number", low, high, isLog, isWhole };
}

/** Draws a value, as text. Each setting has a random stream of its own, so other ranges do not change it. */
export function draw(range: Range, seed: number, stream: string): string {
  const random = new Random(seed, stream);
  if (range.kind === "choice") return range.values[Math.floor(random.uniform(0, range.values.length))];
  const { low, high, isLog, isWhole } = range;
  // Whole numbers reach half a number beyond each end, so that the ends are as likely as the rest.
  const [from, to] = isWhole ? [low - 0.5, high + 0.5] : [low, high];
  const value = isLog ? Math.exp(random.uniform(Math.log(from), Math.log(to))) : random.uniform(from, to);
  return isWhole ? `${Math.min(high, Math.max(low, Math.round(value)))}` : `${Number(value.toPrecision(4))}`;
}
