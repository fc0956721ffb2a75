import { assert, assertEquals } from "@std/assert";
import { ConfusionMatrix } from "../../../lib/evaluate/confusion_matrix.ts";
import { evaluate } from "../../../lib/evaluate/evaluation.ts";
import { bceWithLogits, mse } from "../../../lib/core/losses.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import { formatClasses, formatCoverage, formatEvaluations } from "../../../tasks/show/evaluation_report.ts";
import { formatSummary } from "../../../tasks/show/train_report.ts";

const scaler = new Scaler("none", [{ name: "y", min: 0, max: 1, mean: 0, deviation: 1 }]);
const regression = evaluate([1, 2], [0, 2], mse, scaler, { baseline: [1] });
const classes = { classes: ["no", "yes"], baseline: [0.75] };
const classification = evaluate([2, -2, 3, 3], [1, 0, 0, 1], bceWithLogits, scaler, classes);

Deno.test("formatEvaluations() sets the mean next to each regression, the majority class next to each classification", () => {
  assertEquals(formatEvaluations({ train: regression }).split("\n"), [
    "in raw units  rows  loss  mse      rmse  mae   r2",
    "train            2   0.5  0.5  0.707107  0.5  0.5",
    "  mean           2     1    1         1    1    0",
  ]);
  assertEquals(formatEvaluations({ test: classification }).split("\n"), [
    "classified        rows      loss  accuracy  macro F1  ROC-AUC  avg. precision     Brier",
    "test                 4  0.837758      0.75  0.733333    0.625        0.583333  0.234516",
    "  majority class     4  0.836988       0.5  0.333333      0.5             0.5    0.3125",
  ]);
});

Deno.test("formatClasses() shows measures and confusion of each class, of many classes no confusion", () => {
  assertEquals(formatClasses(classification)!.split("\n"), [
    "class  rows  precision  recall        F1  as no  as yes",
    "no        2          1     0.5  0.666667      1       1",
    "yes       2   0.666667       1       0.8      0       2",
  ]);
  assertEquals(formatClasses(regression), undefined);
  const moved = evaluate([2, -2, 3, 3], [1, 0, 0, 1], bceWithLogits, scaler, { ...classes, threshold: 0.9 });
  assertEquals(formatClasses(moved)!.split("\n").map((line) => line.trimEnd()), [
    "from a probability of 0.9 on, a row counts as yes",
    "class  rows  precision  recall   F1  as no  as yes",
    "no        2        0.5     0.5  0.5      1       1",
    "yes       2        0.5     0.5  0.5      1       1",
  ]);
  const { perClass } = classification;
  const many = Array.from({ length: 13 }, () => perClass![0]);
  const confusion = new ConfusionMatrix(13, new Float64Array(13 ** 2));
  const [header, first] = formatClasses({ ...classification, perClass: many, confusion })!.split("\n");
  assertEquals(header, "class  rows  precision  recall        F1");
  assertEquals(first, "no        2          1     0.5  0.666667");
});

Deno.test("formatSummary() ends with the classes of the last part", () => {
  const speed = { steps: 10, seconds: 2, stepsPerSecond: 5 };
  const lines = formatSummary(speed, { train: regression, test: classification }).split("\n");
  assertEquals([lines[0], lines.at(-4)], ["10 steps in 2.0 s, 5 steps/s", "test:"]);
  assertEquals(formatSummary(speed, { train: regression }).split("\n").length, 4);
});

Deno.test("formatCoverage() says how often intervals or sets hold the truth, and how large they are", () => {
  const one = { target: "price", coverage: 0.9125, width: 12.3456 };
  const level = 0.9;
  assertEquals(formatCoverage({ level, isOfClasses: false, targets: [one] }), [
    "intervals at level 0.9 hold 91.3% of the rows; mean width 12.35",
  ]);
  assertEquals(formatCoverage({ level, isOfClasses: true, targets: [{ ...one, width: 1.25 }] }), [
    "sets of classes at level 0.9 hold the class of 91.3% of the rows, and 1.25 classes on average",
  ]);
  const [single] = formatCoverage({ level, isOfClasses: true, targets: [{ ...one, width: 1 }] });
  assert(single.endsWith(", and 1 class on average"), single);
  const many = formatCoverage({ level, isOfClasses: false, targets: Array(12).fill(one) });
  assertEquals([many.length, many[0], many.at(-1)], [
    11,
    "intervals of price at level 0.9 hold 91.3% of the rows; mean width 12.35",
    "and those of 2 more targets",
  ]);
});
