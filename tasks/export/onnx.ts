/**
 * A model as an ONNX file. The graph prepares the rows:
 *
 *   inputs    `numeric` float [N, numeric columns], and for each categorical column one with its name, string [N, 1]
 *   outputs   `prediction` float [N, targets]; or `label` string [N] and `probabilities` float [N, classes]
 *
 * A missing number is NaN; a missing name is an empty text, NA, NaN or null, as in training. Names must have no spaces around
 * them. Without a fill value a missing number stays NaN and a missing name counts as unseen: a graph cannot refuse a row.
 */

import { isMissing, MISSING_TEXTS } from "../../lib/data/cells.ts";
import { type CategoricalColumn, encodedNames } from "../../lib/data/table.ts";
import { VERSION } from "../../lib/base/version.ts";
import type { ExportedLayer, ExportedModel, ExportedOutput, Scaling } from "./exported_model.ts";
import { OnnxGraph } from "./onnx_format.ts";

/** Inputs and outputs besides the categorical columns; if one of those has the name, an underscore is added. */
const NAMES = ["numeric", "prediction", "label", "probabilities"] as const;

type Names = Record<typeof NAMES[number], string>;

/**
 * Encodes a model.
 *
 * @throws {RangeError} If float32 cannot hold a number of it.
 */
export function encodeOnnx(model: ExportedModel): Uint8Array<ArrayBuffer> {
  const columns = model.inputs.filter(({ kind }) => kind === "categorical").map(({ name }) => name);
  if (columns.includes("")) throw new RangeError("Cannot export to ONNX: inputs need names, and one column has none");
  const names = Object.fromEntries(NAMES.map((name) => [name, freeName(name, columns)])) as Names;
  const graph = new OnnxGraph([...columns, ...Object.values(names)]);
  let x = scale(graph, addInputs(graph, model, names.numeric), model.scalings);
  for (const layer of model.layers) x = addLayer(graph, x, layer);
  addOutputs(graph, x, model.output, names);
  return graph.encode(model.name, VERSION, propertiesOf(model, names.numeric));
}

function freeName(name: string, taken: readonly string[]): string {
  return taken.includes(name) ? freeName(`${name}_`, taken) : name;
}

function propertiesOf({ name, inputs, output }: ExportedModel, numericName: string): Record<string, string> {
  return {
    run: name,
    columns: JSON.stringify(inputs),
    [`columns of ${numericName}`]: JSON.stringify(
      inputs.filter(({ kind }) => kind === "numeric").map(({ name }) => name),
    ),
    target: JSON.stringify(output.kind === "classes" ? output.name : output.names),
    ...(output.kind === "classes" ? { classes: JSON.stringify(output.classes) } : {}),
  };
}

/** The encoded rows [N, encoded columns], unscaled. */
function addInputs(graph: OnnxGraph, { inputs }: ExportedModel, numericName: string): string {
  const numeric = inputs.filter((column) => column.kind === "numeric");
  const blocks: string[] = [];
  if (numeric.length > 0) {
    const x = graph.input(numericName, "float", numeric.length);
    const fills = Float32Array.from(numeric, ({ fill }) => fill ?? NaN);
    const isFilled = numeric.some(({ fill }) => fill !== undefined);
    blocks.push(
      isFilled ? graph.add("Where", [graph.add("IsNaN", [x]), graph.constant([1, fills.length], fills), x]) : x,
    );
  }
  for (const column of inputs) if (column.kind === "categorical") blocks.push(addOneHot(graph, column));
  const x = blocks.length === 1 ? blocks[0] : graph.add("Concat", blocks, { axis: { i: 1 } });
  // The numeric columns come first here; the network takes its columns in the table's order.
  let nextNumeric = 0;
  let nextOther = numeric.length;
  const order = inputs.flatMap((column) =>
    column.kind === "numeric" ? [nextNumeric++] : encodedNames([column]).map(() => nextOther++)
  );
  if (order.every((from, to) => from === to)) return x;
  return graph.add("Gather", [x, graph.constant([order.length], BigInt64Array.from(order, BigInt))], {
    axis: { i: 1 },
  });
}

/** One-hot of a column of names [N, categories + 1]; the last place is that of names not seen in training. */
function addOneHot(graph: OnnxGraph, { name, categories, fill }: CategoricalColumn): string {
  const width = categories.length + 1;
  const keys = [...new Set([...categories, "", ...MISSING_TEXTS])];
  const places = keys.map((key) => {
    const place = categories.indexOf(isMissing(key) ? fill ?? "" : key);
    return place < 0 ? categories.length : place;
  });
  const index = graph.add("LabelEncoder", [graph.input(name, "string", 1)], {
    keys_strings: { strings: keys },
    values_int64s: { ints: places },
    default_int64: { i: categories.length },
  }, "ai.onnx.ml");
  const depth = graph.constant([1], BigInt64Array.of(BigInt(width)));
  const oneHot = graph.add("OneHot", [index, depth, graph.constant([2], Float32Array.of(0, 1))], { axis: { i: -1 } });
  return graph.add("Reshape", [oneHot, graph.constant([2], BigInt64Array.of(-1n, BigInt(width)))]);
}

/** `(x - shift) / factor`, or with `isBack` `x * factor + shift`. The shift goes in two parts: float32 loses none of a large one. */
function scale(graph: OnnxGraph, x: string, scalings: readonly Scaling[], isBack = false): string {
  if (scalings.every(({ shift, factor }) => shift === 0 && factor === 1)) return x;
  const { high, low, factor } = constantsOf(scalings);
  if (!isBack) {
    const shifted = graph.add("Sub", [graph.add("Sub", [x, row(graph, high)]), row(graph, low)]);
    return graph.add("Div", [shifted, row(graph, factor)]);
  }
  const wide = graph.add("Add", [graph.add("Mul", [x, row(graph, factor)]), row(graph, low)]);
  return graph.add("Add", [wide, row(graph, high)]);
}

function constantsOf(scalings: readonly Scaling[]): Record<"high" | "low" | "factor", Float32Array> {
  const high = Float32Array.from(scalings, ({ shift }) => shift);
  const low = Float32Array.from(scalings, ({ shift }, i) => shift - high[i]);
  const factor = Float32Array.from(scalings, ({ factor }) => factor);
  const column = scalings.findIndex((_, i) => !(Number.isFinite(high[i]) && factor[i] > 0 && factor[i] < Infinity));
  if (column >= 0) {
    const { shift, factor } = scalings[column];
    const scaling = `column ${column + 1} is shifted by ${shift} and divided by ${factor}`;
    throw new RangeError(`Cannot export to ONNX: ${scaling}, beyond float32`);
  }
  return { high, low, factor };
}

function row(graph: OnnxGraph, values: Float32Array): string {
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
  const one = graph.constant([1, 1], Float32Array.of(1));
  return graph.add("Reciprocal", [graph.add("Add", [graph.add("Exp", [graph.add("Neg", [x])]), one])]);
}

function addOutputs(graph: OnnxGraph, x: string, output: ExportedOutput, names: Names): void {
  if (output.kind === "numbers") {
    return graph.output(names.prediction, scale(graph, x, output.scalings, true), "float", [output.names.length]);
  }
  if (output.kind === "probabilities") {
    return graph.output(names.prediction, addSigmoid(graph, x), "float", [output.names.length]);
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
