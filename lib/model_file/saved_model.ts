/**
 * Models as safetensors files: the weights under their names, and in the metadata all that predicting needs.
 *
 * @module
 */
import type { Device } from "../gpu/device.ts";
import { toRaw } from "../evaluate/evaluation.ts";
import type { Layer } from "../core/layers.ts";
import { type Loss, LOSSES } from "../core/losses.ts";
import { Model, type NamedParameter, parametersOf } from "../core/model.ts";
import { formatMetadata, type ModelMetadata, parseMetadata } from "./metadata.ts";
import { shorten, showJson } from "../base/printable.ts";
import { Predictor } from "../evaluate/predictor.ts";
import { readSafetensors, type StoredTensor, type StoredTensors, writeSafetensors } from "../safetensors/reader.ts";
import { encodedNames, nameRows } from "../data/table.ts";
import { formatShape, sameShape } from "../base/shape.ts";
import { checkFormat, FORMAT, inFile, parseMembers } from "./file_format.ts";
import { applyRule } from "./output_rule.ts";
import { columnsOf } from "./stored_columns.ts";
import { buildLayers, parseLayers } from "./stored_layers.ts";
import { Tensor } from "../core/tensor.ts";

/** What a model predicts, from what. */
export interface ModelDescription extends ModelMetadata {
  /** The loss it was trained with. */
  readonly loss: Loss;
}

/**
 * Writes a model; the file appears only once it is whole.
 *
 * @param path The file.
 * @param model Its weights and layers.
 * @param description What it predicts, from what.
 * @throws {TypeError} If the names in the description are not those of its table and scalers.
 */
export async function saveModel(path: string, model: Model, description: ModelDescription): Promise<void> {
  const { tensors, metadata } = await storeModel(model, description);
  await writeSafetensors(path, tensors, metadata);
}

/** What a file holds of a model; throws what {@linkcode saveModel} does. */
export async function storeModel(
  model: Model,
  description: ModelDescription,
): Promise<{ tensors: Record<string, StoredTensor>; metadata: Record<string, string> }> {
  const metadata = formatMetadata(description, description.loss.kind);
  const values = await model.read();
  const tensors = Object.fromEntries(model.parameters.map(({ name, parameter }) => [
    name,
    { shape: [...parameter.shape], data: values[name] as Float32Array<ArrayBuffer> },
  ]));
  const layers = JSON.stringify(model.layers.map(({ kind, settings }) => settings ? { kind, ...settings } : kind));
  const members: Record<string, string> = model.members > 1 ? { members: `${model.members}` } : {};
  return { tensors, metadata: { format: FORMAT, layers, ...members, ...metadata } };
}

/**
 * A model from a file, ready to predict from encoded rows; {@linkcode encodeModel} shows one.
 */
export class SavedModel implements Disposable {
  /** The network. */
  readonly model: Model;
  /** What it predicts, from what. */
  readonly description: ModelDescription;

  /**
   * Puts a network and its description together; {@linkcode SavedModel.load} reads both from a file.
   */
  constructor(model: Model, description: ModelDescription) {
    this.model = model;
    this.description = description;
  }

  /**
   * Reads a model.
   *
   * @param device Where it will run.
   * @param path A file that {@linkcode saveModel} wrote.
   * @throws {DataError} If the file is no such model, or its weights do not fit its layers.
   * @throws {Deno.errors.NotFound} If there is no such file.
   */
  static async load(device: Device, path: string): Promise<SavedModel> {
    return SavedModel.fromStored(device, await readSafetensors(path), path);
  }

  /**
   * Puts a model on a device.
   *
   * @param device Where it will run.
   * @param stored What its file holds.
   * @param path The file, for the errors.
   * @throws {DataError} If it is no model, or its weights do not fit its layers.
   */
  static fromStored(device: Device, stored: StoredTensors, path: string): SavedModel {
    const { description, layers } = parseStored(stored, path);
    const model = new Model(device, layers); // a RangeError is the device's: the file may be too large for it
    try {
      inFile(path, () => loadTensors(model, stored.tensors));
    } catch (error) {
      model.dispose();
      throw error;
    }
    return new SavedModel(model, description);
  }

  /**
   * Predicts in raw units.
   *
   * @param rows Inputs [n, features] in raw units, row by row.
   * @param firstRow Number of the first of them, for messages: where they are a block of more.
   * @returns Targets [n, targets] in raw units, or probabilities, row by row.
   * @throws {TypeError} If the length is not a multiple of the number of features.
   * @throws {RangeError} If an input, scaled, or a prediction is beyond float32.
   */
  async predict(rows: ArrayLike<number>, firstRow: number = 1): Promise<Float64Array> {
    return (await this.predictEach(rows, firstRow)).predicted;
  }

  /** The same, with what each member puts out [members * n, targets], without the rule: intervals take both. */
  async predictEach(
    rows: ArrayLike<number>,
    firstRow: number = 1,
  ): Promise<{ predicted: Float64Array; own: Float32Array }> {
    const { scalers, targets, loss } = this.description;
    const { output, own } = await this.outputsEach(rows, firstRow);
    const predicted = toRaw(output, loss, scalers.targets);
    checkFinite("prediction", predicted, predicted, targets, firstRow);
    return { predicted, own };
  }

  /**
   * What the network puts out, with the rule of the model: scaled targets, clipped, or logits, divided by the temperature; of
   * several members one output. An evaluation takes it.
   *
   * @param rows Inputs [n, features] in raw units, row by row.
   * @param firstRow Number of the first of them, for messages.
   * @returns Outputs [n, targets], row by row.
   * @throws {TypeError} If the length is not a multiple of the number of features.
   * @throws {RangeError} If an input, scaled, is beyond float32.
   */
  async outputs(rows: ArrayLike<number>, firstRow: number = 1): Promise<Float32Array | Float64Array> {
    return (await this.outputsEach(rows, firstRow)).output;
  }

  /** The same, with what each member puts out [members * n, targets], without the rule. */
  async outputsEach(
    rows: ArrayLike<number>,
    firstRow: number = 1,
  ): Promise<{ output: Float32Array | Float64Array; own: Float32Array }> {
    const { scalers, features, loss, output: rule = {} } = this.description;
    const scaled = Float32Array.from(scalers.inputs.transform(rows));
    const count = scaled.length / features.length;
    checkFinite("input", scaled, rows, features, firstRow);
    using x = Tensor.from(this.model.device, scaled, [count, features.length]);
    using predictor = new Predictor(this.model, features.length, count, loss.kind);
    const { output, own } = await predictor.predictEach(x);
    return { output: applyRule(output, rule, scalers.targets), own };
  }

  /** Frees the network. */
  dispose(): void {
    this.model.dispose();
  }

  /** The same as {@linkcode SavedModel.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * Gives a model the weights of a file: of a run, or any safetensors file with the same names and shapes.
 *
 * @param model The model; it stays as it is where the file does not fit.
 * @param path The file.
 * @throws {DataError} If names or shapes differ from the model's, with all differences; or a weight is not finite.
 * @throws {Deno.errors.NotFound} If there is no such file.
 *
 * @example
 * ```ts
 * import { Device, Linear, loadWeights, Model, writeSafetensors } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using model = new Model(device, [new Linear(1, 1)]);
 * await Deno.mkdir("data", { recursive: true });
 * const [weight, bias] = [{ shape: [1, 1], data: Float32Array.of(2) }, { shape: [1], data: Float32Array.of(-1) }];
 * await writeSafetensors("data/weights.safetensors", { "0.weight": weight, "0.bias": bias });
 * await loadWeights(model, "data/weights.safetensors");
 * assertEquals(await model.read(), { "0.weight": weight.data, "0.bias": bias.data });
 * await Deno.remove("data/weights.safetensors");
 * ```
 */
export async function loadWeights(model: Model, path: string): Promise<void> {
  const { tensors } = await readSafetensors(path);
  const load = () => {
    checkWeights(tensors);
    loadTensors(model, tensors);
  };
  inFile(path, load, "the weights do not fit this network");
}

/** A fault lists every name and shape that differs. */
function checkShapes(parameters: readonly NamedParameter[], tensors: ReadonlyMap<string, StoredTensor>): void {
  const faults = parameters.flatMap(({ name, parameter }) => {
    const { shape } = tensors.get(name) ?? {};
    if (!shape) return [`${name} ${formatShape(parameter.shape)} is missing`];
    return sameShape(shape, parameter.shape)
      ? []
      : [`${name} is ${formatShape(shape)}, its layer takes ${formatShape(parameter.shape)}`];
  });
  const known = new Set(parameters.map(({ name }) => name));
  for (const name of tensors.keys()) if (!known.has(name)) faults.push(`${shorten(name)} is unknown`);
  if (faults.length > 0) throw new TypeError(faults.join("; "));
}

function loadTensors(model: Model, tensors: ReadonlyMap<string, StoredTensor>): void {
  checkShapes(model.parameters, tensors);
  model.load(Object.fromEntries([...tensors].map(([name, { data }]) => [name, data])));
}

function checkFinite(
  what: string,
  computed: ArrayLike<number>,
  shown: ArrayLike<number>,
  columns: readonly string[],
  firstRow: number,
): void {
  for (let i = 0; i < computed.length; i++) {
    if (Number.isFinite(computed[i])) continue;
    const row = firstRow + Math.floor(i / columns.length);
    const column = columns[i % columns.length];
    const place = `row ${row}, column ${JSON.stringify(column)}`;
    throw new RangeError(`Cannot predict: the ${what} ${shown[i]} in ${place} is beyond the range of float32`);
  }
}

/**
 * What a file holds: the description of a model, and its layers, which fit each other, the description and the file's tensors.
 *
 * @throws {DataError} If it is no model, or its weights do not fit its layers.
 */
export function parseStored(
  { tensors, metadata }: StoredTensors,
  path: string,
): { description: ModelDescription; layers: Layer[] } {
  checkFormat(metadata, path);
  return inFile(path, () => {
    const description = parseDescription(metadata);
    const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
    const layers = buildLayers(parseLayers(metadata), shapes, parseMembers(metadata));
    checkEnds(layers, description);
    // Before the device is asked for memory: a tensor of no values may claim any shape.
    checkShapes(parametersOf(layers), tensors);
    checkWeights(tensors);
    return { description, layers };
  });
}

/** What a file's texts say of its model, as {@linkcode parseMetadata} reads them, with the loss. */
function parseDescription(metadata: Readonly<Record<string, string>>): ModelDescription {
  if (!Object.hasOwn(LOSSES, metadata.loss)) throw new SyntaxError(`its loss is ${showJson(metadata.loss)}`);
  return { ...parseMetadata(metadata), loss: LOSSES[metadata.loss as keyof typeof LOSSES] };
}

/** Whether the layers take what the table's columns become, and give what is predicted. */
function checkEnds(layers: readonly Layer[], { table, features, targets }: ModelDescription): void {
  const outputs = layers.reduce((width, layer) => layer.outputSize(width), features.length);
  if (outputs !== targets.length) throw new TypeError(`${targets.length} targets, but layers for ${outputs}`);
  const [first, ...others] = layers;
  if (others.some((layer) => columnsOf(layer))) {
    throw new TypeError("a TableEmbedding is not its first layer");
  }
  const expected = table.inputs.flatMap((column) => {
    if (column.kind !== "categorical") return encodedNames([column]).map(() => A_NUMBER);
    return namesOf(nameRows(column), column.shares !== undefined);
  });
  const found =
    columnsOf(first)?.map((column) =>
      column.kind === "number" ? A_NUMBER : namesOf(column.names, column.shares !== undefined)
    ) ?? features.map(() => A_NUMBER);
  const odd = found.findIndex((kind, i) => kind !== expected[i]);
  if (odd === -1) return;
  throw new TypeError(`input ${showJson(features[odd])} is ${expected[odd]}, but its first layer takes ${found[odd]}`);
}

const A_NUMBER = "a number";

function namesOf(count: number, hasShares: boolean): string {
  return `the number of one of ${count} names ${hasShares ? "with" : "without"} shares`;
}

function checkWeights(tensors: ReadonlyMap<string, StoredTensor>): void {
  for (const [name, { data }] of tensors) {
    const odd = data.find((value) => !Number.isFinite(value));
    if (odd !== undefined) throw new SyntaxError(`${name} holds ${odd}`);
  }
}
