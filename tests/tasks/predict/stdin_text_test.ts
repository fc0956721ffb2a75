import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DataError } from "../../../lib/base/errors.ts";
import { firstRecords, isCsv, lineBlocks, recordTexts } from "../../../tasks/predict/stdin_text.ts";

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(new TextEncoder().encode(text));
}

/** Lines and texts of blocks. */
async function shown(blocks: AsyncIterable<{ line: number; text: string }>): Promise<[number, string][]> {
  return (await Array.fromAsync(blocks)).map(({ line, text }) => [line, text]);
}

Deno.test("recordTexts() gives records as they arrive, and waits for the end of a quoted cell", async () => {
  const cases: [texts: string[], expected: [number, string][]][] = [
    [["\ufeffa,b\n1,", "2\n3,4"], [[1, "a,b\n"], [2, "1,2\n"], [3, "3,4"]]],
    [["a\n", '"one\n', "\n", 'two"\n3\n', "4\n"], [[1, "a\n"], [2, '"one\n\ntwo"\n3\n'], [6, "4\n"]]],
    [['a\n"open\n'], [[1, 'a\n"open\n']]],
    [[""], []],
  ];
  for (const [texts, expected] of cases) {
    assertEquals(await shown(recordTexts(lineBlocks("in", pieces(...texts)))), expected);
  }
  const endless = ['a\n"', ...Array.from({ length: 17 }, () => `${"x".repeat(1 << 20)}\n`)];
  const read = () => shown(recordTexts(lineBlocks("in", pieces(...endless))));
  await assertRejects(read, DataError, "in:2: a record is longer than 16777216 characters: is a quote never closed?");
});

Deno.test("firstRecords() waits for the end of a quoted cell, and for nothing else", async () => {
  const cases: [texts: string[], expected: string | undefined][] = [
    [["\n", "a,b\n1,", "2\n"], "a,b\n"],
    [['"a\n', 'b",c\n1,2\n', "3,4\n"], '"a\nb",c\n1,2\n'],
    [['"a\n', "b\n"], '"a\nb\n'],
    [['{"a":"5\\""}\n', "{}\n"], '{"a":"5\\""}\n'],
    [["", " \n"], undefined],
  ];
  for (const [texts, expected] of cases) {
    assertEquals((await firstRecords(lineBlocks("in", pieces(...texts))))?.text, expected);
  }
  const endless = Array.from({ length: 17 }, (_, i) => `${i === 0 ? '"' : ""}${"x".repeat(1 << 20)}\n`);
  await assertRejects(() => firstRecords(lineBlocks("in", pieces(...endless))), DataError, "in:1: a record is longer");
});

Deno.test("isCsv() tells CSV by a header that names input columns", () => {
  const of = (text: string) => isCsv({ file: "in", text, line: 1 }, ["age", "a,b", "c\nd"]);
  const csv = [
    "age,size\n1,2\n",
    "\n\r\n size ; age \r\n",
    "id\tage\n",
    '"size","age"',
    '"a,b"\n',
    "sep=;\nx\n",
    '"age"',
    '"c\nd",size\n1,2\n',
  ];
  for (const text of csv) assertEquals(of(text), true, text);
  const json = ['{"age":1}\n', ' {"age', "[1]", "3", '"x"', "[nope", "null"];
  for (const text of json) assertEquals(of(text), false, text);
  for (const text of ["\nnope\n1,2\n", "\nsize,weight\n", '\n"open\n']) {
    const says = "in:2: this is neither a row in JSON nor a header that names the input columns age, a,b, c\\u000ad: ";
    assertThrows(() => of(text), DataError, says + text.split("\n")[1]);
  }
  assertThrows(() => of('"x\ny",z\n1,2\n'), DataError, "in:1: this is neither");
  assertThrows(() => of('"x\ny",z\n1,2\n'), DataError, ': "x\\u000ay",z');
});
