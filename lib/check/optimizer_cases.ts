/**
 * The self-test of optimizers, clipping and learning rates, over the flat buffers.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { byFours, fromTexels } from "../gpu/kernel_forms.ts";
import { clipByNorm } from "../training/clipping.ts";
import type { Device } from "../gpu/device.ts";
import { createOptimizer, type OptimizerName } from "../core/optimizers.ts";
import * as reference from "../reference/mod.ts";
import { type KernelCase, matrix, random, upload } from "./op_cases.ts";
import { StepRates } from "../training/learning_rates.ts";
import { Tensor } from "../core/tensor.ts";

/** Parameters that are many enough. */
const MANY = 4_100;

/** The form of a kernel that so many elements take. */
function formFor(kernel: Kernel, size: number): Kernel {
  return size % 4 === 0 ? byFours(kernel) : kernel;
}

/** Steps one by one, or recorded as a training records them, which has a form of each update for many parameters. */
function stepCases(device: Device, size: number, isRecorded = false): KernelCase[] {
  const stream = random();
  const start = matrix(1, size, stream);
  const gradient = matrix(1, size, stream);
  const steps = 3;
  const after = (name: OptimizerName, update: reference.ReferenceOptimizer, kernel: Kernel): KernelCase => {
    const expected = start.data.slice();
    for (let step = 0; step < steps; step++) update(expected, gradient.data);
    const run = (): Tensor => {
      const values = upload(device, start);
      using optimizer = createOptimizer(name, { values, gradients: upload(device, gradient) }, 0.1);
      if (isRecorded) {
        using recording = device.record(() => optimizer.step(), { fuse: true });
        recording.replay(steps);
      } else {
        for (let step = 0; step < steps; step++) optimizer.step();
      }
      return values;
    };
    const form = isRecorded ? fromTexels(kernel) : formFor(kernel, size);
    return { kernel: form, on: `${steps} steps of ${name} on [${size}]`, run, expected };
  };
  return [
    after("sgd", reference.referenceSgd(0.1), kernels.sgd),
    after("momentum", reference.referenceMomentum(0.1), kernels.momentum),
    after("nesterov", reference.referenceNesterov(0.1), kernels.momentum),
    after("rmsprop", reference.referenceRmsProp(0.1), kernels.rmsprop),
    after("adamw", reference.referenceAdamW(0.1), kernels.adam),
    after("adam", reference.referenceAdam(0.1), kernels.adam),
  ];
}

/** The powers of three steps of adam. It runs no step, whose form is not compiled where a training uses another. */
function powersCase(device: Device): KernelCase {
  const run = (): Tensor => {
    const powers = Tensor.from(device, [1, 1]);
    for (let step = 0; step < 3; step++) {
      device.run(kernels.adamPowers, { buffers: [powers], reals: [0.9, 0.999], invocations: 1 });
    }
    return powers;
  };
  return { kernel: kernels.adamPowers, on: "3 steps", run, expected: [0.9 ** 3, 0.999 ** 3] };
}

/** Clipping runs three kernels, each right where their result is: over a norm that is too long. */
function clippingCases(device: Device, size: number): KernelCase[] {
  const gradient = matrix(1, size, random());
  const expected = gradient.data.slice();
  reference.referenceClip(expected, 0.5);
  const run = (): Tensor => {
    const gradients = upload(device, gradient);
    clipByNorm(gradients, 0.5);
    return gradients;
  };
  const on = `[${size}]`;
  const used = [formFor(kernels.squares, size), kernels.clipFactor, formFor(kernels.clip, size)];
  return used.map((kernel) => ({ kernel, on, run, expected }));
}

/** The rate of a step, and one past the last. */
function rateCases(device: Device): KernelCase[] {
  return [[1, 0.125], [3, NaN]].map(([step, expected]) => ({
    kernel: kernels.rateOfStep,
    on: `step ${step} of [3]`,
    run: () => {
      using like = Tensor.zeros(device, [3]);
      using rates = new StepRates(like, (step) => 2 ** -step / 2);
      rates.write(0, 3);
      const rate = Tensor.zeros(device, [1]);
      rates.take(Tensor.from(device, Uint32Array.of(step)), Tensor.from(device, [0.5]), rate);
      return rate;
    },
    expected: [expected],
  }));
}

/** Optimizers and clipping, one element at a time and four, and learning rates. */
export function optimizerCases(device: Device): KernelCase[] {
  const sizes = [67, 68].flatMap((size) => [...stepCases(device, size), ...clippingCases(device, size)]);
  const many = device.products === "blocks" ? stepCases(device, MANY, true) : [];
  return [...sizes, ...many, powersCase(device), ...rateCases(device)];
}
