/** A model as a TypeScript file without imports: weights inline, rows and predictions typed by the columns. */

import type { InputColumn } from "../../lib/data/table.ts";
import {
  dateExample,
  type ExportedLayer,
  type ExportedModel,
  indent,
  literal,
  type Scaling,
} from "./exported_model.ts";
import { encodingOf } from "./typescript_cells.ts";

export function writeTypeScript(model: ExportedModel, fileName: string): string {
  const kinds = new Set(model.layers.map(({ kind }) => kind));
  return [
    headOf(model, fileName),
    rowType(model.inputs),
    predictionType(model.output),
    encodingOf(model),
    scalingsOf("INPUT_SCALINGS", model.scalings),
    `type Layer = (x: readonly number[]) => number[];\n`,
    ...Object.entries(LAYERS).filter(([kind]) => kinds.has(kind as ExportedLayer["kind"])).map(([_, text]) => text),
    `const NETWORK: readonly Layer[] = [\n${indent(model.layers.flatMap(layerCall), 2)}];\n`,
    predictOf(model),
    outputOf(model.output),
  ].join("\n");
}

function headOf({ name, inputs }: ExportedModel, fileName: string): string {
  const cells = inputs.map((column) => `${keyOf(column.name)}: ${exampleOf(column)}`);
  // A column's name must not end the comment.
  const call = `predict({ ${cells.join(", ")} })`.replaceAll("*/", "*\\/");
  return `/**
 * The network of the run ${name}, trained by Backhand: raw columns in, raw units out, no imports.
 *
 *   import { predict } from ${literal(`./${fileName}`)};
 *   ${call};
 */
`;
}

function exampleOf(column: InputColumn): string {
  if (column.kind === "numeric") return "0";
  return literal(column.kind === "date" ? dateExample(column.format) : column.categories[0] ?? "");
}

function rowType(inputs: readonly InputColumn[]): string {
  const fields = inputs.map(({ name, kind, fill }) => {
    const type = kind === "numeric" ? "number" : "string";
    return fill === undefined ? `readonly ${keyOf(name)}: ${type};` : `readonly ${keyOf(name)}?: ${type} | null;`;
  });
  return `/** A row in raw units; optional columns are filled as in training. */
export interface Row {\n${indent(fields, 2)}}\n`;
}

function predictionType(output: ExportedModel["output"]): string {
  const names = output.kind === "classes" ? output.classes : output.names;
  const numbers = names.map((name) => `readonly ${keyOf(name)}: number;`);
  if (output.kind !== "classes") {
    const what = output.kind === "numbers" ? "Predicted values in raw units." : "Probabilities.";
    return `/** ${what} */\nexport interface Prediction {\n${indent(numbers, 2)}}\n`;
  }
  return `/** The most likely class, and the probability of each class. */
export interface Prediction {
  readonly class: ${names.map(literal).join(" | ")};
  readonly probabilities: {\n${indent(numbers, 4)}  };
}\n`;
}

/** A property's name, quoted where it must be. */
function keyOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name);
}

function scalingsOf(name: string, scalings: readonly Scaling[]): string {
  const lines = scalings.map(({ shift, factor }) => `{ shift: ${shift}, factor: ${factor} },`);
  return `/** scaled = (raw - shift) / factor */\nconst ${name} = [\n${indent(lines, 2)}];\n`;
}

function layerCall(layer: ExportedLayer): string[] {
  switch (layer.kind) {
    case "Linear":
      return [`linear(${layer.inputs}, ${layer.outputs}, "${toBase64(layer.weight)}", "${toBase64(layer.bias)}"),`];
    case "LeakyReLU":
      return [`leakyRelu(${layer.slope}),`];
    case "Dropout":
      return [];
    default:
      return [`${layer.kind.toLowerCase()},`];
  }
}

function toBase64(values: Float32Array<ArrayBuffer>): string {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength).toBase64();
}

const LAYERS: Partial<Record<ExportedLayer["kind"], string>> = {
  Linear: `/** y = x · weight + bias. Weight [inputs, outputs] and bias are float32 in base64. */
function linear(inputs: number, outputs: number, weight: string, bias: string): Layer {
  const w = decode(weight);
  const b = decode(bias);
  return (x) => {
    const y = Array.from(b);
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < outputs; j++) y[j] += x[i] * w[i * outputs + j];
    }
    return y;
  };
}

function decode(base64: string): Float32Array {
  const view = new DataView(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer);
  return Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
}
`,
  ReLU: `const relu: Layer = (x) => x.map((v) => v > 0 ? v : 0);\n`,
  LeakyReLU: `const leakyRelu = (slope: number): Layer => (x) => x.map((v) => v > 0 ? v : slope * v);\n`,
  Sigmoid: `const sigmoid: Layer = (x) => x.map((v) => 1 / (1 + Math.exp(-v)));\n`,
  Tanh: `const tanh: Layer = (x) => x.map((v) => Math.tanh(v));\n`,
  GELU: `const gelu: Layer = (x) =>
  x.map((v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))));
`,
};

function predictOf({ output }: ExportedModel): string {
  return `/**
 * Predicts ${output.kind === "classes" ? "the class" : "the targets"} of a row.
 *
 * @throws {TypeError} If a cell is missing and has no fill value, or is not what it should be; if a column is unknown.
 */
export function predict(row: Row): Prediction {
  let x = encode(row).map((v, i) => (v - INPUT_SCALINGS[i].shift) / INPUT_SCALINGS[i].factor);
  for (const layer of NETWORK) x = layer(x);
  return toPrediction(x);
}
`;
}

function outputOf(output: ExportedModel["output"]): string {
  if (output.kind !== "classes") {
    const value = output.kind === "numbers"
      ? "v * TARGET_SCALINGS[i].factor + TARGET_SCALINGS[i].shift"
      : "1 / (1 + Math.exp(-v))";
    const scalings = output.kind === "numbers" ? `${scalingsOf("TARGET_SCALINGS", output.scalings)}\n` : "";
    return `${scalings}const TARGETS = ${literal(output.names)};

function toPrediction(x: readonly number[]): Prediction {
  const raw = x.map((v${output.kind === "numbers" ? ", i" : ""}) => ${value});
  return Object.fromEntries(TARGETS.map((name, i) => [name, raw[i]])) as unknown as Prediction;
}
`;
  }
  const logits = output.outputs === 1 ? "[-x[0] / 2, x[0] / 2]" : "[...x]";
  return `const CLASSES = ${literal(output.classes)};

/** The softmax${output.outputs === 1 ? "; the network's one output is the log odds of the second class" : ""}. */
function toPrediction(x: readonly number[]): Prediction {
  const logits = ${logits};
  const largest = Math.max(...logits);
  const powers = logits.map((v) => Math.exp(v - largest));
  const sum = powers.reduce((a, b) => a + b);
  const probabilities = Object.fromEntries(CLASSES.map((name, i) => [name, powers[i] / sum]));
  return { class: CLASSES[logits.${
    output.outputs === 1 ? "lastIndexOf" : "indexOf"
  }(largest)], probabilities } as unknown as Prediction;
}
`;
}
