/** A model from a file: whether it fits the page, and its settings. */

import { DataError } from "../../lib/base/errors.ts";
import { showJson } from "../../lib/base/printable.ts";
import { encodedNames } from "../../lib/data/table.ts";
import { parseTable } from "../../lib/data/table_json.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { checkFormat, inFile, parseMembers } from "../../lib/model_file/file_format.ts";
import { outputNames } from "../../lib/model_file/metadata.ts";
import { SavedModel } from "../../lib/model_file/saved_model.ts";
import { parseLayers } from "../../lib/model_file/stored_layers.ts";
import { parseBoundedJson } from "../../lib/safetensors/bounded_json.ts";
import { decodeSafetensors } from "../../lib/safetensors/bytes.ts";
import type { Rows } from "./datasets.ts";
import { canWalk } from "./ops_walk.ts";
import { ACTIVATION_NAMES, READERS, type Settings } from "./settings.ts";

/**
 * A model from the bytes of its file.
 *
 * @throws {DataError} If they are no model, or one of a kind that the page does not show.
 */
export function decodeGiven(device: Device, bytes: Uint8Array, file: string): SavedModel {
  const stored = decodeSafetensors(bytes, file);
  checkFormat(stored.metadata, file);
  // First, because the page has no code for what only models of tables have.
  checkKind(stored.metadata, file);
  return SavedModel.fromStored(device, stored, file);
}

/**
 * Refuses a model of another kind than the page shows, by what its file says of it.
 *
 * @throws {DataError} With all that is of another kind, and what to do.
 */
export function checkKind(metadata: Readonly<Record<string, string>>, file: string): void {
  const { inputs, members, layers } = inFile(file, () => ({
    inputs: parseTable(parseBoundedJson(metadata.table ?? "null")).inputs.filter(({ kind }) => kind !== "numeric").map((
      { name },
    ) => name),
    members: parseMembers(metadata),
    layers: [...new Set(parseLayers(metadata).map(({ kind }) => kind).filter((kind) => !canWalk(kind)))],
  }));
  const reasons: string[] = [];
  if (inputs.length > 0) reasons.push(`its inputs ${inputs.join(", ")} are dates or categories`);
  if (members > 1) reasons.push(`it has ${members} members`);
  if (layers.length > 0) reasons.push(`it has the layers ${layers.map(showJson).join(", ")}`);
  if (reasons.length === 0) return;
  const shown = "the playground continues one network of numbers, of Linear layers and activations";
  const advice = "train one on numbers alone, with --members 1 --numeric-embedding none --dropout 0";
  throw new DataError(`${reasons.join("; ")}: ${shown}; ${advice}`, { file });
}

/**
 * Refuses a model that cannot be trained with these rows.
 *
 * @throws {DataError} If its columns, classes or loss differ.
 */
export function checkFit({ description }: SavedModel, { table, loss }: Rows, file: string): void {
  const wanted = [...encodedNames(table.inputs), "→", ...outputNames(table.target, loss)].join(" ");
  const found = [...description.features, "→", ...description.targets].join(" ");
  const classes = ({ target }: typeof table) => target.kind === "classes" ? target.classes.join(" ") : "";
  if (found !== wanted) {
    throw new DataError(`it predicts ${found}, but this dataset has ${wanted}: choose its dataset first`, { file });
  }
  if (classes(description.table) !== classes(table) || description.loss.kind !== loss) {
    const say = (classes: string, loss: string) => `${classes ? `classes ${classes} ` : ""}with the loss ${loss}`;
    const its = say(classes(description.table), description.loss.kind);
    const own = say(classes(table), loss);
    throw new DataError(`it predicts ${its}, but this dataset ${own}`, { file });
  }
}

/** The page's settings, with the layers, seed and batch size of the model. */
export function settingsOf({ model, description }: SavedModel, settings: Settings): Settings {
  const widths = model.parameters.filter(({ parameter }) => parameter.shape.length === 2)
    .map(({ parameter }) => parameter.shape[1]);
  // "leaky-relu" is the setting of LeakyReLU.
  const nameOf = (kind: string) => ACTIVATION_NAMES.find((name) => name.replace("-", "") === kind.toLowerCase());
  const activations = model.layers.flatMap(({ kind }) => nameOf(kind) ?? []);
  const batchSize = READERS.batchSize.read(description.settings.batchSize ?? "") ?? settings.batchSize;
  return {
    ...settings,
    batchSize,
    hidden: widths.slice(0, -1),
    activation: activations[0] ?? settings.activation,
    seed: description.seed ?? settings.seed,
  };
}
