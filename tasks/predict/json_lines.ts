/** JSON lines from a stream, as they arrive. */

import { DataError } from "../../lib/base/errors.ts";

/** Longest line: more is no row. */
const LINE_LIMIT = 16 * 1024 * 1024;

/** A line of JSON. */
export interface JsonLine {
  value: unknown;
  /** Its number, counted from 1. */
  line: number;
}

/**
 * Reads a stream of JSON texts, one a line, and skips blank lines. Lines that have arrived are given at once.
 *
 * @throws {DataError} With the line, if it is no JSON, not UTF-8 or too long. The lines before it are given first.
 */
export async function* jsonLines(name: string, stream: AsyncIterable<Uint8Array>): AsyncGenerator<JsonLine[]> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let line = 0;
  const fault = (problem: string, cause?: unknown) => new DataError(problem, { file: name, line }, { cause });
  const decode = (bytes?: Uint8Array) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (error) {
      line++;
      throw fault("this line, or one soon after it, is not UTF-8", error);
    }
  };
  const parse = function* (texts: string[]): Generator<JsonLine[]> {
    const parsed: JsonLine[] = [];
    for (const text of texts) {
      line++;
      if (text.trim() === "") continue;
      try {
        parsed.push({ value: JSON.parse(text), line });
      } catch (error) {
        if (parsed.length > 0) yield parsed;
        throw fault(`this is no JSON: ${text.length > 60 ? `${text.slice(0, 60)}...` : text.trim()}`, error);
      }
    }
    if (parsed.length > 0) yield parsed;
  };
  for await (const bytes of stream) {
    const texts = (rest + decode(bytes)).split("\n");
    rest = texts.pop()!;
    yield* parse(texts);
    if (rest.length > LINE_LIMIT) {
      line++;
      throw fault(`this line is longer than ${LINE_LIMIT} characters`);
    }
  }
  yield* parse([rest + decode()]);
}
