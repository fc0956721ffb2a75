/**
 * The self-test of activations, near 0, far from it and where numbers end; and of dropout.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { ACTIVATIONS, type Layer, LeakyReLU } from "../core/layers.ts";
import * as ops from "../arithmetic/ops.ts";
import { Tensor } from "../core/tensor.ts";
import type { Device } from "../gpu/device.ts";
import * as reference from "../reference/mod.ts";
import { Matrix } from "../reference/mod.ts";
import { type IsUsed, type KernelCase, matrix, random, upload } from "./op_cases.ts";

/** An activation's kernels, which have its name in settings: `leaky-relu` has `leakyRelu` and `leakyReluBackward`. */
function kernelsOf(name: string): [forward: Kernel, backward: Kernel] {
  const named = name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
  const all: Readonly<Record<string, Kernel>> = kernels;
  return [all[named], all[`${named}Backward`]];
}

/** Every activation of the table, on random numbers, on small ones, on NaN, and on what overflows when cubed. */
export function activationCases(device: Device, isUsed: IsUsed = () => true): KernelCase[] {
  const stream = random();
  const drawn = matrix(13, 17, stream);
  const dOut = matrix(13, 17, stream);
  const odd = new Matrix(1, 6, [NaN, -1e30, 1, 0, -100, -12]);
  const inputs: [string, Matrix, Matrix][] = [
    ["[13, 17]", drawn, dOut],
    ["[13, 17] near 0", drawn.map((v) => Math.fround(v / 1_000)), dOut],
    ["NaN, and far from 0", odd, new Matrix(1, 6, [1, 2, 3, 4, 5, 6])],
  ];
  const steep: [string, () => Layer] = ["leaky-relu", () => new LeakyReLU({ slope: 0.3 })];
  const activations = [...Object.entries(ACTIVATIONS), steep].flatMap(([name, make]) => {
    const [forward, backward] = kernelsOf(name);
    if (!isUsed(forward) && !isUsed(backward)) return [];
    return inputs.flatMap(([on, x, d]) => {
      const layer = make();
      const twin = layer.reference();
      const runForward = () => layer.forward(upload(device, x));
      const runBackward = () => {
        runForward();
        return layer.backward(upload(device, d), true)!;
      };
      return [
        { kernel: forward, on, run: runForward, expected: twin.forward(x).data },
        { kernel: backward, on, run: runBackward, expected: twin.backward(d).data },
      ];
    });
  });
  return [...activations, ...dropoutCases(device)];
}

/** The second mask of a sequence, and the counter that names it. */
function dropoutCases(device: Device): KernelCase[] {
  const x = matrix(13, 17, random());
  const rate = 0.3;
  const key = 0x9abc_def0;
  const mask = reference.dropoutMask(13, 17, rate, key, 2);
  const step = (): Tensor => {
    const counter = Tensor.from(device, Uint32Array.of(1));
    ops.advance(counter);
    return counter;
  };
  return [
    {
      kernel: kernels.dropout,
      on: "[13, 17]",
      run: () => ops.dropout(upload(device, x), { rate, key, step: step() }),
      expected: x.map((v, i) => v * mask.data[i]).data,
    },
    {
      kernel: kernels.dropout,
      on: "[13, 17], nearly all dropped",
      run: () => ops.dropout(upload(device, x), { rate: 1 - 2 ** -40, key, step: step() }),
      expected: x.map(() => 0).data,
    },
    { kernel: kernels.advance, on: "[1]", run: step, expected: [2] },
  ];
}
