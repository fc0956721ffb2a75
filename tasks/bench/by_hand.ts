/** The workload of the bench that is written by hand: tensors and operations alone, neither a model nor a recording. */

import { add, matmul, multiply, relu, reluBackward, subtract, sum } from "../../lib/arithmetic/ops.ts";
import { Device } from "../../lib/gpu/device.ts";
import { sgdStep } from "../../lib/arithmetic/sgd_step.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import type { Trained } from "./worker.ts";
import { batchesOf, initialParameters, LEARNING_RATE, type Workload } from "./workloads.ts";

/** A network with one hidden layer, its step written by hand and run operation by operation, as a lesson has it. */
export async function trainByHand(workload: Workload): Promise<Trained> {
  const { widths: [inputs, hidden, outputs], batch } = workload;
  const device = await Device.request({ smallDispatches: true });
  const [first, second] = initialParameters(workload);
  const w1 = Tensor.from(device, first.weight, [inputs, hidden]);
  const b1 = Tensor.from(device, first.bias);
  const w2 = Tensor.from(device, second.weight, [hidden, outputs]);
  const b2 = Tensor.from(device, second.bias);
  const data = batchesOf(workload).map(({ x, y }) => ({
    x: Tensor.from(device, x, [batch, inputs]),
    y: Tensor.from(device, y, [batch, outputs]),
  }));
  const step = (x: Tensor, y: Tensor) => {
    const z1 = add(matmul(x, w1), b1);
    const a1 = relu(z1);
    const z2 = add(matmul(a1, w2), b2);
    const dZ2 = multiply(subtract(z2, y), 2 / batch);
    const dW2 = matmul(a1, dZ2, { transposeA: true });
    const dZ1 = reluBackward(z1, matmul(dZ2, w2, { transposeB: true }));
    const dW1 = matmul(x, dZ1, { transposeA: true });
    sgdStep(w2, dW2, LEARNING_RATE);
    sgdStep(b2, sum(dZ2, 0), LEARNING_RATE);
    sgdStep(w1, dW1, LEARNING_RATE);
    sgdStep(b1, sum(dZ1, 0), LEARNING_RATE);
  };
  let next = 0;
  const counted = { steps: 0, reads: 0 };
  let before = { ...device.stats };
  const steps = async (count: number) => {
    counted.steps += count;
    counted.reads++;
    for (let done = 0; done < count; done++, next = (next + 1) % data.length) {
      device.tidy(() => step(data[next].x, data[next].y));
    }
    await w1.read();
  };
  /** A read needs one wait and one buffer: these do not count; neither does what the first steps bind for all. */
  const costs = () => {
    const spent = (key: keyof typeof before) => device.stats[key] - before[key];
    return {
      dispatches: spent("dispatches") / counted.steps,
      allocations: (spent("allocations") - counted.reads) / counted.steps,
      bindGroups: spent("bindGroups") / counted.steps,
      waits: (spent("waits") - counted.reads) / counted.steps,
      reads: counted.reads / counted.steps,
    };
  };
  const parameters = async () => {
    const read = await Promise.all([w1, b1, w2, b2].map((tensor) => tensor.read()));
    before = { ...device.stats }; // they are read once, after the first steps
    Object.assign(counted, { steps: 0, reads: 0 });
    return read;
  };
  return { granule: 1, steps, parameters, costs };
}
