import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { evaluate, Evaluator, toRaw } from "../../lib/evaluate/evaluation.ts";
import { bceWithLogits, huber, mae, mse, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import { assertClose } from "../support/assert_close.ts";

const column = { name: "y", min: -10, max: 30, mean: 10, deviation: 4 };
const standardize = new Scaler("standardize", [column]);
const none = new Scaler("none", [column]);
const two = new Scaler("none", [column, { ...column, name: "z" }]);

Deno.test("toRaw() gives raw units under mse, mae and huber, probabilities under bce", () => {
  for (const loss of [mse, mae, huber]) assertEquals([...toRaw([0, 1, -0.5], loss, standardize)], [10, 14, 8]);
  assertClose(toRaw([0, Math.log(3), -Math.log(3)], bceWithLogits, none), [0.5, 0.75, 0.25], { atol: 1e-15 });
});

Deno.test("evaluate() measures the loss in the units of training, the rest in raw ones", () => {
  // Scaled errors 0.5 and -1, raw ones 2 and -4; raw truth 10 and 18, deviations from their mean 4.
  for (const [loss, expected] of [[mse, 0.625], [mae, 0.75], [huber, (0.125 + 0.5) / 2]] as const) {
    const found = evaluate([0.5, 1], [0, 2], loss, standardize);
    assertEquals([found.rows, found.loss, found.mse, found.mae, "accuracy" in found], [2, expected, 10, 3, false]);
    assertAlmostEquals(found.rmse, Math.sqrt(10), 1e-12);
    assertAlmostEquals(found.r2, 1 - 20 / 32, 1e-12);
  }
  const several = evaluate([1, 2, 3, 4], [1, 2, 3, 6], mse, two);
  assertEquals([several.rows, several.loss], [2, 1], "rows of several targets");
});

Deno.test("evaluate() gives the accuracy of probabilities under bce", () => {
  const { rows, loss, accuracy, mae } = evaluate([0, Math.log(3), -Math.log(3)], [1, 0, 0], bceWithLogits, none);
  assertEquals([rows, accuracy], [3, 2 / 3]);
  assertAlmostEquals(loss, (Math.LN2 + Math.log(4) + Math.log(4 / 3)) / 3, 1e-12);
  assertAlmostEquals(mae, (0.5 + 0.75 + 0.25) / 3, 1e-12);
});

Deno.test("toRaw() and evaluate() take each row as classes under softmax", () => {
  const output = [0, Math.log(3), 7, 7, 1e30, -1e30];
  const target = [0, 1, 0, 1, 1, 0];
  assertClose(toRaw(output, softmaxCrossEntropy, two), [0.25, 0.75, 0.5, 0.5, 1, 0], { atol: 1e-15 });
  const { rows, loss, accuracy } = evaluate(output, target, softmaxCrossEntropy, two);
  assertEquals([rows, accuracy], [3, 2 / 3]); // of equal classes the first is taken, which is wrong in the second row
  assertAlmostEquals(loss, (Math.log(4 / 3) + Math.LN2) / 3, 1e-12);
  assertThrows(() => toRaw([1, 2, 3], softmaxCrossEntropy, two), TypeError, "Cannot cut 3 values into rows of 2");
});

Deno.test("evaluate() counts classes under softmax and bce, by their names", () => {
  const output = [0, 1, 0, 1, 1, 0];
  const { accuracy, macroF1, confusion, perClass } = evaluate(output, [0, 1, 1, 0, 1, 0], softmaxCrossEntropy, two);
  assertEquals([accuracy, macroF1, confusion?.toJSON()], [2 / 3, 2 / 3, [[1, 1], [0, 1]]]);
  assertEquals(perClass?.map((one) => one.class), ["y", "z"]);
  const named = evaluate([2, -2, 3], [1, 0, 0], bceWithLogits, none, { classes: ["no", "yes"] });
  assertEquals([named.accuracy, named.confusion?.toJSON()], [2 / 3, [[1, 1], [0, 1]]]);
  assertEquals(named.perClass?.map((one) => one.class), ["no", "yes"]);
  const plain = evaluate([2], [1], bceWithLogits, none);
  assertEquals(plain.perClass?.map((one) => one.class), ["0", "1"]);
  const several = evaluate([2, -2], [1, 1], bceWithLogits, two);
  assertEquals([several.accuracy, several.confusion, several.macroF1], [0.5, undefined, undefined]);
  assertEquals(evaluate([2], [1], mse, none, { classes: ["no", "yes"] }).confusion, undefined);
});

Deno.test("evaluate() measures the mean of the training targets next to the predictions", () => {
  const { mae, baseline } = evaluate([0.5, 1], [0, 2], mse, standardize, { baseline: [14] });
  assertEquals(mae, 3);
  // Raw truth 10 and 18, scaled 0 and 2; the baseline 14 is 1.
  assertEquals([baseline?.rows, baseline?.loss, baseline?.mse, baseline?.mae, baseline?.r2], [2, 1, 16, 4, 0]);
  assertEquals(baseline?.baseline, undefined);
});

Deno.test("evaluate() measures the majority class next to the predictions, its loss that of the shares", () => {
  const names = ["a", "b", "c"];
  const three = new Scaler("none", names.map((name) => ({ ...column, name })));
  const output = [9, 0, 0, 0, 9, 0, 0, 9, 0];
  const y = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const { baseline } = evaluate(output, y, softmaxCrossEntropy, three, { baseline: [0.25, 0.25, 0.5] });
  assertEquals([baseline?.accuracy, baseline?.confusion?.toJSON()], [1 / 3, [[0, 0, 1], [0, 0, 1], [0, 0, 1]]]);
  assertAlmostEquals(baseline!.loss, (2 * Math.log(4) + Math.log(2)) / 3, 1e-12);
  assertAlmostEquals(baseline!.macroF1!, 0.5 / 3, 1e-12);
  const binary = evaluate([9, 9], [1, 0], bceWithLogits, none, { baseline: [0.75] }).baseline;
  assertEquals([binary?.accuracy, binary?.confusion?.toJSON()], [0.5, [[0, 1], [0, 1]]]);
  assertAlmostEquals(binary!.loss, (-Math.log(0.75) - Math.log(0.25)) / 2, 1e-12);
});

Deno.test("evaluate() of a baseline that is certain gives a finite loss", () => {
  for (const share of [0, 1]) {
    const one = evaluate([1], [1 - share], bceWithLogits, none, { baseline: [share] }).baseline;
    assertAlmostEquals(one!.loss, -Math.log(Number.EPSILON), 1e-9);
    const y = [share, 1 - share];
    const shares = [1 - share, share];
    const both = evaluate([1, 0], y, softmaxCrossEntropy, two, { baseline: shares }).baseline;
    assertAlmostEquals(both!.loss, -Math.log(Number.EPSILON), 1e-9);
  }
});

Deno.test("Evaluator refuses a baseline or classes that are not those of the outputs", () => {
  const baseline = () => new Evaluator(mse, none, { baseline: [1, 2] });
  assertThrows(baseline, TypeError, "Cannot compare 1 targets with a baseline of 2");
  const classes = () => new Evaluator(bceWithLogits, none, { classes: ["a", "b", "c"] });
  assertThrows(classes, TypeError, "Cannot measure 3 classes: the outputs are for 2");
});

Deno.test("Evaluator.result() of blocks is what evaluate() gives for all", () => {
  const output = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i));
  const y = output.map((v, i) => v > 0 || i % 7 === 0 ? 1 : 0);
  for (const [loss, scaler] of [[mse, standardize], [bceWithLogits, none]] as const) {
    const options = { baseline: [0.25] };
    const all = evaluate(output, y, loss, scaler, options);
    for (const size of [60, 7, 1]) {
      const evaluator = new Evaluator(loss, scaler, options);
      for (let i = 0; i < 60; i += size) evaluator.add(output.subarray(i, i + size), y.subarray(i, i + size));
      evaluator.add([], []);
      const { loss: value, baseline, ...rest } = evaluator.result();
      const { loss: expected, baseline: trivial, ...others } = all;
      assertEquals(rest, others);
      assertAlmostEquals(value, expected, 1e-14);
      assertAlmostEquals(baseline!.loss, trivial!.loss, 1e-14);
      assertEquals({ ...baseline, loss: 0 }, { ...trivial, loss: 0 });
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

Deno.test("evaluate() measures the probabilities of two classes, whether they have one column or two", () => {
  const logits = [0, Math.log(3), -Math.log(3), Math.log(9)];
  const labels = [0, 1, 1, 0];
  const pairs = [logits.flatMap((logit) => [0, logit]), labels.flatMap((label) => [1 - label, label])];
  const options = { baseline: [0.25] };
  const binary = evaluate(logits, labels, bceWithLogits, none, options);
  const softmax = evaluate(pairs[0], pairs[1], softmaxCrossEntropy, two, { baseline: [0.75, 0.25] });
  for (const { rocAuc, averagePrecision, brier, threshold, baseline } of [binary, softmax]) {
    assertEquals([rocAuc, averagePrecision, threshold], [0.25, (1 / 2 + 2 / 4) / 2, undefined]);
    assertAlmostEquals(brier!, (0.25 + 0.0625 + 0.5625 + 0.81) / 4, 1e-12);
    assertEquals([baseline?.rocAuc, baseline?.averagePrecision, baseline?.brier], [0.5, 0.5, (0.0625 + 0.5625) / 2]);
  }
  assertEquals("rocAuc" in evaluate([1, 2], [1, 2], mse, none), false);
});

Deno.test("evaluate() classifies by a threshold, or by a rule that chooses one", () => {
  const logits = [0, Math.log(3), -Math.log(3), Math.log(9)];
  const labels = [0, 1, 1, 0];
  const classified = (threshold?: number | "best-f1") => {
    const found = evaluate(logits, labels, bceWithLogits, none, { threshold });
    return [found.threshold, found.accuracy, found.confusion?.toJSON()];
  };
  assertEquals(classified(), [undefined, 0.25, [[0, 2], [1, 1]]]);
  assertEquals(classified(0.8), [0.8, 0.25, [[1, 1], [2, 0]]]);
  assertEquals(classified("best-f1"), [0.125, 0.5, [[0, 2], [0, 2]]]);
  assertThrows(
    () => evaluate([1], [1], mse, none, { threshold: 0.5 }),
    TypeError,
    "it takes two classes, found numbers",
  );
});
