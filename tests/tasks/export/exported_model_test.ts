/** From a model's file to the description that exports are made from, and on to the same predictions as the library's. */

import { assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../../lib/base/errors.ts";
import { Linear, ReLU } from "../../../lib/core/layers.ts";
import { bceWithLogits, type Loss, mse, softmaxCrossEntropy } from "../../../lib/core/losses.ts";
import { Model } from "../../../lib/core/model.ts";
import { outputNames } from "../../../lib/model_file/metadata.ts";
import { Random } from "../../../lib/base/random.ts";
import { readSafetensors, writeSafetensors } from "../../../lib/safetensors/reader.ts";
import { SavedModel, saveModel } from "../../../lib/model_file/saved_model.ts";
import { Scaler, type ScalingMethod } from "../../../lib/data/scaler.ts";
import { encodedNames, type Target } from "../../../lib/data/table.ts";
import { TableEncoder } from "../../../lib/data/table_encoder.ts";
import { readExportedModel } from "../../../tasks/export/exported_model.ts";
import { assertClose } from "../../support/assert_close.ts";
import { expectedOf, importPredict, MIXED, predictByOnnx, rowsFor } from "./export_cases.ts";
import type { RawRow } from "../../support/onnx_process.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";
import { Workplace } from "../../support/run_task_process.ts";

const numeric: Target = { kind: "numeric", names: ["price", "weight"] };
const species: Target = { kind: "classes", name: "species", classes: ["a", "b", "c"] };
const answer: Target = { kind: "classes", name: "answer", classes: ["no", "yes"] };

/** Statistics of encoded columns: those of one-hot columns leave them as they are. */
function statisticsOf(name: string) {
  const known: Record<string, [number, number, number, number]> = {
    year: [1990, 2007, 1998.7, 3.3],
    "body mass\n(g)": [-3, 5, 0.1, 2],
    price: [1e5, 9e5, 2e5, 3e4],
    weight: [-1, 1, 0.25, 0.01],
  };
  const [min, max, mean, deviation] = known[name] ?? [0, 1, 0, 1];
  return { name, min, max, mean, deviation };
}

/** Writes a model of random weights on the columns of {@linkcode MIXED}. */
async function save(device: Model["device"], path: string, target: Target, loss: Loss, method: ScalingMethod) {
  const features = encodedNames(MIXED);
  const targets = outputNames(target, loss.kind);
  using model = new Model(device, [new Linear(features.length, 8), new ReLU(), new Linear(8, targets.length)]);
  const random = new Random(3, "exported model");
  model.load(Object.fromEntries(model.parameters.map(({ name, parameter }) => {
    const length = parameter.shape.reduce((a, b) => a * b);
    return [name, Float32Array.from({ length }, () => random.normal())];
  })));
  const scalers = {
    inputs: new Scaler(method, features.map(statisticsOf)),
    targets: new Scaler(target.kind === "numeric" ? method : "none", targets.map(statisticsOf)),
  };
  const table = { inputs: MIXED, target, missing: "mean" } as const;
  await saveModel(path, model, { table, features, targets, scalers, loss, settings: {} });
}

/** Predicts raw rows by the library itself, a list of numbers for each. */
async function predictAll(saved: SavedModel, rows: readonly RawRow[]): Promise<number[][]> {
  const { table, targets } = saved.description;
  const encoder = new TableEncoder(table);
  const width = encoder.names.length;
  const encoded = new Float64Array(rows.length * width);
  rows.forEach((row, i) => {
    const cells = table.inputs.map(({ name }) => row[name] === undefined ? undefined : `${row[name]}`);
    encoder.encode(cells, encoded, i * width);
  });
  const predicted = await saved.predict(encoded);
  return rows.map((_, i) => [...predicted.subarray(i * targets.length, (i + 1) * targets.length)]);
}

const CASES: [name: string, target: Target, loss: Loss, method: ScalingMethod][] = [
  ["standardized numbers", numeric, mse, "standardize"],
  ["numbers from 0 to 1", numeric, mse, "minmax"],
  ["classes", species, softmaxCrossEntropy, "standardize"],
  ["two classes", answer, bceWithLogits, "minmax"],
  ["probabilities", numeric, bceWithLogits, "none"],
];

for (const [name, target, loss, method] of CASES) {
  permittedGpuTest(`readExportedModel() makes exports that predict as the library does: ${name}`, async (device) => {
    await using place = await Workplace.create();
    const path = place.at("model.safetensors");
    const rows = rowsFor(MIXED, 50);
    await save(device, path, target, loss, method);
    using saved = await SavedModel.load(device, path);
    const predicted = await predictAll(saved, rows);
    const model = await readExportedModel("a_run", path);
    const predict = await importPredict(place, model);
    const names = target.kind === "classes" ? target.classes : target.names;
    // Under one output the library gives the second class' probability.
    const wanted = predicted.map((row) => row.length < names.length ? [1 - row[0], row[0]] : row);
    const close = (found: Record<string, number>[]) =>
      names.forEach((name, i) => {
        const own = wanted.map((row) => row[i]);
        const largest = Math.max(...own.map(Math.abs));
        assertClose(found.map((row) => row[name]), own, { rtol: 1e-5, atol: 1e-7 * largest });
      });
    close(rows.map((row) => expectedOf(model, row).numbers));
    // deno-lint-ignore no-explicit-any -- either a class or numbers
    const numbersOf = (predictions: any[]) =>
      predictions.map(({ probabilities, ...numbers }) => probabilities ?? numbers);
    close(numbersOf(await predictByOnnx(place, model, rows)));
    close(numbersOf(rows.map(predict)));
  });
}

permittedGpuTest("readExportedModel() refuses what is no model, and reads layers with settings", async (device) => {
  await using place = await Workplace.create();
  const path = place.at("model.safetensors");
  await assertRejects(() => readExportedModel("a_run", path), Deno.errors.NotFound, path);
  await save(device, path, numeric, mse, "standardize");
  const { tensors, metadata } = await readSafetensors(path);
  const refuse = async (changed: Record<string, string>, without: string, ...says: string[]) => {
    const kept = Object.fromEntries([...tensors].filter(([name]) => name !== without));
    await writeSafetensors(path, kept, { ...metadata, ...changed });
    const error = await assertRejects(() => readExportedModel("a_run", path), DataError, path);
    for (const words of says) assertEquals(error.message.includes(words), true, `${error.message} has ${words}`);
  };
  await refuse({ format: "backhand model 9" }, "", "this is not a model of `deno task train`");
  await refuse({ layers: "{}" }, "", "its layers are no list");
  await refuse({ layers: '["Linear","Conv","Linear"]' }, "", 'layer 1 is of the unknown kind "Conv"');
  const leaky = '["Linear",{"kind":"LeakyReLU"},"Linear"]';
  await refuse({ layers: leaky }, "", "layer 1: Cannot make a LeakyReLU without slope");
  await refuse({ layers: '["Linear"]' }, "", "2 targets, but layers for 8");
  await refuse({ layers: '["Linear","ReLU","Linear","Linear"]' }, "", "3.weight is missing and 3.bias missing");
  await refuse({}, "2.bias", "2.weight is [8, 2] and 2.bias missing, need [in, out] and [out]");
  tensors.get("2.bias")!.data[1] = NaN;
  await refuse({}, "", "layer 2 holds NaN");
  await refuse({ table: "{}" }, "", "the model does not fit together", "no input columns");
  tensors.get("2.bias")!.data[1] = 0;
  const layers = [{ kind: "LeakyReLU", slope: 0.2 }, { kind: "Dropout", rate: 0.5, seed: 3 }];
  const renamed = [...tensors].map(([name, tensor]) => [name.replace("2.", "4."), tensor]);
  const all = ["Linear", layers[0], "Tanh", layers[1], "Linear"];
  await writeSafetensors(path, Object.fromEntries(renamed), { ...metadata, layers: JSON.stringify(all) });
  const model = await readExportedModel("a_run", path);
  const dropout = { kind: "Dropout", rate: 0.5 };
  assertEquals(model.layers.slice(1, -1), [layers[0], { kind: "Tanh" }, dropout] as typeof model.layers);
});
