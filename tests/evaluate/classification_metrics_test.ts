import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { classificationMetrics, RunningClassification } from "../../lib/evaluate/classification_metrics.ts";

// By hand: rows are the truth, columns the prediction.
//        a  b  c
//   a  [ 3, 1, 0 ]
//   b  [ 0, 1, 1 ]
//   c  [ 2, 0, 2 ]
const actual = [0, 0, 0, 0, 1, 1, 2, 2, 2, 2];
const predicted = [0, 0, 0, 1, 1, 2, 0, 0, 2, 2];

Deno.test("classificationMetrics() counts a confusion matrix and measures each class", () => {
  const { accuracy, macroF1, confusion, perClass } = classificationMetrics(predicted, actual, ["a", "b", "c"]);
  assertEquals(confusion.toJSON(), [[3, 1, 0], [0, 1, 1], [2, 0, 2]]);
  assertEquals(accuracy, 0.6);
  assertEquals(perClass, [
    { class: "a", precision: 3 / 5, recall: 3 / 4, f1: 6 / 9, rows: 4 },
    { class: "b", precision: 1 / 2, recall: 1 / 2, f1: 1 / 2, rows: 2 },
    { class: "c", precision: 2 / 3, recall: 1 / 2, f1: 4 / 7, rows: 4 },
  ]);
  assertAlmostEquals(macroF1, (6 / 9 + 1 / 2 + 4 / 7) / 3, 1e-15);
});

Deno.test("classificationMetrics() is 0 where a denominator is, and leaves classes that never occur out of macro F1", () => {
  const { accuracy, macroF1, perClass } = classificationMetrics([0, 0], [0, 1], ["a", "b", "never"]);
  assertEquals(perClass, [
    { class: "a", precision: 1 / 2, recall: 1, f1: 2 / 3, rows: 1 },
    { class: "b", precision: 0, recall: 0, f1: 0, rows: 1 },
    { class: "never", precision: 0, recall: 0, f1: 0, rows: 0 },
  ]);
  assertEquals([accuracy, macroF1], [1 / 2, 1 / 3]);
});

Deno.test("classificationMetrics() never counts NaN as right, but as a row of its class", () => {
  const { accuracy, confusion, perClass } = classificationMetrics([NaN, 0, 1], [0, 0, 1], ["a", "b"]);
  assertEquals([accuracy, confusion.toJSON()], [2 / 3, [[1, 0], [0, 1]]]);
  assertEquals(perClass[0], { class: "a", precision: 1, recall: 1 / 2, f1: 2 / 3, rows: 2 });
});

Deno.test("classificationMetrics() refuses lengths that differ, unknown classes and no rows", () => {
  assertThrows(() => classificationMetrics([0], [0, 1], ["a", "b"]), TypeError, "1 predictions with 2 true classes");
  const says = "Cannot count classes: row 1 is of class 2 and predicted as 0, and there are 2";
  assertThrows(() => classificationMetrics([0, 0], [0, 2], ["a", "b"]), RangeError, says);
  assertThrows(() => classificationMetrics([-1], [0], ["a", "b"]), RangeError, "predicted as -1");
  assertThrows(() => classificationMetrics([0], [NaN], ["a", "b"]), RangeError, "is of class NaN");
  assertThrows(() => classificationMetrics([0.5], [0], ["a", "b"]), RangeError, "predicted as 0.5");
  assertThrows(() => classificationMetrics([], [], ["a", "b"]), RangeError, "there are no rows");
});

Deno.test("RunningClassification.result() of blocks is what classificationMetrics() gives for all", () => {
  const rows = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 40 });
  fc.assert(fc.property(rows, fc.integer({ min: 1, max: 7 }), (rows, size) => {
    const running = new RunningClassification(["a", "b", "c", "d"]);
    for (let i = 0; i < rows.length; i += size) {
      const block = rows.slice(i, i + size);
      running.add(block.map(([p]) => p), block.map(([_, a]) => a));
    }
    const all = classificationMetrics(rows.map(([p]) => p), rows.map(([_, a]) => a), ["a", "b", "c", "d"]);
    assertEquals(running.result(), all);
    // The mean of the recalls, weighted by rows, is the accuracy.
    const weighted = all.perClass.reduce((sum, { recall, rows }) => sum + recall * rows, 0) / rows.length;
    assertAlmostEquals(weighted, all.accuracy, 1e-12);
  }));
});
