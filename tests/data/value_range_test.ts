import { assertEquals } from "@std/assert";
import { ValueRange } from "../../lib/data/value_range.ts";

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
