/**
 * A second reader of CSV, for tests: the whole file at once, character by character, slow and plain. What it says of a file
 * the library must say too.
 */

import { isUtf8 } from "node:buffer";
import { Refusal } from "./fuzz_cases.ts";

/** What a file holds. */
export interface PlainCsv {
  columns: string[];
  records: string[][];
  /** The line in which each record begins, counted from 1. */
  lines: number[];
  /** Whether a record is longer than the library must read. */
  isLong: boolean;
}

/** Longest name of a column. */
const MAX_NAME = 10_000;

/** Longest record, in bytes. */
const MAX_RECORD = 16 * 1024 * 1024;

export function readPlainCsv(bytes: Uint8Array): PlainCsv {
  if (!isUtf8(bytes)) throw new Refusal("no UTF-8");
  let text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  if (text[0] === "\ufeff") text = text.slice(1);
  const { records, lines, isLong } = recordsOf(text, separatorOf(text));
  if (records.length === 0) throw new Refusal("empty");
  const header = records.shift()!;
  const columns = header.map((cell) => cell.trim());
  lines.shift();
  const isNumber = (name: string) => plainNumber(name) !== undefined;
  const named = columns.filter((name) => name !== "");
  if (named.every(isNumber) || columns.some((name) => name.length > MAX_NAME)) throw new Refusal("names");
  if (new Set(named).size < named.length) throw new Refusal("a name twice");
  if (records.some((record) => record.length !== columns.length)) throw new Refusal("ragged");
  if (records.some((record) => record.every((cell, i) => cell === header[i]))) throw new Refusal("the header twice");
  if (records.length === 0) throw new Refusal("no rows");
  const isIndex = columns[0] === "" && isCounted(records.map(([cell]) => cell));
  columns.forEach((name, i) => {
    const isEmpty = records.every((record) => record[i].trim() === "");
    if (name === "" && !isEmpty && !(i === 0 && isIndex)) throw new Refusal("no name");
  });
  return { columns: named, records: records.map((cells) => cells.filter((_, i) => columns[i] !== "")), lines, isLong };
}

/** Whether cells number the rows: whole numbers, and the first of them all different, or counted from the first again. */
function isCounted(cells: readonly string[]): boolean {
  const [first] = cells;
  const start = cells.slice(0, 4096);
  const counts = start.every((cell, i) => i === 0 || cell === first || Number(cell) === Number(start[i - 1]) + 1);
  return cells.every((cell) => /^[0-9]+$/.test(cell)) && (counts || new Set(start).size === start.length);
}

/** The decimal number that a cell holds; none where it holds something else, or one that is not finite. */
export function plainNumber(cell: string): number | undefined {
  const text = cell.trim();
  let at = 0;
  let digits = 0;
  const skipDigits = () => {
    const from = at;
    while (text[at] >= "0" && text[at] <= "9") at++;
    return at - from;
  };
  if (text[at] === "+" || text[at] === "-") at++;
  digits = skipDigits();
  if (text[at] === ".") {
    at++;
    digits += skipDigits();
  }
  if (digits === 0) return undefined;
  if (text[at] === "e" || text[at] === "E") {
    at++;
    if (text[at] === "+" || text[at] === "-") at++;
    if (skipDigits() === 0) return undefined;
  }
  return at === text.length && Number.isFinite(parseFloat(text)) ? parseFloat(text) : undefined;
}

/** The separator that the first record holds most of, outside of quotes. */
function separatorOf(text: string): string {
  const counts = new Map([[",", 0], [";", 0], ["\t", 0], ["|", 0]]);
  let isQuoted = false;
  let isBlank = true;
  for (const mark of text) {
    if (mark === '"') isQuoted = !isQuoted;
    if (mark === "\n" && !isQuoted && !isBlank) break;
    if (mark !== "\n" && mark !== "\r") isBlank = false;
    if (!isQuoted && counts.has(mark)) counts.set(mark, counts.get(mark)! + 1);
  }
  return [...counts].reduce((best, next) => next[1] > best[1] ? next : best)[0];
}

/** Records of cells. A line break is LF or CRLF; within quotes either reads as LF. Lines of nothing are skipped. */
function recordsOf(text: string, separator: string): Pick<PlainCsv, "records" | "lines" | "isLong"> {
  const records: string[][] = [];
  const lines: number[] = [];
  let at = 0;
  let line = 1;
  let isLong = false;
  const atBreak = () => text[at] === "\n" || (text[at] === "\r" && (text[at + 1] === "\n" || at === text.length - 1));
  const skipBreak = () => {
    if (text[at] === "\r") at++;
    if (text[at] === "\n") at++;
    line++;
  };
  const quoted = () => {
    const from = ++at;
    for (; text[at] !== '"' || text[at + 1] === '"'; at++) {
      if (at >= text.length) throw new Refusal("a quote is never closed");
      if (text[at] === '"') at++;
      if (text[at] === "\n") line++;
    }
    const cell = text.slice(from, at++).replaceAll('""', '"').replaceAll("\r\n", "\n");
    skipSpaces(() => at === text.length || text[at] === separator || atBreak());
    if (at < text.length && text[at] !== separator && !atBreak()) throw new Refusal("more behind a quote");
    return cell;
  };
  /** Spaces next to a quoted cell. */
  const skipSpaces = (isNext: () => boolean) => {
    const from = at;
    while (text[at] === " ") at++;
    if (!isNext()) at = from;
  };
  const bare = () => {
    const from = at;
    for (; at < text.length && text[at] !== separator && !atBreak(); at++) {
      if (text[at] === '"') throw new Refusal("a quote within a cell");
    }
    return text.slice(from, at);
  };
  while (at < text.length) {
    if (atBreak()) {
      skipBreak();
      continue;
    }
    const record: string[] = [];
    const from = at;
    lines.push(line);
    for (let isOpen = true; isOpen;) {
      skipSpaces(() => text[at] === '"');
      record.push(text[at] === '"' ? quoted() : bare());
      isOpen = text[at] === separator && at < text.length;
      if (isOpen) at++;
    }
    isLong ||= at - from > MAX_RECORD / 4 && new TextEncoder().encode(text.slice(from, at)).length > MAX_RECORD;
    if (at < text.length) skipBreak();
    records.push(record);
  }
  return { records, lines, isLong };
}
