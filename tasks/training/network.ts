/** The device and the network of a training, and whether both suit the settings. */

import { MAX_SEED, Random } from "../../lib/base/random.ts";
import { multilayerPerceptron } from "../../lib/core/layers.ts";
import { Model } from "../../lib/core/model.ts";
import { isSmallStep } from "../../lib/gpu/adapter.ts";
import { Device } from "../../lib/gpu/device.ts";
import { loadWeights } from "../../lib/model_file/saved_model.ts";
import { ALONE, type Communicator } from "../../lib/ranks/communicator.ts";
import { type DatasetState, datasetState } from "../prepare/generate.ts";
import type { RunCheckpoint } from "../runs/checkpoints.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { settingAt } from "../settings/faults.ts";
import { recipeOf } from "../settings/recipes.ts";
import { fromUsersFolder } from "../settings/users_files.ts";
import type { RunView } from "../show/view.ts";
import { refuseWrongKernels } from "./kernel_checks.ts";
import { productsOf } from "./products.ts";
import { batchRows, checkRows, type Rows } from "./rows.ts";
import { columnDropoutOf, embeddingOf } from "./table_columns.ts";

interface NetworkRequest {
  readonly config: TaskConfig;
  readonly view: RunView;
  /** The rows of the user's own table; undefined for a recipe, whose columns are known. */
  readonly table?: Rows;
  /** What there is of a recipe's dataset; looked up if left out. */
  readonly made?: DatasetState;
  /** Where the weights come from later, and then from nowhere else. */
  readonly checkpoint?: RunCheckpoint;
  readonly threads?: number;
  readonly communicator?: Communicator;
}

export interface Network {
  readonly model: Model;
  /** Values in a row, then those that each layer with weights makes of it. */
  readonly widths: readonly number[];
}

/**
 * Puts the network on the GPU, with the weights that it starts from; the stack frees it. Nothing of the run is written before
 * this.
 *
 * @throws {ConfigError} If the settings do not suit the rows that there will be, or the device.
 */
export async function openNetwork(stack: DisposableStack, request: NetworkRequest): Promise<Network> {
  const { config, view, table, checkpoint, threads, communicator = ALONE } = request;
  const { features, targets } = table?.dataset ?? recipeOf(config.recipe);
  const { hiddenSize, activation, dropout, init, seed, members } = config;
  const { table: columns, scalers } = table?.dataset ?? {};
  const given = { table: columns, scaler: scalers?.inputs, count: features.length };
  const embedding = embeddingOf(given, config);
  const inputs = embedding?.outputs ?? features.length;
  const widths = [features.length, ...(embedding ? [inputs] : []), ...hiddenSize, targets.length];
  const weights = widths.slice(1).reduce((sum, width, i) => sum + width * widths[i], 0);
  // A hint for the device, which needs no exact number.
  const rows = table?.dataset.parts.train.rows ?? config.numDataset * config.split[0];
  const batch = batchRows(config, rows);
  const smallDispatches = isSmallStep(members * batch / communicator.size, weights);
  const origin = checkpoint?.notes.origin;
  const { products, keep } = smallDispatches ? {} : await productsOf({ view, origin, threads });
  const device = stack.use(await Device.request({ smallDispatches, threads, products }));
  if (config.selfTest) refuseWrongKernels(device, view);
  else view.note(`device: ${device.name}; its kernels were not checked`);
  if (!table) checkRows(config, device.limits, request.made ?? await datasetState(config));
  // Each rank has rows of its own, and so masks of its own.
  const masks = { dropout, seed: (seed + communicator.rank) % (MAX_SEED + 1) };
  const perceptron = multilayerPerceptron(inputs, hiddenSize, targets.length, { activation, members, ...masks });
  const columnDropout = columnDropoutOf(given, embedding?.widths, config, masks.seed);
  const layers = [...(embedding ? [embedding] : []), ...(columnDropout ? [columnDropout] : []), ...perceptron];
  let model: Model;
  try {
    model = stack.use(new Model(device, layers, { init, random: new Random(seed, "weights") }));
  } catch (error) {
    // All settings are checked by now; only the widths can still be more than the device has room for.
    if (!(error instanceof RangeError)) throw error;
    const less = members > 1 ? `: take a smaller HIDDEN_SIZE, or fewer MEMBERS than ${members}` : "";
    throw new ConfigError([`${settingAt("HIDDEN_SIZE", config)}: ${error.message}${less}`]);
  }
  if (config.initFrom !== "" && !checkpoint) await loadWeights(model, fromUsersFolder(config.initFrom));
  await keep?.(); // no setting is refused any more
  return { model, widths };
}
