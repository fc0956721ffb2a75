import { assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../../lib/base/errors.ts";
import { type JsonLine, jsonLines } from "../../../tasks/predict/json_lines.ts";

async function* pieces(...texts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    yield await Promise.resolve(typeof text === "string" ? new TextEncoder().encode(text) : text);
  }
}

Deno.test("jsonLines() gives what arrived together, with line numbers, whatever the pieces", async () => {
  const whole = '\ufeff{"a":"ü"}\r\n\n  \n[1]\n"end"';
  const expected: JsonLine[] = [{ value: { a: "ü" }, line: 1 }, { value: [1], line: 4 }, { value: "end", line: 5 }];
  assertEquals(await Array.fromAsync(jsonLines("in", pieces(whole))), [expected.slice(0, 2), expected.slice(2)]);
  const bytes = new TextEncoder().encode(whole);
  for (const size of [1, 2, 7]) {
    const count = Math.ceil(bytes.length / size);
    const parts = Array.from({ length: count }, (_, i) => bytes.slice(i * size, (i + 1) * size));
    assertEquals((await Array.fromAsync(jsonLines("in", pieces(...parts)))).flat(), expected);
  }
  assertEquals(await Array.fromAsync(jsonLines("in", pieces("", "\n\n"))), []);
});

Deno.test("jsonLines() gives the lines before a bad one, then names it", async () => {
  const cases: [(string | Uint8Array)[], number, string][] = [
    [["1\n2\n{\n4\n"], 2, "in:3: this is no JSON: {"],
    [["1\n", "nope"], 1, "in:2: this is no JSON: nope"],
    [["1\n", Uint8Array.of(0x22, 0xff, 0x22, 0x0a)], 1, "in:2: this line, or one soon after it, is not UTF-8"],
    [["1\n", Uint8Array.of(0x22, 0xc3)], 1, "is not UTF-8"],
    [["1\n", `"${"x".repeat(17 * 1024 * 1024)}`, '"\n'], 1, "in:2: this line is longer than 16777216 characters"],
  ];
  for (const [texts, good, says] of cases) {
    const found: JsonLine[] = [];
    const readAll = async () => {
      for await (const lines of jsonLines("in", pieces(...texts))) found.push(...lines);
    };
    await assertRejects(readAll, DataError, says);
    assertEquals(found.length, good);
  }
});
