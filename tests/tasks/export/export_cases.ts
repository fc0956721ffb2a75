/** Models to export, with rows to predict and what a plain float64 pass over them gives. */

import type { ExportedLayer, ExportedModel, ExportedOutput } from "../../../tasks/export/exported_model.ts";
import { Random } from "../../../lib/base/random.ts";
import { MISSING_TEXTS } from "../../../lib/data/cells.ts";
import { encodedNames, type InputColumn } from "../../../lib/data/table.ts";
import { encodeOnnx } from "../../../tasks/export/onnx.ts";
import { writeTypeScript } from "../../../tasks/export/typescript.ts";
import { type RawRow, runOnnx } from "../../support/onnx_process.ts";
import type { Workplace } from "../../support/run_task_process.ts";

/** A prediction: numbers by target, or a class and the probability of each. */
export interface Expected {
  class?: string;
  numbers: Record<string, number>;
}

const colors = ["red", 'it\'s "blue"', "grün"];
const COLOR: InputColumn = { kind: "categorical", name: "color", categories: colors, fill: "grün" };

/** Columns of both kinds in turn, with and without a fill, one of them far from 0, one named like an output. */
export const MIXED: readonly InputColumn[] = [
  { kind: "numeric", name: "year" },
  COLOR,
  { kind: "numeric", name: "body mass\n(g)", fill: 4.25 },
  { kind: "categorical", name: "label", categories: ["N/A", "*/"] },
];

/** What models without settings have. */
export const PLAIN = { missingTexts: MISSING_TEXTS, targets: ["what it predicts"] };

const ONE = { shift: 0, factor: 1 };
const KNOWN_SCALINGS: Record<string, typeof ONE> = {
  year: { shift: 1998.7, factor: 3.3 },
  "body mass\n(g)": { shift: -0.1, factor: 40 },
};
const MIXED_SCALINGS = encodedNames(MIXED).map((name) => KNOWN_SCALINGS[name] ?? ONE);

/** Layers of normal weights. */
function network(seed: number, inputs: number, layers: (number | ExportedLayer)[]): ExportedLayer[] {
  const random = new Random(seed, "exported weights");
  let width = inputs;
  return layers.map((layer) => {
    if (typeof layer !== "number") return layer;
    const draw = (length: number) => Float32Array.from({ length }, () => random.normal());
    const inputs = width;
    width = layer;
    return { kind: "Linear", inputs, outputs: layer, weight: draw(inputs * layer), bias: draw(layer) };
  });
}

function mixed(seed: number, output: ExportedOutput, outputs: number, layers: ExportedLayer[]): ExportedModel {
  const all = network(seed, MIXED_SCALINGS.length, [7, ...layers, outputs]);
  return { ...PLAIN, name: `run${seed}`, inputs: MIXED, scalings: MIXED_SCALINGS, layers: all, output };
}

const classes = ["Adélie \u{1f427}", "Chinstrap", "__proto__"];
const SPECIES = { kind: "classes", name: "species", classes, outputs: 3 } as const;
const scalings = [{ shift: 2e5, factor: 3e4 }, { shift: -1, factor: 0.01 }];
const PRICES = { kind: "numbers", names: ["price", "__proto__"], scalings } as const;
const pair: InputColumn[] = [{ kind: "numeric", name: "x1" }, { kind: "numeric", name: "x2" }];

/** One model for each kind of layer, of input and of output. */
export const MODELS: Record<string, ExportedModel> = {
  "numbers of mixed columns, every layer": mixed(1, PRICES, 2, [
    { kind: "Tanh" },
    { kind: "Dropout", rate: 0.25 },
    ...network(2, 7, [6]),
    { kind: "GELU" },
    ...network(3, 6, [5]),
    { kind: "LeakyReLU", slope: 0.03 },
    ...network(4, 5, [7]),
  ]),
  "three classes of mixed columns": mixed(5, SPECIES, 3, [{ kind: "ReLU" }]),
  "two classes under one output": {
    ...PLAIN,
    name: "names_only",
    inputs: [COLOR],
    scalings: [ONE, ONE, ONE, ONE],
    layers: network(6, 4, [5, { kind: "Sigmoid" }, 1]),
    output: { kind: "classes", name: "bought", classes: ["no", "yes"], outputs: 1 },
  },
  "probabilities of numbers": {
    ...PLAIN,
    name: "pairs",
    inputs: pair,
    scalings: [ONE, ONE],
    layers: network(7, 2, [4, { kind: "ReLU" }, 2]),
    output: { kind: "probabilities", names: ["y", "z"] },
  },
};

/** Rows for columns: numbers that float32 holds, names seen and not, and missing cells where there is a fill. */
export function rowsFor(inputs: readonly InputColumn[], count: number): RawRow[] {
  const random = new Random(1, "exported rows");
  const pick = <T>(values: readonly T[]) => values[Math.floor(random.uniform() * values.length)];
  return Array.from({ length: count }, () =>
    Object.fromEntries(inputs.map((column) => {
      if (column.fill !== undefined && random.uniform() < 0.2) return [column.name, undefined];
      if (column.kind === "categorical") return [column.name, pick([...column.categories, "never seen", "Red"])];
      const value = column.name === "year" ? random.normal(1998.7, 3.3) : random.normal(0, 2);
      return [column.name, Math.fround(value)];
    })));
}

/** A row's encoded numbers, unscaled. */
export function encode(inputs: readonly InputColumn[], row: RawRow): number[] {
  return inputs.flatMap((column) => {
    const cell = row[column.name] ?? column.fill;
    if (column.kind === "numeric") return [cell as number];
    if (column.kind === "date") throw new TypeError("the cases have no dates");
    const isSeen = column.categories.includes(cell as string);
    return [...column.categories.map((category) => category === cell ? 1 : 0), isSeen ? 0 : 1];
  });
}

/** What a model predicts for a row, number by number in float64. */
export function expectedOf(model: ExportedModel, row: RawRow): Expected {
  return expectedFrom(model, encode(model.inputs, row));
}

/** What a model predicts for the encoded numbers of a row. */
export function expectedFrom(model: ExportedModel, encoded: readonly number[]): Expected {
  let x = encoded.map((v, i) => (v - model.scalings[i].shift) / model.scalings[i].factor);
  for (const layer of model.layers) x = forward(layer, x);
  return toExpected(model.output, x);
}

function forward(layer: ExportedLayer, x: number[]): number[] {
  switch (layer.kind) {
    case "Linear":
      return [...layer.bias].map((b, j) => x.reduce((sum, v, i) => sum + v * layer.weight[i * layer.outputs + j], b));
    case "ReLU":
      return x.map((v) => Math.max(0, v));
    case "LeakyReLU":
      return x.map((v) => v < 0 ? layer.slope * v : v);
    case "Sigmoid":
      return x.map((v) => 1 / (1 + Math.exp(-v)));
    case "Tanh":
      return x.map(Math.tanh);
    case "GELU": // Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, the approximation by tanh
      return x.map((v) => v / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v))));
    case "Dropout":
      return x;
  }
}

function toExpected(output: ExportedOutput, x: number[]): Expected {
  const named = (names: readonly string[], values: number[]) =>
    Object.fromEntries(names.map((name, i) => [name, values[i]]));
  const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
  if (output.kind === "numbers") {
    return { numbers: named(output.names, x.map((v, i) => v * output.scalings[i].factor + output.scalings[i].shift)) };
  }
  if (output.kind === "probabilities") return { numbers: named(output.names, x.map(sigmoid)) };
  const powers = x.map(Math.exp);
  const sum = powers.reduce((a, b) => a + b);
  const shares = output.outputs === 1 ? [sigmoid(-x[0]), sigmoid(x[0])] : powers.map((v) => v / sum);
  const best = output.outputs === 1 ? Number(x[0] >= 0) : shares.indexOf(Math.max(...shares));
  return { class: output.classes[best], numbers: named(output.classes, shares) };
}

/** What the ONNX runtime predicts from a model's export. */
export async function predictByOnnx(place: Workplace, model: ExportedModel, rows: readonly RawRow[]) {
  await place.write("model.onnx", encodeOnnx(model));
  return await runOnnx(place.at("model.onnx"), model, rows);
}

/** The function that a model's TypeScript exports. A name in a folder is imported once. */
export async function importPredict(place: Workplace, model: ExportedModel) {
  await place.write(`${model.name}.ts`, writeTypeScript(model, `${model.name}.ts`));
  return (await import(`file://${place.at(`${model.name}.ts`)}`)).predict;
}
