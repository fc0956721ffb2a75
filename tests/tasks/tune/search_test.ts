import { assert, assertEquals, assertThrows } from "@std/assert";
import { draw, isRange, parseRange, type Range } from "../../../tasks/tune/search.ts";
import { splitRanges } from "../../../tasks/tune/trials.ts";

const drawn = (range: Range, count = 2_000) => Array.from({ length: count }, (_, i) => draw(range, 7, `trial ${i}`));

Deno.test("parseRange() tells ranges from values", () => {
  assertEquals(parseRange("1e-4..0.1"), { kind: "number", low: 1e-4, high: 0.1, isLog: false, isWhole: false });
  assertEquals(parseRange("1e-4..1e-1:log"), { kind: "number", low: 1e-4, high: 0.1, isLog: true, isWhole: false });
  assertEquals(parseRange("16..256:log"), { kind: "number", low: 16, high: 256, isLog: true, isWhole: true });
  assertEquals(parseRange("-1..1"), { kind: "number", low: -1, high: 1, isLog: false, isWhole: false });
  assertEquals(parseRange("64 | 128,64"), { kind: "choice", values: ["64", "128,64"] });
  for (const text of ["0.01", "128,64", "../houses.csv", "a..b", "1..2:ln"]) {
    assertEquals([text, isRange(text), parseRange(text)], [text, false, undefined]);
  }
  assertThrows(() => parseRange("2..1"), RangeError, '"2..1" is no range');
  assertThrows(() => parseRange("0..1:log"), RangeError, "above 0");
});

Deno.test("draw() is uniform over a range, or over its logarithm", () => {
  const mean = (values: string[], f: (value: string) => number = Number) =>
    values.reduce((sum, value) => sum + f(value), 0) / values.length;
  const plain = drawn(parseRange("2..6.5")!);
  const log = drawn(parseRange("1e-4..1e-1:log")!);
  assert(plain.every((value) => Number(value) >= 2 && Number(value) <= 6.5));
  assert(Math.abs(mean(plain) - 4.25) < 0.1, `mean ${mean(plain)}`);
  const middle = mean(log, (value) => Math.log10(Number(value)));
  assert(log.every((value) => Number(value) >= 1e-4 && Number(value) <= 0.1));
  assert(Math.abs(middle + 2.5) < 0.1, `mean exponent ${middle}`);
});

Deno.test("draw() gives each whole number and each choice its share, the ends too", () => {
  for (const text of ["1..4", "a|b|c|d"]) {
    const shares = Map.groupBy(drawn(parseRange(text)!), (value) => value);
    assertEquals(shares.size, 4);
    for (const [value, { length }] of shares) assert(Math.abs(length - 500) < 100, `${value}: ${length} of 2000`);
  }
});

Deno.test("draw() depends on seed and stream alone", () => {
  const range = parseRange("0..1e9")!;
  assertEquals(draw(range, 1, "a"), draw(range, 1, "a"));
  assert(draw(range, 1, "a") !== draw(range, 2, "a") && draw(range, 1, "a") !== draw(range, 1, "b"));
});

Deno.test("splitRanges() takes ranges out of a command line, joined or not, and leaves the rest", () => {
  const args = ["--seed", "3", "--learning-rate", "1e-4..1e-1:log", "--hidden-size=8|16", "--loss=mse", "--noise"];
  assertEquals(splitRanges(args), {
    plain: ["--seed", "3", "--loss=mse", "--noise"],
    ranges: { "--learning-rate": "1e-4..1e-1:log", "--hidden-size": "8|16" },
  });
});
