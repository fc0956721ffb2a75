/** Runs whose weights are given, for tests of what predict makes of rows. */

import { Device } from "../../../lib/gpu/device.ts";
import { Linear } from "../../../lib/core/layers.ts";
import { mse } from "../../../lib/core/losses.ts";
import { Model } from "../../../lib/core/model.ts";
import { saveModel } from "../../../lib/model_file/saved_model.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import { encodedNames, type InputColumn, type Table } from "../../../lib/data/table.ts";
import type { Workplace } from "../../support/run_task_process.ts";

/** What is particular about a run. */
interface HandRun {
  readonly inputs: readonly InputColumn[];
  /** One for each of the network's inputs. */
  readonly weights: readonly number[];
  /** Name, mean and deviation of the target; the network's output is scaled by them. */
  readonly target?: readonly [name: string, mean: number, deviation: number];
  readonly missingTexts?: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
}

/** Puts a run there that adds up its inputs, each times its weight. */
export async function putHandRun(place: Workplace, name: string, run: HandRun): Promise<void> {
  const { inputs, weights, missingTexts, settings = {}, target: [target, mean, deviation] = ["y", 0, 1] } = run;
  using device = await Device.request();
  using model = new Model(device, [new Linear(weights.length, 1)]);
  model.load({ "0.weight": weights.map((weight) => [weight]), "0.bias": new Float32Array(1) });
  const features = encodedNames(inputs);
  const scalers = {
    inputs: new Scaler("none", features.map((name) => ({ name, min: 0, max: 1, mean: 0, deviation: 1 }))),
    targets: new Scaler("standardize", [{ name: target, min: mean, max: mean + 1, mean, deviation }]),
  };
  const table: Table = { inputs, target: { kind: "numeric", names: [target] }, missing: "mean", missingTexts };
  await place.write(`data/runs/${name}/config.json`, "{}\n");
  const path = place.at(`data/runs/${name}/model.safetensors`);
  await saveModel(path, model, { table, features, targets: [target], scalers, loss: mse, settings, baseline: [mean] });
}
