import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../lib/base/random.ts";
import {
  bootstrapIntervals,
  countedMean,
  countedR2,
  countedRmse,
  countedRocAuc,
} from "../../lib/evaluate/bootstrap.ts";
import { regressionMetrics } from "../../lib/evaluate/metrics.ts";
import { twoClassMetrics } from "../../lib/evaluate/two_classes.ts";

Deno.test("counted measures are those of rows that come so many times", () => {
  const random = new Random(1, "counted");
  const predicted = Array.from({ length: 12 }, (_, i) => Math.round(random.uniform() * 4 + i % 2) / 5);
  const actual = predicted.map((_, i) => i % 2);
  const counts = Uint32Array.from(predicted, (_, i) => i % 4);
  const again = (values: readonly number[]) => values.flatMap((value, i) => Array<number>(counts[i]).fill(value));
  const { rmse, r2 } = regressionMetrics(again(predicted), again(actual));
  const found = [countedRmse(predicted, actual, 1), countedR2(predicted, actual), countedRocAuc(predicted, actual)];
  const { rocAuc } = twoClassMetrics(again(predicted), again(actual));
  [rmse, r2, rocAuc].forEach((value, i) => assertAlmostEquals(found[i](counts), value, 1e-12));
  // Of two targets a row has two errors.
  assertAlmostEquals(countedRmse([1, 2, 3, 4], [0, 0, 3, 0], 2)(Uint32Array.of(0, 2)), Math.sqrt(8), 1e-12);
});

Deno.test("bootstrapIntervals() holds the truth of a mean about as often as it says", () => {
  let held = 0;
  for (let trial = 0; trial < 200; trial++) {
    const random = new Random(trial, "rows");
    const values = Array.from({ length: 80 }, () => random.normal(5, 2));
    const [{ low, high, resamples }] = bootstrapIntervals(80, [countedMean(values)], trial, 0.9);
    held += Number(low <= 5 && 5 <= high);
    assertEquals(resamples, 1_000);
    assertAlmostEquals(high - low, 2 * 1.645 * 2 / Math.sqrt(80), 0.3);
  }
  assert(held > 165 && held < 195, `${held} of 200 intervals of 0.9`);
});

Deno.test("bootstrapIntervals() draws by its seed, fewer resamples of many rows, and knows measures without a value", () => {
  const values = Array.from({ length: 30_000 }, (_, i) => i % 7);
  const [first] = bootstrapIntervals(30_000, [countedMean(values)], 1);
  assertEquals(bootstrapIntervals(30_000, [countedMean(values)], 1), [first]);
  assertEquals(first.resamples, 200);
  const [auc] = bootstrapIntervals(3, [countedRocAuc([0.2, 0.4, 0.6], [0, 1, 1])], 2);
  assertEquals([auc.low, auc.high], [1, 1], "resamples of one class do not count");
  const [none] = bootstrapIntervals(1, [countedRocAuc([0.2], [0])], 2);
  assertEquals([none.low, none.high], [NaN, NaN]);
  assertThrows(() => bootstrapIntervals(0, [], 1), RangeError, "no rows");
});
