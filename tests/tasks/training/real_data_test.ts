/** Real tables through the tasks, as their users take them: how good the models are, and that they travel. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { parse } from "@std/csv";
import type { Evaluation } from "../../../lib/evaluate/evaluation.ts";
import { readSafetensors } from "../../../lib/safetensors/reader.ts";
import { readExportedModel } from "../../../tasks/export/exported_model.ts";
import { writeNpmTables } from "../../../tasks/quality/tables.ts";
import { assertClose } from "../../support/assert_close.ts";
import { leastSquares } from "./least_squares.ts";
import { runOnnx } from "../../support/onnx_process.ts";
import { warningsOf, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const SEEDS = [1, 2, 3];
const SPECIES = ["Adelie", "Chinstrap", "Gentoo"];

/** The flags that tell a table's target and what else its columns need. */
const REAL_TABLES: Readonly<Record<string, readonly string[]>> = {
  cars: ["--data", "cars.csv", "--target", "economy (mpg)", "--ignore", "name", "--missing", "drop"],
  iris: ["--data", "iris.csv", "--target", "species"],
  penguins: ["--data", "penguins.csv", "--target", "species", "--missing", "median"],
  diamonds: ["--data", "diamonds.csv", "--target", "price"],
};

/** A folder with the tables as cars.csv, diamonds.csv, iris.csv and penguins.csv. */
async function withRealTables(): Promise<Workplace> {
  const place = await Workplace.inSeries("train");
  await writeNpmTables(place.path, Object.keys(REAL_TABLES));
  return place;
}

/** Trains a run named as table and seed, which has no cause to warn; gives its measures on the test part. */
async function trainOn(
  place: Workplace,
  table: string,
  seed: number,
  args: readonly string[] = [],
): Promise<Evaluation> {
  const run = `${table}-${seed}`;
  const flags = [...REAL_TABLES[table], "--seed", `${seed}`, "--run-name", run, ...args];
  assertEquals(warningsOf(await place.succeed("train", flags)), [], run);
  const { test } = JSON.parse(await place.read(`data/runs/${run}/summary.json`));
  assert(test.rows > 0);
  return test;
}

/** The middle one of three numbers. */
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[1];

/** The share of the test rows' variance that a linear model of the prepared training rows explains. */
async function linearR2(place: Workplace, table: string): Promise<number> {
  const { tensors } = await readSafetensors(place.at(`data/${table}.scaled.safetensors`));
  const part = (name: string) => {
    const { data, shape: [rows, width] } = tensors.get(`${name}.x`)!;
    const x = Array.from({ length: rows }, (_, i) => [...data.subarray(i * width, (i + 1) * width)]);
    return { x, y: [...tensors.get(`${name}.y`)!.data] };
  };
  const predict = leastSquares(part("train").x, part("train").y);
  const { x, y } = part("test");
  const mean = y.reduce((sum, value) => sum + value) / y.length;
  const squares = (differences: number[]) => differences.reduce((sum, value) => sum + value ** 2, 0);
  // No scaling of the target changes the quotient.
  return 1 - squares(y.map((value, i) => value - predict(x[i]))) / squares(y.map((value) => value - mean));
}

Deno.test("leastSquares() finds the weights, and refuses columns that follow from others", () => {
  const x = [[0, 0], [1, 0], [0, 1], [2, 5], [-3, 4]];
  const predict = leastSquares(x, x.map(([a, b]) => 2 * a - b + 3));
  assertAlmostEquals(predict([10, 20]), 3, 1e-12);
  assertThrows(() => leastSquares([[1, 2], [2, 4], [3, 6]], [1, 2, 3]), RangeError, "follows from those before it");
});

permitted("tasks on real tables: as good as networks elsewhere, and the models travel", async (t) => {
  await using place = await withRealTables();

  const accuracies: number[] = [];
  const network: number[] = [];
  const linear: number[] = [];
  for (const seed of SEEDS) {
    accuracies.push((await trainOn(place, "iris", seed)).accuracy!);
    network.push((await trainOn(place, "cars", seed)).r2);
    linear.push(await linearR2(place, "cars"));
  }

  await t.step("iris: accuracy", () => {
    assert(median(accuracies) >= 0.93, `accuracies ${accuracies}`);
  });
  await t.step("cars: r2 well over that of a linear model", () => {
    assert(median(linear) > 0.7, `linear ${linear}`);
    assert(median(network) > median(linear) + 0.04, `network ${network}, linear ${linear}`);
  });
  await t.step("penguins: macro F1, with missing cells", async () => {
    const { macroF1, rows } = await trainOn(place, "penguins", 1);
    assert(rows > 30 && macroF1! > 0.95, `macro F1 ${macroF1} of ${rows} rows`);
  });
  await t.step("diamonds: 54,000 rows give no cause to warn", async () => {
    await trainOn(place, "diamonds", 1, ["--num-epochs=1", "--members=1"]);
  });
  await t.step("penguins: words and JSON give the same prediction", () => assertOneGentoo(place));
  const { stdout } = await place.succeed("predict", [...PENGUINS, "--input", "penguins.csv"]);
  const predicted = tableOf(stdout);
  await t.step("penguins: a file and an ONNX runtime give the same predictions", () => assertOnnx(place, predicted));
  await t.step("penguins: evaluate counts what predict gives", () => assertEvaluated(place, predicted));
});

const PENGUINS = ["--run-name", "penguins-1"];

async function assertOneGentoo(place: Workplace): Promise<void> {
  const cells = {
    island: "Biscoe",
    culmen_length_mm: 46.1,
    culmen_depth_mm: 13.2,
    flipper_length_mm: 211,
    body_mass_g: 4500,
    sex: "FEMALE",
  };
  const words = Object.entries(cells).map((pair) => pair.join("="));
  const [word] = tableOf((await place.succeed("predict", [...PENGUINS, ...words])).stdout);
  const json = JSON.parse((await place.succeed("predict", [...PENGUINS, "--row", JSON.stringify(cells)])).stdout);
  assertEquals([word.predicted_species, json.class], ["Gentoo", "Gentoo"]);
  const names = Object.keys(json.probabilities);
  assertEquals(names, SPECIES);
  assertClose(names.map((name) => Number(word[`probability_${name}`])), Object.values<number>(json.probabilities));
}

async function assertOnnx(place: Workplace, predicted: Record<string, string>[]): Promise<void> {
  const known = tableOf(await place.read("penguins.csv"));
  await place.succeed("export", [...PENGUINS, "--format", "onnx", "--output", "penguins.onnx"]);
  const model = await readExportedModel("penguins", place.at("data/runs/penguins-1/model.safetensors"));
  const rows = known.map((cells) =>
    Object.fromEntries(model.inputs.map(({ kind, name }) => {
      const cell = ["", "NaN"].includes(cells[name]) ? undefined : cells[name];
      return [name, kind === "numeric" && cell !== undefined ? Number(cell) : cell];
    }))
  );
  assertEquals(rows.filter(({ sex }) => sex === undefined).length, 11);
  assertEquals(rows.filter(({ body_mass_g: mass }) => mass === undefined).length, 2);

  const answers = await runOnnx(place.at("penguins.onnx"), model, rows);
  assertEquals(answers.map((answer) => answer.class), predicted.map((row) => row.predicted_species));
  assertEquals(new Set(predicted.map((row) => row.predicted_species)), new Set(SPECIES));
  assertClose(
    answers.flatMap(({ probabilities }) => SPECIES.map((name) => (probabilities as Record<string, number>)[name])),
    predicted.flatMap((row) => SPECIES.map((name) => Number(row[`probability_${name}`]))),
    { rtol: 1e-5, atol: 1e-7 },
  );
}

async function assertEvaluated(place: Workplace, predicted: Record<string, string>[]): Promise<void> {
  const args = [...PENGUINS, "--data", "penguins.csv", "--json"];
  const evaluation = JSON.parse((await place.succeed("evaluate", args)).stdout);
  const known = tableOf(await place.read("penguins.csv"));
  const right = known.filter(({ species }, i) => species === predicted[i].predicted_species).length;
  assertEquals([evaluation.rows, known.length], [344, 344]);
  assertAlmostEquals(evaluation.accuracy, right / 344, 1e-12);
  assert(evaluation.accuracy > 0.95 && evaluation.baseline.accuracy < 0.5, JSON.stringify(evaluation));
}

function tableOf(text: string): Record<string, string>[] {
  return parse(text, { skipFirstRow: true }) as Record<string, string>[];
}
