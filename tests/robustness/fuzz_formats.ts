/**
 * Mutated files of gzip, JSON Lines and Parquet: each is refused with the project's own error, or read as a table whose rows
 * are whole. What is packed or has checks of its own is rarely read after damage, so the text inside is mutated, too.
 */

import { parquetWriteBuffer } from "hyparquet-writer";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { placesOfRows, readRecords } from "../../lib/data/csv_records.ts";
import { DataError } from "../../lib/base/errors.ts";
import { describeError } from "../../tasks/settings/run_task.ts";
import { collectGarbage, type FuzzCounts, type FuzzOptions, runCases } from "./fuzz_cases.ts";
import { damage, type Dice, splice } from "./mutations.ts";

/** One case in so many unpacks to many megabytes. */
const BOMB_EVERY = 2500;

/** Pieces that do harm in JSON. */
const PIECES = [
  '"',
  "{",
  "}",
  "[",
  "]",
  "\\",
  "\n",
  ",",
  ":",
  "null",
  "1e999",
  "-",
  '"a":1,',
  "\ufeff",
  "\\ud800",
  "{}",
];

export async function fuzz(options: FuzzOptions): Promise<FuzzCounts> {
  const starts = makeStarts();
  return await runCases("formats", options, async (dice, acts, index) => {
    const isBomb = index % BOMB_EVERY === BOMB_EVERY - 1;
    if (isBomb) collectGarbage();
    Deno.writeFileSync("case.csv", isBomb ? bomb(dice, acts) : mutate(starts, dice, acts));
    const isRead = await readCase(dice);
    if (isBomb) collectGarbage();
    return isRead;
  });
}

/** Reads a file; false where it is refused. */
async function readCase(dice: Dice): Promise<boolean> {
  let rows = 0;
  try {
    for await (const { columns, records, firstRow, lineOf } of readRecords("case.csv")) {
      if (firstRow !== rows) throw new Error(`a block begins at row ${firstRow}, expected ${rows}`);
      const odd = records.find((cells) =>
        cells.length !== columns.length || !cells.every((cell) => typeof cell === "string")
      );
      if (odd) throw new Error(`a row of ${columns.length} columns is ${JSON.stringify(odd).slice(0, 200)}`);
      if (!(lineOf(records.length - 1) >= records.length)) throw new Error("a row has no line");
      rows += records.length;
    }
    const [{ line, row }] = await placesOfRows("case.csv", [dice.below(rows)]);
    if (!((line ?? row ?? 0) > 0)) throw new Error("a row has no place");
    return true;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const said = describeError("scale", error);
    if (/[^\P{Cc}\n]/u.test(said) || said.length > 20_100 || /\n\s+at /.test(said)) throw error;
    return false;
  }
}

/** A valid file, and some damage: to its bytes, or to the text that is packed. */
function mutate(starts: readonly Start[], dice: Dice, acts: string[]): Uint8Array<ArrayBuffer> {
  const { name, bytes: start, pack } = dice.pick(starts);
  acts.push(name);
  let bytes = start.slice();
  const isInner = pack === undefined || dice.happens(0.5);
  const harm = () => {
    for (let times = dice.below(4); times > 0; times--) {
      if (name.includes("json") && isInner && dice.happens(0.4)) {
        const piece = new TextEncoder().encode(dice.pick(PIECES));
        acts.push("a piece");
        bytes = splice(bytes, dice.below(bytes.length + 1), dice.below(3), piece);
      } else bytes = damage(bytes, dice, acts);
    }
  };
  if (isInner) harm();
  if (pack) bytes = pack(bytes);
  if (!isInner) harm();
  return bytes;
}

/** A small file of many megabytes. */
function bomb(dice: Dice, acts: string[]): Uint8Array<ArrayBuffer> {
  const piece = dice.pick(["a", "\n", "\0", '"', "1,2\n", '{"a": ', "\xff"]);
  acts.push(`100 MB of ${JSON.stringify(piece)}`);
  const text = new Uint8Array(100_000_000);
  for (let i = 0; i < text.length; i++) text[i] = piece.charCodeAt(i % piece.length);
  return new Uint8Array(gzipSync(text));
}

/** A valid file. */
interface Start {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Packs it; both sides may be damaged. */
  pack?: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
}

function makeStarts(): Start[] {
  const pack = (bytes: Uint8Array<ArrayBuffer>) => new Uint8Array(gzipSync(bytes));
  const encode = (text: string) => new TextEncoder().encode(text);
  const csv = encode(`a,b,y\n${Array.from({ length: 30 }, (_, i) => `${i},"x ${i % 3}",${i / 4}\n`).join("")}`);
  const row = (i: number) => `{"a":${i},"b":${i % 4 ? `"x ${i % 3}\\n\\u00e9"` : "null"},"y":${i % 2 === 0}}\n`;
  const json = encode(Array.from({ length: 30 }, (_, i) => row(i)).join(""));
  const starts: Start[] = [
    { name: "gzip of csv", bytes: csv, pack },
    { name: "json", bytes: json },
    { name: "gzip of json", bytes: json, pack },
  ];
  const data = <T>(value: (i: number) => T) => Array.from({ length: 60 }, (_, i) => value(i));
  const compressors = { ZSTD: (bytes: Uint8Array) => new Uint8Array(zstdCompressSync(bytes)) };
  const columnData = () => [
    { name: "a", data: data((i) => i) },
    { name: "b", data: data((i) => i % 5 ? `x ${i % 3}` : null) },
    { name: "c", data: data((i) => i % 4 ? i / 8 : null), type: "DOUBLE" as const },
    { name: "t", data: data((i) => new Date(i * 1e9)), type: "TIMESTAMP" as const },
    { name: "f", data: data((i) => i % 2 === 0) },
    { name: "n", data: data((i) => BigInt(i) ** 9n), type: "INT64" as const, encoding: "DELTA_BINARY_PACKED" as const },
    { name: "s", data: data((i) => `text ${i}`), encoding: "DELTA_BYTE_ARRAY" as const },
  ];
  for (const codec of ["UNCOMPRESSED", "UNCOMPRESSED", "SNAPPY", "ZSTD"] as const) {
    const buffer = parquetWriteBuffer({
      columnData: columnData(),
      codec,
      compressors,
      rowGroupSize: 40,
      pageSize: 100,
    });
    starts.push({ name: `parquet, ${codec}`, bytes: new Uint8Array(buffer) });
  }
  return starts;
}
