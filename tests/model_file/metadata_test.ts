/** What a model's file says next to its weights: kept, and refused where it is not what it should be. */
import { assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../lib/base/errors.ts";
import { Linear } from "../../lib/core/layers.ts";
import { bceWithLogits, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { dataSource } from "../../lib/model_file/metadata.ts";
import { readSafetensors, writeSafetensors } from "../../lib/safetensors/reader.ts";
import { type ModelDescription, SavedModel, saveModel } from "../../lib/model_file/saved_model.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import type { Table } from "../../lib/data/table.ts";
import { TableEmbedding } from "../../lib/tabular/table_embedding.ts";
import { VERSION } from "../../lib/base/version.ts";
import { permittedGpuTest } from "../support/gpu_test_case.ts";
import { temporaryFile } from "../support/temp_files.ts";
import { permitted } from "../support/permitted.ts";

/** A table of a number and a text, and a model of it that knows where it came from. */
const TABLE: Table = {
  inputs: [
    { kind: "numeric", name: "age", fill: 30.5 },
    { kind: "categorical", name: "color", categories: ["red", "(missing)"], fill: "(missing)" },
  ],
  target: { kind: "classes", name: "kind", classes: ["cat", "dog"] },
  missing: "category",
};

/** The network of the table, with so many outputs. */
const layers = (outputs: number) => {
  const columns = [{ kind: "number" }, { kind: "names", names: 3 }] as const;
  return [new TableEmbedding({ columns }), new Linear(4, outputs)];
};

const oneHot = (name: string) => ({ name, min: 0, max: 1, mean: 0, deviation: 1 });

const FULL: ModelDescription = {
  table: TABLE,
  features: ["age", "color"],
  targets: ["cat", "dog"],
  scalers: {
    inputs: new Scaler("minmax", [
      { name: "age", min: -50, max: 50, mean: 1, deviation: 2 },
      { ...oneHot("color"), max: 2, names: 3 },
    ]),
    targets: new Scaler("none", ["cat", "dog"].map(oneHot)),
  },
  loss: softmaxCrossEntropy,
  settings: { SEED: "7" },
  seed: 7,
  baseline: [0.25, 0.75],
  output: { threshold: 0.25 },
  source: { name: "pets.csv", sha256: "0123456789abcdef".repeat(4) },
  notes: {
    columns: [{ name: "id", as: "left out", holds: "whole numbers that only go up: an identifier", missing: 0 }],
    notes: ["2 rows are left out"],
  },
};

permittedGpuTest(
  "a saved model keeps table, seed, baseline, source, notes and versions, all as texts",
  async (device) => {
    await using file = await temporaryFile("model.safetensors");
    using model = new Model(device, layers(2));
    await saveModel(file.path, model, FULL);
    const { metadata } = await readSafetensors(file.path);
    assertEquals(JSON.parse(metadata.table), TABLE);
    assertEquals(metadata.seed, "7");
    using saved = await SavedModel.load(device, file.path);
    for (const key of ["table", "features", "targets", "seed", "baseline", "output", "source", "notes"] as const) {
      assertEquals(saved.description[key], FULL[key]);
    }
    assertEquals(saved.description.versions, {
      backhand: VERSION,
      deno: Deno.version.deno,
      platform: Deno.build.target,
    });
  },
);

permittedGpuTest("two classes under bce have one output, the probability of the second", async (device) => {
  await using file = await temporaryFile("model.safetensors");
  using model = new Model(device, layers(1));
  const scalers = { inputs: FULL.scalers.inputs, targets: new Scaler("none", [oneHot("kind")]) };
  const binary = { ...FULL, targets: ["kind"], scalers, loss: bceWithLogits, baseline: [0.75] };
  await saveModel(file.path, model, binary);
  using saved = await SavedModel.load(device, file.path);
  assertEquals([saved.description.targets, saved.description.baseline], [["kind"], [0.75]]);
});

permittedGpuTest("load() refuses metadata that are missing, malformed or contradict each other", async (device) => {
  await using file = await temporaryFile("model.safetensors");
  const { path } = file;
  using model = new Model(device, layers(2));
  await saveModel(path, model, FULL);
  const good = await readSafetensors(path);
  const tensors = Object.fromEntries(good.tensors);
  const table = (change: object) => ({ table: JSON.stringify({ ...TABLE, ...change }) });
  const scaler = (change: object) => ({ scaler: JSON.stringify({ ...FULL.scalers, ...change }) });
  const { columns } = FULL.scalers.inputs;
  const flat = { ...columns[0], max: columns[0].min };
  const cases: [Record<string, string>, string][] = [
    [{ format: "model" }, "this is no model of `deno task train`"],
    [{ members: "0" }, 'its members are "0", need a whole number from 1 to 1000'],
    [{ members: "1e2" }, 'its members are "1e2"'],
    [{ members: "4" }, "Cannot feed 4 values a row to Linear [4, 2]: it takes 1"],
    [{ output: '{"clip":true}' }, "its clip is true under the loss softmax"],
    [{ loss: "toString" }, 'its loss is "toString"'],
    [{ loss: "mse" }, "2 classes under the loss mse: need softmax, or bce for two classes"],
    [{ loss: "bce" }, "its baseline is [0.25,0.75], need 1 shares from 0 to 1"],
    [{ table: "{" }, "its table is no JSON"],
    [table({ inputs: [] }), "Cannot read a table: it has no input columns"],
    [table({ inputs: [{ kind: "numeric", name: "age" }] }), 'its table has the columns ["age"], its input scaler'],
    [table({ target: { kind: "classes", name: "kind", classes: ["dog", "cat"] } }), "its target scaler"],
    [{ scaler: "[]" }, "its scaler is no object"],
    [scaler({ inputs: undefined }), "Cannot read a scaler: its method is undefined"],
    [scaler({ inputs: { method: "minmax", columns: [flat, ...columns.slice(1)] } }), 'Cannot scale column "age"'],
    [scaler({ inputs: { method: "minmax", columns: [columns[0], oneHot("color")] } }), "its scaler knows none"],
    [
      scaler({ inputs: { method: "minmax", columns: [columns[0], { ...columns[1], names: 4 }] } }),
      "its scaler knows 4",
    ],
    [{ layers: '["Linear"]' }, "0.weight is missing"],
    [{ settings: '["SEED"]' }, "its settings is no object"],
    [{ settings: '{"SEED":7}' }, '"SEED" of its settings is 7, need a text'],
    [{ seed: "-1" }, "its seed is -1, need a whole number"],
    [{ seed: "1e3x" }, "its seed is no JSON"],
    [{ baseline: "[0.5]" }, "its baseline is [0.5], need 2 shares from 0 to 1 of sum 1"],
    [{ baseline: "[1.5,-0.5]" }, "need 2 shares"],
    [{ baseline: "[0.5,0.25]" }, "of sum 1"],
    [{ output: '{"threshold":1.5}' }, "its threshold is 1.5 for 2 classes, need 0 to 1 for two"],
    [{ source: '{"name":"a"}' }, "its source has no name or no SHA-256"],
    [{ source: `{"name":"a","sha256":"${"F".repeat(64)}"}` }, "its source has no name or no SHA-256"],
    [{ notes: "{}" }, "Cannot read notes of a table: found {}, need columns and notes"],
    [{ notes: '{"columns":[{"name":"id"}],"notes":[]}' }, 'Cannot read notes of a table: {"name":"id"} is no column'],
    [{ versions: '{"deno":"2"}' }, "its versions are not those of"],
  ];
  for (const [changes, problem] of cases) {
    await writeSafetensors(path, tensors, { ...good.metadata, ...changes });
    const error = await assertRejects(() => SavedModel.load(device, path), DataError, problem);
    assertEquals(error.place.file, path);
  }
  const needed = ["format", "layers", "table", "scaler", "loss", "settings", "versions"];
  for (const name of [...needed, "seed", "baseline", "output", "source", "notes"]) {
    const { [name]: _, ...others } = good.metadata;
    await writeSafetensors(path, tensors, others);
    if (needed.includes(name)) await assertRejects(() => SavedModel.load(device, path), DataError, path);
    else (await SavedModel.load(device, path)).dispose();
  }
});

permittedGpuTest("saveModel() refuses names that are not those of the table, and writes nothing", async (device) => {
  await using file = await temporaryFile("model.safetensors");
  using model = new Model(device, layers(2));
  const cases: [Partial<ModelDescription>, string][] = [
    [{ features: ["age"] }, 'its features ["age"]'],
    [{ targets: ["dog", "cat"] }, 'its targets ["dog","cat"]'],
    [{ scalers: { inputs: FULL.scalers.targets, targets: FULL.scalers.targets } }, "its input scaler"],
  ];
  for (const [change, problem] of cases) {
    await assertRejects(() => saveModel(file.path, model, { ...FULL, ...change }), TypeError, problem);
  }
  await assertRejects(() => Deno.stat(file.path), Deno.errors.NotFound);
});

permitted("dataSource() gives name and SHA-256 of a file of any length", async () => {
  await using file = await temporaryFile("model.safetensors");
  for (const size of [0, 5, (1 << 20) + 1]) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i * i);
    await Deno.writeFile(file.path, bytes);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    assertEquals(await dataSource(file.path), { name: "model.safetensors", sha256: digest.toHex() });
  }
});

permitted("VERSION is that of deno.json", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  assertEquals(VERSION, version);
});
