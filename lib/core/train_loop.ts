/**
 * The training loop at its plainest: forward, loss, backward, update. {@linkcode Trainer} computes the same, faster: it
 * records the step, picks rows on the GPU, and reads losses a few times a second.
 *
 * @module
 */
import { Random } from "../base/random.ts";
import { LossCurve } from "../show/loss_curve.ts";
import type { Loss } from "./losses.ts";
import type { Model } from "./model.ts";
import type { Optimizer } from "./optimizers.ts";
import { Tensor } from "./tensor.ts";

/** What {@linkcode trainLoop} needs. */
export interface TrainLoopOptions {
  /** What is trained. */
  readonly model: Model;
  /** What training makes small. */
  readonly loss: Loss;
  /** How the parameters are changed. */
  readonly optimizer: Optimizer;
  /** Inputs, a row each. */
  readonly x: readonly (readonly number[])[];
  /** Targets, a row each. */
  readonly y: readonly (readonly number[])[];
  /** Rows of a step; the last step of an epoch takes what is left. */
  readonly batchSize: number;
  /** How often training goes through all rows. */
  readonly epochs: number;
  /** Fixes the order of the rows in each epoch; 0 by default. */
  readonly seed?: number;
}

/**
 * Trains a model on mini-batches: every row once an epoch, in an order drawn for it.
 *
 * @returns The mean loss of each epoch, each step's at the weights that it had; a notebook draws them.
 * @throws {TypeError} If the rows do not fit the model.
 * @throws {RangeError} If the batch size is no whole number from 1 on, or there are more inputs or more targets.
 *
 * @example
 * ```ts
 * import { Device, Linear, Model, mse, Sgd, trainLoop } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request({ smallDispatches: true });
 * using model = new Model(device, [new Linear(1, 1)]);
 * using optimizer = new Sgd(model, 0.1);
 * const x = [[-1], [0], [1], [2]];
 * const y = [[-1], [1], [3], [5]]; // 2 x + 1
 * const losses = await trainLoop({ model, loss: mse, optimizer, x, y, batchSize: 2, epochs: 100 });
 * const { "0.weight": [weight], "0.bias": [bias] } = await model.read();
 * assertEquals([weight.toFixed(2), bias.toFixed(2)], ["2.00", "1.00"]);
 * assertEquals([losses.length, losses[99] < losses[0]], [100, true]);
 * ```
 */
export async function trainLoop(options: TrainLoopOptions): Promise<LossCurve> {
  const { model, loss, optimizer, x, y, batchSize, epochs, seed = 0 } = options;
  const { device } = model;
  if (!Number.isSafeInteger(batchSize) || batchSize < 1 || y.length !== x.length) {
    const found = `batches of ${batchSize}, ${x.length} rows of inputs and ${y.length} of targets`;
    throw new RangeError(`Cannot train with ${found}: need a whole number from 1 on, and a target for each input`);
  }
  const means = new LossCurve();
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = new Random(seed, `shuffle ${epoch}`).permutation(x.length);
    let sum = 0;
    for (let start = 0; start < order.length; start += batchSize) {
      const rows = [...order.subarray(start, start + batchSize)];
      // Within `tidy` every tensor that the step makes is freed, but for the one that it returns.
      using value = device.tidy(() => {
        const inputs = Tensor.from(device, rows.map((row) => x[row]));
        const targets = Tensor.from(device, rows.map((row) => y[row]));
        const prediction = model.forward(inputs, { training: true });
        model.backward(loss.backward(prediction, targets));
        optimizer.step();
        return loss.forward(prediction, targets);
      });
      sum += (await value.read())[0] * rows.length;
    }
    means.push(sum / order.length);
  }
  return means;
}
