/** A model from a file: whether it fits the page, and its settings. */

import { DataError } from "../../lib/base/errors.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import { encodedNames } from "../../lib/data/table.ts";
import { outputNames } from "../../lib/model_file/metadata.ts";
import type { Rows } from "./datasets.ts";
import { canWalk } from "./ops_walk.ts";
import { ACTIVATION_NAMES, READERS, type Settings } from "./settings.ts";

/**
 * Refuses a model that cannot be trained with these rows.
 *
 * @throws {DataError} If its columns, classes, loss or layers differ.
 */
export function checkFit({ model, description }: SavedModel, { table, loss }: Rows, file: string): void {
  const others = description.table.inputs.filter(({ kind }) => kind !== "numeric").map(({ name }) => name);
  if (others.length > 0) {
    const problem = `its inputs ${
      others.join(", ")
    } are dates or categories: the playground continues models of numbers`;
    throw new DataError(problem, { file });
  }
  if (model.members > 1) {
    const problem = `it has ${model.members} members, and the playground shows one network: train with --members 1`;
    throw new DataError(problem, { file });
  }
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
  if (!canWalk(model.layers)) {
    const kinds = model.layers.map(({ kind }) => kind).join(", ");
    throw new DataError(`its layers are ${kinds}: the playground can show only Linear and activations`, { file });
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
