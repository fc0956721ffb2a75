/**
 * Texts from files, made safe for messages: they may be long, and hold characters that a terminal obeys.
 *
 * @module
 */

/** Control characters, marks that turn the direction of text, line and paragraph separators, halves of characters. */
const OBEYED = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Characters of a name that a message shows. */
const SHOWN_LENGTH = 60;

/** Elements of a list that a message shows. */
const SHOWN_ELEMENTS = 20;

/** A text without characters that a terminal obeys: each is written as in JSON, `\u001b`. JSON stays the same JSON. */
export function printable(text: string, kept: string = ""): string {
  return text.replaceAll(
    OBEYED,
    (mark) => kept.includes(mark) ? mark : `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A text for people to compare: also characters that cannot be seen, and spaces that are no usual ones, are as in JSON. */
export function visible(text: string): string {
  const written = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return printable(text).replaceAll(/(?! )[\p{Cf}\p{Zs}]/gu, (mark) => mark.split("").map(written).join(""));
}

/** A text without characters that cannot be seen, with one usual space where there are spaces: what a person would type. */
export function plain(text: string): string {
  return text.replaceAll(/\p{Cf}/gu, "").replaceAll(/\s+/g, " ").trim();
}

/** A text's beginning, with dots if it was longer. */
export function shorten(text: string, length: number = SHOWN_LENGTH): string {
  return text.length > length ? `${text.slice(0, length)}...` : text;
}

/** Parsed JSON as JSON again, for people: long texts, long lists and deep levels are cut. */
export function showJson(value: unknown, depth: number = 3): string {
  if (typeof value === "string") return JSON.stringify(shorten(value));
  if (typeof value !== "object" || value === null) return `${JSON.stringify(value)}`;
  if ("toJSON" in value && typeof value.toJSON === "function") return showJson(value.toJSON(), depth);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (depth === 0) return `${open}...${close}`;
  const keys = Object.keys(value);
  const fields = value as Record<string, unknown>;
  const shown = keys.slice(0, SHOWN_ELEMENTS).map((key) => {
    const field = showJson(fields[key], depth - 1);
    return open === "[" ? field : `${showJson(key)}:${field}`;
  });
  return `${open}${shown.join(",")}${keys.length > shown.length ? ",..." : ""}${close}`;
}

/** A name in quotes, for messages: a long one is cut, and characters that cannot be seen are written as in JSON. */
export function showName(name: string): string {
  return visible(JSON.stringify(shorten(name)));
}
