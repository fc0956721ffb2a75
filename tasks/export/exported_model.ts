/** What every export is made from: a trained network, and all that happens between raw columns and raw predictions. */

import { DataError } from "../../lib/base/errors.ts";
import type { ModelMetadata } from "../../lib/model_file/metadata.ts";
import { printable, showJson } from "../../lib/base/printable.ts";
import { readSafetensors, type StoredTensors } from "../../lib/safetensors/reader.ts";
import { checkFormat } from "../../lib/model_file/file_format.ts";
import { parseDescription } from "../../lib/model_file/saved_model.ts";
import { buildUnweighted, parseLayers } from "../../lib/model_file/stored_layers.ts";
import { formatShape } from "../../lib/base/shape.ts";
import { MISSING_TEXTS } from "../../lib/data/cells.ts";
import type { InputColumn } from "../../lib/data/table.ts";
import type { TableNotes } from "../../lib/data/table_notes.ts";
import { targetNames } from "../../lib/data/table_json.ts";

/** How a column is scaled: scaled = (raw - shift) / factor. */
export interface Scaling {
  shift: number;
  factor: number;
}

/** A layer with its weights. A Linear is y = x · weight + bias, its weight [inputs, outputs]; GELU is the one by tanh. */
export type ExportedLayer =
  | {
    kind: "Linear";
    inputs: number;
    outputs: number;
    weight: Float32Array<ArrayBuffer>;
    bias: Float32Array<ArrayBuffer>;
  }
  | { kind: "ReLU" | "Sigmoid" | "Tanh" | "GELU" }
  | { kind: "LeakyReLU"; slope: number }
  | { kind: "Dropout"; rate: number };

/** What happens to the network's outputs. */
export type ExportedOutput =
  /** Raw = output * factor + shift, one output per name. */
  | { kind: "numbers"; names: readonly string[]; scalings: readonly Scaling[] }
  /** The sigmoid of each output. */
  | { kind: "probabilities"; names: readonly string[] }
  /** The softmax of all outputs; if two classes have a single output, its sigmoid is the probability of the second. */
  | { kind: "classes"; name: string; classes: readonly string[]; outputs: number };

export interface ExportedModel {
  name: string;
  inputs: readonly InputColumn[];
  /** Texts that mean that a cell is missing, besides blank ones. */
  missingTexts: readonly string[];
  /** Columns that rows may have besides the inputs: what is predicted. */
  targets: readonly string[];
  scalings: readonly Scaling[];
  layers: readonly ExportedLayer[];
  output: ExportedOutput;
  /** What was made of the table that it was trained on. */
  notes?: TableNotes;
}

/**
 * Reads the model of a run.
 *
 * @throws {DataError} If the file is no such model, or does not fit together.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export async function readExportedModel(name: string, path: string): Promise<ExportedModel> {
  const stored = await readSafetensors(path);
  checkFormat(stored.metadata, path);
  try {
    return describe(name, stored);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError)) throw error;
    throw new DataError(`the model does not fit together: ${error.message}`, { file: path }, { cause: error });
  }
}

/** A text, number or list of them, as TypeScript and Python read it; characters that turn text around are escaped. */
export function literal(value: string | number | readonly (string | number)[]): string {
  return Array.isArray(value) ? `[${value.map(literal).join(", ")}]` : printable(JSON.stringify(value));
}

/** A date as a column's format writes it, for people: the last of January 2026, at noon. */
export function dateExample(format = "%Y-%m-%d"): string {
  return format.replaceAll(/%(.)/g, (_, piece) => EXAMPLES[piece]);
}

const EXAMPLES: Readonly<Record<string, string>> = {
  Y: "2026",
  y: "26",
  m: "01",
  b: "Jan",
  B: "January",
  d: "31",
  H: "12",
  I: "12",
  M: "00",
  S: "00",
  p: "PM",
  z: "+00:00",
};

/** Lines of code, each indented. */
export function indent(lines: readonly string[], spaces: number): string {
  return lines.map((line) => `${" ".repeat(spaces)}${line}\n`).join("");
}

function describe(name: string, { metadata, tensors }: StoredTensors): ExportedModel {
  const model = parseDescription(metadata);
  const layers = parseLayers(metadata).map((layer, i) => describeLayer(layer, i, tensors));
  const outputs = layers.reduce((width, layer) => {
    if (layer.kind !== "Linear") return width;
    if (layer.inputs !== width) throw new TypeError(`a Linear takes ${layer.inputs} values and gets ${width}`);
    return layer.outputs;
  }, model.features.length);
  if (outputs !== model.targets.length) {
    throw new TypeError(`${model.targets.length} targets, but layers for ${outputs}`);
  }
  const { inputs, target, missingTexts = MISSING_TEXTS } = model.table;
  const { scalings } = model.scalers.inputs;
  const output = describeOutput(model, metadata.loss);
  const { notes } = model;
  return { name, inputs, missingTexts, targets: targetNames(target), scalings, layers, output, notes };
}

function describeLayer(
  { kind, ...settings }: ReturnType<typeof parseLayers>[number],
  i: number,
  tensors: StoredTensors["tensors"],
): ExportedLayer {
  // Refuses settings as loading does.
  if (kind !== "Linear") buildUnweighted(`layer ${i}`, kind, settings);
  switch (kind) {
    case "Linear": {
      const weight = tensors.get(`${i}.weight`);
      const bias = tensors.get(`${i}.bias`);
      const isBias = bias?.shape.length === 1 && bias.shape[0] === weight?.shape[1];
      if (weight?.shape.length !== 2 || !isBias) {
        const [w, b] = [weight, bias].map((found) => found ? formatShape(found.shape) : "missing");
        throw new TypeError(`${i}.weight is ${w} and ${i}.bias ${b}, need [in, out] and [out]`);
      }
      const isOdd = (value: number) => !Number.isFinite(value);
      const odd = weight.data.find(isOdd) ?? bias.data.find(isOdd);
      if (odd !== undefined) throw new SyntaxError(`layer ${i} holds ${odd}`);
      return { kind, inputs: weight.shape[0], outputs: weight.shape[1], weight: weight.data, bias: bias.data };
    }
    case "ReLU":
    case "Sigmoid":
    case "Tanh":
    case "GELU":
      return { kind };
    case "LeakyReLU":
      return { kind, slope: settings.slope as number };
    case "Dropout":
      return { kind, rate: settings.rate as number };
    default:
      throw new SyntaxError(`layer ${i} cannot be exported: it is of the kind ${showJson(kind)}`);
  }
}

function describeOutput({ table: { target }, targets, scalers }: ModelMetadata, loss: string): ExportedOutput {
  if (target.kind === "classes") {
    return { kind: "classes", name: target.name, classes: target.classes, outputs: targets.length };
  }
  // Shares as numeric targets: the names are those of the classes.
  if (loss === "softmax") return { kind: "classes", name: "class", classes: targets, outputs: targets.length };
  if (loss === "bce") return { kind: "probabilities", names: targets };
  return { kind: "numbers", names: targets, scalings: scalers.targets.scalings };
}
