/**
 * Mutated CSV files, each read by all that reads such files: a file is refused with the project's own error and its line, or
 * gives the values that a second, plain reader finds.
 */

import { isMissing } from "../../lib/data/cells.ts";
import { readNumericCsv } from "../../lib/data/csv.ts";
import { readRecords } from "../../lib/data/csv_records.ts";
import { DataError } from "../../lib/base/errors.ts";
import { ConfigError, readConfig, type TaskConfig } from "../../tasks/settings/config.ts";
import { describeError } from "../../tasks/settings/run_task.ts";
import { openScaledDataset } from "../../tasks/prepare/scaled_dataset.ts";
import { lookAt, type TableLook } from "../../tasks/prepare/table_look.ts";
import { planColumns } from "../../tasks/prepare/table_plan.ts";
import { scale } from "../../tasks/prepare/scale.ts";
import { collectGarbage, type FuzzCounts, type FuzzOptions, runCases, same, unlessRefused } from "./fuzz_cases.ts";
import { damage, type Dice, splice } from "./mutations.ts";
import { type PlainCsv, plainNumber, readPlainCsv } from "./plain_csv.ts";

/** One case in so many has a cell of many megabytes. */
const BIG_EVERY = 2500;

/** One case in so many is a file of several blocks. */
const LONG_EVERY = 1000;

/** Pieces that do harm wherever they stand. */
const PIECES = [
  ['"', '""', '","', '"a\r\nb"'],
  ["\n", "\r\n", "\r", "\r\r\n", "\n\n", ";", "\t", ",", ",,", " ", "\u00a0", "\0", "\ufeff", "\u2028"],
  "1e999 -1e999 0x10 1e5 .5 5. 1_000 1,5 NaN Infinity null NA $5 ١٢ 1e-400 =1+1 __proto__".split(" "),
  ["1 234", "\x1b[31m", "9".repeat(400), `${"1".repeat(5000)}x`, "é".repeat(30), "a".repeat(1100), ",".repeat(300)],
].flat();

/** Bytes that are no UTF-8. */
const BROKEN = [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xc0, 0x80], [0xfe, 0xff], [0xff, 0xfe]];

export async function fuzz(options: FuzzOptions): Promise<FuzzCounts> {
  const config = readConfig("scale", ["--data=case.csv", "--target=y"], { env: () => undefined, dotenv: "" });
  return await runCases("csv", options, async (dice, acts, index) => {
    Deno.writeFileSync("case.csv", mutate(dice, acts, index));
    const isBig = index % BIG_EVERY === BIG_EVERY - 1;
    if (isBig) collectGarbage();
    const isRead = await readCase(dice, config, index);
    if (isBig) collectGarbage();
    return isRead;
  });
}

async function readCase(dice: Dice, config: TaskConfig, index: number): Promise<boolean> {
  let expected = unlessRefused(() => readPlainCsv(Deno.readFileSync("case.csv")));
  if (index % BIG_EVERY === BIG_EVERY - 1) collectGarbage();
  const blocks = await attempt(() => Array.fromAsync(readRecords("case.csv")));
  if (!blocks && expected?.isLong) expected = undefined;
  if (!blocks !== !expected) throw new Error(blocks ? "it is read" : "it is refused, and the plain reader reads it");
  if (blocks && expected) {
    same("columns", blocks[0].columns, expected.columns);
    const records = blocks.flatMap(({ records }) => records);
    same("count", records.length, expected.records.length);
    records.forEach((record, row) => same(`row ${row}`, record, expected.records[row]));
    const row = dice.below(records.length);
    const block = blocks.findLast(({ firstRow }) => firstRow <= row)!;
    same(`line of row ${row}`, block.lineOf(row - block.firstRow), expected.lines[row]);
  }
  await readNumbers(dice, expected);
  await readTable(dice, config, expected, index);
  return expected !== undefined;
}

/** Reads some columns as numbers. */
async function readNumbers(dice: Dice, expected: PlainCsv | undefined): Promise<void> {
  const columns = expected && dice.happens(0.7)
    ? [dice.pick(expected.columns), dice.pick(expected.columns)]
    : undefined;
  const blocks = await attempt(() => Array.fromAsync(readNumericCsv("case.csv", { columns, blockRows: 7 })));
  const names = columns ?? expected?.columns ?? [];
  const places = names.map((name) => expected!.columns.indexOf(name));
  const values = expected?.records.flatMap((record) => places.map((place) => plainNumber(record[place])));
  const isGood = values !== undefined && values.every((value) => value !== undefined);
  if (!blocks !== !isGood) throw new Error(`its numbers are ${blocks ? "read" : "refused"}`);
  if (blocks) same("numbers", blocks.flatMap(({ rows }) => [...rows]), values);
}

/** Looks at the columns, chooses among them and, now and then, scales the table. */
async function readTable(dice: Dice, preset: TaskConfig, expected: PlainCsv | undefined, index: number): Promise<void> {
  const target = expected ? [dice.pick(expected.columns)] : ["y"];
  const config: TaskConfig = { ...preset, target, missing: dice.pick(["error", "mean", "median", "drop", "category"]) };
  const look = await attempt(() => lookAt("case.csv", config, () => {}));
  if (!look !== !expected) throw new Error(`its columns are ${look ? "looked at" : "refused"}`);
  if (!look || !expected) return;
  checkLook(look, expected);
  const plan = await attempt(() => planColumns(config, look));
  if (index % 4 !== 0) return;
  const report = await attempt(() => scale(config));
  if (report && !plan) throw new Error("a table is scaled whose columns are refused");
  if (!report) return;
  using dataset = await openScaledDataset(report.path);
  const rows = Object.values(dataset.parts).reduce((sum, part) => sum + part.rows, 0);
  const kept = config.missing === "drop" ? rows <= expected.records.length : rows === expected.records.length;
  if (!kept) throw new Error(`${rows} of ${expected.records.length} rows are scaled`);
}

function checkLook({ profiles, rows }: TableLook, { columns, records }: PlainCsv): void {
  same("rows", rows, records.length);
  columns.forEach((name, place) => {
    const profile = profiles.get(name)!;
    const cells = records.map((record) => record[place]);
    const numbers = cells.filter((cell) => plainNumber(cell) !== undefined).length;
    const missing = cells.filter((cell) => isMissing(cell)).length;
    same(name, [profile.numbers, profile.missing, profile.texts], [numbers, missing, cells.length - numbers - missing]);
  });
}

/** What a promise gives; nothing where it is refused in the project's own words. Any other error is thrown. */
async function attempt<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    const { message, stack = "" } = error as Error;
    const said = describeError("scale", error);
    // A fault of this program is shown with its stack.
    const isOwn = error instanceof DataError || error instanceof ConfigError || error instanceof RangeError;
    if (!isOwn || said.includes(stack.slice(-200)) || /[^\P{Cc}\n]/u.test(said) || said.length > 20_100) throw error;
    // Where a whole file or column is at fault there is no line.
    const isPlaced = !(error instanceof DataError) || error.place.line !== undefined || WHOLE.test(message);
    if (!isPlaced) throw new Error(`without a line: ${message}`);
    return undefined;
  }
}

const WHOLE = new RegExp(
  "the file is empty|there are no rows|no column is left|the target has the one|every cell of the target|" +
    "too many to learn|the target is missing in some rows|cells are missing",
);

/** A valid file, and some damage. */
function mutate(dice: Dice, acts: string[], index: number): Uint8Array<ArrayBuffer> {
  const isLong = index % LONG_EVERY === LONG_EVERY - 1;
  const name = dice.pick(Object.keys(STARTS));
  acts.push(isLong ? `${name}, long` : name);
  let bytes = new TextEncoder().encode(STARTS[name](isLong ? 12_000 + dice.below(6000) : 1 + dice.below(40)));
  if (index % BIG_EVERY === BIG_EVERY - 1) return withBigCell(bytes, dice, acts);
  for (let times = dice.below(4); times > 0; times--) {
    const at = dice.below(bytes.length + 1);
    const way = dice.below(12);
    if (way < 5) {
      const piece = dice.pick(PIECES);
      acts.push(`${JSON.stringify(piece.slice(0, 20))} put in`);
      bytes = splice(bytes, at, dice.pick([0, 0, 1, 3]), new TextEncoder().encode(piece));
    } else if (way === 5) {
      acts.push("no UTF-8");
      bytes = splice(bytes, at, 0, Uint8Array.from(dice.pick(BROKEN)));
    } else if (way === 6) {
      const [from, to] = dice.pick([["\n", "\r\n"], ["\r\n", "\n"], [",", ";"], [",", "\t"], ["1", "٣"], ["\n", "\r"]]);
      acts.push("marks replaced");
      const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
      bytes = new TextEncoder().encode(text.replaceAll(from, to));
    } else if (way === 7) {
      // A place where one block of the reader may end and another begin.
      acts.push("a mark at the start of a line");
      const start = bytes.lastIndexOf(0x0a, at) + 1;
      bytes = splice(bytes, start, 0, new TextEncoder().encode(dice.pick(["\ufeff", "\r\n", '"', ",", "\u0000"])));
    } else if (way < 10) {
      const isEnd = (byte: number) => byte === 0x0a || byte === 0x2c || byte === 0x3b || byte === 0x09;
      const end = bytes.findIndex((byte, i) => i >= at && isEnd(byte));
      const piece = dice.pick(PIECES);
      const from = bytes.subarray(0, Math.max(0, end)).findLastIndex(isEnd) + 1;
      acts.push(`${JSON.stringify(piece.slice(0, 20))} for a cell`);
      bytes = splice(bytes, from, Math.max(0, end - from), new TextEncoder().encode(piece));
    } else bytes = damage(bytes, dice, acts);
  }
  return bytes;
}

/** Megabytes in one cell: digits, spaces, separators, quotes, prose. */
function withBigCell(bytes: Uint8Array<ArrayBuffer>, dice: Dice, acts: string[]): Uint8Array<ArrayBuffer> {
  const piece = dice.pick(["1", " ", ",", '"', '""', "1,", "a", "é", "\n", "\r", "1,234", "\u0000", "name,"]);
  const length = dice.pick([300_000, 3_000_000, 17_000_000]);
  acts.push(`${length} bytes of ${JSON.stringify(piece)}`);
  const cell = new TextEncoder().encode(piece.repeat(length / piece.length) + dice.pick(["", "x", '"']));
  return splice(bytes, dice.below(bytes.length), 0, cell);
}

/** Valid files of so many rows. */
const STARTS: Record<string, (rows: number) => string> = {
  numbers: (rows) => `x1,x2,y\n${lines(rows, (i) => `${i},${(i * 37 % 101) / 4},${-i * 2.5e-3}`)}`,
  mixed: (rows) =>
    `name,colour,size,y\n${
      lines(rows, (i) => `n${i % 5},"re""d, ${i % 3}",${i % 7 ? i : ""},${i % 2 ? "yes" : "no"}`)
    }`,
  windows: (rows) => `\ufeff"id";"price";"kind"\r\n${lines(rows, (i) => `${i};"${i},5";"${"abc"[i % 3]}"`, "\r\n")}`,
  tabs: (rows) => `a b\tc\td\n${lines(rows, (i) => ` ${i % 9} \t\t${"xyz"[i % 3]}`)}`,
  // As pandas, Excel and people write them: an index, empty columns, pipes, spaces before quotes.
  index: (rows) => `,a,y,,\n${lines(rows, (i) => `${i},"n ${i % 4}",${i % 7},,`)}`,
  pipes: (rows) => `a|b,c|y\n${lines(rows, (i) => `${i}|1,5| "z"`)}`,
  breaks: (rows) => `text,y\n${lines(rows, (i) => `"line ${i % 4}\nand\r\nanother",${i % 11}`)}\n\n`,
};

function lines(rows: number, line: (index: number) => string, end = "\n"): string {
  return Array.from({ length: rows }, (_, i) => line(i)).join(end) + end;
}
