import { parse } from "@std/csv";
import { assertEquals, assertRejects } from "@std/assert";
import { type CsvOptions, placesOfRows, readRecords } from "../../lib/data/csv_records.ts";
import { DataError } from "../../lib/base/errors.ts";
import { withCsv } from "../support/temp_files.ts";
import { permitted } from "../support/permitted.ts";

async function read(content: string, options?: CsvOptions) {
  return await withCsv(content, async (path) => {
    const blocks = await Array.fromAsync(readRecords(path, options));
    const [{ columns, places }] = blocks;
    const lineOf = (row: number) => {
      const block = blocks.findLast(({ firstRow }) => firstRow <= row)!;
      return block.lineOf(row - block.firstRow);
    };
    return { columns, places, records: blocks.flatMap(({ records }) => records), lineOf, blocks };
  });
}

async function assertFault(content: string, expected: string, options?: CsvOptions) {
  const error = await assertRejects(() => read(content, options), DataError);
  assertEquals(error.message.slice(error.message.indexOf(".csv") + 4), expected);
}

permitted("readRecords() infers the separator from the header, outside of quotes", async () => {
  const cases: [string, string[], string[]][] = [
    ["a,b\n1,2\n", ["a", "b"], ["1", "2"]],
    ["a;b\n1,5;2\n", ["a", "b"], ["1,5", "2"]],
    ["a\tb c\n1\t2\n", ["a", "b c"], ["1", "2"]],
    ['"a,b,c";d\n1;2\n', ["a,b,c", "d"], ["1", "2"]],
    ["one\n1;2\n", ["one"], ["1;2"]],
  ];
  for (const [text, columns, record] of cases) {
    const found = await read(text);
    assertEquals([found.columns, found.records], [columns, [record]]);
  }
  assertEquals((await read("a;b,c\n1;2,3\n", { separator: ";" })).columns, ["a", "b,c"]);
});

permitted("readRecords() reads quotes, line breaks in them, a byte-order mark, CRLF and blank lines", async () => {
  const text = '\ufeff"a", b \r\n"x ""y""\r\nz", 1\r\n\r\n,"2"\r\n';
  const { columns, records, lineOf } = await read(text);
  assertEquals(columns, ["a", "b"]);
  assertEquals(records, [['x "y"\nz', " 1"], ["", "2"]]);
  assertEquals([0, 1].map(lineOf), [2, 5]);
});

permitted("readRecords() splits a block without quotes as the parser does", async () => {
  for (const text of ["a,b\n1,2\n\n,\r\n 3 ,\n", "a,b\r\n1,2\r\n\r\n5,6", "a,b\n1,\r2\n\r\n"]) {
    const { columns, records } = await read(text);
    assertEquals([columns, ...records], parse(text));
  }
});

permitted("readRecords() gives places of wanted columns, and rows and lines over several blocks", async () => {
  const count = 40_000;
  const rows = Array.from({ length: count }, (_, i) => `${i},"${i % 100 === 0 ? "two\nlines" : "one"}",some more text`);
  const { places, records, lineOf, blocks } = await read(`n,t,more\n${rows.join("\n")}\n`, { columns: ["more", "n"] });
  assertEquals(places, [2, 0]);
  assertEquals(records.map(([n]) => n), rows.map((_, i) => `${i}`));
  assertEquals(blocks.length > 2, true);
  assertEquals(blocks.map(({ firstRow, records }) => Number(records[0][0]) - firstRow), blocks.map(() => 0));
  assertEquals([0, 1, 101, count - 1].map(lineOf), [2, 4, 105, count + 400 + 1]);
});

permitted("readRecords() gives the rows before a ragged one, then refuses it", async () => {
  const seen: string[][] = [];
  await withCsv("a,b\n1,2\n3\n4,5\n", async (path) => {
    const all = async () => {
      for await (const { records } of readRecords(path)) seen.push(...records.map((record) => [...record]));
    };
    const error = await assertRejects(all, DataError);
    assertEquals(error.message, `${path}:3: this row has 1 cell, the header has 2`);
  });
  assertEquals(seen, [["1", "2"]]);
  await assertFault(
    "a\n1,2\n",
    ":2: this row has 2 cells, the header has 1; quote a cell that holds a comma, or if the header is in a later line, " +
      "take out what stands before it",
  );
});

permitted("readRecords() tells a wrong separator", async () => {
  const expected = ':1: there is no column "b"; there are a;b; is the separator a semicolon, not a comma?';
  await assertFault("a;b\n1;2\n", expected, { separator: ",", columns: ["b"] });
});

permitted("readRecords() tells what else a first line may be", async () => {
  const cases: [text: string, says: string][] = [
    ["x^y\n1^2\n", ':1: there is no column "y"; there are x^y; if ^ is the separator, write a first line sep=^'],
    ["x y\n1 2\n", "are x y; if spaces are the separator, write commas in place of them"],
    ["price (m2)\n1\n", "there are price (m2); if spaces"],
    ["1.5,a\n1,b\n", "are 1.5, a; is this the header? The first line has the names of the columns"],
    ["1,1,a\n1,2,b\n", ':1: the header names column "1" twice; is this the header?'],
    ["x,y\r1,2\r3,4\r", ":1: its lines end in CR alone: save it"],
  ];
  for (const [text, says] of cases) {
    await withCsv(text, async (path) => {
      await assertRejects(() => Array.fromAsync(readRecords(path, { columns: ["y"] })), DataError, says);
    });
  }
});

permitted("readRecords() tells a comment in place of the header", async () => {
  const hint = "; the header begins with #: if it is a comment, take it out of the file";
  await assertFault("# by x\na,b\n1,2\n", `:2: this row has 2 cells, the header has 1${hint}`);
  const expected = `:1: there is no column "b"; there are # by x, v2${hint}`;
  await assertFault("# by x, v2\na,b\n1,2\n", expected, { columns: ["b"] });
  assertEquals((await read("#,b\n1,2\n")).columns, ["#", "b"]);
});

permitted("placesOfRows() finds files and lines, and refuses a row that is not there", async () => {
  await withCsv('a\n"x\ny"\n\n1\n2\n', async (path) => {
    assertEquals(await placesOfRows(path, [0, 1, 2]), [2, 5, 6].map((line) => ({ file: path, line })));
    await assertRejects(() => placesOfRows(path, [1, 3]), RangeError, "Cannot find row 3");
  });
});
