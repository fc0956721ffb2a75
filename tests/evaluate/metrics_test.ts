import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { accuracy, regressionMetrics } from "../../lib/evaluate/metrics.ts";

Deno.test("regressionMetrics() agrees with values worked out by hand", () => {
  // Errors 0.5, -0.5, 0, 1; mean of the truth 2.875, its squared deviations sum to 29.1875.
  const { mse, rmse, mae, r2 } = regressionMetrics([2.5, 0, 2, 8], [3, -0.5, 2, 7]);
  assertEquals(mse, 0.375);
  assertAlmostEquals(rmse, 0.6123724356957945, 1e-15);
  assertEquals(mae, 0.5);
  assertAlmostEquals(r2, 1 - 1.5 / 29.1875, 1e-15);
});

Deno.test("regressionMetrics() keeps its precision far from zero", () => {
  const actual = Float64Array.from({ length: 1000 }, (_, i) => 1e9 + (i % 2));
  const { r2 } = regressionMetrics(actual.map((value) => value + 0.5), actual);
  // Squared deviations sum to 250, squared errors as well.
  assertAlmostEquals(r2, 0, 1e-6);
});

Deno.test("regressionMetrics() gives r2 of 1 or 0 for a constant target", () => {
  assertEquals(regressionMetrics([4, 4], [4, 4]).r2, 1);
  assertEquals(regressionMetrics([4, 5], [4, 4]).r2, 0);
  assertEquals(regressionMetrics([3], [4]).r2, 0);
});

Deno.test("regressionMetrics() lets NaN through", () => {
  assertEquals(regressionMetrics([1, NaN], [1, 2]), { mse: NaN, rmse: NaN, mae: NaN, r2: NaN });
  assertEquals(regressionMetrics([1, NaN], [2, 2]).r2, NaN);
  assertEquals(regressionMetrics([1, 2], [1, NaN]).r2, NaN);
});

Deno.test("accuracy() counts rows on the right side of 0.5", () => {
  assertEquals(accuracy([0.5, 0.49, 1, 0], [1, 0, 0, 0]), 0.75);
  assertEquals(accuracy([NaN, 1], [0, 1]), 0.5);
});

Deno.test("accuracy() of several classes counts rows whose largest values stand in the same place", () => {
  const labels = [0, 1, 0, /**/ 0, 1, 0, /**/ 0, 0, 1, /**/ 0.6, 0.4, 0];
  assertEquals(accuracy([0.2, 0.7, 0.1, /**/ 0.4, 0.3, 0.3, /**/ 0, 0.5, 0.5, /**/ 0.5, 0.5, 0], labels, 3), 0.5);
  assertEquals(accuracy([0.2, 0.7, NaN, /**/ 0, 1, 0], [0, 1, 0, /**/ 0, 1, 0], 3), 0.5);
  assertEquals(accuracy([0, 1, /**/ 0, 1], [NaN, 1, /**/ 0, 1], 2), 0.5);
  assertThrows(() => accuracy([1, 2, 3], [1, 2, 3], 2), TypeError, "Cannot cut 3 labels into rows of 2");
});

Deno.test("metrics refuse other lengths and no values", () => {
  assertThrows(() => regressionMetrics([1], [1, 2]), TypeError, "Cannot compare 1 predictions with 2 true values");
  assertThrows(() => regressionMetrics([], []), RangeError, "Cannot measure predictions: there are none");
  assertThrows(() => accuracy([1, 2], [1]), TypeError, "Cannot compare 2 probabilities with 1 labels");
  assertThrows(() => accuracy([], []), RangeError, "Cannot measure probabilities: there are none");
});
