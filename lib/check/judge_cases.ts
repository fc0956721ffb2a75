/**
 * The self-test of what a judge runs: losses of chunks, decisions, the best weights and the way back to them.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { Tensor } from "../core/tensor.ts";
import type { Device } from "../gpu/device.ts";
import type { KernelCase } from "./op_cases.ts";

/** Two members: the first has become better than 4, the second has not; the rate has dropped once. */
const STATE = [0.5, 1, 1, 0, 1, 3, 3, 0, 1, 9, 5, 2, 0];

/** An epoch in which one member becomes better, one that drops the rate, one that ends the training, and one after it. */
function decisionCase(device: Device, goesBack: number): KernelCase {
  const start = [1, 0, 0, 0, 0, 0, 4, 3, 0, 0, 5, 3, 0];
  const epochs = [[3, 9], [NaN, 6], [7, 7], [1, 1]];
  const expected = [
    [1, 0, 0, 0, 0, 3, 3, 0, 1, 9, 5, 4, 0],
    [0.5, 0, 1, 0, goesBack, NaN, 3, 1, 0, 6, 5, 5, 0],
    [0.5, 1, 1, 1, 1, 7, 3, 2, 0, 7, 5, 6, 0],
    [0.5, 1, 1, 1, 1, 7, 3, 2, 0, 7, 5, 6, 0],
  ];
  const run = () => {
    const counts = Tensor.from(device, start);
    const history = Tensor.zeros(device, [epochs.length, start.length]);
    const cursor = Tensor.zeros(device, [1], "u32");
    for (const losses of epochs) {
      const buffers = [counts, Tensor.from(device, losses), history, cursor];
      device.run(kernels.judgeEpoch, { buffers, reals: [1, 1, goesBack, 0.5, 0.5], invocations: 1 });
    }
    return history;
  };
  const on = `4 epochs of 2 members, goesBack ${goesBack}`;
  return { kernel: kernels.judgeEpoch, on, run, expected: expected.flat() };
}

/** What a judge runs at the end of an epoch. */
export function judgeCases(device: Device): KernelCase[] {
  const values = [1, 2, 3, 4, 0, 5, 6]; // parameters of 4 and 2 elements, one between them
  const keep = () => {
    const best = Tensor.zeros(device, [7]);
    const table = Tensor.from(device, Uint32Array.of(5, 1, 0, 2));
    const buffers = [Tensor.from(device, STATE), table, Tensor.from(device, values), best];
    device.run(kernels.keepBest, { buffers, sizes: [7, 3, 2], invocations: 3 });
    return best;
  };
  const back = (state: number[]) => () => {
    const to = Tensor.from(device, values);
    const buffers = [Tensor.from(device, state), Tensor.from(device, [7, 8]), to];
    device.run(kernels.goBack, { buffers, sizes: [7, 3], invocations: 3 });
    return to;
  };
  const add = () => {
    const sums = Tensor.from(device, [1, 2]);
    const buffers = [Tensor.from(device, [4, 8]), Tensor.from(device, [0.25, 0.5]), sums];
    device.run(kernels.addLosses, { buffers, sizes: [2], invocations: 2 });
    return sums;
  };
  return [
    ...[0, 1].map((goesBack) => decisionCase(device, goesBack)),
    { kernel: kernels.keepBest, on: "[7] of 2 members", run: keep, expected: [1, 2, 0, 0, 0, 5, 0] },
    { kernel: kernels.goBack, on: "[7]", run: back(STATE), expected: [7, 8, 7, 8, 7, 8, 7] },
    { kernel: kernels.goBack, on: "[7], where nothing goes back", run: back(STATE.with(4, 0)), expected: values },
    { kernel: kernels.addLosses, on: "[2]", run: add, expected: [2, 6] },
  ];
}
