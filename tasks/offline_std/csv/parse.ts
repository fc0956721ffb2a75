// deno-lint-ignore-file no-import-prefix -- a named dependency would have to stand in the configuration of every user
import { CsvError, parse as parseRecords } from "npm:csv-parse@^7.0.3/sync";

/** What {@linkcode parse} takes besides the text. */
export interface ParseOptions {
  /** What stands between two values; a comma by default. */
  separator?: string;
  /** Takes the first row as the names of the columns. */
  skipFirstRow?: boolean;
}

/**
 * Reads comma-separated values: rows of cells, or objects where the first row names the columns. A byte-order mark and
 * blank lines are left out, and rows of cells may differ in length.
 *
 * @throws {SyntaxError} If a quote stands where none may stand, or one is never closed.
 * @throws {TypeError} If the first row is to be skipped and there is none.
 * @throws {Error} If a row has not as many cells as there are named columns.
 */
export function parse(input: string, options?: ParseOptions & { skipFirstRow?: false }): string[][];
export function parse(input: string, options: ParseOptions & { skipFirstRow: true }): Record<string, string>[];
export function parse(input: string, options: ParseOptions = {}): Record<string, string>[] | string[][] {
  const rows = readRows(input, options.separator ?? ",");
  if (!options.skipFirstRow) return rows;
  const names = rows.shift();
  if (names === undefined) throw new TypeError("Cannot parse input: headers must be defined");
  return rows.map((row, index) => {
    if (row.length !== names.length) {
      const counts = `The record has ${row.length} fields, but the header has ${names.length} fields`;
      throw new Error(`Syntax error on line ${index + 2}: ${counts}`);
    }
    return Object.fromEntries(names.map((name, column) => [name, row[column]]));
  });
}

/** csv-parse takes a zero behind a closing quote for the text's end: it gets another character in the place of zeros. */
function readRows(input: string, separator: string): string[][] {
  if (!input.includes("\0")) return readTextRows(input, separator);
  let code = 0xe000;
  while (input.includes(String.fromCharCode(code))) code++;
  const spare = String.fromCharCode(code);
  const rows = readTextRows(input.replaceAll("\0", spare), separator);
  return rows.map((row) => row.map((cell) => cell.replaceAll(spare, "\0")));
}

function readTextRows(input: string, separator: string): string[][] {
  if (['"', "\r", "\n"].includes(separator)) throw new Error("Cannot parse input: invalid delimiter");
  // A carriage return counts only before a line feed or at the very end, and a quoted line break reads as a line feed.
  const text = input.replace(/^\ufeff/, "").replaceAll("\r\n", "\n").replace(/\r$/, "");
  try {
    return parseRecords(text, {
      delimiter: separator,
      record_delimiter: "\n",
      relax_column_count: true,
      skip_empty_lines: true,
    });
  } catch (error) {
    throw error instanceof CsvError ? quoteFault(error, text, separator) : error;
  }
}

/** Says in the words of @std/csv where a quote is at fault; csv-parse knows the field only by where the last one ended. */
function quoteFault(error: CsvError, text: string, separator: string): Error {
  const { code, bytes, lines, records, empty_lines } = error as unknown as Record<string, number | string>;
  const bare = code === "INVALID_OPENING_QUOTE";
  if (!bare && code !== "CSV_INVALID_CLOSING_QUOTE" && code !== "CSV_QUOTE_NOT_CLOSED") return error;

  let start = new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, Number(bytes))).length;
  if (text.startsWith(separator, start)) start += separator.length;
  while (text[start] === "\n") start++;
  const quoted = text.slice(start).match(/^"(?:[^"]|"")*/)?.[0] ?? "";
  const at = bare ? text.indexOf('"', start) : start + quoted.length;

  const before = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  // An unclosed quote is noticed at the end of the text, on a line of its own, unless the text ends in a quote.
  const column = code === "CSV_QUOTE_NOT_CLOSED" && !text.endsWith('"') ? 1 : [...before].length + 1;
  const what = bare ? 'bare " in non-quoted-field' : 'extraneous or missing " in quoted-field';
  const record = Number(records) + Number(empty_lines) + 1;
  return new SyntaxError(`Syntax error on line ${record}; parse error on line ${lines}, column ${column}: ${what}`);
}
