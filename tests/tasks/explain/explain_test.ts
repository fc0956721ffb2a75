/** Explanations of a network whose weights are known. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Folds } from "../../../lib/base/folds.ts";
import { Linear } from "../../../lib/core/layers.ts";
import { type Loss, mse, softmaxCrossEntropy } from "../../../lib/core/losses.ts";
import { Model } from "../../../lib/core/model.ts";
import { ArrayRows } from "../../../lib/data/row_source.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import { type ColumnStatistics, RunningStatistics } from "../../../lib/data/statistics.ts";
import { encodedNames, type InputColumn, type Table, type Target } from "../../../lib/data/table.ts";
import { TableEncoder } from "../../../lib/data/table_encoder.ts";
import { SavedModel } from "../../../lib/model_file/saved_model.ts";
import { explainModel, type Explanation } from "../../../tasks/explain/explain_model.ts";
import { formatExplanation } from "../../../tasks/explain/explanation_text.ts";
import { leakText } from "../../../tasks/explain/leak.ts";
import { scoreOf } from "../../../tasks/explain/score.ts";
import { predictSample } from "../../../tasks/report/predictions.ts";
import { firstRows } from "../../../tasks/runs/run_rows.ts";
import type { Device } from "../../../lib/gpu/device.ts";
import type { ScaledDataset } from "../../../tasks/prepare/scaled_dataset.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";

const DAY = 20_000; // 2024-10-04

const INPUTS: readonly InputColumn[] = [
  { kind: "numeric", name: "size" },
  { kind: "date", name: "sold", origin: DAY, parts: ["month"] },
  { kind: "numeric", name: "noise" },
];

/** 60 rows whose numbers are known: size 0 to 59, dates a day apart in another order, noise. */
const CELLS = Array.from({ length: 60 }, (_, i) => {
  const date = new Date((DAY + i * 7 % 60) * 86_400_000).toISOString().slice(0, 10);
  return [`${i}`, date, `${i * 11 % 60}`];
});

/** A model that is linear in its inputs, with its rows. */
function linear(device: Device, target: Target, weights: number[][], loss: Loss, y: number[], inputs = INPUTS) {
  const table: Table = { inputs, target, missing: "error" };
  const encoder = new TableEncoder(table);
  const features = encodedNames(inputs);
  const raw = new Float64Array(CELLS.length * features.length);
  CELLS.forEach((cells, i) => encoder.encode(cells.slice(0, inputs.length), raw, i * features.length));
  const statistics = new RunningStatistics(features);
  for (let i = 0; i < CELLS.length; i++) statistics.add(raw, i * features.length);
  const targets = target.kind === "classes" ? [...target.classes] : [...target.names];
  const none = (names: readonly string[]) =>
    new Scaler("none", names.map((name) => ({ name, min: 0, max: 1, mean: 0, deviation: 1 })));
  const scalers = { inputs: new Scaler("standardize", columnsOf(statistics, inputs)), targets: none(targets) };
  const model = new Model(device, [new Linear(features.length, targets.length)]);
  // In raw units, although the network takes scaled ones.
  const factors = scalers.inputs.scalings.map(({ factor }) => factor);
  const shifts = scalers.inputs.scalings.map(({ shift }) => shift);
  const bias = targets.map((_, j) => weights.reduce((sum, row, i) => sum + row[j] * shifts[i], 0));
  model.load({ "0.weight": weights.map((row, i) => row.map((w) => w * factors[i])), "0.bias": bias });
  const baseline = targets.map((_, j) => y.filter((_, i) => i % targets.length === j).reduce((a, b) => a + b) / 60);
  const saved = new SavedModel(model, { table, features, targets, scalers, loss, settings: {}, seed: 3, baseline });
  const x = Float32Array.from(scalers.inputs.transform(raw));
  const rows = new ArrayRows(x, Float32Array.from(y), features.length);
  const empty = new ArrayRows(new Float32Array(0), new Float32Array(0), features.length);
  return { saved, parts: { train: rows, validation: rows, test: empty } as unknown as ScaledDataset["parts"] };
}

/** Statistics where a column of names says so: it is not scaled. */
function columnsOf(statistics: RunningStatistics, [first]: readonly InputColumn[]): ColumnStatistics[] {
  const [own, ...others] = statistics.result();
  return first.kind === "categorical" ? [{ ...own, names: 3 }, ...others] : [own, ...others];
}

/** Predictions are 3 size + 2 days; the truth is what the caller says. */
function ofNumbers(device: Device, truth: (size: number, days: number) => number) {
  const y = CELLS.map((_, i) => truth(i, i * 7 % 60));
  return linear(device, { kind: "numeric", names: ["price"] }, [[3], [2], [0], [0], [0]], mse, y);
}

permittedGpuTest("importance is what shuffling costs; all inputs of a date are shuffled together", async (device) => {
  const { saved, parts } = ofNumbers(device, (size, days) => 3 * size + 2 * days + (size % 2 ? 9 : -9));
  using _ = saved;
  const found = await explainModel(saved, { parts }, { repeats: 30 });
  assertEquals([found.part, found.rows, found.of, found.repeats, found.measure.name], [
    "validation",
    60,
    60,
    30,
    "rmse",
  ]);
  assertEquals(found.columns.map(({ column }) => column), ["size", "sold", "noise"]);
  assertAlmostEquals(found.loss, 81, 0.01);
  const [size, sold, noise] = found.columns;
  // The squared error rises by w^2 E(x - x')^2, twice the variance; of 0 to 59 that is 299.9.
  assertAlmostEquals(size.loss.mean, 9 * 2 * 299.9, 500);
  assertAlmostEquals(sold.loss.mean, 4 * 2 * 299.9, 250);
  assertAlmostEquals(size.measure.mean, Math.sqrt(81 + size.loss.mean) - 9, 5);
  assert(size.loss.deviation > 50 && size.loss.deviation < 1_500, `${size.loss.deviation}`);
  assertEquals([noise.loss, noise.measure], [{ mean: 0, deviation: 0 }, { mean: 0, deviation: 0 }]);
  assertEquals(await explainModel(saved, { parts }, { repeats: 30 }), found, "the seed decides");
  // Only the month counts here, which is not the first of the date's inputs.
  const months = CELLS.map((cells) => Number(cells[1].slice(5, 7)));
  const byMonth = linear(device, { kind: "numeric", names: ["price"] }, [[0], [0], [1], [0], [0]], mse, months);
  using _other = byMonth.saved;
  const { columns: [first] } = await explainModel(byMonth.saved, byMonth);
  assert(first.column === "sold" && first.loss.mean > 0.01, JSON.stringify(first));
  assertEquals(
    (await explainModel(saved, { parts: { ...parts, validation: parts.test, test: parts.train } })).part,
    "test",
  );
});

permittedGpuTest(
  "partial dependence has the values of the rows, their shares, and the average prediction",
  async (device) => {
    const { saved, parts } = ofNumbers(device, (size, days) => 3 * size + 2 * days);
    using _ = saved;
    const { dependence: [size, sold] } = await explainModel(saved, { parts });
    assertEquals([size.column, size.kind, size.outputs, size.points.length], ["size", "numeric", ["price"], 20]);
    assertEquals([size.points[0].label, size.points.at(-1)!.at], ["0", 59]);
    for (const { at, predicted: [price] } of size.points) assertAlmostEquals(price, 3 * at + 2 * 29.5, 0.01);
    assertAlmostEquals(size.points.reduce((sum, { share }) => sum + share, 0), 1, 1e-9);
    assertEquals([sold.kind, sold.points[0].label, sold.points.at(-1)!.label], ["date", "2024-10-04", "2024-12-02"]);
    assertAlmostEquals(sold.points.at(-1)!.predicted[0], 3 * 29.5 + 2 * 59, 0.01);
  },
);

permittedGpuTest("names have the most frequent first, and classes their probabilities", async (device) => {
  const inputs: InputColumn[] = [{ kind: "categorical", name: "size", categories: ["0", "1"], others: [] }, INPUTS[1]];
  const target: Target = { kind: "classes", name: "is", classes: ["no", "yes"] };
  const weights = [[0, 3], [0, 0], [0, 0], [0, 0]];
  const y = CELLS.flatMap((_, i) => i === 0 ? [0, 1] : [1, 0]);
  const { saved, parts } = linear(device, target, weights, softmaxCrossEntropy, y, inputs);
  using _ = saved;
  const { dependence, measure } = await explainModel(saved, { parts });
  const { points, outputs } = dependence.find(({ column }) => column === "size")!;
  assertEquals([measure.name, outputs], ["rocAuc", ["yes"]]);
  assertEquals(points.map(({ label, share }) => [label, Math.round(share * 60)]), [["(other)", 58], ["0", 1], [
    "1",
    1,
  ]]);
  const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));
  points.forEach(({ predicted: [share] }, i) => assertAlmostEquals(share, sigmoid([6, 0, 3][i]), 1e-4));
});

permittedGpuTest(
  "a column that gives the target away is a leak; a good model of several columns has none",
  async (device) => {
    const cases: [truth: (size: number, days: number) => number, leak: string | undefined][] = [
      [(size, days) => 3 * size + 2 * days, undefined], // perfect, from two columns
      [(size, days) => 3 * size + 2 * days + (size % 2 ? 40 : -40), undefined],
    ];
    for (const [truth, leak] of cases) {
      const { saved, parts } = ofNumbers(device, truth);
      using _ = saved;
      assertEquals((await explainModel(saved, { parts })).leak?.column, leak);
    }
    const price: Target = { kind: "numeric", names: ["price"] };
    const leaking = (size: number, spread: number) =>
      linear(
        device,
        price,
        [[3], [0.5], [0], [0], [0]],
        mse,
        CELLS.map((_, i) => 3 * i + 0.5 * (i * 7 % 60) + spread * (i % 2)),
        INPUTS.slice(0, size),
      );
    for (const [spread, column] of [[1, "size"], [60, undefined]] as const) {
      const { saved, parts } = leaking(3, spread);
      using _ = saved;
      const explanation: Explanation = await explainModel(saved, { parts });
      assertEquals(explanation.leak?.column, column);
      const text = formatExplanation(explanation);
      assertEquals(text.includes('warning: "size" is likely to give the target away'), column !== undefined, text);
    }
    const words = leakText({ column: "paid, EUR", share: 0.987, score: 1 });
    assert(
      words.endsWith(
        `98% of the importance is that column's; if it is not known when you predict, train with --ignore '"paid, EUR"'`,
      ),
      words,
    );
  },
);

permittedGpuTest("with folds each row is judged by the members that held it out", async (device) => {
  const { saved: single, parts } = ofNumbers(device, (size) => size);
  using _ = single;
  const { description } = single;
  const folds = new Folds(Uint8Array.from(CELLS, (_, i) => i % 2), 2, 2);
  // Member 0 knows the truth; member 1 is always 10 above it.
  const model = new Model(device, [new Linear(description.features.length, 1, { members: 2 })]);
  const [{ factor, shift }] = description.scalers.inputs.scalings;
  const none = description.features.slice(1).map(() => [0]);
  model.load({ "0.weight": [[factor], ...none, [factor], ...none], "0.bias": [shift, shift + 10] });
  using saved = new SavedModel(model, description);
  const empty = { ...parts, validation: parts.test };
  const { part, rows, loss, columns: [first] } = await explainModel(saved, { parts: empty, folds });
  assertEquals([part, rows, first.column], ["out-of-fold", 60, "size"]);
  assertAlmostEquals(loss, 50, 0.01); // half of the rows are off by 10; both members together are by 5
  const score = await scoreOf(saved, firstRows({ parts: empty, folds }, ["test", "validation", "train"])!, 1);
  assertAlmostEquals(score.evaluation.loss, 50, 0.01);
  const pairs = (await predictSample(saved, firstRows({ parts: empty, folds }, ["validation"])!)).pairs![0].pairs;
  assertEquals(pairs.map(({ actual, predicted }) => Math.round(predicted - actual)), CELLS.map((_, i) => i % 2 * 10));
  assertEquals((await explainModel(saved, { parts: { ...empty } })).part, "training");
});
