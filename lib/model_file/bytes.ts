/**
 * Models as the bytes of their files, in memory: where there are no files, as in a browser.
 *
 * @module
 */
import type { Device } from "../gpu/device.ts";
import type { Model } from "../core/model.ts";
import { decodeSafetensors, encodeSafetensors } from "../safetensors/bytes.ts";
import { type ModelDescription, SavedModel, storeModel } from "./saved_model.ts";

/**
 * The bytes of a model's file.
 *
 * @returns What `saveModel` writes.
 * @throws {TypeError} If the names in the description are not those of its table and scalers.
 *
 * @example
 * ```ts
 * import { decodeModel, Device, encodeModel, Linear, Model, mse, numericTable, SavedModel, Scaler } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using model = new Model(device, [new Linear(1, 1)]);
 * model.load({ "0.weight": [[3]], "0.bias": [0] });
 * const none = (name: string) => new Scaler("none", [{ name, min: 0, max: 1, mean: 0, deviation: 1 }]);
 * const bytes = await encodeModel(model, {
 *   table: numericTable(["x"], ["y"]),
 *   features: ["x"],
 *   targets: ["y"],
 *   scalers: { inputs: none("x"), targets: none("y") },
 *   loss: mse,
 *   settings: {},
 * });
 * using saved: SavedModel = decodeModel(device, bytes);
 * assertEquals([...await saved.predict([5, 7])], [15, 21]);
 * ```
 */
export async function encodeModel(model: Model, description: ModelDescription): Promise<Uint8Array<ArrayBuffer>> {
  const { tensors, metadata } = await storeModel(model, description);
  return encodeSafetensors(tensors, metadata);
}

/**
 * A model from the bytes of its file.
 *
 * @param device Where it will run.
 * @param bytes All of a file that `saveModel` wrote, or what {@linkcode encodeModel} gave.
 * @param name What it is called in messages.
 * @throws {DataError} If the bytes are no such model, or its weights do not fit its layers.
 */
export function decodeModel(device: Device, bytes: Uint8Array, name: string = "the file"): SavedModel {
  return SavedModel.fromStored(device, decodeSafetensors(bytes, name), name);
}
