import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parseNumber } from "../../lib/data/cells.ts";
import { type NumericCsvOptions, readNumericCsv } from "../../lib/data/csv.ts";
import { DataError } from "../../lib/base/errors.ts";
import { withCsv } from "../support/temp_files.ts";
import { permitted } from "../support/permitted.ts";

async function readAll(path: string, options?: NumericCsvOptions) {
  const blocks = await Array.fromAsync(readNumericCsv(path, options));
  return { columns: blocks[0].columns, rows: blocks.flatMap(({ rows }) => [...rows]), blocks };
}

function read(content: string | Uint8Array, options?: NumericCsvOptions) {
  return withCsv(content, (path) => readAll(path, options));
}

/** Asserts the whole message after the path. */
async function assertFault(content: string | Uint8Array, expected: string, options?: NumericCsvOptions) {
  await withCsv(content, async (path) => {
    const error = await assertRejects(() => readAll(path, options), DataError);
    assertEquals(error.message, path + expected);
  });
}

permitted("readNumericCsv() reads numbers, line ends and a byte-order mark as people write them", async () => {
  const { columns, rows } = await read('x,y\n1,-2.5\n+.5, 1e3\n5.,"7"\n 1E-2 ,-0\n');
  assertEquals(columns, ["x", "y"]);
  assertEquals(rows, [1, -2.5, 0.5, 1000, 5, 7, 0.01, -0]);
  const windows = await read("\ufeffx,y\r\n1,2\r\n\r\n3,4");
  assertEquals([windows.columns, windows.rows], [["x", "y"], [1, 2, 3, 4]]);
});

permitted("readNumericCsv() picks the wanted columns in the wanted order", async () => {
  const text = 'note,"x",y\n"a, ""b""\nc",1,2\nd,3,4\n';
  const { columns, rows } = await read(text, { columns: ["y", "x"] });
  assertEquals(columns, ["y", "x"]);
  assertEquals(rows, [2, 1, 4, 3]);
});

permitted("readNumericCsv() gives blocks of the asked size whatever the size of a read", async () => {
  // 1.3 MB, several reads; every hundredth row holds a quoted line break.
  const count = 50_000;
  const lines = Array.from({ length: count }, (_, i) => `${i},${i / 8},"${i % 100 === 0 ? "two\nlines" : "n"}"`);
  const seen: number[] = [];
  const options = { columns: ["b", "a"], blockRows: 999, onProgress: (bytes: number) => seen.push(bytes) };
  const { rows, blocks } = await read(`a,b,note\n${lines.join("\n")}\n`, options);
  assertEquals(rows, Array.from({ length: count }, (_, i) => [i / 8, i]).flat());
  assertEquals(blocks.map(({ firstRow }) => firstRow), Array.from({ length: 51 }, (_, i) => i * 999));
  assertEquals(blocks.map(({ count }) => count), [...new Array(50).fill(999), count - 50 * 999]);
  assertEquals(seen.length > 3 && seen.every((bytes, i) => i === 0 || bytes >= seen[i - 1]), true);
});

permitted("readNumericCsv() refuses a missing file, and one without header or rows", async () => {
  await assertRejects(() => readAll("no/such.csv"), Deno.errors.NotFound, "Cannot read no/such.csv: there is no such");
  await assertFault("", ": the file is empty: a header and rows are needed");
  await assertFault("\n\r\n\n", ": the file is empty: a header and rows are needed");
  await assertFault("x,y\n", ": there are no rows after the header");
  await assertFault("1,2\n3,4\n", ":1: a header with the names of the columns is needed, and this line holds numbers");
  assertEquals((await read("2019,2020\n3,4\n", { columns: ["2020"] })).rows, [4]);
});

permitted("readNumericCsv() refuses a header that cannot name the columns", async () => {
  await assertFault("x,y,x\n1,2,3\n", ':1: the header names column "x" twice');
  await assertFault("\nx,,y\n1,2,3\n", ':2: column 2 of the header has no name: give it one; it holds "2" in line 3');
  await assertFault("x, z\n1,2\n", ':1: there is no column "y"; there are x, z', { columns: ["x", "y"] });
});

permitted("readNumericCsv() refuses a ragged row at its line", async () => {
  await assertFault("x,y\n1,2\n3\n", ":3: this row has 1 cell, the header has 2");
  const long = "this row has 3 cells, the header has 2; quote a cell that holds a comma";
  await assertFault('x,y\n\n"1",2\n\n3,4,5\n6,7\n', `:5: ${long}`);
});

permitted("readNumericCsv() refuses a cell that holds no finite number, at line and column", async () => {
  const refused = {
    "": "the cell is blank, a number is needed",
    "  ": "the cell is blank, a number is needed",
    abc: '"abc" is not a number',
    "0x10": '"0x10" is not a number',
    "1_000": '"1_000" is not a number',
    ".": '"." is not a number',
    "NaN": '"NaN" is not finite',
    "-Infinity": '"-Infinity" is not finite',
    inf: '"inf" is not finite',
    "1e999": '"1e999" is beyond the range of a number, about 1.8e308',
    ["z".repeat(99)]: `"${"z".repeat(60)}..." is not a number`,
  };
  for (const [cell, problem] of Object.entries(refused)) {
    await assertFault(`x,y\r\n1,2\r\n3,${cell}\r\n4,5\r\n`, `:3, column "y": ${problem}`);
  }
  // A column that is not wanted may hold anything.
  assertEquals((await read("x,y\n1,abc\n", { columns: ["x"] })).rows, [1]);
});

permitted("readNumericCsv() finds the line far into a file, past quoted line breaks", async () => {
  const numbers = Array.from({ length: 200_000 }, (_, i) => `${i}`);
  numbers[190_000] = "oops";
  await assertFault(`x\n${numbers.join("\n")}\n`, ':190002, column "x": "oops" is not a number');

  const lines = Array.from({ length: 60_000 }, (_, i) => `"a\nb",${i}`);
  lines[50_000] = '"a\nb",oops';
  await assertFault(`note,x\n${lines.join("\n")}\n`, ':100002, column "x": "oops" is not a number', { columns: ["x"] });
});

permitted("readNumericCsv() refuses a quote out of place at its line", async () => {
  const problem = "a quote is out of place or never closed; quote a whole cell, or none of it";
  await assertFault('x,y\n1,2\n3,4"5"\n6,7\n', `:3: ${problem}`);
  await assertFault('x,y\n1,2\n3,"4"5\n6,7\n', `:3: ${problem}`);
  await assertFault('x,y\n1,2\n3,"4\n5,6\n7,8\n', `:3: ${problem}`);
});

permitted("readNumericCsv() gives up on a quote that is never closed before it has read a large file", async () => {
  const row = "1,2\n".repeat(1_000_000);
  const limit = "this record is longer than 16777216 bytes: is a quote opened and never closed?";
  await assertFault(`x,y\n1,2\n"3,4\n${row.repeat(5)}`, `:3: ${limit}`);
});

permitted("readNumericCsv() refuses what is not UTF-8 at its line", async () => {
  const [head, tail] = ["x,note\n1,\ufffd\n2,", "\n3,d\n"].map((text) => [...new TextEncoder().encode(text)]);
  await assertFault(Uint8Array.of(...head, 0xfc, ...tail), ":3: this is not UTF-8: save the file in that encoding");
});

permitted("readNumericCsv() stops when the signal says so", async () => {
  const controller = new AbortController();
  const options = { signal: controller.signal, onProgress: () => controller.abort(new Error("enough")) };
  await assertRejects(() => read("x\n1\n", options), Error, "enough");
});

Deno.test("parseNumber() is as strict as a cell", () => {
  assertEquals(parseNumber(" -3.5 "), -3.5);
  assertThrows(() => parseNumber(""), SyntaxError, "Cannot read a number: the cell is blank");
  assertThrows(() => parseNumber("1,5"), SyntaxError, 'Cannot read a number: "1,5" is not a number');
  assertThrows(() => parseNumber("1e400"), SyntaxError, "beyond the range");
});
