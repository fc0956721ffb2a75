/** What every export is made from: a trained network with all that lies between raw columns and raw predictions. */

import { DataError } from "../../lib/errors.ts";
import { readSafetensors, type StoredTensors } from "../../lib/safetensors.ts";
import { Scaler } from "../../lib/scaler.ts";
import { encodedNames, type InputColumn } from "../../lib/table.ts";

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

/** Cells that are missing values. */
export const MISSING_CELLS = ["", "NA", "NaN", "null"];

/**
 * Reads the model of a run.
 *
 * @param name The run's name.
 * @param path Its model.safetensors.
 * @returns The model.
 * @throws {DataError} If the file is no such model, or does not fit together.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export async function readExportedModel(name: string, path: string): Promise<ExportedModel> {
  const stored = await readSafetensors(path);
  if (!/^backhand model [12]$/.test(stored.metadata.format)) {
    throw new DataError("this is no model of `deno task train`", { file: path });
  }
  try {
    return describe(name, stored);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError)) throw error;
    throw new DataError(`the model does not fit together: ${error.message}`, { file: path }, { cause: error });
  }
}

/** The network's inputs, one number for each. */
export function encodedWidth(inputs: readonly InputColumn[]): number {
  return encodedNames(inputs).length;
}

function describe(name: string, { metadata, tensors }: StoredTensors): ExportedModel {
  const features: string[] = JSON.parse(metadata.features), targets: string[] = JSON.parse(metadata.targets);
  const scalers = JSON.parse(metadata.scaler);
  const table = metadata.table === undefined ? undefined : JSON.parse(metadata.table);
  const inputs: InputColumn[] = table?.inputs ?? features.map((name) => ({ kind: "numeric", name }));
  const scalings = Scaler.fromJSON(scalers.inputs).scalings;
  const layers = JSON.parse(metadata.layers).map((layer: unknown, i: number) => describeLayer(layer, i, tensors));
  const outputs = checkWidths(layers, encodedWidth(inputs));
  const output = describeOutput(metadata.loss, targets, Scaler.fromJSON(scalers.targets), table?.target, outputs);
  const counts = [scalings.length, outputs];
  if (counts[0] !== encodedWidth(inputs) || counts[1] !== targets.length) {
    throw new TypeError(
      `${encodedWidth(inputs)} inputs and ${targets.length} targets, but scalers and layers for ${counts}`,
    );
  }
  return { name, inputs, scalings, layers, output };
}

function describeLayer(layer: unknown, i: number, tensors: StoredTensors["tensors"]): ExportedLayer {
  const { kind, slope, rate } = typeof layer === "string" ? { kind: layer } as Record<string, unknown> : Object(layer);
  switch (kind) {
    case "Linear": {
      const weight = tensors.get(`${i}.weight`), bias = tensors.get(`${i}.bias`);
      if (weight?.shape.length !== 2 || bias?.data.length !== weight.shape[1]) {
        throw new TypeError(`${i}.weight is [${weight?.shape}] and ${i}.bias is [${bias?.shape}]`);
      }
      return { kind, inputs: weight.shape[0], outputs: weight.shape[1], weight: weight.data, bias: bias.data };
    }
    case "ReLU":
    case "Sigmoid":
    case "Tanh":
    case "GELU":
      return { kind };
    case "LeakyReLU":
      return { kind, slope: checkNumber(kind, "slope", slope) };
    case "Dropout":
      return { kind, rate: checkNumber(kind, "rate", rate) };
    default:
      throw new SyntaxError(`layer ${i} is of the unknown kind ${JSON.stringify(kind)}`);
  }
}

function checkNumber(kind: string, name: string, value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new SyntaxError(`the ${name} of a ${kind} is ${JSON.stringify(value)}`);
}

/** How many outputs the layers have for so many inputs. */
function checkWidths(layers: readonly ExportedLayer[], inputs: number): number {
  return layers.reduce((width, layer) => {
    if (layer.kind !== "Linear") return width;
    if (layer.inputs !== width) throw new TypeError(`a Linear takes ${layer.inputs} values and gets ${width}`);
    return layer.outputs;
  }, inputs);
}

function describeOutput(
  loss: string,
  targets: readonly string[],
  scaler: Scaler,
  target: { kind: string; name: string; classes: string[] } | undefined,
  outputs: number,
): ExportedOutput {
  if (loss === "softmax" || target?.kind === "classes") {
    return { kind: "classes", name: target?.name ?? "class", classes: target?.classes ?? targets, outputs };
  }
  if (loss === "bce") return { kind: "probabilities", names: targets };
  return { kind: "numbers", names: targets, scalings: scaler.scalings };
}
