/** Runs whose weights are given, for tests of what predict makes of rows. */

import { Device } from "../../../lib/gpu/device.ts";
import { Linear } from "../../../lib/core/layers.ts";
import { mse } from "../../../lib/core/losses.ts";
import { Model } from "../../../lib/core/model.ts";
import { saveModel } from "../../../lib/model_file/saved_model.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import { encodedNames, type InputColumn, nameRows, type Table } from "../../../lib/data/table.ts";
import { type EmbeddedColumn, TableEmbedding } from "../../../lib/tabular/table_embedding.ts";
import type { Workplace } from "../../support/run_task_process.ts";

/** What is particular about a run. */
interface HandRun {
  readonly inputs: readonly InputColumn[];
  /** One for each number, and for each name that a column has a row of weights for. */
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
  const linear = new Linear(weights.length, 1);
  const columns = inputs.flatMap((column): EmbeddedColumn[] =>
    column.kind === "categorical"
      ? [{ kind: "names", names: nameRows(column), shares: column.shares }]
      : encodedNames([column]).map(() => ({ kind: "number" }))
  );
  const layers = columns.some(({ kind }) => kind === "names") ? [new TableEmbedding({ columns }), linear] : [linear];
  using model = new Model(device, layers);
  const [weight, bias] = model.parameters.map(({ name }) => name);
  model.load({ [weight]: weights.map((value) => [value]), [bias]: new Float32Array(1) });
  const features = encodedNames(inputs);
  const statistics = features.map((name, i) => {
    const column = columns[i];
    const own = { name, min: 0, max: 1, mean: 0, deviation: 1 };
    return column.kind === "names" ? { ...own, names: column.names } : own;
  });
  const scalers = {
    inputs: new Scaler("none", statistics),
    targets: new Scaler("standardize", [{ name: target, min: mean, max: mean + 1, mean, deviation }]),
  };
  const table: Table = { inputs, target: { kind: "numeric", names: [target] }, missing: "mean", missingTexts };
  await place.write(`data/runs/${name}/config.json`, "{}\n");
  const path = place.at(`data/runs/${name}/model.safetensors`);
  await saveModel(path, model, { table, features, targets: [target], scalers, loss: mse, settings, baseline: [mean] });
}
