/** Acts of vandalism on files, drawn from a seed. */

import { Random } from "../../lib/base/random.ts";

/** Draws of one case. */
export class Dice {
  readonly #random: Random;

  constructor(seed: number, purpose: string) {
    this.#random = new Random(seed, purpose);
  }

  /** A whole number from 0 to n - 1. */
  below(n: number): number {
    return Math.floor(this.#random.uniform(0, n));
  }

  /** True as often as `chance` says. */
  happens(chance: number): boolean {
    return this.#random.uniform() < chance;
  }

  /** One of some values. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }
}

/** Bytes that mean something to one reader or another. */
const BYTES = [..."\"{}[]:,;\\\n\r\t 019-+.eE'=@\0\x1b\x7f\x80\xc3\xff"].map((mark) => mark.charCodeAt(0));

type Act = (bytes: Uint8Array<ArrayBuffer>, dice: Dice) => Uint8Array<ArrayBuffer>;

const ACTS: Record<string, Act> = {
  flip: (bytes, dice) => set(bytes, dice, (byte) => byte ^ (1 << dice.below(8))),
  byte: (bytes, dice) => set(bytes, dice, () => dice.below(256)),
  mark: (bytes, dice) => set(bytes, dice, () => dice.pick(BYTES)),
  cut: (bytes, dice) => bytes.slice(0, dice.below(bytes.length + 1)),
  insert: (bytes, dice) => splice(bytes, dice.below(bytes.length + 1), 0, Uint8Array.of(dice.pick(BYTES))),
  remove: (bytes, dice) => splice(bytes, dice.below(bytes.length), 1 + dice.below(8)),
  append: (bytes, dice) => splice(bytes, bytes.length, 0, new Uint8Array(1 + dice.below(9)).fill(dice.pick(BYTES))),
  repeat: (bytes, dice) => {
    const from = dice.below(bytes.length);
    const piece = bytes.slice(from, from + 1 + dice.below(40));
    return splice(bytes, dice.below(bytes.length), 0, piece);
  },
  // What does most harm to a header: another number.
  digit: (bytes, dice) => {
    const copy = bytes.slice();
    const digits = [...bytes.keys()].filter((i) => bytes[i] >= 0x30 && bytes[i] <= 0x39);
    if (digits.length > 0) copy[dice.pick(digits)] = 0x30 + dice.below(10);
    return copy;
  },
  swap: (bytes, dice) => {
    const copy = bytes.slice();
    const length = 1 + dice.below(12);
    const a = dice.below(copy.length);
    const b = dice.below(copy.length);
    const piece = copy.slice(a, a + length);
    copy.copyWithin(a, b, b + length);
    copy.set(piece.subarray(0, Math.max(0, copy.length - b)), b);
    return copy;
  },
};

/** Damages bytes; `acts` gets the name of what was done. */
export function damage(bytes: Uint8Array<ArrayBuffer>, dice: Dice, acts: string[]): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return bytes;
  const act = dice.pick(Object.keys(ACTS));
  acts.push(act);
  return ACTS[act](bytes, dice);
}

function set(bytes: Uint8Array<ArrayBuffer>, dice: Dice, change: (byte: number) => number): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  const at = dice.below(copy.length);
  copy[at] = change(copy[at]);
  return copy;
}

/** Bytes with some of them taken out and others put in. */
export function splice(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  remove: number,
  put = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(Math.max(at, bytes.length - remove) + put.length);
  out.set(bytes.subarray(0, at));
  out.set(put, at);
  out.set(bytes.subarray(at + remove), at + put.length);
  return out.subarray(0, at + put.length + Math.max(0, bytes.length - at - remove));
}

/** Ends a key that is to be there twice. */
const TWICE = "(twice)";

/** Values of JSON that do most harm. */
const VALUES = [null, true, -1, 0, 1.5, 2 ** 53, 4294967296, [], {}, [[]], [-1], [0], { kind: "ReLU" }];
const ESCAPES = ["", "\0", "\x1b[31mred\x1b[0m"];
const TEXTS = [...ESCAPES, "*/ process.exit() /*", "__proto__", "F64", "../../etc/passwd", "\u202etxt", "1"];
/** Texts that are no value, or one that a parser would change. */
const RAW = ["1e308", "1e999", "-0", "1.0", "18446744073709551616", "NaN", "01", '"\\ud800"'];
const ODD: readonly unknown[] = [...VALUES, ...TEXTS, ...RAW.map((text) => `RAW(${text})`)];

/** Changes a tree of JSON somewhere: a value, a key, a field more or less, two values swapped, or something nested deep. */
export function damageJson(json: unknown, dice: Dice, acts: string[]): unknown {
  const places: [parent: Record<string, unknown>, key: string][] = [];
  const visit = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    for (const key of Object.keys(value)) {
      places.push([value as Record<string, unknown>, key]);
      visit((value as Record<string, unknown>)[key]);
    }
  };
  visit(json);
  if (places.length === 0) return dice.pick(ODD);
  const [parent, key] = dice.pick(places);
  const [other, otherKey] = dice.pick(places);
  const act = dice.pick(["odd", "odd", "delete", "rename", "swap", "copy", "nest", "huge", "number", "twice"]);
  acts.push(`json ${act} ${key.slice(0, 20)}`);
  const put = (parent: Record<string, unknown>, key: string, value: unknown) =>
    Object.defineProperty(parent, key, { value, enumerable: true, writable: true, configurable: true });
  if (act === "odd") put(parent, key, structuredClone(dice.pick(ODD)));
  if (act === "twice" && !Array.isArray(parent)) put(parent, `${key}${TWICE}`, structuredClone(parent[key]));
  if (act === "delete") Array.isArray(parent) ? parent.splice(Number(key), 1) : delete parent[key];
  if (act === "rename" && !Array.isArray(parent)) {
    put(parent, dice.pick(["__proto__", "constructor", "__metadata__", "a", `${key}"`, ""]), parent[key]);
  }
  if (act === "copy") put(other, otherKey, structuredClone(parent[key]));
  if (act === "nest") put(parent, key, `RAW(${"[".repeat(dice.pick([3, 90, 200, 50_000]))})`);
  if (act === "huge") put(parent, key, dice.pick(["x".repeat(50_000), Array(3000).fill(0), Array(300).fill({})]));
  if (act === "number") put(parent, key, dice.pick([1, 2, 3, 4, 8, 16, 2 ** 32, 2 ** 52, -4, 1e-320, 1e300]));
  if (act === "swap") {
    const value = structuredClone(parent[key]);
    put(parent, key, structuredClone(other[otherKey]));
    put(other, otherKey, value);
  }
  return json;
}

/** A tree as JSON, with what stands for raw text as that text; brackets that were only opened may be closed. */
export function writeJson(json: unknown, dice: Dice): string {
  return JSON.stringify(json).replaceAll(`${TWICE}":`, '":').replace(
    /"RAW\(((?:[^"\\]|\\.)*)\)"/g,
    (_, raw: string) => {
      const text = raw.replaceAll('\\"', '"').replaceAll("\\\\", "\\");
      return text.startsWith("[") && dice.happens(0.7) ? text + "]".repeat(text.length) : text;
    },
  );
}
