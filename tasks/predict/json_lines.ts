/** Rows in JSON, one a line. */

import { DataError } from "../../lib/base/errors.ts";
import { shorten } from "../../lib/base/printable.ts";
import { jsonHint, repeatedKey, repetition } from "../../lib/data/json_records.ts";
import type { TextBlock } from "../../lib/data/csv_text.ts";

/** Parsed JSON. */
export interface ParsedJson {
  /** The value; whole numbers that float64 may not hold exactly are texts. */
  readonly value: unknown;
  /** The same to be written as JSON again, where such numbers keep their digits. */
  readonly exact: unknown;
}

/** A line of JSON. */
export interface JsonLine extends ParsedJson {
  /** Its number, counted from 1. */
  readonly line: number;
}

/** A whole number of 16 digits or more, perhaps within a text. */
const LONG = /[\s:,[]-?\d{16,}\s*[,}\]]/;

/** What JavaScript's JSON can do, and TypeScript's types of it do not say. */
const SOURCED = JSON as unknown as {
  parse(text: string, revive: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
};

/**
 * Parses JSON without losing digits of long whole numbers, such as ids.
 *
 * @throws {SyntaxError} If it is none.
 * @throws {TypeError} If it is an object with a key twice.
 */
export function parseJson(text: string): ParsedJson {
  const parsed = parseDigits(text);
  const repeated = repeatedKey(text, parsed.value);
  if (repeated !== undefined) throw new TypeError(repetition(repeated));
  return parsed;
}

function parseDigits(text: string): ParsedJson {
  if (!LONG.test(text)) {
    const value: unknown = JSON.parse(text);
    return { value, exact: value };
  }
  const parse = (long: (source: string) => unknown) =>
    SOURCED.parse(text, (_, value, { source = "" }) => /^-?\d{16,}$/.test(source) ? long(source) : value);
  return { value: parse(String), exact: parse(SOURCED.rawJSON) };
}

/**
 * Reads blocks of lines of JSON, and skips blank lines. Lines that have arrived together are given at once.
 *
 * @throws {DataError} With the line, if it is no JSON, or an object with a key twice. The lines before it are given first.
 */
export async function* jsonLines(blocks: AsyncIterable<TextBlock>): AsyncGenerator<JsonLine[]> {
  for await (const { file, text, line: first } of blocks) {
    const parsed: JsonLine[] = [];
    const lines = text.split("\n");
    for (let i = 0; i < lines.length; i++) {
      if (lines[i].trim() === "") continue;
      const line = first + i;
      try {
        parsed.push({ ...parseJson(lines[i]), line });
      } catch (error) {
        const isRepeated = error instanceof TypeError;
        if (!isRepeated && !(error instanceof SyntaxError)) throw error;
        if (parsed.length > 0) yield parsed;
        const none = `this is no JSON: ${shorten(lines[i].trim())}${jsonHint(lines[i])}`;
        const problem = isRepeated ? error.message : none;
        throw new DataError(problem, { file, line }, { cause: error });
      }
    }
    if (parsed.length > 0) yield parsed;
  }
}
