/** The part of a TypeScript file that is the network: its layers as functions, their weights in base64. */

import { showName } from "../../lib/base/printable.ts";
import { encodedNames } from "../../lib/data/table.ts";
import type { ExportedColumn, ExportedLayer } from "./exported_layers.ts";
import { type ExportedModel, indent, literal } from "./exported_model.ts";

/** Code that has `NETWORKS`: the layers of each member. */
export function networkOf({ members, inputs }: ExportedModel): string {
  const names = encodedNames(inputs);
  const [layers] = members;
  const columns = layers.flatMap((layer) => layer.kind === "Columns" ? layer.columns : []);
  const kinds = new Set<string>([...layers, ...columns].map(({ kind }) => kind));
  const hasWeights = ["Linear", "waves", "rows"].some((kind) => kinds.has(kind));
  const networks = members.flatMap((layers) => ["[", ...layers.flatMap((layer) => linesOf(layer, names)), "],"]);
  return [
    "type Layer = (x: number[]) => number[];\n",
    ...Object.entries(LAYERS).filter(([kind]) => kinds.has(kind)).map(([_, text]) => text),
    ...(hasWeights ? [DECODE] : []),
    `/** ${members.length === 1 ? "One network" : "Networks whose answers are averaged"}: layers, first to last. */
const NETWORKS: readonly Layer[][] = [\n${indent(networks, 2)}];\n`,
  ].join("\n");
}

function linesOf(layer: ExportedLayer, names: readonly string[]): string[] {
  switch (layer.kind) {
    case "Columns":
      return [
        "  columns([",
        ...layer.columns.map((own, i) => `    ${columnOf(own)}, // ${showName(names[i])}`),
        "  ]),",
      ];
    case "Linear":
      return [`  linear(${layer.inputs}, ${layer.outputs}, "${toBase64(layer.weight)}", "${toBase64(layer.bias)}"),`];
    case "LeakyReLU":
      return [`  leakyRelu(${layer.slope}),`];
    case "Dropout":
    case "ColumnDropout":
      return [];
    default:
      return [`  ${layer.kind.toLowerCase()},`];
  }
}

function columnOf(column: ExportedColumn): string {
  switch (column.kind) {
    case "number":
      return "number";
    case "waves":
      return `waves("${toBase64(column.waves)}", "${toBase64(column.mix)}")`;
    case "bins":
      return `bins(${literal([...column.edges])})`;
    case "one-hot":
      return column.unseen ? `oneHot(${column.names}, ${literal(column.unseen)})` : `oneHot(${column.names})`;
    case "rows":
      return `rows(${column.width}, "${toBase64(column.table)}")`;
  }
}

function toBase64(values: Float32Array<ArrayBuffer>): string {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength).toBase64();
}

/** Functions by the kind of layer or column that needs them. */
const LAYERS: Record<Exclude<ExportedLayer["kind"], "Dropout" | "ColumnDropout"> | ExportedColumn["kind"], string> = {
  Columns: `/** What becomes of a number, or of the number of a name: inputs of the network. */
type Column = (x: number) => number[];

/** The inputs that all columns become, in order. */
const columns = (all: readonly Column[]): Layer => (x) => all.flatMap((column, i) => column(x[i]));
`,
  number: `const number: Column = (x) => [x];\n`,
  waves:
    `/** The number, and three mixes of 16 waves of it. Waves are pairs of frequency and phase; mixes end with their bias. */
function waves(pairs: string, mixes: string): Column {
  const wave = decode(pairs);
  const mix = decode(mixes);
  return (x) => {
    const sums = [...mix.slice(48)];
    for (let f = 0; f < 16; f++) {
      const height = Math.cos(2 * Math.PI * wave[2 * f] * x + wave[2 * f + 1]);
      for (let k = 0; k < 3; k++) sums[k] += height * mix[3 * f + k];
    }
    return [x, ...sums];
  };
}
`,
  bins:
    `/** For each bin between edges how far the number is in it, 0 to 1; the first goes down to -3, the last up to 4. */
function bins(edges: readonly number[]): Column {
  const last = edges.length - 2;
  return (x) =>
    edges.slice(1).map((edge, k) => {
      const width = edge - edges[k];
      if (width === 0) return x < edge ? 0 : 1;
      return Math.max(k === 0 ? -3 : 0, Math.min(k === last ? 4 : 1, (x - edges[k]) / width));
    });
}
`,
  "one-hot":
    `/** A value for each name, 1 for its own. A name that training did not see is the mix of the training rows. */
function oneHot(names: number, mix: number[] = []): Column {
  return (code) => code < names ? Array.from({ length: names }, (_, name) => name === code ? 1 : 0) : mix;
}
`,
  rows: `/** A trained row for each name; the last is for names that training did not see. */
function rows(width: number, values: string): Column {
  const table = decode(values);
  return (code) => [...table.subarray(code * width, (code + 1) * width)];
}
`,
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
`,
  ReLU: `const relu: Layer = (x) => x.map((v) => v > 0 ? v : 0);\n`,
  LeakyReLU: `const leakyRelu = (slope: number): Layer => (x) => x.map((v) => v > 0 ? v : slope * v);\n`,
  Sigmoid: `const sigmoid: Layer = (x) => x.map((v) => 1 / (1 + Math.exp(-v)));\n`,
  Tanh: `const tanh: Layer = (x) => x.map((v) => Math.tanh(v));\n`,
  GELU: `const gelu: Layer = (x) =>
  x.map((v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))));
`,
};

const DECODE = `function decode(base64: string): Float32Array {
  const view = new DataView(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer);
  return Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
}
`;
