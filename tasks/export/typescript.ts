/** A model as a TypeScript file without imports: weights inline, rows and predictions typed by the columns. */

import type { InputColumn } from "../../lib/data/table.ts";
import { dateExample, type ExportedModel, indent, literal, type Scaling } from "./exported_model.ts";
import { encodingOf } from "./typescript_cells.ts";
import { networkOf } from "./typescript_network.ts";
import { outputOf } from "./typescript_output.ts";

export function writeTypeScript(model: ExportedModel, fileName: string): string {
  return [
    headOf(model, fileName),
    rowType(model.inputs),
    predictionType(model.output),
    encodingOf(model),
    scalingOf(model.scalings),
    networkOf(model),
    predictOf(model),
    outputOf(model),
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

function scalingOf(scalings: readonly Scaling[]): string {
  const isBent = scalings.some(({ clip }) => clip !== undefined);
  const lines = scalings.map(({ shift, factor, clip }) => {
    return `{ shift: ${shift}, factor: ${factor}${clip === undefined ? "" : `, clip: ${clip}`} },`;
  });
  const type = `readonly { shift: number; factor: number${isBent ? "; clip?: number" : ""} }[]`;
  const scale = isBent
    ? `/** (raw - shift) / factor; of that, x, with a clip x / sqrt(1 + (x / clip)^2), so that far values end at the clip. */
function scale(raw: number, i: number): number {
  const { shift, factor, clip } = INPUT_SCALINGS[i];
  const x = (raw - shift) / factor;
  return clip === undefined ? x : clip * Math.sign(x) / Math.sqrt(1 + (clip / x) ** 2);
}
`
    : `function scale(raw: number, i: number): number {
  const { shift, factor } = INPUT_SCALINGS[i];
  return (raw - shift) / factor;
}
`;
  return `const INPUT_SCALINGS: ${type} = [\n${indent(lines, 2)}];\n\n${scale}`;
}

function predictOf({ output }: ExportedModel): string {
  return `/**
 * Predicts ${output.kind === "classes" ? "the class" : "the targets"} of a row.
 *
 * @throws {TypeError} If a cell is missing and has no fill value, or is not what it should be; if a column is unknown.
 */
export function predict(row: Row): Prediction {
  // Networks take float32.
  const inputs = encode(row).map((raw, i) => Math.fround(scale(raw, i)));
  return toPrediction(NETWORKS.map((layers) => layers.reduce((x, layer) => layer(x), inputs)));
}
`;
}
