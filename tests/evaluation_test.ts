import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { evaluate, Evaluator, toRaw } from "../lib/evaluation.ts";
import { bceWithLogits, huber, mae, mse, softmaxCrossEntropy } from "../lib/losses.ts";
import { Scaler } from "../lib/scaler.ts";
import { assertClose } from "./assert_close.ts";

const column = { name: "y", min: -10, max: 30, mean: 10, deviation: 4 };
const standardize = new Scaler("standardize", [column]), none = new Scaler("none", [column]);

Deno.test("toRaw() gives raw units under mse, probabilities under bce", () => {
  assertEquals([...toRaw([0, 1, -0.5], mse, standardize)], [10, 14, 8]);
  assertClose(toRaw([0, Math.log(3), -Math.log(3)], bceWithLogits, none), [0.5, 0.75, 0.25], { atol: 1e-15 });
});

Deno.test("evaluate() measures the loss in the units of training, the rest in raw ones", () => {
  // Scaled errors 0.5 and -1, raw ones 2 and -4; raw truth 10 and 18, deviations from their mean 4.
  const { rows, loss, mse: squared, rmse, mae, r2, accuracy } = evaluate([0.5, 1], [0, 2], mse, standardize);
  assertEquals([rows, loss, squared, mae, accuracy], [2, 0.625, 10, 3, undefined]);
  assertAlmostEquals(rmse, Math.sqrt(10), 1e-12);
  assertAlmostEquals(r2, 1 - 20 / 32, 1e-12);
});

Deno.test("toRaw() and evaluate() take mae and huber as regression", () => {
  for (const [loss, value] of [[mae, 0.75], [huber, (0.125 + 0.5) / 2]] as const) {
    assertEquals([...toRaw([0, 1, -0.5], loss, standardize)], [10, 14, 8]);
    const { loss: measured, mae: raw, ...rest } = evaluate([0.5, 1], [0, 2], loss, standardize);
    assertEquals([measured, raw, "accuracy" in rest], [value, 3, false]);
  }
});

Deno.test("evaluate() gives the accuracy of probabilities under bce", () => {
  const { rows, loss, accuracy, mae } = evaluate([0, Math.log(3), -Math.log(3)], [1, 0, 0], bceWithLogits, none);
  assertEquals([rows, accuracy], [3, 2 / 3]);
  assertAlmostEquals(loss, (Math.LN2 + Math.log(4) + Math.log(4 / 3)) / 3, 1e-12);
  assertAlmostEquals(mae, (0.5 + 0.75 + 0.25) / 3, 1e-12);
});

Deno.test("toRaw() and evaluate() take each row as classes under softmax", () => {
  const two = new Scaler("none", [column, { ...column, name: "z" }]);
  const output = [0, Math.log(3), 7, 7, 1e30, -1e30], target = [0, 1, 0, 1, 1, 0];
  assertClose(toRaw(output, softmaxCrossEntropy, two), [0.25, 0.75, 0.5, 0.5, 1, 0], { atol: 1e-15 });
  const { rows, loss, accuracy } = evaluate(output, target, softmaxCrossEntropy, two);
  assertEquals([rows, accuracy], [3, 2 / 3]); // of equal classes the first is taken, which is wrong in the second row
  assertAlmostEquals(loss, (Math.log(4 / 3) + Math.LN2) / 3, 1e-12);
  assertThrows(() => toRaw([1, 2, 3], softmaxCrossEntropy, two), TypeError, "Cannot cut 3 values into rows of 2");
});

Deno.test("evaluate() counts rows of several targets", () => {
  const two = new Scaler("none", [column, { ...column, name: "z" }]);
  assertEquals(evaluate([1, 2, 3, 4], [1, 2, 3, 6], mse, two).rows, 2);
  assertEquals(evaluate([1, 2, 3, 4], [1, 2, 3, 6], mse, two).loss, 1);
});

Deno.test("Evaluator.result() of blocks is what evaluate() gives for all", () => {
  const output = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)),
    y = output.map((v, i) => v > 0 || i % 7 === 0 ? 1 : 0);
  for (const [loss, scaler] of [[mse, standardize], [bceWithLogits, none]] as const) {
    const all = evaluate(output, y, loss, scaler);
    for (const size of [60, 7, 1]) {
      const evaluator = new Evaluator(loss, scaler);
      for (let i = 0; i < 60; i += size) evaluator.add(output.subarray(i, i + size), y.subarray(i, i + size));
      evaluator.add([], []);
      const { loss: value, ...rest } = evaluator.result(), { loss: expected, ...others } = all;
      assertEquals(rest, others);
      assertAlmostEquals(value, expected, 1e-14);
    }
  }
  assertThrows(() => new Evaluator(mse, none).result(), RangeError, "there are none");
  assertThrows(() => new Evaluator(mse, none).add([1], [1, 2]), TypeError, "Cannot compare 1 predictions with 2");
});

Deno.test("evaluate() lets NaN through, and refuses other lengths and no rows", () => {
  assertEquals(evaluate([NaN, 1], [0, 2], mse, none).loss, NaN);
  assertThrows(() => evaluate([1, 2], [1], mse, none), TypeError);
  assertThrows(() => evaluate([], [], mse, none), RangeError, "there are none");
});
