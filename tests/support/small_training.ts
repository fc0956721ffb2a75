/** A small network in training on random rows, and all that has to be freed with it. */

import { ArrayRows, type RowSource } from "../../lib/data/row_source.ts";
import { type Layer, Linear, ReLU } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import {
  createOptimizer,
  type Optimizer,
  type OptimizerName,
  type OptimizerOptions,
} from "../../lib/core/optimizers.ts";
import type { Tensor } from "../../lib/core/tensor.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import type { TrainerSettings } from "../../lib/training/trainer_options.ts";
import { bits, randomMatrix, upload } from "./gpu_test_case.ts";

/** What a test may change of a {@linkcode smallTraining}. */
export interface SmallTrainingOptions extends Partial<Omit<TrainerSettings, "model" | "optimizer">> {
  rows?: number;
  inputs?: number;
  targets?: number;
  /** Rows on the GPU, instead of random ones. */
  x?: Tensor;
  y?: Tensor;
  layers?: Layer[];
  optimizer?: OptimizerName;
  optimizerOptions?: OptimizerOptions;
  learningRate?: number;
  /** Rows of a window; without it, and without a source, all rows lie on the GPU. */
  windowRows?: number;
  source?: RowSource;
}

export interface SmallTraining extends Disposable {
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly trainer: Trainer;
}

/** Random rows, by default with two inputs and one target. */
export function randomRows(rows: number, inputs = 2, targets = 1): ArrayRows {
  const values = (columns: number, seed: number) => Float32Array.from(randomMatrix(rows, columns, seed).data);
  return new ArrayRows(values(inputs, 1), values(targets, 2), inputs);
}

/** By default 23 rows, in batches of 5, through a network 2-6-1 with ReLU, under `sgd`. */
export function smallTraining(device: Device, options: SmallTrainingOptions = {}): SmallTraining {
  const { rows = 23, inputs = 2, targets = 1, optimizer: name = "sgd", learningRate = 0.05 } = options;
  const {
    layers = [new Linear(2, 6), new ReLU(), new Linear(6, 1)],
    windowRows,
    source,
    x,
    y,
    optimizerOptions,
    ...settings
  } = options;
  using stack = new DisposableStack();
  const data = source || windowRows ? { source: source ?? randomRows(rows, inputs, targets), windowRows } : {
    x: x ?? stack.use(upload(device, randomMatrix(rows, inputs, 1))),
    y: y ?? stack.use(upload(device, randomMatrix(rows, targets, 2))),
  };
  const model = stack.use(new Model(device, layers));
  const optimizer = stack.use(createOptimizer(name, model, learningRate, optimizerOptions));
  const base = { batchSize: 5, seed: 1, loss: mse, ...settings, model, optimizer };
  const trainer = stack.use(new Trainer({ ...base, ...data }));
  const all = stack.move();
  return { model, optimizer, trainer, [Symbol.dispose]: () => all.dispose() };
}

/** The weights' bits after three epochs of a {@linkcode smallTraining}. */
export async function trainedBits(device: Device, options: SmallTrainingOptions): Promise<Uint32Array> {
  using setup = smallTraining(device, options);
  await Array.fromAsync(setup.trainer.epochs(3));
  return bits(await setup.model.values.read());
}
