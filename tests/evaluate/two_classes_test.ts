import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../lib/base/random.ts";
import { RunningTwoClasses, twoClassMetrics } from "../../lib/evaluate/two_classes.ts";

/** The definitions themselves, in quadratic time. */
function slowly(probabilities: readonly number[], labels: readonly number[]) {
  const ones = probabilities.filter((_, i) => labels[i] === 1);
  const zeros = probabilities.filter((_, i) => labels[i] === 0);
  const wins = ones.flatMap((a) => zeros.map((b) => a > b ? 1 : a === b ? 0.5 : 0) as number[]);
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const thresholds = [...new Set(probabilities)].sort((a, b) => b - a);
  const points = thresholds.map((threshold) => {
    const hits = ones.filter((p) => p >= threshold).length;
    const alarms = zeros.filter((p) => p >= threshold).length;
    return { threshold, recall: hits / ones.length, precision: hits / (hits + alarms), rate: alarms / zeros.length };
  });
  const precisions = points.map(({ recall, precision }, i) => precision * (recall - (points[i - 1]?.recall ?? 0)));
  const squares = probabilities.map((p, i) => (p - labels[i]) ** 2);
  return {
    rocAuc: sum(wins) / wins.length,
    averagePrecision: sum(precisions),
    brier: sum(squares) / labels.length,
    points,
  };
}

/** Rows with many equal probabilities where there are few levels. */
function drawn(rows: number, levels: number, seed: number): [number[], number[]] {
  const random = new Random(seed, "rows");
  const labels = Array.from({ length: rows }, (_, i) => i < 2 ? i : Number(random.uniform() < 0.3));
  return [labels.map((label) => Math.floor((random.uniform() + label * 0.4) / 1.4 * levels) / levels), labels];
}

Deno.test("twoClassMetrics() are those of the definitions, with equal probabilities and without", () => {
  for (const [rows, levels] of [[2, 3], [40, 4], [60, 1e9], [300, 1e9], [300, 20]]) {
    const [probabilities, labels] = drawn(rows, levels, rows + 1);
    const expected = slowly(probabilities, labels);
    const { curve, ...found } = twoClassMetrics(probabilities, labels);
    for (const name of ["rocAuc", "averagePrecision", "brier"] as const) {
      assertAlmostEquals(found[name], expected[name], 1e-12, `${name} of ${rows} rows`);
    }
    for (const { threshold, falsePositiveRate, recall, precision } of curve) {
      const point = expected.points.find((one) => one.threshold === threshold)!;
      assertEquals([point.rate, point.recall, point.precision], [falsePositiveRate, recall, precision]);
    }
    assertEquals([curve.at(-1)!.falsePositiveRate, curve.at(-1)!.recall], [1, 1]);
    assertEquals(curve.length <= 101 && curve.length >= Math.min(45, expected.points.length), true, `${curve.length}`);
  }
});

Deno.test("twoClassMetrics() where a class has no rows, or a probability is NaN", () => {
  const { rocAuc, averagePrecision, brier } = twoClassMetrics([0.5, 0.25], [0, 0]);
  assertEquals([rocAuc, averagePrecision, brier], [NaN, 0, (0.25 + 0.0625) / 2]);
  assertEquals(twoClassMetrics([0.5], [1]).averagePrecision, 1);
  assertEquals(twoClassMetrics([NaN, 0.5], [0, 1]), { rocAuc: NaN, averagePrecision: NaN, brier: NaN, curve: [] });
  assertThrows(() => twoClassMetrics([], []), RangeError, "there are no rows");
  assertThrows(() => twoClassMetrics([1], [2]), RangeError, "row 0 is of class 2");
  assertThrows(() => twoClassMetrics([1], []), TypeError, "Cannot compare 1 probabilities with 0 classes");
});

Deno.test("RunningTwoClasses chooses the best threshold of all", () => {
  const [probabilities, labels] = drawn(120, 1e9, 5);
  const running = new RunningTwoClasses();
  running.add(probabilities, labels);
  const count = (threshold: number) => {
    const hits = probabilities.filter((p, i) => p >= threshold && labels[i] === 1).length;
    const alarms = probabilities.filter((p, i) => p >= threshold && labels[i] === 0).length;
    const missed = labels.filter((label) => label === 1).length - hits;
    return { f1: 2 * hits / (2 * hits + alarms + missed), cost: (ratio: number) => ratio * missed + alarms };
  };
  const all = [...probabilities, 1];
  assertEquals(count(running.choose("best-f1")).f1, Math.max(...all.map((threshold) => count(threshold).f1)));
  for (const ratio of [0.01, 0.5, 1, 5, 1000]) {
    const least = Math.min(...all.map((threshold) => count(threshold).cost(ratio)));
    assertEquals(count(running.choose({ cost: ratio })).cost(ratio), least, `a missed row costs ${ratio}`);
  }
});

Deno.test("RunningTwoClasses draws the threshold halfway between two probabilities", () => {
  const cases: [probabilities: number[], labels: number[], rule: "best-f1" | number, threshold: number][] = [
    [[0.25, 0.75], [0, 1], "best-f1", 0.5],
    [[0.5, 0.5], [0, 1], "best-f1", 0.25], // nothing lies below
    [[0.75, 0.25], [0, 1], 0.5, 0.875], // better none than two alarms
    [[0.75, 0.25], [0, 1], 4, 0.125],
  ];
  for (const [probabilities, labels, rule, threshold] of cases) {
    const running = new RunningTwoClasses();
    running.add(probabilities, labels);
    assertEquals(running.choose(rule === "best-f1" ? rule : { cost: rule }), threshold);
  }
  const one = new RunningTwoClasses();
  one.add([0.5], [1]);
  assertThrows(() => one.choose("best-f1"), RangeError, "found 0 rows of the first class and 1 of the second");
});
