import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { readNumericCsv } from "../../lib/data/csv.ts";
import { csvRange } from "../../lib/data/csv_range.ts";
import { type CsvOptions, readRecords } from "../../lib/data/csv_records.ts";
import { DataError } from "../../lib/base/errors.ts";
import { asRanks } from "../support/rank_group.ts";

const RANKS = [1, 2, 3, 4];

/** A row as a reader tells it. */
interface Told {
  row: number;
  line: number;
  cells: readonly string[];
}

async function withFile<T>(text: string, work: (path: string) => Promise<T>): Promise<T> {
  const path = await Deno.makeTempFile({ prefix: "backhand_range_", suffix: ".csv" });
  try {
    await Deno.writeTextFile(path, text);
    return await work(path);
  } finally {
    await Deno.remove(path);
  }
}

async function rowsIn(path: string, options: CsvOptions = {}): Promise<Told[]> {
  const rows: Told[] = [];
  for await (const { records, firstRow, lineOf } of readRecords(path, options)) {
    records.forEach((cells, i) => rows.push({ row: firstRow + i, line: lineOf(i), cells }));
  }
  return rows;
}

/** What each rank reads of a text. */
async function rowsOfRanks(path: string, ranks: number): Promise<Told[][]> {
  return await asRanks(ranks, async (rank) => await rowsIn(path, { range: await csvRange(path, rank) }));
}

/** Cells of every kind, quoted where they must be. */
const cell = fc.oneof(
  fc.constantFrom("1", "-2.5", "äö€", "🦉", " 7 "),
  fc.string({ unit: fc.constantFrom('""', "\n", "\r\n", ",", "a", "", "é"), maxLength: 12 }).map((text) => `"${text}"`),
);

Deno.test("csvRange() gives every record to one rank, wherever quotes and line breaks stand", async () => {
  const end = fc.constantFrom("\n", "\r\n");
  const blank = fc.constantFrom("", "", "", "\n", "\r\n");
  const row = fc.tuple(cell, cell, end, blank).map(([a, b, end, blank]) => `${a},${b}${end}${blank}`);
  const file = fc.tuple(fc.constantFrom("", "\ufeff"), blank, end, fc.array(row, { minLength: 1, maxLength: 12 }))
    .map(([mark, blank, end, rows]) => `${mark}${blank}x,"a ""name"""${end}${rows.join("")}`);
  // Some files lack the last line's end.
  const whole = fc.tuple(file, fc.boolean()).map(([text, isCut]) => isCut ? text.replace(/(\r?\n)+$/, "") : text);
  await fc.assert(
    fc.asyncProperty(whole, fc.constantFrom(2, 3, 4, 7), async (text, ranks) => {
      await withFile(text, async (path) => {
        assertEquals((await rowsOfRanks(path, ranks)).flat(), await rowsIn(path));
      });
    }),
    { numRuns: 200 },
  );
});

Deno.test("csvRange() cuts a file into parts of about the same size", async () => {
  const text = "x,y\n" + Array.from({ length: 600 }, (_, i) => `${i},"a\n""${i}"\n`).join("");
  await withFile(text, async (path) => {
    for (const ranks of RANKS) {
      const parts = await rowsOfRanks(path, ranks);
      assertEquals(parts.flat().length, 600);
      for (const { length } of parts) assert(Math.abs(length / (600 / ranks) - 1) < 0.1, `${length} of ${ranks}`);
    }
  });
});

Deno.test("csvRange() leaves ranks without rows where there are too few", async () => {
  for (const text of ["x\n1", "x\n1\n2\n", "x\n\n\n\n\n\n1\n", "x\n1\n\r\n\r\n\r\n"]) {
    await withFile(text, async (path) => {
      assertEquals((await rowsOfRanks(path, 4)).flat(), await rowsIn(path));
    });
  }
});

Deno.test("readNumericCsv() in ranges begins its blocks where the whole file's begin", async () => {
  const text = "x,y\r\n" + Array.from({ length: 1000 }, (_, i) => `${i},${-i}\r\n`).join("");
  await withFile(text, async (path) => {
    for (const ranks of RANKS) {
      const blocks = (await asRanks(ranks, async (rank) => {
        return await Array.fromAsync(readNumericCsv(path, { blockRows: 64, range: await csvRange(path, rank) }));
      })).flat();
      assertEquals(blocks.flatMap(({ rows }) => [...rows]), Array.from({ length: 1000 }, (_, i) => [i, -i]).flat());
      let next = 0;
      for (const { firstRow, count } of blocks) {
        assertEquals(firstRow, next);
        assert(Math.floor(firstRow / 64) === Math.floor((firstRow + count - 1) / 64), `${firstRow} and ${count} rows`);
        next += count;
      }
    }
  });
});

Deno.test("readRecords() in ranges says what it says of a whole file without rows, or with a bad header", async () => {
  for (const text of ["", "\n\n", "x,y", "x,y\n", "x,y\n\n\n", "x,x\n1,2\n", "1,2\n3,4\n", 'x,y"\n1,2\n3,4\n']) {
    await withFile(text, async (path) => {
      const { message } = await assertRejects(() => rowsIn(path), DataError);
      await asRanks(3, async (rank) => {
        const range = await csvRange(path, rank);
        assertEquals((await assertRejects(() => rowsIn(path, { range }), DataError)).message, message);
      });
    });
  }
});

Deno.test("csvRange() wants the same file at every rank", async () => {
  await withFile("x\n1\n", async (one) => {
    await withFile("x\n1\n2\n", async (other) => {
      await asRanks(2, async (rank) => {
        const problem = "it has 4 bytes at rank 0 and 6 at rank 1: all ranks need the same file";
        await assertRejects(() => csvRange(rank.rank === 0 ? one : other, rank), Error, problem);
      });
    });
  });
  await asRanks(
    2,
    async (rank) => void await assertRejects(() => csvRange("data/not there.csv", rank), Error, "no such file"),
  );
});
