/**
 * The self-test of losses and their gradients, one by one and in one pass.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import type { Device } from "../gpu/device.ts";
import {
  bceWithLogits,
  huber,
  huberLoss,
  type Loss,
  mae,
  mse,
  softmaxCrossEntropy,
  weightedBceWithLogits,
} from "../core/losses.ts";
import { Random } from "../base/random.ts";
import { Matrix } from "../reference/mod.ts";
import { type KernelCase, matrix, upload } from "./op_cases.ts";
import type { Tensor } from "../core/tensor.ts";

const random = (): Random => new Random(7, "self-test");

const LOSSES = [mse, mae, huberLoss(0.7), bceWithLogits, weightedBceWithLogits([0.5, 3]), softmaxCrossEntropy];

/** Every loss on few rows, and on more than a pass has lanes and a grid has in two workgroups. */
export function lossCases(device: Device): KernelCase[] {
  return [...smallLossCases(device, 5, 3), ...longerLossCases(device, 131, 3)];
}

/** A loss and its gradient, one by one and in one pass. */
function lossCase(device: Device, loss: Loss, prediction: Matrix, target: Matrix, on: string): KernelCase[] {
  const { forward, backward, step } = LOSS_KERNELS[loss.kind];
  const value = [loss.reference.forward(prediction, target)];
  const gradient = loss.reference.backward(prediction, target).data;
  const runs: [Kernel, string, (p: Tensor, t: Tensor) => Tensor, ArrayLike<number>][] = [
    [forward, on, loss.forward, value],
    [backward, on, loss.backward, gradient],
    [step, `${on}, ${loss.kind}`, (p, t) => loss.forwardBackward(p, t).loss, value],
    [step, `${on}, gradient of ${loss.kind}`, (p, t) => loss.forwardBackward(p, t).dPrediction, gradient],
  ];
  return runs.map(([kernel, on, run, expected]) => ({
    kernel,
    on,
    run: () => run(upload(device, prediction), upload(device, target)),
    expected,
  }));
}

const LOSS_KERNELS: Record<string, { forward: Kernel; backward: Kernel; step: Kernel }> = {
  mae: { forward: kernels.huber, backward: kernels.huberBackward, step: kernels.huberStep },
  huber: { forward: kernels.huber, backward: kernels.huberBackward, step: kernels.huberStep },
  mse: { forward: kernels.squaredError, backward: kernels.squaredErrorBackward, step: kernels.squaredErrorStep },
  bce: { forward: kernels.bceWithLogits, backward: kernels.bceWithLogitsBackward, step: kernels.bceWithLogitsStep },
  softmax: {
    forward: kernels.softmaxCrossEntropy,
    backward: kernels.softmaxCrossEntropyBackward,
    step: kernels.softmaxCrossEntropyStep,
  },
};

/** Each loss on random numbers, and on what overflows where it is taken as its formula says. */
function smallLossCases(device: Device, rows: number, columns: number): KernelCase[] {
  const stream = random();
  const prediction = matrix(rows, columns, stream);
  const on = `[${rows}, ${columns}]`;
  const target = prediction.map(() => Math.fround(stream.uniform()));
  const extremes = new Matrix(4, 3, [1e30, -1e30, 0, 7, 7, 7, -1e30, -1e30, -1e30, -1e30, 0, 1e30]);
  const hot = new Matrix(4, 3, [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1]);
  return [
    ...LOSSES.flatMap((loss) => lossCase(device, loss, prediction, target, on)),
    ...lossCase(
      device,
      softmaxCrossEntropy,
      new Matrix(3, 1, [1e30, -1, 0]),
      new Matrix(3, 1, [1, 0.5, 2]),
      "one class",
    ),
    ...lossCase(
      device,
      huber,
      new Matrix(1, 5, [3e38, -1, 0, NaN, 2]),
      new Matrix(1, 5, [0, -1, 1e-3, 0, -2]),
      "NaN, and an error of 3e38",
    ),
    ...lossCase(device, softmaxCrossEntropy, extremes, hot, "logits of 1e30, and equal ones"),
  ];
}

function longerLossCases(device: Device, rows: number, columns: number): KernelCase[] {
  const stream = random();
  const prediction = matrix(rows, columns, stream);
  const target = prediction.map(() => Math.fround(stream.uniform()));
  return LOSSES.flatMap((loss) => lossCase(device, loss, prediction, target, `[${rows}, ${columns}]`));
}
