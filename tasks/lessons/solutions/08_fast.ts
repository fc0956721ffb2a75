/** Lesson 8, solved: the recording reads two tensors that were made before it, and each batch is written there. */
import { type Device, matmul, mse, sgdStep, Tensor } from "../../../mod.ts";

/** Trains a line through the origin, y = x w, with one step for each batch: `w` is [1, 1], `x` and `y` are [rows, 1]. */
export function trainLine(device: Device, w: Tensor, batches: readonly { x: number[][]; y: number[][] }[]): void {
  const rows = batches[0].x.length;
  using x = Tensor.zeros(device, [rows, 1]);
  using y = Tensor.zeros(device, [rows, 1]);
  using recording = device.record(() => {
    sgdStep(w, matmul(x, mse.backward(matmul(x, w), y), { transposeA: true }), 0.1);
  });
  for (const batch of batches) {
    // A write and a replay reach the GPU in this order, so each replay finds the batch that was written just before.
    x.write(batch.x);
    y.write(batch.y);
    recording.replay();
  }
}
