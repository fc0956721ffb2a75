import { assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../lib/base/errors.ts";
import { Linear } from "../../lib/core/layers.ts";
import { type ClassPrediction, LoadedModel, loadModel, type Row } from "../../lib/model_file/load_model.ts";
import { bceWithLogits, type Loss, mse, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { outputNames } from "../../lib/model_file/metadata.ts";
import { type ModelDescription, SavedModel, saveModel } from "../../lib/model_file/saved_model.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import { encodedNames, type InputColumn, type Table } from "../../lib/data/table.ts";
import { TableEmbedding } from "../../lib/tabular/table_embedding.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { assertClose } from "../support/assert_close.ts";
import { gpuTest, permittedGpuTest } from "../support/gpu_test_case.ts";
import { temporaryFile } from "../support/temp_files.ts";

const INPUTS: InputColumn[] = [
  { kind: "numeric", name: "age" },
  { kind: "categorical", name: "color", categories: ["red", "blue"], fill: "blue" },
  { kind: "numeric", name: "size", fill: 100 },
];

/** Scalers: ages by 10 with a deviation of 2, all else as it is. */
function describe(target: Table["target"], loss: Loss): ModelDescription {
  const features = encodedNames(INPUTS);
  const targets = outputNames(target, loss.kind);
  const column = (name: string) => {
    const [mean, deviation] = name === "age" ? [10, 2] : [0, 1];
    const statistics = { name, min: 0, max: 1, mean, deviation };
    return name === "color" ? { ...statistics, names: 3 } : statistics;
  };
  const scalers = {
    inputs: new Scaler("standardize", features.map(column)),
    targets: new Scaler("none", targets.map(column)),
  };
  const table: Table = { inputs: INPUTS, target, missing: "mean" };
  return { table, features, targets, scalers, loss, settings: {} };
}

/** A model whose weights are given row by row: of age, red, blue, unseen and size. */
function modelOf(device: Device, target: Table["target"], loss: Loss, weights: number[][]): LoadedModel {
  const columns = [{ kind: "number" }, { kind: "names", names: 3 }, { kind: "number" }] as const;
  const model = new Model(device, [new TableEmbedding({ columns }), new Linear(5, weights[0].length)]);
  model.load({ "1.weight": weights, "1.bias": new Float32Array(weights[0].length) });
  return new LoadedModel(new SavedModel(model, describe(target, loss)));
}

const PRICE = { kind: "numeric", names: ["price"] } as const;
const weights = [[1], [10], [20], [30], [0.5]];

gpuTest("LoadedModel.predict() takes rows by column name, numbers or texts, in any order", async (device) => {
  using model = modelOf(device, PRICE, mse, weights);
  const rows: Row[] = [
    { age: 12, color: "red", size: 4 },
    { size: "4", color: " blue ", age: " 1.2e1 " },
    { color: "pink", size: 0, age: 10, price: 7 },
  ];
  assertEquals(await model.predict(rows), [1 + 10 + 2, 1 + 20 + 2, 30]);
  assertEquals(await model.predict([]), []);
});

gpuTest("LoadedModel.unseen counts names that training did not see, over all calls", async (device) => {
  using model = modelOf(device, PRICE, mse, weights);
  const rowsOf = (...colors: Row[string][]) => colors.map((color) => ({ age: 1, size: 1, color }));
  await model.predict(rowsOf("red", null, " blue "));
  assertEquals(model.unseen, []);
  await model.predict(rowsOf("pink", 7));
  await model.predict(rowsOf("pink", "red"));
  assertEquals(model.unseen, [{ column: "color", count: 3, first: ["pink", "7"] }]);
});

gpuTest("LoadedModel.predict() fills missing cells where the table has something to", async (device) => {
  using model = modelOf(device, PRICE, mse, weights);
  for (const missing of [null, undefined, "", "NA", NaN]) {
    assertEquals(await model.predict([{ age: 10, color: missing, size: missing }]), [20 + 50]);
    const lacking = () => model.predict([{ age: missing, color: "red", size: 1 }]);
    await assertRejects(lacking, SyntaxError, 'Cannot predict row 1: column "age": the cell is ');
  }
});

gpuTest("LoadedModel.predict() takes NaN for missing, whichever texts mean so", async (device) => {
  using model = modelOf(device, PRICE, mse, weights);
  const { model: net, description } = model.saved;
  const other = { ...description, table: { ...description.table, missingTexts: ["?"] } };
  const texts = new LoadedModel(new SavedModel(net, other)); // its network is freed with the first one
  for (const missing of [NaN, null, "?", ""]) {
    assertEquals(await texts.predict([{ age: 10, color: missing, size: missing }]), [20 + 50]);
  }
  await assertRejects(
    () => texts.predict([{ age: 10, color: "red", size: "NA" }]),
    SyntaxError,
    '"NA" is not a number',
  );
});

gpuTest("LoadedModel.predict() gives several targets by name", async (device) => {
  using model = modelOf(device, { kind: "numeric", names: ["price", "tax"] }, mse, weights.map(([w]) => [w, -w]));
  assertEquals<unknown[]>(await model.predict([{ age: 12, color: "red", size: 0 }]), [{ price: 11, tax: -11 }]);
});

gpuTest("LoadedModel.predict() gives classes with probabilities, under softmax and bce", async (device) => {
  const target = (classes: string[]) => ({ kind: "classes", name: "pet", classes } as const);
  const three = [[0, 0, 0], [0, Math.log(2), 0], [0, 0, 0], [0, 0, 9], [0, 0, 0]];
  using softmax = modelOf(device, target(["cat", "dog", "emu"]), softmaxCrossEntropy, three);
  const rows = ["red", "blue", "pink"].map((color) => ({ age: 1, color, size: 1 }));
  const [red, blue, pink] = await softmax.predict(rows) as ClassPrediction[];
  assertEquals([red.class, blue.class, pink.class], ["dog", "cat", "emu"]);
  assertEquals(Object.keys(red.probabilities), ["cat", "dog", "emu"]);
  assertClose(Object.values(red.probabilities), [1 / 4, 1 / 2, 1 / 4]);
  using bce = modelOf(device, target(["no", "yes"]), bceWithLogits, [[0], [Math.log(3)], [0], [-Math.log(3)], [0]]);
  const answers = await bce.predict(rows) as ClassPrediction[];
  assertEquals(answers.map((answer) => answer.class), ["yes", "yes", "no"]);
  assertClose(answers.map(({ probabilities }) => probabilities.yes), [3 / 4, 1 / 2, 1 / 4]);
  assertClose(answers.map(({ probabilities }) => probabilities.no), [1 / 4, 1 / 2, 3 / 4]);
});

gpuTest("LoadedModel.predict() names unknown and missing columns, and cells it cannot use", async (device) => {
  using model = modelOf(device, PRICE, mse, weights);
  const good = { age: 1, color: "red", size: 1 };
  const columns = '; the columns are "age", "color", "size"';
  const cases: [unknown, string][] = [
    [{ colour: "red", age: 1, size: 1 }, `it lacks "color", and there is no column "colour"${columns}`],
    [{ color: "red" }, `it lacks "age", "size"${columns}`],
    [{ ...good, a: 1, b: 2 }, `there is no column "a", "b"${columns}`],
    [Object.create(good), 'it lacks "age", "color", "size"'],
    [[1, "red", 1], "it is no object with cells by column"],
    [null, "it is no object with cells by column"],
    [{ ...good, age: "old" }, 'column "age": "old" is not a number'],
    [{ ...good, age: Infinity }, 'column "age": "Infinity" is not finite'],
    [{ ...good, age: true }, 'column "age": "true" is not a number'],
    [{ ...good, size: [1] }, 'column "size": a cell is a number or a text, not [1]'],
    [{ ...good, color: {} }, 'column "color": a cell is a number or a text, not {}'],
    [{ ...good, age: 1e300 }, 'Cannot predict: the input 1e+300 in row 8, column "age"'],
  ];
  for (const [row, says] of cases) {
    const error = await assertRejects(() => model.predict([good, row as Row], 7), Error);
    const expected = says.startsWith("Cannot") ? says : `Cannot predict row 8: ${says}`;
    assertEquals(error.message.slice(0, expected.length), expected);
  }
});

permittedGpuTest("loadModel() reads a file, on a device that is given or its own", async (device) => {
  await using file = await temporaryFile("model.safetensors");
  const { path } = file;
  using model = modelOf(device, PRICE, mse, weights);
  await saveModel(path, model.saved.model, model.description);
  const row = { age: 12, color: "red", size: 4 };
  using given = await loadModel(path, device);
  assertEquals(await given.predict([row]), [13]);
  const own = await loadModel(path);
  assertEquals(own.saved.model.device === device, false);
  assertEquals(await own.predict([row]), [13]);
  assertEquals(own.description.table.inputs, INPUTS);
  own.dispose();
  await assertRejects(() => own.predict([row]));
  await assertRejects(() => loadModel(`${path}.none`), Deno.errors.NotFound);
  await Deno.writeTextFile(path, "age,price\n1,2\n");
  await assertRejects(() => loadModel(path), DataError, "not a safetensors file");
});
