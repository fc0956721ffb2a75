import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DataError } from "../../../lib/base/errors.ts";
import { jsonHint } from "../../../lib/data/json_records.ts";
import { type JsonLine, jsonLines, parseExactly, parseJson } from "../../../tasks/predict/json_lines.ts";
import { lineBlocks } from "../../../tasks/predict/stdin_text.ts";

async function* pieces(...texts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    yield await Promise.resolve(typeof text === "string" ? new TextEncoder().encode(text) : text);
  }
}

/** Lines of what arrives in pieces. */
function linesOf(...texts: (string | Uint8Array)[]): AsyncGenerator<JsonLine[]> {
  return jsonLines(lineBlocks("in", pieces(...texts)));
}

Deno.test("jsonLines() gives what arrived together, with line numbers, whatever the pieces", async () => {
  const whole = '\ufeff{"a":"ü"}\r\n\n  \n[1]\n"end"';
  const values: [unknown, string, number][] = [
    [{ a: "ü" }, '{"a":"ü"}\r', 1],
    [["1"], "[1]", 4],
    ["end", '"end"', 5],
  ];
  const expected = values.map(([value, text, line]): JsonLine => ({ value, text, line }));
  assertEquals(await Array.fromAsync(linesOf(whole)), [expected.slice(0, 2), expected.slice(2)]);
  const bytes = new TextEncoder().encode(whole);
  for (const size of [1, 2, 7]) {
    const count = Math.ceil(bytes.length / size);
    const parts = Array.from({ length: count }, (_, i) => bytes.slice(i * size, (i + 1) * size));
    assertEquals((await Array.fromAsync(linesOf(...parts))).flat(), expected);
  }
  assertEquals(await Array.fromAsync(linesOf("", "\n\n")), []);
});

Deno.test("jsonLines() gives the lines before a bad one, then names it", async () => {
  const cases: [(string | Uint8Array)[], number, string][] = [
    [["1\n2\n{\n4\n"], 2, "in:3: this is no JSON: {"],
    [['{"a":1}\n{"a":1,"b":2,"a":3}\n'], 1, 'in:2: the key "a" is there twice'],
    [["1\n", "nope"], 1, "in:2: this is no JSON: nope"],
    [['1\n{"x": NaN}\n'], 1, 'in:2: this is no JSON: {"x": NaN}: JSON has no NaN, write null for a missing cell'],
    [["1\n", Uint8Array.of(0x22, 0xff, 0x22, 0x0a)], 1, "in:2: this line, or one soon after it, is not UTF-8"],
    [["1\n", Uint8Array.of(0x22, 0xc3)], 1, "is not UTF-8"],
    [["1\n", `"${"x".repeat(17 * 1024 * 1024)}`, '"\n'], 1, "in:2: this line is longer than 16777216 characters"],
  ];
  for (const [texts, good, says] of cases) {
    const found: JsonLine[] = [];
    const readAll = async () => {
      for await (const lines of linesOf(...texts)) found.push(...lines);
    };
    await assertRejects(readAll, DataError, says);
    assertEquals(found.length, good);
  }
});

Deno.test("parseJson() takes numbers as they are written, and parseExactly() writes them so again", () => {
  const cases: [text: string, value: unknown, written?: string][] = [
    ['{"id":12345678901234567890,"x":3}', { id: "12345678901234567890", x: "3" }],
    ['{"id":12345678901234567890.10,"x":1.10}', { id: "12345678901234567890.10", x: "1.10" }],
    ['{"id":1E3,"x":-0}', { id: "1E3", x: "-0" }],
    ['{"x":1e400}', { x: "1e400" }],
    ['{"list":[1, 1234567890123456789]}', { list: ["1", "1234567890123456789"] }, '{"list":[1,1234567890123456789]}'],
    ['{"id":"1.10","no":null,"is":true}', { id: "1.10", no: null, is: true }],
  ];
  for (const [text, value, written = text] of cases) {
    assertEquals([parseJson(text), JSON.stringify(parseExactly(text))], [value, written]);
  }
  assertThrows(() => parseJson('{"id":1234567890123456789,"id":2}'), TypeError, 'the key "id" is there twice');
  assertThrows(() => parseJson('{"id": 12345678901234567890'), SyntaxError);
});

Deno.test("jsonHint() says what to write for what is no JSON", () => {
  const cases: [text: string, hint: string][] = [
    ['{"a": 1, "x":NaN}', ": JSON has no NaN, write null for a missing cell"],
    ['{"x": -Infinity , "a": 1}', ": JSON has no Infinity, write null for a missing cell"],
    ['{"x": None}', ": JSON has no None, write null for a missing cell"],
    ['{"x": True}', ": JSON has no True, write true"],
    ['{"NaN": 1', ""],
  ];
  for (const [text, hint] of cases) assertEquals(jsonHint(text), hint);
});
