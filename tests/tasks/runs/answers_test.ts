import { assertEquals } from "@std/assert";
import { mse, softmaxCrossEntropy } from "../../../lib/core/losses.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import type { Target } from "../../../lib/data/table.ts";
import { Intervals } from "../../../lib/model_file/intervals.ts";
import type { ModelDescription } from "../../../lib/model_file/saved_model.ts";
import { Answers, rounder } from "../../../tasks/runs/answers.ts";

function describe(target: Target, deviations: number[]): ModelDescription {
  const targets = target.kind === "numeric" ? [...target.names] : [...target.classes];
  const column = (name: string, i: number) => ({ name, min: 0, max: 1, mean: 0, deviation: deviations[i] });
  const scalers = { inputs: new Scaler("none", []), targets: new Scaler("standardize", targets.map(column)) };
  const loss = target.kind === "numeric" ? mse : softmaxCrossEntropy;
  return { table: { inputs: [], target, missing: "error" }, features: [], targets, scalers, loss, settings: {} };
}

/** Predictions of one network. */
const rowOf = (...predicted: number[]) => ({ predicted, own: predicted });

Deno.test("predictions have seven digits, and more where the target's spread needs them", () => {
  const cases: [deviation: number, value: number, expected: number][] = [
    [1, 1 / 3, 0.3333333],
    [1, 0, 0],
    [0, 123456.789, 123456.8], // one value throughout
    [1000, 2 / 3, 0.6666667], // never fewer than seven
    [1, 100000012.3456789, 100000012.345679],
    [40, -100000012.3456789, -100000012.34568],
    [3600, 1700000000.123456, 1700000000.123], // Unix times within some hours
    [1e-9, 1e9 + 0.1, 1e9 + 0.1], // all that float64 has
    [1e-300, 1e300, 1e300],
    [1e-5, 1.23456789012e-3, 1.23456789e-3],
  ];
  for (const [deviation, value, expected] of cases) assertEquals(rounder(deviation)(value), expected);
});

Deno.test("no name of an answer is there twice", () => {
  const price: Target = { kind: "numeric", names: ["y", "y_"] };
  const pet: Target = { kind: "classes", name: "pet", classes: ["2", "1"] };
  const cases: [target: Target, columns: string[], csv: string, json: string][] = [
    [price, [], "predicted_y,predicted_y_", '{"y":1,"y_":2}'],
    [price, ["predicted_y"], "predicted_y,predicted_y_,predicted_y__", '{"predicted_y":7,"y":1,"y_":2}'],
    [price, ["y"], "y,predicted_y,predicted_y_", '{"y":7,"y_":1,"y__":2}'],
    [pet, ["class"], "class,predicted_pet,probability_2,probability_1", ""],
    [pet, ["probability_1"], "probability_1,predicted_pet,probability_2,probability_1_", ""],
  ];
  const kept = (columns: string[]) => [Object.fromEntries(columns.map((name) => [name, 7]))];
  for (const [target, columns, csv, json] of cases) {
    const description = describe(target, [1, 1]);
    const block = { cells: [columns.map(() => "7")], kept: kept(columns), inputs: new Float64Array(0) };
    const [header] = new Answers(description, columns, false).write(block, rowOf(1, 2)).split("\r\n");
    assertEquals(header, csv);
    if (json !== "") assertEquals(new Answers(description, columns, true).write(block, rowOf(1, 2)), `${json}\n`);
  }
  const block = { cells: [], kept: kept(["class"]), inputs: new Float64Array(0) };
  const line = new Answers(describe(pet, [1, 1]), ["class"], true).write(block, rowOf(0.25, 0.75));
  assertEquals(line, '{"class":7,"class_":"1","probabilities":{"1":0.75,"2":0.25}}\n');
});

Deno.test("intervals add the ends of each target's, or the set of classes, as a cell or a list", () => {
  const block = { cells: [["7"]], kept: [{ lower_y: 7 }], inputs: new Float64Array(0) };
  const numbers = describe({ kind: "numeric", names: ["y", "z"] }, [1, 1]);
  const scores = (...scores: number[]) => ({ rows: 3, scores });
  const ofNumbers = { ...numbers, output: { conformal: [scores(1, 2, 3), scores(0.25, 1 / 3, 4)] } };
  const intervals = new Intervals(ofNumbers, 1, 0.5);
  const [header, line] = new Answers(ofNumbers, ["lower_y"], false, intervals).write(block, rowOf(1, 2)).split("\r\n");
  assertEquals(header, "lower_y,predicted_y,predicted_z,lower_y_,upper_y,lower_z,upper_z");
  assertEquals(line, "7,1,2,-1,3,1.666667,2.333333");
  const json = new Answers(ofNumbers, ["lower_y"], true, intervals).write(block, rowOf(1, 2));
  assertEquals(json, '{"lower_y":7,"y":1,"z":2,"lower_y_":-1,"upper_y":3,"lower_z":1.666667,"upper_z":2.333333}\n');

  const pet = describe({ kind: "classes", name: "pet", classes: ["cat", "dog", "owl"] }, [1, 1, 1]);
  const ofClasses = { ...pet, output: { conformal: [scores(0.1, 0.75, 0.8)] } };
  const sets = new Intervals(ofClasses, 1, 0.5);
  const shares = rowOf(0.25, 0.625, 0.125);
  const table = new Answers(ofClasses, ["id"], false, sets).write(block, shares).split("\r\n");
  assertEquals(table.slice(0, 2), [
    "id,predicted_pet,probability_cat,probability_dog,probability_owl,set_pet",
    "7,dog,0.25,0.625,0.125,dog|cat",
  ]);
  const probabilities = '"probabilities":{"cat":0.25,"dog":0.625,"owl":0.125}';
  const object = new Answers(ofClasses, [], true, sets).write({ ...block, kept: [] }, shares);
  assertEquals(object, `{"class":"dog",${probabilities},"set":["dog","cat"]}\n`);
});
