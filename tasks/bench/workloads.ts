/** The workloads on which this project and its peers are timed: widths, data and first weights, the same for all. */

import { type Loss, LOSSES } from "../../lib/core/losses.ts";
import { Random } from "../../lib/base/random.ts";
import { Matrix, ReferenceLinear, ReferenceModel, ReferenceReLU } from "../../lib/reference/mod.ts";

export type WorkloadName = "seed" | "wide" | "deep" | "hand";

/** A network, its data and its loss. Every layer but the last is followed by a ReLU. */
export interface Workload {
  name: WorkloadName;
  /** Rows of data, a multiple of the batch. */
  rows: number;
  widths: readonly number[];
  batch: number;
  /** Kind of the loss: its gradient is a mean over rows, and for "mse" a sum over outputs. */
  loss: "mse" | "softmax";
}

/** Inputs [batch, in] and targets [batch, out] of one step. */
export interface Batch {
  x: Float32Array<ArrayBuffer>;
  y: Float32Array<ArrayBuffer>;
}

/** First weight [in, out] and bias [out] of a layer. */
interface Layer {
  weight: Float32Array<ArrayBuffer>;
  bias: Float32Array<ArrayBuffer>;
}

export const WORKLOADS: readonly Workload[] = [
  { name: "seed", rows: 1000, widths: [1, 64, 1], batch: 10, loss: "mse" },
  { name: "wide", rows: 4096, widths: [64, 512, 8], batch: 256, loss: "mse" },
  { name: "deep", rows: 2048, widths: [784, 512, 256, 10], batch: 128, loss: "softmax" },
  // The network of seed, but this project's step is written by hand and not recorded.
  { name: "hand", rows: 1000, widths: [1, 64, 1], batch: 10, loss: "mse" },
];

/** The learning rate of plain SGD for gradients as in {@linkcode Workload.loss}. */
export const LEARNING_RATE = 0.01;

/** Steps after which the loss is compared with float64. */
export const CHECKED_STEPS = 100;

/** The same for peers in a quick run: some take only a few steps per second. */
export const QUICK_CHECKED_STEPS = 10;

/**
 * A workload by its name.
 *
 * @throws {RangeError} If there is none of that name.
 */
export function workloadOf(name: string): Workload {
  const workload = WORKLOADS.find((workload) => workload.name === name);
  if (workload) return workload;
  throw new RangeError(`There is no workload ${name}: there are ${WORKLOADS.map(({ name }) => name).join(", ")}`);
}

export function lossOf({ loss }: Workload): Loss {
  return LOSSES[loss];
}

/** The learning rate for this project's losses. Its `mse` is a mean over outputs too, where the workload has a sum. */
export function learningRateOf({ loss, widths }: Workload): number {
  return loss === "mse" ? LEARNING_RATE * widths.at(-1)! : LEARNING_RATE;
}

/** Multiplications of one forward pass, per row. */
export function weightsOf({ widths }: Workload): number {
  return widths.slice(1).reduce((sum, out, i) => sum + widths[i] * out, 0);
}

export function initialParameters({ name, widths }: Workload): Layer[] {
  return widths.slice(1).map((out, i) => ({
    weight: uniform(`${name} weight ${i}`, widths[i] * out, 0.1),
    bias: new Float32Array(out),
  }));
}

/** The batches in the order in which steps take them, again and again. */
export function batchesOf({ name, rows, widths, batch, loss }: Workload): Batch[] {
  const inputs = widths[0];
  const outputs = widths.at(-1)!;
  return Array.from({ length: rows / batch }, (_, i) => {
    const x = uniform(`${name} inputs ${i}`, batch * inputs, 1);
    const targets = `${name} targets ${i}`;
    return { x, y: loss === "mse" ? uniform(targets, batch * outputs, 1) : oneHot(targets, batch, outputs) };
  });
}

export function referenceOf(
  workload: Workload,
  parameters: readonly ArrayLike<number>[] = initialParameters(workload).flatMap(({ weight, bias }) => [weight, bias]),
): ReferenceModel {
  const { widths } = workload;
  const layers = widths.slice(1).flatMap((out, i) => {
    const linear = new ReferenceLinear(widths[i], out);
    return i < widths.length - 2 ? [linear, new ReferenceReLU()] : [linear];
  });
  const model = new ReferenceModel(layers, lossOf(workload).reference);
  model.parameters.forEach((parameter, i) => parameter.data.set(parameters[i]));
  return model;
}

/** The loss of the first batch in float64, by which a worker's parameters are judged. */
export function lossAt(workload: Workload, parameters: readonly ArrayLike<number>[]): number {
  const model = referenceOf(workload, parameters);
  const [first] = batchesOf(workload);
  const { x, y } = toMatrices(workload, first);
  return model.loss.forward(model.forward(x), y);
}

export function toMatrices({ batch, widths }: Workload, { x, y }: Batch): { x: Matrix; y: Matrix } {
  return { x: new Matrix(batch, widths[0], x), y: new Matrix(batch, widths.at(-1)!, y) };
}

/** Random numbers from -scale to scale, the same for the same purpose. */
export function uniform(purpose: string, count: number, scale: number): Float32Array<ArrayBuffer> {
  const random = new Random(1, purpose);
  return Float32Array.from({ length: count }, () => random.uniform(-scale, scale));
}

function oneHot(purpose: string, rows: number, classes: number): Float32Array<ArrayBuffer> {
  const random = new Random(1, purpose);
  const y = new Float32Array(rows * classes);
  for (let row = 0; row < rows; row++) y[row * classes + Math.floor(random.uniform(0, classes))] = 1;
  return y;
}
