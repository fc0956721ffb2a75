import { assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../lib/base/errors.ts";
import { readRecords } from "../../lib/data/csv_records.ts";
import { withCsv } from "../support/temp_files.ts";
import { permitted } from "../support/permitted.ts";

const read = (text: string, columns?: string[], isIgnored?: (name: string) => boolean) =>
  withCsv(text, async (path) => {
    const blocks = await Array.fromAsync(readRecords(path, { columns, isIgnored }));
    return { ...blocks[0], records: blocks.flatMap(({ records }) => records) };
  });

permitted("JSON Lines keep numbers as they are written", async () => {
  const line = '{"id":12345678901234567890,"x":1.50,"e":-1E-7,"t":"07","yes":true,"no":false,"none":null,"":0}';
  const text = `${line.replace(',"":0', "")}\n{ "x" : 2 }\n`;
  const { columns, records, places } = await read(text, ["x", "id"]);
  assertEquals(columns, ["id", "x", "e", "t", "yes", "no", "none"]);
  assertEquals(records[0], ["12345678901234567890", "1.50", "-1E-7", "07", "true", "false", ""]);
  assertEquals([records[1], places], [["", "2", "", "", "", "", ""], [1, 0]]);
  assertEquals((await read('{"__proto__":1,"constructor":2}\n{"__proto__":3}')).records, [["1", "2"], ["3", ""]]);
});

permitted("JSON Lines are refused with line and key", async () => {
  const write = 'write one object a line, such as {"x": 1, "y": 2}';
  const late = `{"a":1}\n${'{"a":2}\n'.repeat(80_000)}{"a":3,"b":4}\n`;
  const cases: [text: string, says: string, columns?: string[]][] = [
    ['{\n  "a": 1\n}\n', `:1: this line is no JSON: {; ${write}`],
    ['{"a":1}\n{"a":1,}\n', `:2: this line is no JSON: {"a":1,}; ${write}`],
    ['{"a":NaN}\n', ':1: this line is no JSON: {"a":NaN}: JSON has no NaN, write null for a missing cell'],
    ['{"a":1}\n[1]\n', `:2: this line is no object: [1]; ${write}`],
    ['{"a":1}\n{"a":{"b":1}}\n', ':2, column "a": it is an object: a cell is a number, a text, true, false or null'],
    ['{"a":[1]}\n', "or null; write its parts as columns, or if it is no input, say --ignore a"],
    ['{"a":[1]}\n', ':1, column "a": it is a list: a cell is'],
    [late, ':80002: the key "b" is no column; there are "a": the columns are the keys of the first rows'],
    ['{"a":1,"b":2}\n{"a":1, "b":2, "a" :3}\n', ':2: the key "a" is there twice'],
    ['{"t":"x\\":","\\u0061":1,"a":2}\n', ':1: the key "a" is there twice'],
    ['{"a":1," a ":2}\n', ':1: the key "a" is there twice'],
    ['{"":1}\n', ":1: column 1 of the header has no name"],
    ["{}\n", ":1: there are no columns"],
    ['{"a":1}\n', ':1: there is no column "b"; there are a', ["b"]],
    [`{"a":${"[".repeat(100_000)}`, ":1: this line is n"],
    [`{"a":"${"x".repeat(40_000_000)}"}\n`, ":1: this record is longer than 16777216 bytes"],
  ];
  for (const [text, says, columns] of cases) {
    await assertRejects(() => read(text, columns), DataError, says, text.slice(0, 40));
  }
});

permitted("JSON Lines: a key within a text or an object inside is no key of the row", async () => {
  const text = '{"a":"\\"b\\":1, \\"b\\":","b":{"a":1,"c":[{"a":2}]},"d":3}\n';
  const { columns, records } = await read(text, ["a"]);
  assertEquals([columns, records[0][0], records[0][2]], [["a", "b", "d"], '"b":1, "b":', "3"]);
});

permitted("JSON Lines: lists and objects are no matter in columns that are not used", async () => {
  const text = '{"a":1,"b":[2],"c":{"d":3}}\n';
  const expected = [["a", "b", "c"], [["1", '["2"]', '{"d":"3"}']]];
  const isIgnored = (name: string) => name !== "a";
  for (const found of [await read(text, ["a"]), await read(text, undefined, isIgnored)]) {
    assertEquals([found.columns, found.records], expected);
  }
  const noFlag = "or null; write its parts as columns";
  const error = await assertRejects(() => read(text, ["a", "c"], isIgnored), DataError, 'column "c": it is an object');
  assertEquals(error.message.endsWith(noFlag), true, error.message);
  const late = `{"a":1}\n${'{"a":2}\n'.repeat(80_000)}{"a":3,"b":4}\n`;
  assertEquals((await read(late, ["a"])).records.at(-1), ["3"]);
});
