import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../lib/base/random.ts";
import { isSame, RunningStatistics, ValueRange } from "../../lib/data/statistics.ts";
import { assertClose } from "../support/assert_close.ts";

/** Statistics of the values of one column. */
function statisticsOf(values: Iterable<number>) {
  const statistics = new RunningStatistics(["a"]);
  for (const value of values) statistics.add([value]);
  return statistics.result()[0];
}

Deno.test("RunningStatistics agrees with statistics worked out by hand", () => {
  const statistics = new RunningStatistics(["a", "b"]);
  const values = [0, 2, -10, 4, -20, 4, -30, 4, -30, 5, -20, 5, -10, 7, 0, 9, 0];
  for (let row = 0; row < 8; row++) statistics.add(values, 1 + row * 2);
  assertEquals(statistics.count, 8);
  const [a, b] = statistics.result();
  assertEquals(a, { name: "a", min: 2, max: 9, mean: 5, deviation: 2 });
  assertEquals([b.min, b.max, b.mean], [-30, 0, -15]);
  assertAlmostEquals(b.deviation, Math.sqrt(125), 1e-12);
});

Deno.test("RunningStatistics keeps its precision far from zero", () => {
  const rows = Array.from({ length: 10_000 }, (_, i) => [1e9 + (i % 2)]);
  assertAlmostEquals(statisticsOf(rows.flat()).deviation, 0.5, 1e-6);
  for (const [offset, scale] of [[0, 1], [1e4, 1], [1e6, 1e4], [1e9, 1], [1e9, 1e-3]]) {
    const random = new Random(1, "far");
    const values = Float64Array.from({ length: 30_000 }, () => random.normal(offset, scale));
    // In two passes from the first value, whose distance to the others is exact.
    const apart = values.map((value) => value - values[0]);
    const mean = apart.reduce((sum, x) => sum + x, 0) / apart.length;
    const truth = Math.sqrt(apart.reduce((sum, x) => sum + (x - mean) ** 2, 0) / apart.length);
    const found = statisticsOf(values);
    assertClose([found.mean], [values[0] + mean], { rtol: 1e-12, atol: 1e-14 });
    assertClose([found.deviation], [truth], { rtol: 1e-12 });
  }
});

Deno.test("RunningStatistics refuses to tell of no rows", () => {
  assertThrows(() => new RunningStatistics(["a"]).result(), RangeError, "no rows");
});

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
