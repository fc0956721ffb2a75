import { assert, assertEquals } from "@std/assert";
import { classificationMetrics } from "../../../lib/evaluate/classification_metrics.ts";
import { bceWithLogits } from "../../../lib/core/losses.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import { evaluate, type Evaluation } from "../../../lib/evaluate/evaluation.ts";
import { formatClasses } from "../../../tasks/show/evaluation_report.ts";
import { MANY_CLASSES, shortEvaluation } from "../../../tasks/show/short_evaluation.ts";

/** Of class i there are i + 1 rows, of which every third is taken for the next class. */
function classified(count: number): Evaluation {
  const names = Array.from({ length: count }, (_, i) => `c${i}`);
  const actual = names.flatMap((_, i) => Array<number>(i + 1).fill(i));
  const predicted = actual.map((own, row) => row % 3 === 0 ? (own + 1) % count : own);
  const measures = { rows: actual.length, loss: 1, mse: 0, rmse: 0, mae: 0, r2: 1 };
  const constant = classificationMetrics(actual.map(() => count - 1), actual, names);
  return { ...measures, ...classificationMetrics(predicted, actual, names), baseline: { ...measures, ...constant } };
}

Deno.test("shortEvaluation() keeps the matrix of few classes, as rows of numbers in JSON", () => {
  const whole = classified(MANY_CLASSES);
  const { confusion, perClass, baseline } = JSON.parse(JSON.stringify(shortEvaluation(whole)));
  assertEquals(confusion, whole.confusion!.toJSON());
  assertEquals([perClass.length, baseline.confusion.length], [MANY_CLASSES, MANY_CLASSES]);
});

Deno.test("shortEvaluation() of many classes has the largest confusions, the worst classes and the largest", () => {
  const short = shortEvaluation(classified(1000));
  assert(JSON.stringify(short, null, 2).length < 40_000);
  assertEquals([short.classes, short.confusedPairs, short.confusions!.length], [1000, 999, 100]);
  const share = 334 / 1000;
  assertEquals(short.confusions![0], { actual: "c999", predicted: "c0", rows: 334, share });
  assertEquals(short.perClass!.map((one) => one.class).slice(-25), Array.from({ length: 25 }, (_, i) => `c${975 + i}`));
  assertEquals(short.perClass![0], { class: "c0", precision: 0, recall: 0, f1: 0, rows: 1 });
  assertEquals([short.confusion, short.baseline?.confusion, short.baseline?.perClass], [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals(short.accuracy, classified(1000).accuracy);
});

Deno.test("shortEvaluation() rounds the curve of two classes, and leaves out that of the baseline", () => {
  const scaler = new Scaler("none", [{ name: "y", min: 0, max: 1, mean: 0, deviation: 1 }]);
  const { curve, baseline } = shortEvaluation(
    evaluate([1, 2, 3], [0, 1, 0], bceWithLogits, scaler, { baseline: [0.5] }),
  );
  assertEquals(curve![1], { threshold: 0.8808, falsePositiveRate: 0.5, recall: 1, precision: 0.5 });
  assertEquals([baseline!.rocAuc, "curve" in baseline!], [0.5, false]);
});

Deno.test("formatClasses() lists some of many classes, and says which and how to get all", () => {
  const lines = formatClasses(classified(900))!.split("\n");
  assert(lines.length <= MANY_CLASSES + 3);
  assertEquals(lines[0], "50 of 900 classes: those with the lowest F1, and those with the most rows");
  assertEquals(lines.at(-2)!.split(" ")[0], "c899");
  assert(lines.at(-1)!.includes("--confusion FILE"));
});
