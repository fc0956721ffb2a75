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
import { Matrix } from "../reference/mod.ts";
import { type IsUsed, type KernelCase, matrix, random, upload } from "./op_cases.ts";

const LOSSES = [mse, mae, huberLoss(0.7), bceWithLogits, weightedBceWithLogits([0.5, 3]), softmaxCrossEntropy];

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

/** A loss and its gradient, one by one and in one pass. */
function casesOf(device: Device, loss: Loss, prediction: Matrix, target: Matrix, on: string): KernelCase[] {
  const { forward, backward, step } = LOSS_KERNELS[loss.kind];
  const value = [loss.reference.forward(prediction, target)];
  const gradient = loss.reference.backward(prediction, target).data;
  const given = () => [upload(device, prediction), upload(device, target)] as const;
  const runStep = () => loss.forwardBackward(...given());
  return [
    { kernel: forward, on, run: () => loss.forward(...given()), expected: value },
    { kernel: backward, on, run: () => loss.backward(...given()), expected: gradient },
    { kernel: step, on: `${on}, ${loss.kind}`, run: () => runStep().loss, expected: value },
    { kernel: step, on: `${on}, gradient of ${loss.kind}`, run: () => runStep().dPrediction, expected: gradient },
  ];
}

/** Every loss on few rows, on more than a pass has lanes, and on what overflows where it is taken as its formula says. */
export function lossCases(device: Device, isUsed: IsUsed = () => true): KernelCase[] {
  const lossCase = (loss: Loss, prediction: Matrix, target: Matrix, on: string): KernelCase[] =>
    Object.values(LOSS_KERNELS[loss.kind]).some(isUsed) ? casesOf(device, loss, prediction, target, on) : [];
  const drawn = [5, 131].flatMap((rows) => {
    const stream = random();
    const prediction = matrix(rows, 3, stream);
    const target = prediction.map(() => Math.fround(stream.uniform()));
    return LOSSES.flatMap((loss) => lossCase(loss, prediction, target, `[${rows}, 3]`));
  });
  const large = new Matrix(4, 3, [1e30, -1e30, 0, 7, 7, 7, -1e30, -1e30, -1e30, -1e30, 0, 1e30]);
  const hot = new Matrix(4, 3, [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1]);
  const single = new Matrix(3, 1, [1e30, -1, 0]);
  const weights = new Matrix(3, 1, [1, 0.5, 2]);
  const odd = new Matrix(1, 5, [3e38, -1, 0, NaN, 2]);
  const wanted = new Matrix(1, 5, [0, -1, 1e-3, 0, -2]);
  const spoilt = new Matrix(2, 3, [1, NaN, 2, 1, 2, 3]);
  const classes = new Matrix(2, 3, [0, 0, 1, 0, 1, 0]);
  return [
    ...drawn,
    ...lossCase(softmaxCrossEntropy, single, weights, "one class"),
    ...lossCase(huber, odd, wanted, "NaN, and an error of 3e38"),
    ...[bceWithLogits, softmaxCrossEntropy].flatMap((loss) => lossCase(loss, spoilt, classes, "[2, 3], one NaN")),
    ...lossCase(softmaxCrossEntropy, large, hot, "logits of 1e30, and equal ones"),
  ];
}
