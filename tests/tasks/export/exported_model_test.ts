/** From a model's file to the description that exports are made from, and on to the same predictions as the library's. */

import { assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../../lib/base/errors.ts";
import { Linear, ReLU } from "../../../lib/core/layers.ts";
import { bceWithLogits, type Loss, mse, softmaxCrossEntropy } from "../../../lib/core/losses.ts";
import { Model } from "../../../lib/core/model.ts";
import { toPredictions } from "../../../lib/model_file/load_model.ts";
import { outputNames } from "../../../lib/model_file/metadata.ts";
import type { OutputRule } from "../../../lib/model_file/output_rule.ts";
import { Random } from "../../../lib/base/random.ts";
import { readSafetensors, writeSafetensors } from "../../../lib/safetensors/reader.ts";
import { SavedModel, saveModel } from "../../../lib/model_file/saved_model.ts";
import { Scaler, type ScalingMethod } from "../../../lib/data/scaler.ts";
import type { ColumnStatistics } from "../../../lib/data/statistics.ts";
import { encodedNames, type Target } from "../../../lib/data/table.ts";
import { TableEncoder } from "../../../lib/data/table_encoder.ts";
import { type EmbeddedColumn, type NumericEmbedding, TableEmbedding } from "../../../lib/tabular/table_embedding.ts";
import { readExportedModel } from "../../../tasks/export/exported_model.ts";
import { assertClose } from "../../support/assert_close.ts";
import { toExpected } from "./awkward_tables.ts";
import { expectedOf, importPredict, MIXED, predictByOnnx, rowsFor } from "./export_cases.ts";
import type { RawRow } from "../../support/onnx_process.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";
import { Workplace } from "../../support/run_task_process.ts";

const numeric: Target = { kind: "numeric", names: ["price", "weight"] };
const species: Target = { kind: "classes", name: "species", classes: ["a", "b", "c"] };
const answer: Target = { kind: "classes", name: "answer", classes: ["no", "yes"] };

/** Statistics of encoded columns: those of names leave them as they are. */
function statisticsOf(name: string): ColumnStatistics {
  const known: Record<string, [number, number, number, number]> = {
    year: [1990, 2007, 1998.7, 3.3],
    "body mass\n(g)": [-3, 5, 0.1, 2],
    price: [1e5, 9e5, 2e5, 3e4],
    weight: [-1, 1, 0.25, 0.01],
  };
  const [min, max, mean, deviation] = known[name] ?? [0, 1, 0, 1];
  const quantiles = Array.from({ length: 17 }, (_, i) => min + (max - min) * i / 16);
  const names = { color: 4, label: 2 }[name];
  return { name, min, max, mean, deviation, quantiles, ...(names ? { names } : {}) };
}

/** How a model is made, and what it predicts. */
interface Case {
  target: Target;
  loss: Loss;
  method: ScalingMethod;
  numbers: NumericEmbedding;
  members: number;
  output?: OutputRule;
}

/** The layer of the columns of {@linkcode MIXED}: of the names one is one-hot, one has trained rows. */
function embeddingOf({ numbers, members }: Case): TableEmbedding {
  const edges = Array.from({ length: 17 }, (_, i) => i / 4 - 2);
  edges[4] = edges[5];
  const columns = MIXED.map((column): EmbeddedColumn => {
    if (column.kind !== "categorical") return { kind: "number", edges };
    if (column.name === "color") return { kind: "names", names: 4 };
    return { kind: "names", names: 2, width: 8, shares: column.shares };
  });
  return new TableEmbedding({ columns, numbers, members });
}

/** Writes a model of random weights on the columns of {@linkcode MIXED}. */
async function save(device: Model["device"], path: string, own: Case) {
  const { target, loss, method, members, output } = own;
  const features = encodedNames(MIXED);
  const targets = outputNames(target, loss.kind);
  const columns = embeddingOf(own);
  const last = new Linear(8, targets.length, { members });
  using model = new Model(device, [columns, new Linear(columns.outputs, 8, { members }), new ReLU(), last]);
  const random = new Random(3, "exported model");
  model.load(Object.fromEntries(model.parameters.map(({ name, parameter }) => {
    const length = parameter.shape.reduce((a, b) => a * b);
    return [name, Float32Array.from({ length }, () => random.normal() / (name.endsWith("waves") ? 10 : 2))];
  })));
  const scalers = {
    inputs: new Scaler(method, features.map(statisticsOf)),
    targets: new Scaler(target.kind === "numeric" && loss === mse ? "standardize" : "none", targets.map(statisticsOf)),
  };
  const table = { inputs: MIXED, target, missing: "mean" } as const;
  await saveModel(path, model, { table, features, targets, scalers, loss, output, settings: {} });
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

const CASES: Record<string, Case> = {
  "standardized numbers": { target: numeric, loss: mse, method: "standardize", numbers: "pbld", members: 1 },
  "members: clipped numbers": {
    target: numeric,
    loss: mse,
    method: "robust",
    numbers: "piecewise",
    members: 3,
    output: { clip: true },
  },
  "classes": { target: species, loss: softmaxCrossEntropy, method: "standardize", numbers: "none", members: 1 },
  "members: classes, a temperature": {
    target: species,
    loss: softmaxCrossEntropy,
    method: "robust",
    numbers: "pbld",
    members: 2,
    output: { temperature: 1.5 },
  },
  "two classes": {
    target: answer,
    loss: bceWithLogits,
    method: "minmax",
    numbers: "none",
    members: 1,
    output: { temperature: 0.8, threshold: 0.3 },
  },
  "members: two classes": {
    target: answer,
    loss: bceWithLogits,
    method: "robust",
    numbers: "pbld",
    members: 4,
    output: { temperature: 1.2 },
  },
  "members: probabilities": { target: numeric, loss: bceWithLogits, method: "none", numbers: "none", members: 2 },
};

for (const [name, own] of Object.entries(CASES)) {
  permittedGpuTest(`readExportedModel() makes exports that predict as the library does: ${name}`, async (device) => {
    await using place = await Workplace.create();
    const path = place.at("model.safetensors");
    const rows = rowsFor(MIXED, 50);
    const { target } = own;
    await save(device, path, own);
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
    const classes = toPredictions(predicted.flat(), saved.description).map((row) => toExpected(row).class);
    for (const predictions of [await predictByOnnx(place, model, rows), rows.map(predict)]) {
      const found = predictions.map((row) => toExpected(row));
      close(found.map(({ numbers }) => numbers));
      assertEquals(found.map((row) => row.class), classes);
    }
  });
}

permittedGpuTest("readExportedModel() refuses what is no model, and reads layers with settings", async (device) => {
  await using place = await Workplace.create();
  const path = place.at("model.safetensors");
  await assertRejects(() => readExportedModel("a_run", path), Deno.errors.NotFound, path);
  await save(device, path, CASES["standardized numbers"]);
  const { tensors, metadata } = await readSafetensors(path);
  const refuse = async (changed: Record<string, string>, without: string, ...says: string[]) => {
    const kept = Object.fromEntries([...tensors].filter(([name]) => name !== without));
    await writeSafetensors(path, kept, { ...metadata, ...changed });
    const error = await assertRejects(() => readExportedModel("a_run", path), DataError, path);
    for (const words of says) assertEquals(error.message.includes(words), true, `${error.message} has ${words}`);
  };
  await refuse({ format: "pt" }, "", "this is no model of `deno task train`");
  await refuse({ format: "backhand model 9" }, "", "train it again with this version");
  await refuse({ layers: "{}" }, "", "its layers are no list");
  await refuse({}, "3.bias", "3.bias [2] is missing");
  await refuse({ table: "{}" }, "", "the model does not fit together", "no input columns");
  tensors.get("3.bias")!.data[1] = NaN;
  await refuse({}, "", "3.bias holds NaN");
  tensors.get("3.bias")!.data[1] = 0;
  const columns = { kind: "ColumnDropout", rate: 0.25, widths: [4, 4, 4, 8] };
  const layers = [{ kind: "LeakyReLU", slope: 0.2 }, { kind: "Tanh" }, { kind: "Dropout", rate: 0.5 }];
  const seeded = [{ ...columns, seed: 2 }, "Linear", layers[0], layers[1], { ...layers[2], seed: 3 }, "Linear"];
  const all = JSON.stringify([JSON.parse(metadata.layers)[0], ...seeded]);
  const places: Record<string, string> = { 0: "0", 1: "2", 3: "6" };
  const moved = [...tensors].map(([name, tensor]) => [places[name[0]] + name.slice(1), tensor]);
  await writeSafetensors(path, Object.fromEntries(moved), { ...metadata, layers: all });
  const { members: [found] } = await readExportedModel("a_run", path);
  assertEquals(found.map(({ kind }) => kind).filter((_, i) => [0, 2, 6].includes(i)), ["Columns", "Linear", "Linear"]);
  assertEquals([found[1], ...found.slice(3, 6)], [columns, ...layers] as typeof found);
});
