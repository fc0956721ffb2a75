import { assertEquals } from "@std/assert";
import { isSame, ValueRange } from "../../lib/data/value_range.ts";

Deno.test("ValueRange finds ends that are farther from the next value than all others are from each other", () => {
  const cases: [texts: string[], range: [number, number], far: [number, number, number, number][]][] = [
    [["20", "-999", "30", "-999"], [-999, 30], [[-999, 2, 20, 30]]],
    [["1", "2", "99", "3"], [1, 99], [[99, 1, 1, 3]]],
    [["99", "3", "2", "1"], [1, 99], [[99, 1, 1, 3]]],
    [["1", "2", "3"], [1, 3], []],
    [["1", "1", "5"], [1, 5], []], // of two values none is far
    [["7"], [7, 7], []],
    [[], [Infinity, -Infinity], []],
    // From one end to the other is the range of the others.
    [["-999", "20", "30", "99999"], [-999, 99999], [[99999, 1, -999, 30]]],
  ];
  for (const [texts, [min, max], far] of cases) {
    const range = new ValueRange();
    for (const text of texts) range.add(Number(text), text);
    assertEquals([range.min, range.max], [min, max]);
    assertEquals(range.far.map(({ value, count, from, to }) => [value, count, from, to]), far);
  }
});

Deno.test("ValueRange keeps how an end is written, if that is short", () => {
  const range = new ValueRange();
  for (const text of ["1", "2", "-999.0", "-999"]) range.add(Number(text), text);
  assertEquals(range.far.map(({ text }) => text), ["-999.0"]);
  range.add(-1e6, "-1000000.0000");
  assertEquals(range.far.map(({ text }) => text), [undefined]);
});

Deno.test("isSame() takes values that differ by a few roundings for the same, at any size", () => {
  const cases: [min: number, max: number, is: boolean][] = [
    [0.3, 0.1 + 0.2, true],
    [-14.620000000000001, -14.62, true],
    [0, 0, true],
    [14.62, 14.6200001, false],
    [1e15, 1e15 + 2, false],
    [0, 5e-324, false],
  ];
  for (const [min, max, is] of cases) assertEquals(isSame({ min, max }), is, `${min} to ${max}`);
});
