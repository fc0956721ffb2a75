/** A short form of `deno run -A tests/robustness/fuzz.ts`, and that it can fail. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fuzzPart, type Part } from "./fuzz.ts";
import { Dice } from "./mutations.ts";
import { plainNumber, readPlainCsv } from "./plain_csv.ts";
import { readPlain } from "./plain_safetensors.ts";
import { permitted } from "../support/permitted.ts";

/** Cases of each part; `deno task soak` has 20,000. */
const COUNTS: readonly (readonly [Part, number])[] = [["safetensors", 600], ["csv", 600], ["formats", 200]];

permitted("hundreds of mutated files of each kind are refused or read as a second reader reads them", async () => {
  const results = await Promise.all(COUNTS.map(([part, count]) => fuzzPart(part, count, 7)));
  results.forEach(({ line, isGood }, i) => {
    assert(isGood, line);
    const [_, count] = COUNTS[i];
    const [read, refused] = line.match(/: (\d+) read, (\d+) refused;/)!.slice(1).map(Number);
    assertEquals(read + refused, count);
    assert(Math.min(read, refused) > count / 10, line);
  });
});

permitted("a fuzz names seed and case of what fails, and gives each case for itself", async () => {
  const { line, isGood } = await fuzzPart("csv", 1, 7, 41);
  assert(isGood, line);
  assertMatch(line, /^fuzz csv: 1 files, seed 7: \d read, \d refused; .* MiB at most$|memory unknown$/);
  assertEquals(new Dice(7, "csv 41").below(1e6), new Dice(7, "csv 41").below(1e6));
  // No such seed: the process ends with an error.
  const failed = await fuzzPart("csv", 1, -1);
  assertEquals(failed.isGood, false);
  assertStringIncludes(failed.line, "Cannot seed with -1");
});

Deno.test("the second readers read what the formats' descriptions say", () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  const csv = readPlainCsv(encode('\ufeffa;b\r\n"1;""x""\r\ny";2\r\n\r\n 3 ;\n'));
  assertEquals([csv.columns, csv.records, csv.lines], [["a", "b"], [['1;"x"\ny', "2"], [" 3 ", ""]], [2, 5]]);
  const numbers = ["1", "-2.5e1", ".5", "5.", " 7 ", "1e999", "0x10", "", ".", "e5", "1e", "--1", "1 2", "NaN"];
  const none = undefined;
  assertEquals(numbers.map(plainNumber), [1, -25, 0.5, 5, 7, none, none, none, none, none, none, none, none, none]);
  const header = encode('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"__metadata__":{"k":"\\u0041"}}');
  const file = Uint8Array.of(header.length, 0, 0, 0, 0, 0, 0, 0, ...header, 0, 0, 0x80, 0x3f);
  const { tensors, metadata } = readPlain(file);
  assertEquals([...tensors], [["a", { shape: [1], data: Float32Array.of(1) }]]);
  assertEquals([...metadata], [["k", "A"]]);
});
