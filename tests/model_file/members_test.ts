/** Model files of several networks, of tables with names, and of older versions. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../lib/base/errors.ts";
import { Random } from "../../lib/base/random.ts";
import { type Layer, Linear, ReLU } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import { numericTable } from "../../lib/data/table.ts";
import { type ModelDescription, SavedModel, saveModel } from "../../lib/model_file/saved_model.ts";
import { readSafetensors, writeSafetensors } from "../../lib/safetensors/reader.ts";
import { ColumnDropout } from "../../lib/tabular/column_dropout.ts";
import { TableEmbedding } from "../../lib/tabular/table_embedding.ts";
import { assertClose } from "../support/assert_close.ts";
import { permittedGpuTest } from "../support/gpu_test_case.ts";
import { temporaryFile } from "../support/temp_files.ts";

const column = (name: string) => ({ name, min: -1, max: 2, mean: 0, deviation: 1 });
const scaler = (...names: string[]) => new Scaler("none", names.map(column));

const NUMBERS: ModelDescription = {
  table: numericTable(["a", "b"], ["y"]),
  features: ["a", "b"],
  targets: ["y"],
  scalers: { inputs: scaler("a", "b"), targets: scaler("y") },
  loss: mse,
  settings: {},
};

const WIDTHS = { widths: [4, 4], seed: 1 };

/** Three networks behind the columns of a table: waves of two numbers. */
function threeMembers(): Layer[] {
  const members = 3;
  const columns = [{ kind: "number" }, { kind: "number" }] as const;
  const embedding = new TableEmbedding({ columns, numbers: "pbld", members });
  const hidden = new Linear(embedding.outputs, 4, { members });
  return [embedding, new ColumnDropout(0.25, WIDTHS), hidden, new ReLU(), new Linear(4, 1, { members })];
}

permittedGpuTest(
  "a model of members comes back from its file, and predicts their mean within its rule",
  async (device) => {
    await using file = await temporaryFile("model.safetensors");
    using model = new Model(device, threeMembers(), { random: new Random(5, "weights") });
    await saveModel(file.path, model, NUMBERS);
    using saved = await SavedModel.load(device, file.path);
    assertEquals(await saved.model.read(), await model.read());
    assertEquals(saved.model.members, 3);
    assertEquals(saved.model.layers.map(({ kind, settings }) => [kind, settings]), [
      ["TableEmbedding", { columns: [{ kind: "number" }, { kind: "number" }], numbers: "pbld" }],
      ["ColumnDropout", { rate: 0.25, ...WIDTHS }],
      ["Linear", undefined],
      ["ReLU", undefined],
      ["Linear", undefined],
    ]);
    const rows = [0.1, 2, -3, 0.5, 40, 1];
    const { own } = await saved.outputsEach(rows);
    const means = [0, 1, 2].map((row) => (own[row] + own[3 + row] + own[6 + row]) / 3);
    assertClose(await saved.predict(rows), means, { rtol: 1e-6 });
    assert(new Set(own).size === 9, "members are different networks");
    using clipped = new SavedModel(new Model(device, threeMembers()), { ...NUMBERS, output: { clip: true } });
    clipped.model.load(await model.read());
    assertClose(await clipped.predict(rows), means.map((mean) => Math.min(Math.max(mean, -1), 2)), { rtol: 1e-6 });
    assertEquals([...await clipped.predict(rows)].some((value, i) => value !== means[i]), true);
  },
);

permittedGpuTest("load() refuses members and columns that do not fit, before the device is asked", async (device) => {
  await using file = await temporaryFile("model.safetensors");
  const { path } = file;
  using model = new Model(device, threeMembers());
  await saveModel(path, model, NUMBERS);
  const { metadata, tensors } = await readSafetensors(path);
  const { buffers } = device.stats;
  const numbers = { columns: [{ kind: "number" }, { kind: "number" }], numbers: "pbld" };
  const dropout = { kind: "ColumnDropout", rate: 0.25, ...WIDTHS };
  const layersOf = (...first: unknown[]) => ({ layers: JSON.stringify([...first, "Linear", "ReLU", "Linear"]) });
  const embedding = (change: object) => layersOf({ kind: "TableEmbedding", ...numbers, ...change }, dropout);
  const dropping = (change: object) => layersOf({ kind: "TableEmbedding", ...numbers }, { ...dropout, ...change });
  const columns = (...columns: unknown[]) => embedding({ columns });
  const number = { kind: "number" };
  const cases: [Record<string, string>, string][] = [
    [{ members: "2" }, "a row to Linear [24, 4]: it takes 12"],
    [{ members: "5" }, "2.weight is [24, 4], need [in, out] of 5 members"],
    [{ members: "1000" }, "2.weight is [24, 4], need [in, out] of 1000 members"],
    [{ layers: '["ReLU"]' }, "it has 3 members, but no layer with weights"],
    [embedding({ numbers: "waves" }), 'layer 0: its numbers are "waves", need none, pbld, piecewise'],
    [embedding({ columns: "ab" }), 'layer 0: its columns are "ab", need a list'],
    [embedding({ depth: 2 }), 'layer 0 has the unknown setting "depth"'],
    [embedding({ numbers: "piecewise" }), "layer 0: Cannot embed column 0: need 17 edges"],
    [columns(number), "Cannot feed 2 values a row to a TableEmbedding of 1 columns"],
    [columns(number, null), "layer 0, column 1 is null, need a number"],
    [columns(number, { kind: "number", edges: "rising" }), "layer 0, column 1 is"],
    [columns(number, { kind: "number", names: 3 }), "layer 0, column 1 is"],
    [columns(number, { kind: "names", names: 1e9 }), "layer 0, column 1 is"],
    [columns(number, { kind: "names", names: 2, width: 0.5 }), "layer 0, column 1 is"],
    [columns(number, { kind: "names", names: 2, shares: [1] }), "Cannot embed column 1: 1 shares for 2 categories"],
    [columns(number, { kind: "names", names: 5 }), "Cannot feed 9 values a row to a ColumnDropout"],
    [dropping({ widths: "44" }), "layer 1 is no ColumnDropout"],
    [dropping({ widths: [2 ** 30] }), "layer 1 is no ColumnDropout"],
    [dropping({ widths: [8, 0] }), "layer 1: Cannot drop columns of 8, 0 values"],
    [dropping({ widths: [2 ** 24, 2 ** 24] }), "Cannot feed 8 values a row to a ColumnDropout"],
    [
      columns(number, { kind: "names", names: 4 }),
      'input "b" is a number, but its first layer takes the number of one of 4 names without shares',
    ],
    [{ layers: JSON.stringify(["Linear", { kind: "TableEmbedding", ...numbers }]) }, "0.weight is missing"],
  ];
  for (const [changes, says] of cases) {
    await writeSafetensors(path, Object.fromEntries(tensors), { ...metadata, ...changes });
    await assertRejects(() => SavedModel.load(device, path), DataError, says);
    assertEquals(device.stats.buffers, buffers);
  }
});

permittedGpuTest("models of format 2 load where their tables have no names, others say what to do", async (device) => {
  await using file = await temporaryFile("model.safetensors");
  const { path } = file;
  using model = new Model(device, [new Linear(2, 1)]);
  await saveModel(path, model, NUMBERS);
  const { metadata, tensors } = await readSafetensors(path);
  assertEquals(metadata.format, "backhand model 3");
  const write = (changes: Record<string, string>) =>
    writeSafetensors(path, Object.fromEntries(tensors), { ...metadata, format: "backhand model 2", ...changes });
  await write({});
  using saved = await SavedModel.load(device, path);
  assertEquals(await saved.model.read(), await model.read());
  const categories = ["blue", "red"];
  const inputs = [{ kind: "numeric", name: "a" }, { kind: "categorical", name: "b", categories, shares: [0.5, 0.5] }];
  await write({ table: JSON.stringify({ ...NUMBERS.table, inputs }) });
  const says = 'with an input for each category of "b": train it again with this version';
  await assertRejects(() => SavedModel.load(device, path), DataError, says);
});
