/**
 * The gradient check of single operations: each backward on the GPU against central finite differences, in float64, of a
 * forward written here in the plainest way (reductions: ops_backward_test.ts). The loss is `sum(out * weights)`, so that `dOut` is the weights.
 */
import * as ops from "../../lib/core/ops.ts";
import * as recorded from "../../lib/training/recorded_rows.ts";
import type { Matrix } from "../../lib/reference/mod.ts";
import { readAll, Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

const EPSILON = 1e-6;

interface Operation {
  name: string;
  inputs: Matrix[];
  /** The output's elements, row by row. */
  forward(a: Matrix, b: Matrix): number[];
  /** The gradient of each input, from the inputs and `dOut` in the output's shape. */
  backward(dOut: Tensor, a: Tensor, b: Tensor): Tensor[];
  /** Shape of the output. */
  shape: number[];
}

function differences({ inputs, forward }: Operation, input: number, weights: number[]): Float64Array {
  const loss = (values: Matrix) =>
    forward(...pair(inputs.map((matrix, i) => i === input ? values : matrix)))
      .reduce((sum, out, i) => sum + out * weights[i], 0);
  const nudged = (entry: number, by: number) => inputs[input].map((value, i) => i === entry ? value + by : value);
  return inputs[input].data.map((_, i) => (loss(nudged(i, EPSILON)) - loss(nudged(i, -EPSILON))) / (2 * EPSILON));
}

/** One input or two, as the operations take them. */
const pair = <T>(inputs: T[]) => inputs as [T, T];

const rowsOf = ({ rows, columns, data }: Matrix) =>
  Array.from({ length: rows }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]);
const columnsOf = ({ rows, columns, data }: Matrix) =>
  Array.from({ length: columns }, (_, j) => Array.from({ length: rows }, (_, i) => data[i * columns + j]));
const total = (values: number[]) => values.reduce((a, b) => a + b, 0);
const dot = (a: number[], b: number[]) => total(a.map((value, i) => value * b[i]));

const a = randomMatrix(5, 7, 11);
const c = randomMatrix(7, 3, 13);
/** Away from 0, where quotients are too steep for differences. */
const away = (matrix: Matrix) => matrix.map((v) => Math.fround(v + Math.sign(v) / 2));
const b = away(randomMatrix(5, 7, 12));
const bias = away(randomMatrix(1, 7, 14));
const column = away(randomMatrix(5, 1, 16));
const one = away(randomMatrix(1, 1, 17));
const gelu = (v: number) => v / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
const positive = b.map(Math.abs);
const rows = a.rows;
const columns = a.columns;
const shape = [rows, columns];

/** An operation on each element. */
function unary(name: string, f: (v: number) => number, backward: (dOut: Tensor, a: Tensor) => Tensor): Operation {
  return { name, inputs: [a], forward: (a) => [...a.data].map(f), backward: (dOut, a) => [backward(dOut, a)], shape };
}

/** An operation on pairs of elements, with each form of the second operand: which of its elements counts for element i. */
function binary(
  name: string,
  f: (v: number, w: number) => number,
  backward: (a: Tensor, b: Tensor, dOut: Tensor) => { dA: Tensor; dB: Tensor },
): Operation[] {
  const forms: [string, Matrix, (i: number) => number][] = [
    ["", b, (i) => i],
    [", a row", bias, (i) => i % columns],
    [", a column", column, (i) => Math.floor(i / columns)],
    [", one number", one, () => 0],
  ];
  return forms.map(([form, b, place]) => ({
    name: name + form,
    inputs: [a, b],
    forward: (a, b) => [...a.data].map((v, i) => f(v, b.data[place(i)])),
    backward: (dOut, a, b) => {
      const { dA, dB } = backward(a, b, dOut);
      return [dA, dB];
    },
    shape,
  }));
}

const operations: Operation[] = [
  {
    name: "matmul",
    inputs: [a, c],
    forward: (a, c) => rowsOf(a).flatMap((row) => columnsOf(c).map((column) => dot(row, column))),
    backward: (dOut, a, c) => {
      const { dA, dB } = ops.matmulBackward(a, c, dOut);
      return [dA, dB];
    },
    shape: [5, 3],
  },
  {
    name: "addBias",
    inputs: [a, bias],
    forward: (a, bias) => rowsOf(a).flatMap((row) => row.map((value, j) => value + bias.data[j])),
    backward: (dOut) => [dOut, ops.addBiasBackward(dOut)],
    shape,
  },
  unary("relu", (v) => Math.max(0, v), (dOut, a) => ops.reluBackward(a, dOut)),
  unary("leakyRelu", (v) => Math.max(v, v / 4), (dOut, a) => ops.leakyReluBackward(a, dOut, { slope: 1 / 4 })),
  unary("sigmoid", (v) => 1 / (1 + Math.exp(-v)), (dOut, a) => ops.sigmoidBackward(ops.sigmoid(a), dOut)),
  unary("tanh", Math.tanh, (dOut, a) => ops.tanhBackward(ops.tanh(a), dOut)),
  unary("gelu", gelu, (dOut, a) => ops.geluBackward(a, dOut)),
  unary("scale", (v) => -1.75 * v, (dOut) => ops.scaleBackward(dOut, -1.75)),
  ...binary("add", (v, w) => v + w, ops.addBackward),
  ...binary("subtract", (v, w) => v - w, ops.subtractBackward),
  ...binary("multiply", (v, w) => v * w, ops.multiplyBackward),
  ...binary("divide", (v, w) => v / w, ops.divideBackward),
  unary("exp", Math.exp, (dOut, a) => ops.expBackward(ops.exp(a), dOut)),
  unary("square", (v) => v * v, (dOut, a) => ops.squareBackward(a, dOut)),
  {
    name: "log",
    inputs: [positive],
    forward: (x) => [...x.data].map(Math.log),
    backward: (dOut, x) => [ops.logBackward(x, dOut)],
    shape,
  },
  {
    name: "sqrt",
    inputs: [positive],
    forward: (x) => [...x.data].map(Math.sqrt),
    backward: (dOut, x) => [ops.sqrtBackward(ops.sqrt(x), dOut)],
    shape,
  },
  {
    name: "softmax",
    inputs: [a],
    forward: (x) =>
      rowsOf(x).flatMap((row) => {
        const powers = row.map(Math.exp);
        return powers.map((power) => power / total(powers));
      }),
    backward: (dOut, x) => [ops.softmaxBackward(ops.softmax(x), dOut)],
    shape,
  },
  {
    name: "transpose",
    inputs: [a],
    forward: (x) => columnsOf(x).flat(),
    backward: (dOut) => [ops.transposeBackward(dOut)],
    shape: [columns, rows],
  },
  {
    name: "norm over columns",
    inputs: [a],
    forward: (x) => rowsOf(x).map((row) => Math.hypot(...row)),
    backward: (dOut, x) => [ops.normBackward(x, ops.norm(x, 1), dOut, 1)],
    shape: [rows],
  },
  {
    name: "norm over rows",
    inputs: [a],
    forward: (x) => columnsOf(x).map((column) => Math.hypot(...column)),
    backward: (dOut, x) => [ops.normBackward(x, ops.norm(x, 0), dOut, 0)],
    shape: [columns],
  },
  {
    name: "norm of all",
    inputs: [a],
    forward: (x) => [Math.hypot(...x.data)],
    backward: (dOut, x) => [ops.normBackward(x, ops.norm(x), dOut)],
    shape: [],
  },
  {
    name: "spread over rows",
    inputs: [bias],
    forward: (x) => Array.from({ length: rows }, () => [...x.data]).flat(),
    backward: (dOut) => [ops.spreadBackward(dOut, 0)],
    shape,
  },
  {
    name: "gatherRows",
    inputs: [a],
    forward: (x) => [4, 0, 4, 2].flatMap((row) => rowsOf(x)[row]),
    backward: (dOut) => [recorded.gatherRowsBackward(dOut, Tensor.from(dOut.device, Uint32Array.of(4, 0, 4, 2)), rows)],
    shape: [4, columns],
  },
];

for (const operation of operations) {
  gpuTest(`${operation.name}: the backward agrees with finite differences`, async (device) => {
    const { inputs, shape, backward } = operation;
    const size = shape.reduce((product, length) => product * length, 1);
    const weights = [...randomMatrix(1, size, 15).data];
    const gradients = device.tidy(() => {
      const tensors = inputs.map((matrix) => upload(device, matrix, matrix.rows === 1 ? [matrix.columns] : undefined));
      return backward(Tensor.from(device, Float32Array.from(weights), shape), ...pair(tensors));
    });
    const actual = await readAll(gradients);
    for (const tensor of new Set(gradients)) tensor.dispose();
    inputs.forEach((_, i) => {
      assertClose(actual[i], differences(operation, i, weights), { rtol: 1e-3, atol: 1e-5 });
    });
  });
}
