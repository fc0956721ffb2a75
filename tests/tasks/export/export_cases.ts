/** Models to export, with rows to predict and what a plain float64 pass over them gives. */

import type { ExportedColumn, ExportedLayer } from "../../../tasks/export/exported_layers.ts";
import type { ExportedModel, ExportedOutput } from "../../../tasks/export/exported_model.ts";
import { Random } from "../../../lib/base/random.ts";
import { MISSING_TEXTS } from "../../../lib/data/cells.ts";
import type { InputColumn } from "../../../lib/data/table.ts";
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
  { kind: "categorical", name: "label", categories: ["N/A", "*/"], shares: [0.25, 0.75] },
];

/** What models without settings have. */
export const PLAIN = { missingTexts: MISSING_TEXTS, targets: ["what it predicts"] };

export const ONE = { shift: 0, factor: 1 };
const CLIP = 3;
const MIXED_SCALINGS = [{ shift: 1998.7, factor: 3.3, clip: CLIP }, ONE, { shift: -0.1, factor: 4 }, ONE];

/** Numbers, of a normal distribution. */
function draw(random: Random, length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, () => random.normal());
}

/** Layers of normal weights, for so many inputs. */
function network(seed: number, inputs: number, layers: (number | ExportedLayer)[]): ExportedLayer[] {
  const random = new Random(seed, "exported weights");
  let width = inputs;
  return layers.map((layer) => {
    if (typeof layer !== "number") return layer;
    const inputs = width;
    width = layer;
    return { kind: "Linear", inputs, outputs: layer, weight: draw(random, inputs * layer), bias: draw(random, layer) };
  });
}

/** 17 edges from -2 to 2; those of some bins are the same. */
function edges(...flat: number[]): Float32Array<ArrayBuffer> {
  const all = Float32Array.from({ length: 17 }, (_, i) => i / 4 - 2);
  for (const bin of flat) all[bin + 1] = all[bin];
  return all;
}

/** What becomes of the columns of {@linkcode MIXED}: one of each kind, 4 + 4 + 16 + 5 values. */
function mixedColumns(seed: number): ExportedLayer {
  const random = new Random(seed, "exported columns");
  // As small as training starts with: of a large angle float32 has few digits.
  const waves = Float32Array.from(draw(random, 32), (value) => value / 10);
  return {
    kind: "Columns",
    columns: [
      { kind: "waves", waves, mix: draw(random, 51) },
      { kind: "one-hot", names: 4 },
      { kind: "bins", edges: edges(0, 7, 15) },
      { kind: "rows", width: 5, table: draw(random, 15) },
    ],
  };
}

/** Members on the columns of {@linkcode MIXED}. */
function mixed(name: string, seeds: number[], output: ExportedOutput, layers: ExportedLayer[]): ExportedModel {
  const outputs = output.kind === "classes" ? output.outputs : output.names.length;
  const dropout = { kind: "ColumnDropout", rate: 0.1, widths: [4, 4, 16, 5] } as const;
  const members = seeds.map((seed) => [mixedColumns(seed), dropout, ...network(seed, 29, [7, ...layers, outputs])]);
  return { ...PLAIN, name, inputs: MIXED, scalings: MIXED_SCALINGS, members, output };
}

const classes = ["Adélie \u{1f427}", "Chinstrap", "__proto__"];
const SPECIES = { kind: "classes", name: "species", classes, outputs: 3 } as const;
const PRICES = {
  kind: "numbers",
  names: ["price", "__proto__"],
  scalings: [{ shift: 2e5, factor: 3e4 }, { shift: -1, factor: 0.01 }],
} as const;
const BOUGHT = { kind: "classes", name: "bought", classes: ["no", "yes"] } as const;
const pair: InputColumn[] = [{ kind: "numeric", name: "x1" }, { kind: "numeric", name: "x2" }];
const PAIRS = { ...PLAIN, inputs: pair, scalings: [ONE, ONE] };

/** Members on three colors, one-hot, and the mix of a name never seen. */
function ofColors(name: string, seeds: number[], output: ExportedOutput & { kind: "classes" }): ExportedModel {
  const colors = { kind: "Columns", columns: [{ kind: "one-hot", names: 3, unseen: [0.2, 0.5, 0.3] }] } as const;
  const members = seeds.map((seed) => [colors, ...network(seed, 3, [5, { kind: "Sigmoid" }, 4, output.outputs])]);
  return { ...PLAIN, name, inputs: [COLOR], scalings: [ONE], members, output };
}

function ofPairs(name: string, seeds: number[], output: ExportedOutput, columns: ExportedColumn[] = []): ExportedModel {
  const first: ExportedLayer[] = columns.length > 0 ? [{ kind: "Columns", columns }] : [];
  const members = seeds.map((
    seed,
  ) => [...first, ...network(seed, columns.length > 0 ? 17 : 2, [4, { kind: "ReLU" }, 2])]);
  return { ...PAIRS, name, members, output };
}

/** One model for each kind of layer, of input and of output; and members under each. */
export const MODELS: Record<string, ExportedModel> = {
  "numbers of mixed columns, every layer": mixed("run1", [1], PRICES, [
    { kind: "Tanh" },
    { kind: "Dropout", rate: 0.25 },
    ...network(2, 7, [6]),
    { kind: "GELU" },
    ...network(3, 6, [5]),
    { kind: "LeakyReLU", slope: 0.03 },
    ...network(4, 5, [7]),
  ]),
  "three classes of mixed columns": mixed("run5", [33], SPECIES, [{ kind: "ReLU" }]),
  "two classes under one output": ofColors("names_only", [34], { ...BOUGHT, outputs: 1, threshold: 0.5 }),
  "probabilities of numbers": ofPairs("pairs", [7], { kind: "probabilities", names: ["y", "z"] }),
  "members: numbers within ranges": mixed("run8", [8, 9, 10], {
    ...PRICES,
    ranges: [{ min: 2e5, max: 6e5 }, { min: -1.05, max: -0.98 }],
  }, []),
  "members: classes and a temperature": mixed("run11", [11, 12], { ...SPECIES, temperature: 1.7 }, [{ kind: "ReLU" }]),
  "members: classes": mixed("run13", [13, 14], SPECIES, []),
  "members: two classes, a temperature and a threshold": ofColors("names_of_two", [15, 16], {
    ...BOUGHT,
    outputs: 1,
    temperature: 0.6,
    threshold: 0.35,
  }),
  "two classes under two outputs, a temperature and a threshold": ofColors("names_of_one", [33], {
    ...BOUGHT,
    outputs: 2,
    temperature: 2,
    threshold: 0.7,
  }),
  "members: probabilities, without columns": ofPairs("pairs_of_two", [18, 19], {
    kind: "probabilities",
    names: ["y", "z"],
  }),
  "members: probabilities and a temperature": ofPairs(
    "warm_pairs",
    [20, 21],
    { kind: "probabilities", names: ["y", "z"], temperature: 1.5 },
    [{ kind: "number" }, { kind: "bins", edges: edges() }],
  ),
  "probabilities and a temperature": ofPairs("cool_pairs", [22], {
    kind: "probabilities",
    names: ["y", "z"],
    temperature: 0.7,
  }),
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
  return inputs.map((column) => {
    const cell = row[column.name] ?? column.fill;
    if (column.kind === "numeric") return cell as number;
    if (column.kind === "date") throw new TypeError("the cases have no dates");
    const place = column.categories.indexOf(cell as string);
    return place === -1 ? column.categories.length : place;
  });
}

/** What a model predicts for a row, number by number in float64. */
export function expectedOf(model: ExportedModel, row: RawRow): Expected {
  return expectedFrom(model, encode(model.inputs, row));
}

/** What a model predicts for the encoded numbers of a row. */
export function expectedFrom({ scalings, members, output }: ExportedModel, encoded: readonly number[]): Expected {
  const x = encoded.map((raw, i) => {
    const { shift, factor, clip = Infinity } = scalings[i];
    const scaled = (raw - shift) / factor;
    return Math.fround(scaled / Math.hypot(1, scaled / clip));
  });
  return toExpected(output, members.map((layers) => layers.reduce((x, layer) => forward(layer, x), x)));
}

function forward(layer: ExportedLayer, x: number[]): number[] {
  switch (layer.kind) {
    case "Columns":
      return x.flatMap((value, i) => valuesOf(layer.columns[i], value));
    case "Linear":
      return [...layer.bias].map((b, j) => x.reduce((sum, v, i) => sum + v * layer.weight[i * layer.outputs + j], b));
    case "ReLU":
      return x.map((v) => Math.max(0, v));
    case "LeakyReLU":
      return x.map((v) => v < 0 ? layer.slope * v : v);
    case "Sigmoid":
      return x.map(sigmoid);
    case "Tanh":
      return x.map(Math.tanh);
    case "GELU": // Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, the approximation by tanh
      return x.map((v) => v / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v))));
    case "Dropout":
    case "ColumnDropout":
      return x;
  }
}

/** What a column of a row becomes: lib/reference has the same for whole tables. */
function valuesOf(column: ExportedColumn, x: number): number[] {
  switch (column.kind) {
    case "number":
      return [x];
    case "waves": {
      const { waves, mix } = column;
      const heights = Array.from({ length: 16 }, (_, f) => Math.cos(2 * Math.PI * waves[2 * f] * x + waves[2 * f + 1]));
      return [x, ...[0, 1, 2].map((k) => heights.reduce((sum, v, f) => sum + v * mix[3 * f + k], mix[48 + k]))];
    }
    case "bins":
      return Array.from({ length: 16 }, (_, k) => {
        const [low, high] = column.edges.slice(k, k + 2);
        if (low === high) return Number(x >= low);
        const share = (x - low) / (high - low);
        if (share < 0) return k === 0 ? Math.max(-3, share) : 0;
        return share > 1 ? (k === 15 ? Math.min(4, share) : 1) : share;
      });
    case "one-hot":
      return Array.from({ length: column.names }, (_, i) => x === column.names ? column.unseen![i] : Number(i === x));
    case "rows":
      return [...column.table.slice(x * column.width, (x + 1) * column.width)];
  }
}

const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));

/** The mean over members, and the output's rule. */
function toExpected(output: ExportedOutput, all: number[][]): Expected {
  const named = (names: readonly string[], values: number[]) =>
    Object.fromEntries(names.map((name, i) => [name, values[i]]));
  const mean = (lists: number[][]) =>
    lists[0].map((_, i) => lists.reduce((sum, own) => sum + own[i], 0) / lists.length);
  if (output.kind === "numbers") {
    const { names, scalings, ranges } = output;
    const raw = mean(all).map((v, i) => v * scalings[i].factor + scalings[i].shift);
    return {
      numbers: named(names, raw.map((v, i) => Math.min(ranges?.[i].max ?? v, Math.max(ranges?.[i].min ?? v, v)))),
    };
  }
  const { temperature = 1 } = output;
  // A power of probabilities, and they sum to 1 again: the softmax of logarithms divided by the temperature.
  const cooled = (shares: number[]) => {
    const powers = shares.map((p) => p ** (1 / temperature));
    return powers.map((p) => p / powers.reduce((a, b) => a + b));
  };
  if (output.kind === "probabilities") {
    const [yes, no] = [1, -1].map((sign) => mean(all.map((x) => x.map((v) => sigmoid(sign * v)))));
    return { numbers: named(output.names, yes.map((p, i) => cooled([p, no[i]])[0])) };
  }
  const softmax = (x: number[]) => {
    const powers = x.map((v) => Math.exp(v - Math.max(...x)));
    return powers.map((v) => v / powers.reduce((a, b) => a + b));
  };
  const shares = cooled(mean(all.map((x) => output.outputs === 1 ? [sigmoid(-x[0]), sigmoid(x[0])] : softmax(x))));
  const { threshold } = output;
  const best = threshold === undefined ? shares.indexOf(Math.max(...shares)) : Number(shares[1] >= threshold);
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
