/**
 * Each backward on the GPU against central differences, in float64, of a forward written here in the plainest way. The loss
 * is `sum(out * weights)`, so that `dOut` is the weights. And by hand, where no layer uses them.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { sizeOf } from "../../lib/base/shape.ts";
import * as ops from "../../lib/arithmetic/ops.ts";
import * as recorded from "../../lib/training/recorded_rows.ts";
import type { Matrix } from "../../lib/reference/mod.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { compute, gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

interface Operation {
  name: string;
  inputs: Matrix[];
  /** The output's elements, row by row. */
  forward(a: Matrix, b: Matrix): number[];
  /** The gradient of each input, from `dOut` in the output's shape and the inputs. */
  backward: ((dOut: Tensor, a: Tensor, b: Tensor) => Tensor)[];
  /** Shape of the output. */
  shape: number[];
}

/** One input or two, as the operations take them. */
const pair = <T>(inputs: T[]) => inputs as [T, T];

function differences({ inputs, forward }: Operation, input: number, weights: Float64Array): Float64Array {
  const loss = (entry: number, by: number) => {
    const nudged = inputs.map((matrix, n) => matrix.map((v, i) => n === input && i === entry ? v + by : v));
    return total(forward(...pair(nudged)).map((out, i) => out * weights[i]));
  };
  return inputs[input].data.map((_, i) => (loss(i, 1e-6) - loss(i, -1e-6)) / 2e-6);
}

const rowsOf = ({ rows, columns, data }: Matrix) =>
  Array.from({ length: rows }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]);
const columnsOf = (matrix: Matrix) => Array.from({ length: matrix.columns }, (_, j) => rowsOf(matrix).map((r) => r[j]));
const total = (values: number[]) => values.reduce((a, b) => a + b, 0);

/** Away from 0, where quotients are too steep for differences. */
const away = (matrix: Matrix) => matrix.map((v) => Math.fround(v + Math.sign(v) / 2));

const a = randomMatrix(5, 7, 11);
const b = away(randomMatrix(5, 7, 12));
const row = away(randomMatrix(1, 7, 14));
const column = away(randomMatrix(5, 1, 16));
const one = away(randomMatrix(1, 1, 17));
const positive = b.map(Math.abs);
const shape = [5, 7];
const gelu = (v: number) => v / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));

/** An operation on each element. */
function unary(name: string, f: (v: number) => number, backward: Operation["backward"][0], of = a): Operation {
  return { name, inputs: [of], forward: ({ data }) => [...data].map(f), backward: [backward], shape };
}

/** An operation on pairs of elements, with each form of the second operand: which of its elements counts for element i. */
function binary(
  name: string,
  f: (v: number, w: number) => number,
  backward: (a: Tensor, b: Tensor, dOut: Tensor) => { dA: Tensor; dB: Tensor },
): Operation[] {
  const forms: [Matrix, (i: number) => number][] = [
    [b, (i) => i],
    [row, (i) => i % 7],
    [column, (i) => Math.floor(i / 7)],
    [one, () => 0],
  ];
  return forms.map(([b, place]) => ({
    name,
    inputs: [a, b],
    forward: ({ data }, b) => [...data].map((v, i) => f(v, b.data[place(i)])),
    backward: [(dOut, a, b) => backward(a, b, dOut).dA, (dOut, a, b) => backward(a, b, dOut).dB],
    shape,
  }));
}

type Axis = 0 | 1 | undefined;
type Fold = [name: string, fold: (v: number[]) => number, backward: (dOut: Tensor, x: Tensor, axis: Axis) => Tensor];
const folds: Fold[] = [
  ["sum", total, (dOut, x, axis) => ops.sumBackward(dOut, x.shape, axis)],
  ["mean", (v) => total(v) / v.length, (dOut, x, axis) => ops.meanBackward(dOut, x.shape, axis)],
  ["min", (v) => Math.min(...v), (dOut, x, axis) => ops.minBackward(x, ops.min(x, axis), dOut, axis)],
  ["max", (v) => Math.max(...v), (dOut, x, axis) => ops.maxBackward(x, ops.max(x, axis), dOut, axis)],
  ["norm", (v) => Math.hypot(...v), (dOut, x, axis) => ops.normBackward(x, ops.norm(x, axis), dOut, axis)],
];

/** A reduction over either axis and over all, on odd shapes. */
function reductions([name, fold, backward]: Fold): Operation[] {
  return [[1, 1], [5, 7], [23, 3], [1, 9]].flatMap(([rows, columns]) =>
    ([undefined, 0, 1] as const).map((axis) => ({
      name,
      inputs: [randomMatrix(rows, columns)],
      forward: (x) => (axis === undefined ? [[...x.data]] : axis === 0 ? columnsOf(x) : rowsOf(x)).map(fold),
      backward: [(dOut, x) => backward(dOut, x, axis)],
      shape: axis === undefined ? [] : [axis === 0 ? columns : rows],
    }))
  );
}

const operations: Operation[] = [
  {
    name: "matmul",
    inputs: [a, randomMatrix(7, 3, 13)],
    forward: (a, c) =>
      rowsOf(a).flatMap((row) => columnsOf(c).map((column) => total(row.map((v, i) => v * column[i])))),
    backward: [(dOut, a, c) => ops.matmulBackward(a, c, dOut).dA, (dOut, a, c) => ops.matmulBackward(a, c, dOut).dB],
    shape: [5, 3],
  },
  {
    name: "addBias",
    inputs: [a, row],
    forward: (a, bias) => rowsOf(a).flatMap((row) => row.map((value, j) => value + bias.data[j])),
    backward: [(dOut) => dOut, (dOut) => ops.addBiasBackward(dOut)],
    shape,
  },
  unary("relu", (v) => Math.max(0, v), (dOut, a) => ops.reluBackward(a, dOut)),
  unary("leakyRelu", (v) => Math.max(v, v / 4), (dOut, a) => ops.leakyReluBackward(a, dOut, { slope: 1 / 4 })),
  unary("sigmoid", (v) => 1 / (1 + Math.exp(-v)), (dOut, a) => ops.sigmoidBackward(ops.sigmoid(a), dOut)),
  unary("tanh", Math.tanh, (dOut, a) => ops.tanhBackward(ops.tanh(a), dOut)),
  unary("gelu", gelu, (dOut, a) => ops.geluBackward(a, dOut)),
  unary("scale", (v) => -1.75 * v, (dOut) => ops.scaleBackward(dOut, -1.75)),
  unary("exp", Math.exp, (dOut, a) => ops.expBackward(ops.exp(a), dOut)),
  unary("square", (v) => v * v, (dOut, a) => ops.squareBackward(a, dOut)),
  unary("log", Math.log, (dOut, x) => ops.logBackward(x, dOut), positive),
  unary("sqrt", Math.sqrt, (dOut, x) => ops.sqrtBackward(ops.sqrt(x), dOut), positive),
  ...binary("add", (v, w) => v + w, ops.addBackward),
  ...binary("subtract", (v, w) => v - w, ops.subtractBackward),
  ...binary("multiply", (v, w) => v * w, ops.multiplyBackward),
  ...binary("divide", (v, w) => v / w, ops.divideBackward),
  {
    name: "softmax",
    inputs: [a],
    forward: (x) =>
      rowsOf(x).flatMap((row) => {
        const powers = row.map(Math.exp);
        return powers.map((power) => power / total(powers));
      }),
    backward: [(dOut, x) => ops.softmaxBackward(ops.softmax(x), dOut)],
    shape,
  },
  {
    name: "transpose",
    inputs: [a],
    forward: (x) => columnsOf(x).flat(),
    backward: [(dOut) => ops.transposeBackward(dOut)],
    shape: [7, 5],
  },
  {
    name: "spread",
    inputs: [row],
    forward: (x) => Array.from({ length: 5 }, () => [...x.data]).flat(),
    backward: [(dOut) => ops.spreadBackward(dOut, 0)],
    shape,
  },
  {
    name: "gatherRows",
    inputs: [a],
    forward: (x) => [4, 0, 4, 2].flatMap((row) => rowsOf(x)[row]),
    backward: [(dOut) => recorded.gatherRowsBackward(dOut, Tensor.from(dOut.device, Uint32Array.of(4, 0, 4, 2)), 5)],
    shape: [4, 7],
  },
  ...folds.flatMap(reductions),
];

for (const [name, cases] of Map.groupBy(operations, ({ name }) => name)) {
  gpuTest(`${name}: the backward agrees with finite differences`, async (device) => {
    for (const operation of cases) {
      const { inputs, shape, backward } = operation;
      const weights = randomMatrix(1, sizeOf(shape), 15).data;
      for (const [input, gradient] of backward.entries()) {
        const actual = await compute(device, () => {
          const dOut = Tensor.from(device, Float32Array.from(weights), shape);
          const result = gradient(dOut, ...pair(inputs.map((matrix) => upload(device, matrix))));
          assertEquals(result.shape.at(-1), inputs[input].columns);
          return result;
        });
        assertClose(actual, differences(operation, input, weights), { rtol: 1e-5, atol: 1e-7 });
      }
    }
  });
}

gpuTest("minBackward() and maxBackward() share between equal extremes, and pass NaN on", async (device) => {
  using x = Tensor.from(device, [[1, 3, 3], [2, 2, 2]]);
  using dOut = Tensor.from(device, [12, 6]);
  assertEquals([...await compute(device, () => ops.maxBackward(x, ops.max(x, 1), dOut, 1))], [0, 6, 6, 2, 2, 2]);
  assertEquals([...await compute(device, () => ops.minBackward(x, ops.min(x, 1), dOut, 1))], [12, 0, 0, 2, 2, 2]);
  using strange = Tensor.from(device, [[1, NaN]]);
  using one = Tensor.from(device, [1]);
  const dX = await compute(device, () => ops.maxBackward(strange, ops.max(strange, 1), one, 1));
  assertEquals([...dX], [NaN, NaN]);
});

gpuTest("addBackward() and subtractBackward() hand dOut on as it is", (device) => {
  using dOut = Tensor.from(device, [3, -4]);
  using x = Tensor.from(device, [1, 2]);
  const { dA, dB } = ops.addBackward(x, x, dOut);
  const isKept = device.tidy(() => ops.subtractBackward(x, x, dOut).dA === dOut);
  assertEquals([dA === dOut, dB === dOut, isKept], [true, true, true]);
});

gpuTest("gatherRowsBackward() adds up what each row was picked for", async (device) => {
  using dOut = Tensor.from(device, [[1, 10], [2, 20], [4, 40], [8, 80]]);
  using rows = Tensor.from(device, Uint32Array.of(2, 0, 2, 7));
  // Row 1 was never picked, 7 lies outside the table.
  assertEquals([...await compute(device, () => recorded.gatherRowsBackward(dOut, rows, 3))], [2, 20, 0, 0, 5, 50]);
  using none = Tensor.zeros(device, [0, 2]);
  using nobody = Tensor.zeros(device, [0], "u32");
  assertEquals([...await compute(device, () => recorded.gatherRowsBackward(none, nobody, 2))], [0, 0, 0, 0]);
});

gpuTest("gatherRowsBackward() is right for more than 65,535 places", async (device) => {
  const count = 70_003;
  using dOut = Tensor.from(device, new Float32Array(count).fill(1), [count, 1]);
  using rows = Tensor.from(device, Uint32Array.from({ length: count }, (_, i) => i % 3));
  const expected = [0, 1, 2].map((row) => Math.ceil((count - row) / 3));
  assertEquals([...await compute(device, () => recorded.gatherRowsBackward(dOut, rows, 3))], expected);
});

gpuTest("the backwards refuse shapes and types that do not match", (device) => {
  using matrix = Tensor.zeros(device, [2, 3]);
  using two = Tensor.zeros(device, [2]);
  using rows = Tensor.zeros(device, [3], "u32");
  const cases: [() => unknown, string][] = [
    [() => ops.sumBackward(two, [2, 3], 0), "Cannot spread [2] over [2, 3]: need [3]"],
    [() => ops.meanBackward(two, [2, 3]), "Cannot spread [2] over [2, 3]: need []"],
    [() => ops.sumBackward(two, [2], 0), "Cannot spread over axis 0 of [2]: it is no matrix"],
    [() => ops.minBackward(matrix, two, matrix, 1), "Cannot apply divide to [2, 3] and [2]: the shapes differ"],
    [() => recorded.gatherRowsBackward(matrix, rows, 4), "Cannot take dOut [2, 3] and rows [3] back to a table"],
    [() => recorded.gatherRowsBackward(matrix, two, 4), "Cannot compute with a tensor of f32: need u32"],
  ];
  for (const [run, text] of cases) assertThrows(() => device.tidy(run), TypeError, text);
});
