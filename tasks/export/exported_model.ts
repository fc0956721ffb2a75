/** What every export is made from: a trained network with all that lies between raw columns and raw predictions. */

import { DataError } from "../../lib/base/errors.ts";
import type { ModelMetadata } from "../../lib/model_file/metadata.ts";
import { showJson } from "../../lib/base/printable.ts";
import { readSafetensors, type StoredTensors } from "../../lib/safetensors/reader.ts";
import { FORMAT, parseDescription } from "../../lib/model_file/saved_model.ts";
import { buildUnweighted, parseLayers } from "../../lib/model_file/stored_layers.ts";
import { formatShape } from "../../lib/base/shape.ts";
import { encodedNames, type InputColumn } from "../../lib/data/table.ts";

/** How a column is scaled: scaled = (raw - shift) / factor. */
export interface Scaling {
  shift: number;
  factor: number;
}

/** A fully connected layer: y = x · weight + bias. */
export interface ExportedLinear {
  kind: "Linear";
  inputs: number;
  outputs: number;
  /** [inputs, outputs], row by row. */
  weight: Float32Array<ArrayBuffer>;
  bias: Float32Array<ArrayBuffer>;
}

/** A layer with its weights; GELU is the one by tanh. */
export type ExportedLayer =
  | ExportedLinear
  | { kind: "ReLU" | "Sigmoid" | "Tanh" | "GELU" }
  | { kind: "LeakyReLU"; slope: number }
  | { kind: "Dropout"; rate: number };

/** What becomes of the network's outputs. */
export type ExportedOutput =
  /** Raw = output * factor + shift, one output per name. */
  | { kind: "numbers"; names: readonly string[]; scalings: readonly Scaling[] }
  /** The sigmoid of each output. */
  | { kind: "probabilities"; names: readonly string[] }
  /** The softmax of all outputs; where two classes have a single output, its sigmoid is the second's probability. */
  | { kind: "classes"; name: string; classes: readonly string[]; outputs: number };

/** A trained network, its inputs and its outputs. */
export interface ExportedModel {
  /** The run it comes from. */
  name: string;
  /** The raw columns, in order. */
  inputs: readonly InputColumn[];
  /** Scaling of each encoded column. */
  scalings: readonly Scaling[];
  layers: readonly ExportedLayer[];
  output: ExportedOutput;
}

/**
 * Reads the model of a run.
 *
 * @throws {DataError} If the file is no such model, or does not fit together.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export async function readExportedModel(name: string, path: string): Promise<ExportedModel> {
  const stored = await readSafetensors(path);
  if (stored.metadata.format !== FORMAT) throw new DataError("this is no model of `deno task train`", { file: path });
  try {
    return describe(name, stored);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError)) throw error;
    throw new DataError(`the model does not fit together: ${error.message}`, { file: path }, { cause: error });
  }
}

/** How many of the network's inputs the columns take. */
export function encodedWidth(inputs: readonly InputColumn[]): number {
  return encodedNames(inputs).length;
}

function describe(name: string, { metadata, tensors }: StoredTensors): ExportedModel {
  const model = parseDescription(metadata);
  const described = parseLayers(metadata).map((layer, i) => describeLayer(layer, i, tensors));
  const outputs = countOutputs(described, model.features.length);
  if (outputs !== model.targets.length) {
    throw new TypeError(`${model.targets.length} targets, but layers for ${outputs}`);
  }
  const scalings = model.scalers.inputs.scalings;
  return {
    name,
    inputs: model.table.inputs,
    scalings,
    layers: described,
    output: describeOutput(model, metadata.loss),
  };
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
      throw new SyntaxError(`layer ${i} is of a kind that is not exported: ${showJson(kind)}`);
  }
}

/** How many outputs the layers have for so many inputs. */
function countOutputs(layers: readonly ExportedLayer[], inputs: number): number {
  return layers.reduce((width, layer) => {
    if (layer.kind !== "Linear") return width;
    if (layer.inputs !== width) throw new TypeError(`a Linear takes ${layer.inputs} values and gets ${width}`);
    return layer.outputs;
  }, inputs);
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
