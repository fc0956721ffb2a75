/**
 * A model as an ONNX file. The graph prepares the rows:
 *
 *   inputs    `numeric` double [N, numeric columns], and for each categorical column one with its name, string [N, 1]
 *   outputs   `prediction` double [N, targets]; or `label` string [N] and `probabilities` float [N, classes]
 *
 * A missing number is NaN; a missing name is an empty text or one of the texts that meant so in training. A graph knows a
 * name by a list of spellings (`spellingsOf`). Without a fill value a missing number stays NaN and a missing name counts as
 * unseen: a graph cannot refuse a row.
 */

import { isMissing, numberOf } from "../../lib/data/cells.ts";
import { nameKey } from "../../lib/data/names.ts";
import { type CategoricalColumn, encodedNames, type InputColumn, type NumericColumn } from "../../lib/data/table.ts";
import { placeOf, placesOf } from "../../lib/data/table_encoder.ts";
import { showJson } from "../../lib/base/printable.ts";
import { VERSION } from "../../lib/base/version.ts";
import type { ExportedLayer, ExportedModel, ExportedOutput, Scaling } from "./exported_model.ts";
import { OnnxGraph } from "./onnx_format.ts";

/** Which cells of names a graph knows, for people: what `spellingsOf` lists. */
export const NAMES_NOTE = "Cells of names are known by a list of spellings: as in the columns of the metadata; " +
  "a number also as 10, 10.0, 1e1 or 1E1, and 0 as -0 or -0.0; a boolean also as true, True or TRUE; " +
  "lines within a name with \\n or \\r\\n; each also with one space before, after or on both sides. " +
  "Strip other spaces first, and write numbers as 10: any other spelling counts as unseen, even one of the training rows.";

/** Inputs and outputs besides the categorical columns; if one of those has the name, an underscore is added. */
const NAMES = ["numeric", "prediction", "label", "probabilities"] as const;

type Names = Record<typeof NAMES[number], string>;

/**
 * Encodes a model.
 *
 * @throws {RangeError} If a column of names has no name, or one holds dates.
 */
export function encodeOnnx(model: ExportedModel): Uint8Array<ArrayBuffer> {
  const columns = namesOf(model, "categorical");
  const dates = namesOf(model, "date").map((name) => showJson(name));
  if (dates.length > 0) {
    const columns = dates.length === 1 ? `column ${dates[0]} holds` : `the columns ${dates.join(", ")} hold`;
    throw new RangeError(
      `Cannot export to ONNX: ${columns} dates, which a graph cannot read; export with --format ts or --format pytorch, ` +
        "or train without (--ignore)",
    );
  }
  if (columns.includes("")) throw new RangeError("Cannot export to ONNX: inputs need names, and one column has none");
  const names = Object.fromEntries(NAMES.map((name) => [name, freeName(name, columns)])) as Names;
  const graph = new OnnxGraph([...columns, ...Object.values(names)]);
  let x = addInputs(graph, model, names.numeric);
  for (const layer of model.layers) x = addLayer(graph, x, layer);
  addOutputs(graph, x, model.output, names);
  return graph.encode(model.name, VERSION, propertiesOf(model, names.numeric));
}

function freeName(name: string, taken: readonly string[]): string {
  return taken.includes(name) ? freeName(`${name}_`, taken) : name;
}

/** The names of the columns of a kind. */
export function namesOf({ inputs }: ExportedModel, kind: InputColumn["kind"]): string[] {
  return inputs.filter((column) => column.kind === kind).map(({ name }) => name);
}

function propertiesOf(model: ExportedModel, numericName: string): Record<string, string> {
  const { name, inputs, missingTexts, output, notes } = model;
  return {
    run: name,
    columns: JSON.stringify(inputs),
    [`columns of ${numericName}`]: JSON.stringify(namesOf(model, "numeric")),
    "missing texts": JSON.stringify(missingTexts),
    ...(namesOf(model, "categorical").length > 0 ? { names: NAMES_NOTE } : {}),
    ...(notes ? { notes: JSON.stringify(notes) } : {}),
    target: JSON.stringify(output.kind === "classes" ? output.name : output.names),
    ...(output.kind === "classes" ? { classes: JSON.stringify(output.classes) } : {}),
  };
}

/** The encoded and scaled rows [N, encoded columns]. */
function addInputs(graph: OnnxGraph, { inputs, scalings, missingTexts }: ExportedModel, numericName: string): string {
  let width = 0;
  const columns = inputs.map((column) => {
    const start = width;
    width += encodedNames([column]).length;
    return { column, start, scalings: scalings.slice(start, width) };
  });
  const numeric = columns.filter(({ column }) => column.kind === "numeric");
  const names = columns.filter(({ column }) => column.kind === "categorical");
  const blocks = names.map(({ column, scalings }) =>
    scaleFloat(graph, addOneHot(graph, column as CategoricalColumn, missingTexts), scalings)
  );
  if (numeric.length > 0) {
    const own = numeric.map(({ column }) => column as NumericColumn);
    const filled = addNumbers(graph, graph.input(numericName, "double", own.length), own, missingTexts);
    blocks.unshift(graph.cast(scale(graph, filled, numeric.flatMap(({ scalings }) => scalings)), "float"));
  }
  const x = blocks.length === 1 ? blocks[0] : graph.add("Concat", blocks, { axis: { i: 1 } });
  // The numeric columns come first here; the network takes its columns in the table's order.
  const order = [...numeric, ...names].flatMap(({ start, scalings }) => scalings.map((_, i) => start + i));
  if (order.every((from, to) => from === to)) return x;
  const places = new BigInt64Array(width);
  order.forEach((to, from) => places[to] = BigInt(from));
  return graph.add("Gather", [x, graph.constant([width], places)], { axis: { i: 1 } });
}

/** Numbers [N, columns] with their fill values. */
function addNumbers(graph: OnnxGraph, x: string, columns: NumericColumn[], missingTexts: readonly string[]): string {
  const fills = Float64Array.from(columns, ({ fill }) => fill ?? NaN);
  // Such as -999.
  const numbers = missingTexts.map(numberOf).filter((value) => !Number.isNaN(value));
  if (numbers.length === 0 && fills.every(Number.isNaN)) return x;
  const isMissing = numbers.reduce((found, value) => {
    return graph.add("Or", [found, graph.add("Equal", [x, row(graph, Float64Array.of(value))])]);
  }, graph.add("IsNaN", [x]));
  return graph.add("Where", [isMissing, row(graph, fills), x]);
}

/** A column of names: one-hot [N, inputs]; a name that training did not see is the mix, or has the last input. */
function addOneHot(graph: OnnxGraph, column: CategoricalColumn, missingTexts: readonly string[]): string {
  const { name, categories, shares, fill } = column;
  const width = encodedNames([column]).length;
  const known = placesOf(categories);
  const keys = spellingsOf(categories, missingTexts);
  const places = keys.map((key) => {
    const text = isMissing(key, missingTexts) ? fill : key.trim();
    return (text === undefined ? undefined : placeOf(known, text)) ?? categories.length;
  });
  const index = graph.add("LabelEncoder", [graph.input(name, "string", 1)], {
    keys_strings: { strings: keys },
    values_int64s: { ints: places },
    default_int64: { i: categories.length },
  }, "ai.onnx.ml");
  // Of a place beyond the last, all are 0.
  const depth = graph.constant([1], BigInt64Array.of(BigInt(width)));
  const oneHot = graph.add("OneHot", [index, depth, graph.constant([2], Float32Array.of(0, 1))], { axis: { i: -1 } });
  const rows = graph.add("Reshape", [oneHot, graph.constant([2], BigInt64Array.of(-1n, BigInt(width)))]);
  if (!shares) return rows;
  const unseen = graph.constant([1, 1], BigInt64Array.of(BigInt(categories.length)));
  return graph.add("Where", [graph.add("Equal", [index, unseen]), row(graph, Float32Array.from(shares)), rows]);
}

/** The texts that a graph knows: a graph cannot take spaces off a text, nor read a number in it. */
function spellingsOf(categories: readonly string[], missingTexts: readonly string[]): string[] {
  const spellings = categories.flatMap((name) => {
    const key = nameKey(name);
    if (key === "true" || key === "false") return [name, key, key.toUpperCase(), key[0].toUpperCase() + key.slice(1)];
    return [name, key, key.replaceAll("\n", "\r\n"), ...numberForms(key)];
  });
  const texts = [...spellings, "", ...missingTexts];
  return [...new Set(texts.flatMap((text) => [text, ` ${text}`, `${text} `, ` ${text} `]))];
}

/** Usual ways to write the number that a name is known by; none if that is no number. */
function numberForms(key: string): string[] {
  const power = Number(key).toExponential().replace("+", "");
  const forms = [`${key}.0`, power, power.toUpperCase(), "-0", "-0.0"];
  return forms.filter((form) => nameKey(form) === key);
}

/** Scales what is float32; one-hot columns are as they are, unless a model says otherwise. */
function scaleFloat(graph: OnnxGraph, x: string, scalings: readonly Scaling[]): string {
  return isUnscaled(scalings) ? x : graph.cast(scale(graph, graph.cast(x, "double"), scalings), "float");
}

/** `(x - shift) / factor`, or with `isBack` `x * factor + shift`, of float64: of large numbers nothing is lost. */
function scale(graph: OnnxGraph, x: string, scalings: readonly Scaling[], isBack = false): string {
  if (isUnscaled(scalings)) return x;
  const shift = row(graph, Float64Array.from(scalings, ({ shift }) => shift));
  const factor = row(graph, Float64Array.from(scalings, ({ factor }) => factor));
  if (!isBack) return graph.add("Div", [graph.add("Sub", [x, shift]), factor]);
  return graph.add("Add", [graph.add("Mul", [x, factor]), shift]);
}

function isUnscaled(scalings: readonly Scaling[]): boolean {
  return scalings.every(({ shift, factor }) => shift === 0 && factor === 1);
}

function row(graph: OnnxGraph, values: Float32Array | Float64Array): string {
  return graph.constant([1, values.length], values);
}

function addLayer(graph: OnnxGraph, x: string, layer: ExportedLayer): string {
  switch (layer.kind) {
    case "Linear": {
      const { inputs, outputs, weight, bias } = layer;
      return graph.add("Gemm", [x, graph.constant([inputs, outputs], weight), graph.constant([outputs], bias)]);
    }
    case "ReLU":
      return graph.add("Relu", [x]);
    case "LeakyReLU":
      return graph.add("LeakyRelu", [x], { alpha: { f: layer.slope } });
    case "GELU":
      return graph.add("Gelu", [x], { approximate: { s: "tanh" } });
    case "Sigmoid":
    case "Tanh":
      return graph.add(layer.kind, [x]);
    case "Dropout":
      return x;
  }
}

/** 1 / (1 + exp(-x)): the operator Sigmoid of the ONNX runtime has an error of 1e-7, too much for small probabilities. */
function addSigmoid(graph: OnnxGraph, x: string): string {
  const one = row(graph, Float64Array.of(1));
  return graph.add("Div", [one, graph.add("Add", [graph.add("Exp", [graph.add("Neg", [x])]), one])]);
}

function addOutputs(graph: OnnxGraph, x: string, output: ExportedOutput, names: Names): void {
  if (output.kind !== "classes") {
    const wide = graph.cast(x, "double");
    const raw = output.kind === "numbers" ? scale(graph, wide, output.scalings, true) : addSigmoid(graph, wide);
    return graph.output(names.prediction, raw, "double", [output.names.length]);
  }
  // A sigmoid is the softmax of both halves, which gives both probabilities equally exactly.
  const logits = output.outputs === 1 ? graph.add("Mul", [x, row(graph, Float32Array.of(-0.5, 0.5))]) : x;
  const probabilities = graph.add("Softmax", [logits], { axis: { i: 1 } });
  // Of equal ones the first; but of two classes at 0.5 the second, as in the library.
  const last = { select_last_index: { i: Number(output.outputs === 1) } };
  const winner = graph.add("ArgMax", [probabilities], { axis: { i: 1 }, keepdims: { i: 0 }, ...last });
  const { classes } = output;
  graph.output(names.label, graph.add("Gather", [graph.constant([classes.length], classes), winner]), "string", []);
  graph.output(names.probabilities, probabilities, "float", [classes.length]);
}
