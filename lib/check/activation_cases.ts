/**
 * The self-test of dropout, and of activations beyond ReLU and sigmoid: near 0, far from it, and where numbers end.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import type { Device } from "../gpu/device.ts";
import * as ops from "../core/ops.ts";
import { Random } from "../base/random.ts";
import * as reference from "../reference/mod.ts";
import { Matrix } from "../reference/mod.ts";
import { type KernelCase, matrix, upload } from "./op_cases.ts";
import { Tensor } from "../core/tensor.ts";

/** An activation and its backward, each on the GPU and in float64. */
interface Activation {
  readonly forward: [Kernel, (x: Tensor) => Tensor, (x: Matrix) => Matrix];
  readonly backward: [Kernel, (x: Tensor, dOut: Tensor) => Tensor, (x: Matrix, dOut: Matrix) => Matrix];
}

const ACTIVATIONS: readonly Activation[] = [
  {
    forward: [kernels.leakyRelu, (x) => ops.leakyRelu(x, { slope: 0.3 }), (x) => reference.leakyRelu(x, 0.3)],
    backward: [
      kernels.leakyReluBackward,
      (x, dOut) => ops.leakyReluBackward(x, dOut, { slope: 0.3 }),
      (x, dOut) => reference.leakyReluBackward(x, dOut, 0.3),
    ],
  },
  {
    forward: [kernels.tanh, ops.tanh, reference.tanh],
    backward: [
      kernels.tanhBackward,
      (x, dOut) => ops.tanhBackward(ops.tanh(x), dOut),
      (x, dOut) => reference.tanhBackward(reference.tanh(x), dOut),
    ],
  },
  {
    forward: [kernels.gelu, ops.gelu, reference.gelu],
    backward: [kernels.geluBackward, ops.geluBackward, reference.geluBackward],
  },
];

/** Every activation on random numbers, on small ones, on NaN, and on what overflows when cubed. */
export function activationCases(device: Device): KernelCase[] {
  const stream = new Random(7, "self-test");
  const drawn = matrix(13, 17, stream);
  const dOut = matrix(13, 17, stream);
  const small = drawn.map((v) => Math.fround(v / 1_000));
  const odd = new Matrix(1, 6, [NaN, -1e30, 1, 0, -100, -12]);
  const odds = new Matrix(1, 6, [1, 2, 3, 4, 5, 6]);
  const inputs: [string, Matrix, Matrix][] = [
    ["[13, 17]", drawn, dOut],
    ["[13, 17] near 0", small, dOut],
    ["NaN, and far from 0", odd, odds],
  ];
  const activations = ACTIVATIONS.flatMap((
    { forward: [kernel, op, twin], backward: [kernelBackward, opBackward, twinBackward] },
  ) =>
    inputs.flatMap(([on, x, d]) => [
      { kernel, on, run: () => op(upload(device, x)), expected: twin(x).data },
      {
        kernel: kernelBackward,
        on,
        run: () => opBackward(upload(device, x), upload(device, d)),
        expected: twinBackward(x, d).data,
      },
    ])
  );
  return [...activations, ...dropoutCases(device)];
}

/** The second mask of a sequence, and the counter that names it. */
function dropoutCases(device: Device): KernelCase[] {
  const x = matrix(13, 17, new Random(7, "self-test"));
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
