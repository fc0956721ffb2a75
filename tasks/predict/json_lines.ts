/** Rows in JSON, one a line. */

import { DataError } from "../../lib/base/errors.ts";
import { shorten } from "../../lib/base/printable.ts";
import { jsonHint, repeatedKey, repetition } from "../../lib/data/json_records.ts";
import type { TextBlock } from "../../lib/data/csv_text.ts";

/** A line of JSON. */
export interface JsonLine {
  /** What it says; numbers are texts, as they are written. */
  readonly value: unknown;
  /** The line. */
  readonly text: string;
  /** Its number, counted from 1. */
  readonly line: number;
}

/** What JavaScript's JSON can do, and TypeScript's types of it do not say. */
const SOURCED = JSON as unknown as {
  parse(text: string, revive: (key: string, value: unknown, context: { source: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
};

/**
 * Parses JSON. Numbers become texts, as they are written: an id may have more digits than a number of JavaScript.
 *
 * @throws {SyntaxError} If it is none.
 * @throws {TypeError} If it is an object with a key twice.
 */
export function parseJson(text: string): unknown {
  const value = SOURCED.parse(text, (_, value, { source }) => typeof value === "number" ? source : value);
  const repeated = repeatedKey(text, value);
  if (repeated !== undefined) throw new TypeError(repetition(repeated));
  return value;
}

/** Parses JSON to be written as JSON again, where numbers are as they were. */
export function parseExactly(text: string): unknown {
  return SOURCED.parse(text, (_, value, { source }) => typeof value === "number" ? SOURCED.rawJSON(source) : value);
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
        parsed.push({ value: parseJson(lines[i]), text: lines[i], line });
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
