/** Text from a stream, as it arrives, and what it is: JSON lines or CSV. */

import { parse } from "@std/csv";
import { SEPARATORS } from "../../lib/data/csv_records.ts";
import { recordsOf, type TextBlock } from "../../lib/data/csv_text.ts";
import { DataError } from "../../lib/base/errors.ts";
import { shorten, visible } from "../../lib/base/printable.ts";

/** Longest line, and longest record of CSV: more is no row. */
const LIMIT = 16 * 1024 * 1024;

/**
 * Whole lines of a stream: those that have arrived together are one block. A byte-order mark is taken off.
 *
 * @throws {DataError} With the line, if it is not UTF-8 or too long.
 */
export async function* lineBlocks(file: string, stream: AsyncIterable<Uint8Array>): AsyncGenerator<TextBlock> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let line = 1;
  const decode = (bytes?: Uint8Array) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (error) {
      throw new DataError("this line, or one soon after it, is not UTF-8", { file, line }, { cause: error });
    }
  };
  for await (const bytes of stream) {
    const text = rest + decode(bytes);
    const end = text.lastIndexOf("\n") + 1;
    rest = text.slice(end);
    if (end > 0) yield { file, text: text.slice(0, end), line };
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) line++;
    if (rest.length > LIMIT) throw new DataError(`this line is longer than ${LIMIT} characters`, { file, line });
  }
  rest += decode();
  if (rest !== "") yield { file, text: rest, line };
}

/**
 * Blocks that end where a record of CSV ends: a quoted cell may hold line ends.
 *
 * @throws {DataError} If a record is too long: then a quote is never closed.
 */
export async function* recordTexts(blocks: AsyncIterable<TextBlock>): AsyncGenerator<TextBlock> {
  let open: TextBlock | undefined;
  let quotes = 0;
  for await (const block of blocks) {
    quotes += quotesIn(block);
    open = open ? { ...open, text: open.text + block.text } : block;
    if (quotes % 2 === 0) {
      yield open;
      open = undefined;
    } else {
      checkLength(open);
    }
  }
  if (open) yield open;
}

/**
 * The first blocks up to one that is not blank. If it begins with a record of CSV, such as a header with a quoted line end,
 * this is whole.
 *
 * @throws {DataError} If the record is too long.
 */
export async function firstRecords(blocks: AsyncGenerator<TextBlock>): Promise<TextBlock | undefined> {
  let first: TextBlock | undefined;
  // Not a loop over all: that would end the stream.
  for (let next = await blocks.next(); !next.done; next = await blocks.next()) {
    const block: TextBlock = next.value;
    if (!first && block.text.trim() === "") continue;
    first = first ? { ...first, text: first.text + block.text } : block;
    if (first.text.trimStart().startsWith("{") || quotesIn(first) % 2 === 0) break;
    checkLength(first);
  }
  return first;
}

function quotesIn({ text }: TextBlock): number {
  return text.split('"').length - 1;
}

function checkLength({ file, text, line }: TextBlock): void {
  if (text.length <= LIMIT) return;
  throw new DataError(`a record is longer than ${LIMIT} characters: is a quote never closed?`, { file, line });
}

/**
 * Whether a text is CSV, whose first record names input columns, or JSON lines.
 *
 * @throws {DataError} If it looks like neither.
 */
export function isCsv(block: TextBlock, inputs: readonly string[]): boolean {
  const { file, text, line } = recordsOf(block).find((record) => record.text.trim() !== "")!;
  const first = text.trim();
  if (first.startsWith("{")) return false;
  if (/^"?sep=/i.test(first)) return true;
  const names = [...SEPARATORS.keys()].flatMap((separator) => cellsOf(first, separator));
  if (inputs.some((name) => names.includes(name))) return true;
  if (isJson(first)) return false;
  const problem = `this is neither a row in JSON nor a header that names the input columns ${
    visible(inputs.join(", "))
  }`;
  throw new DataError(`${problem}: ${visible(shorten(first))}`, { file, line });
}

function cellsOf(header: string, separator: string): string[] {
  try {
    return (parse(header, { separator })[0] ?? []).map((cell) => cell.trim());
  } catch {
    return []; // a quote out of place: then it is no header with this separator
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return text.startsWith("[");
  }
}
