import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ConfusionMatrix } from "../../lib/evaluate/confusion_matrix.ts";

const matrix = new ConfusionMatrix(3, [4, 1, 2, 0, 5, 2, 3, 0, 6]);

Deno.test("ConfusionMatrix gives counts, rows and JSON", () => {
  assertEquals([matrix.at(0, 2), matrix.at(2, 0), matrix.confusedPairs], [2, 3, 4]);
  assertEquals([...matrix.row(1)], [0, 5, 2]);
  assertEquals(JSON.parse(JSON.stringify(matrix)), [[4, 1, 2], [0, 5, 2], [3, 0, 6]]);
  assertThrows(
    () => new ConfusionMatrix(2, [1]),
    TypeError,
    "Cannot make a confusion matrix of 2 classes from 1 counts",
  );
});

Deno.test("ConfusionMatrix keeps its counts, whatever becomes of those that it was given", () => {
  const counts = new Float64Array([1, 2, 3, 4]);
  const own = new ConfusionMatrix(2, counts);
  counts.fill(0);
  assertEquals([...own.counts], [1, 2, 3, 4]);
});

Deno.test("ConfusionMatrix.largest() sorts wrong predictions by rows, and equal ones by their classes", () => {
  assertEquals(matrix.largest(3), [
    { actual: 2, predicted: 0, rows: 3 },
    { actual: 0, predicted: 2, rows: 2 },
    { actual: 1, predicted: 2, rows: 2 },
  ]);
  fc.assert(fc.property(fc.array(fc.nat(5), { minLength: 16, maxLength: 16 }), (counts) => {
    const all = new ConfusionMatrix(4, counts).largest(Infinity);
    const wrong = counts.flatMap((rows, i) => rows > 0 && i % 5 !== 0 ? [rows] : []);
    assertEquals(all.map(({ rows }) => rows), wrong.toSorted((a, b) => b - a));
  }));
});
