import { assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../lib/base/errors.ts";
import { Dropout, GELU, LeakyReLU, Linear, ReLU, Sigmoid, Tanh } from "../../lib/core/layers.ts";
import { bceWithLogits, mse, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { readSafetensors, writeSafetensors } from "../../lib/safetensors/reader.ts";
import { type ModelDescription, SavedModel, saveModel } from "../../lib/model_file/saved_model.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import { numericTable } from "../../lib/data/table.ts";
import { assertClose } from "../support/assert_close.ts";
import { bits, gpuTest, permittedGpuTest } from "../support/gpu_test_case.ts";
import { temporaryFile } from "../support/temp_files.ts";

const statistics = (name: string, mean: number, deviation: number) => ({ name, min: -50, max: 50, mean, deviation });
const unscaled = (...names: string[]) => new Scaler("none", names.map((name) => statistics(name, 0, 1)));

const inputScaler = new Scaler("standardize", [statistics("a", 1, 2), statistics("b", -3, 0.5)]);
const targetScaler = new Scaler("standardize", [statistics("y", 100, 10)]);

const description: ModelDescription = {
  table: numericTable(["a", "b"], ["y"]),
  features: ["a", "b"],
  targets: ["y"],
  scalers: { inputs: inputScaler, targets: targetScaler },
  loss: mse,
  settings: { SEED: "42" },
};

const layers = () => [new Linear(2, 3), new ReLU(), new Linear(3, 1)];

/** A model as it comes back from its file. */
async function throughFile(model: Model, changes: Partial<ModelDescription> = {}): Promise<SavedModel> {
  await using file = await temporaryFile("model.safetensors");
  await saveModel(file.path, model, { ...description, ...changes });
  return await SavedModel.load(model.device, file.path);
}

permittedGpuTest("a saved model comes back bit for bit, with all that predicting needs", async (device) => {
  using model = new Model(device, layers());
  model.load({
    "0.weight": Float32Array.of(0.1, -1e-40, 3e38, 1 / 3, -0, 7),
    "0.bias": [1e-7, 2, 3],
    "2.weight": [[1], [-2], [0.5]],
    "2.bias": [Math.PI],
  });
  using saved = await throughFile(model);
  assertEquals(saved.model.layers.map(({ kind }) => kind), ["Linear", "ReLU", "Linear"]);
  const bitsOf = async (model: Model) =>
    Object.entries(await model.read()).map(([name, data]) => [name, bits(Float32Array.from(data))]);
  assertEquals(await bitsOf(saved.model), await bitsOf(model));
  for (const key of ["table", "features", "targets", "loss", "settings", "seed", "baseline", "source"] as const) {
    assertEquals(saved.description[key], description[key]);
  }
  const { inputs, targets } = saved.description.scalers;
  assertEquals([inputs.toJSON(), targets.toJSON()], [inputScaler.toJSON(), targetScaler.toJSON()]);
});

permittedGpuTest("predict() takes and gives raw units", async (device) => {
  using model = new Model(device, [new Linear(2, 1)]);
  model.load({ "0.weight": [0.5, -0.25], "0.bias": [2] });
  using saved = await throughFile(model);
  const byHand = (a: number, b: number) => 10 * (0.5 * (a - 1) / 2 - 0.25 * (b + 3) / 0.5 + 2) + 100;
  assertClose(await saved.predict([1, -3, 5, 4, -7, 0]), [byHand(1, -3), byHand(5, 4), byHand(-7, 0)]);
  assertEquals(await saved.predict([]), new Float64Array());
  await assertRejects(() => saved.predict([1, 2, 3]), TypeError, "Cannot scale 3 values: rows have 2 columns");
});

permittedGpuTest("predict() gives probabilities under bce, through a Sigmoid layer's file too", async (device) => {
  using model = new Model(device, [new Sigmoid(), new Linear(2, 1)]);
  model.load({ "1.weight": [2, -2], "1.bias": [1] });
  const scalers = { inputs: unscaled("a", "b"), targets: unscaled("y") };
  using saved = await throughFile(model, { scalers, loss: bceWithLogits });
  assertEquals(saved.description.loss, bceWithLogits);
  const s = (z: number) => 1 / (1 + Math.exp(-z));
  assertClose(await saved.predict([1, -1]), [s(2 * s(1) - 2 * s(-1) + 1)]);
});

permittedGpuTest("every activation comes back from a file, with its settings", async (device) => {
  const first = [new Tanh(), new LeakyReLU({ slope: 0.25 }), new GELU(), new Sigmoid(), new Dropout(0.5, { seed: 3 })];
  using model = new Model(device, [...first, new ReLU(), new Linear(2, 1)]);
  using saved = await throughFile(model);
  const describe = (model: Model) => model.layers.map(({ kind, settings }) => [kind, settings]);
  assertEquals(describe(saved.model), describe(model));
  assertEquals(describe(saved.model)[1], ["LeakyReLU", { slope: 0.25 }]);
  assertEquals(describe(saved.model)[4], ["Dropout", { rate: 0.5, seed: 3 }]);
});

permittedGpuTest("predict() gives a probability for each target under softmax", async (device) => {
  using model = new Model(device, [new Linear(2, 3)]);
  model.load({ "0.weight": [[0, 1, 0], [0, 0, 0]], "0.bias": [0, 0, 0] });
  const targets = ["red", "green", "blue"];
  const scalers = { inputs: unscaled("a", "b"), targets: unscaled(...targets) };
  const table = numericTable(["a", "b"], targets);
  using saved = await throughFile(model, { table, targets, scalers, loss: softmaxCrossEntropy });
  assertEquals(saved.description.loss, softmaxCrossEntropy);
  assertClose(await saved.predict([Math.log(2), 0, 0, 5]), [1 / 4, 1 / 2, 1 / 4, 1 / 3, 1 / 3, 1 / 3]);
});

permittedGpuTest("load() refuses files that hold no whole model, naming file and tensor", async (device) => {
  await using file = await temporaryFile("model.safetensors");
  const { path } = file;
  using model = new Model(device, layers());
  await saveModel(path, model, description);
  const good = await readSafetensors(path);
  const tensors = Object.fromEntries(good.tensors);
  const { buffers } = device.stats;
  const zeros = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  const { "0.bias": _bias, ...noBias } = tensors;
  const { "2.weight": _weight, ...noWeight } = tensors;
  type Parts = Record<string, { shape: number[]; data: Float32Array<ArrayBuffer> }>;
  const ofTensors: [Parts, string][] = [
    [noBias, "0.bias [3] is missing"],
    [noWeight, "2.weight is missing, need [in, out]"],
    [{ ...tensors, "0.bias": zeros(1, 3) }, "0.bias is [1, 3], its layer takes [3]"],
    [{ ...tensors, "0.bias": zeros(4) }, "0.bias is [4], its layer takes [3]"],
    [{ ...tensors, "2.weight": zeros(3) }, "2.weight is [3], need [in, out]"],
    [{ ...tensors, "2.weight": zeros(4, 1) }, "Cannot feed 3 values a row to Linear [4, 1]: it takes 4"],
    [{ ...tensors, "4.weight": zeros(1, 1) }, "4.weight is unknown"],
    [{ ...tensors, "2.weight": zeros(3, 2), "2.bias": zeros(2) }, "1 targets, but layers for 2"],
    [{ ...tensors, "0.bias": { shape: [3], data: Float32Array.of(0, NaN, 0) } }, "0.bias holds NaN"],
  ];
  const ofMiddleLayer: [string, string][] = [
    ['"Maxout"', ' is of the unknown kind "Maxout"'],
    ['"toString"', ' is of the unknown kind "toString"'],
    ["null", " is of the unknown kind undefined"],
    ['"LeakyReLU"', ": Cannot make a LeakyReLU without slope"],
    ['{"kind": "LeakyReLU", "slope": "steep"}', ': its "slope" is "steep", need a number'],
    [
      '{"kind": "Dropout", "rate": 2, "seed": 1}',
      ": Cannot drop out a share of 2: need a number from 0 to less than 1",
    ],
    ['{"kind": "Dropout", "rate": 0.5}', ": Cannot seed with NaN"],
  ];
  const ofTexts: [Record<string, string>, string][] = [
    ...ofMiddleLayer.map(([layer, says]): typeof ofTexts[number] => {
      return [{ layers: `["Linear", ${layer}, "Linear"]` }, `layer 1${says}`];
    }),
    [{ loss: "hinge" }, 'its loss is "hinge"'],
    [{ layers: '"Linear"' }, "its layers are no list"],
    [{ layers: "[" }, ""],
  ];
  const apart = "the model does not fit together: ";
  const cases: [Parts, Record<string, string>, string][] = [
    [tensors, { format: "backhand scaled dataset 6" }, "this is no model of `deno task train`"],
    [tensors, { format: "backhand model 1" }, 'it is a "backhand model 1", and this version reads "backhand model 3"'],
    ...ofTensors.map(([parts, says]): typeof cases[number] => [parts, {}, apart + says]),
    ...ofTexts.map(([texts, says]): typeof cases[number] => [tensors, texts, apart + says]),
  ];
  for (const [parts, changes, problem] of cases) {
    await writeSafetensors(path, parts, { ...good.metadata, ...changes });
    const error = await assertRejects(() => SavedModel.load(device, path), DataError, `${path}: ${problem}`);
    assertEquals([error.place.file, device.stats.buffers], [path, buffers]);
  }
  await Deno.writeTextFile(path, "x,y\n1,2\n3,4\n");
  await assertRejects(() => SavedModel.load(device, path), DataError, path);
  await assertRejects(() => SavedModel.load(device, `${path}.none`), Deno.errors.NotFound);
});

gpuTest("predict() refuses what float32 cannot hold, before and behind the network", async (device) => {
  const scalers = { inputs: unscaled("x"), targets: unscaled("y") };
  const model = new Model(device, [new Linear(1, 1)]);
  model.load({ "0.weight": [[1e30]], "0.bias": [0] });
  const table = numericTable(["x"], ["y"]);
  using saved = new SavedModel(model, { ...description, table, features: ["x"], scalers });
  const refuse = (rows: number[], text: string) => assertRejects(() => saved.predict(rows), RangeError, text);
  await refuse([1, 1e300], 'Cannot predict: the input 1e+300 in row 2, column "x" is beyond the range of float32');
  const second = () => saved.predict([1, 1e300], 65_537);
  await assertRejects(second, RangeError, "the input 1e+300 in row 65538,");
  await refuse([1e30], 'Cannot predict: the prediction Infinity in row 1, column "y" is beyond the range of float32');
});
