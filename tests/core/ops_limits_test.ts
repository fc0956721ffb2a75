/** What operations refuse, how they pass on NaN, and that they are right beyond 65,535. */
import { assertEquals, assertThrows } from "@std/assert";
import { clipByNorm } from "../../lib/training/clipping.ts";
import { bceWithLogits, mse } from "../../lib/core/losses.ts";
import * as ops from "../../lib/arithmetic/ops.ts";
import * as recorded from "../../lib/training/recorded_rows.ts";
import { createOptimizer, type OptimizerName } from "../../lib/core/optimizers.ts";
import * as reference from "../../lib/reference/mod.ts";
import { Matrix } from "../../lib/reference/mod.ts";
import { Device } from "../../lib/gpu/device.ts";
import { Tensor, type TensorData } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { compute, gpuTest, ramp, randomMatrix, upload } from "../support/gpu_test_case.ts";

/** More elements than 65,535 workgroups of 64 reach: the grid has a second dimension. */
const WIDE = 65_535 * 64 + 77;

/** Elements for a grid of six rows on a device whose grids are folded after so many workgroups. */
const GRID_WIDTH = 129;
const FOLDED = 5 * GRID_WIDTH * 64 + 77;

/** What computes on millions of elements; all others do on those of a folded grid. */
const ON_MILLIONS = ["scale", "matmul", "sum over columns", "adam"];

/** The place of the first number that is not what the ramp's value gives; -1 where all are right. */
function firstWrong(
  actual: TensorData,
  length: number,
  expected: (v: number, i: number) => number,
  tolerance = 1e-6,
): number {
  assertEquals(actual.length, length);
  const period = Float64Array.from(ramp([17]), expected); // the ramp begins again after 17
  for (let i = 0; i < actual.length; i++) {
    if (!(Math.abs(actual[i] - period[i % 17]) <= tolerance)) return i;
  }
  return -1;
}

gpuTest("operations refuse shapes and types that do not match, and results beyond the device's limits", (device) => {
  using a = Tensor.zeros(device, [2, 3]);
  using b = Tensor.zeros(device, [4, 5]);
  using v = Tensor.zeros(device, [3]);
  using empty = Tensor.zeros(device, [0, 3]);
  using x = Tensor.zeros(device, [2, 2]);
  using n = Tensor.zeros(device, [2, 2], "u32");
  using rows = Tensor.zeros(device, [2], "u32");
  using values = Tensor.zeros(device, [2]);
  using counter = Tensor.zeros(device, [1], "u32");
  using one = Tensor.zeros(device, [1]);
  using column = Tensor.zeros(device, [2 ** 16, 1]);
  const need = "the second operand must have the same shape, or be a row [3], a column [2, 1], a scalar [] or a number";
  const differ: [(a: Tensor, b: Tensor) => Tensor, Tensor][] = [
    [ops.reluBackward, b],
    [ops.leakyReluBackward, b],
    [ops.tanhBackward, b],
    [ops.geluBackward, b],
  ];
  const product = "TypeError: Cannot multiply a [2, 3]";
  const needF32 = "TypeError: Cannot compute with a tensor of u32: need f32";
  const needU32 = "TypeError: Cannot compute with a tensor of f32: need u32";
  const needRows = "TypeError: Cannot gather rows: need a matrix and a u32 vector, found table";
  const allowed = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
  const cases: [() => Tensor | void, string][] = [
    [() => ops.matmul(a, b), `${product} by b [4, 5]: inner dimensions 3 and 4 differ`],
    [
      () => ops.matmul(a, b, { transposeA: true }),
      `${product} transposed by b [4, 5]: inner dimensions 2 and 4 differ`,
    ],
    [
      () => ops.matmul(a, b, { transposeB: true }),
      `${product} by b [4, 5] transposed: inner dimensions 3 and 5 differ`,
    ],
    [() => ops.matmul(a, v), `${product} by b [3]: both must be matrices`],
    [() => ops.addBias(b, v), "TypeError: Cannot add bias [3] to x [4, 5]: need [c] and [r, c]"],
    [() => ops.addBias(v, v), "TypeError: Cannot add bias [3] to x [3]: need [c] and [r, c]"],
    [() => ops.add(a, b), `TypeError: Cannot add [2, 3] and [4, 5]: ${need}`],
    [() => ops.multiply(a, b), `TypeError: Cannot multiply [2, 3] and [4, 5]: ${need}`],
    [
      () => ops.subtract(v, a),
      "TypeError: Cannot subtract [3] and [2, 3]: the second operand must have the same shape, or be a scalar [] or a number",
    ],
    ...differ.map(([op, other]): [() => Tensor, string] => [
      () => op(a, other),
      `TypeError: Cannot apply ${op.name} to [2, 3] and [${other.shape.join(", ")}]: the shapes differ`,
    ]),
    [() => mse.forward(a, b), "TypeError: Cannot compare prediction [2, 3] with target [4, 5]: the shapes differ"],
    [() => ops.sum(v, 0), "TypeError: Cannot sum over axis 0 of [3]: it is no matrix"],
    [() => ops.max(v, 1), "TypeError: Cannot max over axis 1 of [3]: it is no matrix"],
    [() => ops.relu(a, { out: b }), "TypeError: Cannot write a result [2, 3] into a tensor [4, 5]"],
    [() => ops.matmul(a, a, { transposeB: true, out: v }), "TypeError: Cannot write a result [2, 2] into a tensor [3]"],
    [() => ops.sum(empty), "RangeError: Cannot sum over [0, 3]: there is nothing to reduce"],
    [() => ops.mean(empty, 0), "RangeError: Cannot sum over [0, 3]: there is nothing to reduce"],
    [() => ops.min(empty), "RangeError: Cannot min over [0, 3]: there is nothing to reduce"],
    [() => ops.relu(n), needF32],
    [() => ops.add(x, n), needF32],
    [() => ops.matmul(x, n), needF32],
    [() => ops.addBias(x, rows), needF32],
    [() => ops.sum(n), needF32],
    [() => ops.relu(x, { out: n }), needF32],
    [() => recorded.gatherRows(n, rows), needF32],
    [() => recorded.gatherRows(x, rows, { cursor: one }), needU32],
    [() => recorded.append(counter, values, counter), needF32],
    [() => recorded.append(one, values, one), needU32],
    [
      () => recorded.gatherRows(x, rows.reshape([2, 1]), { copies: 3 }),
      "RangeError: Cannot gather 3 copies of rows by 2 lists: need a list for each copy",
    ],
    [() => recorded.gatherRows(x, values), `${needRows} [2, 2], rows [2] of f32`],
    [() => recorded.gatherRows(values, rows), `${needRows} [2], rows [2] of u32`],
    [
      () => ops.matmul(column, column, { transposeB: true }),
      `RangeError: Cannot allocate a tensor [65536, 65536]: it takes ${2 ** 34} bytes, and this device binds ` +
      `at most ${allowed} bytes at once`,
    ],
  ];
  const { allocations } = device.stats;
  for (const [run, expected] of cases) {
    const error = assertThrows(() => device.tidy(run), Error);
    assertEquals(`${error.constructor.name}: ${error.message}`, expected);
    assertEquals(device.stats.allocations, allocations, "refused before anything is allocated");
  }
});

gpuTest("NaN and infinities pass through activations, sums and losses", async (device) => {
  const strange = [NaN, Infinity, -Infinity, 1, -1];
  using x = Tensor.from(device, [strange]);
  using zeros = Tensor.zeros(device, [1, 5]);
  using ones = Tensor.from(device, [[1, 1, 1, 1, 1]]);
  const cases: [string, () => Tensor, number[]][] = [
    ["relu", () => ops.relu(x), [NaN, Infinity, 0, 1, 0]],
    ["reluBackward", () => ops.reluBackward(x, ones), [1, 1, 0, 1, 0]],
    ["reluBackward dOut", () => ops.reluBackward(ones, x), strange],
    ["sigmoid", () => ops.sigmoid(ops.scale(x, 1_000)), [NaN, 1, 0, 1, 0]],
    ["sum", () => ops.sum(x), [NaN]],
    ["sum over rows", () => ops.sum(x, 0), strange],
    ["mean", () => ops.mean(x, 1), [NaN]],
    ["mse", () => mse.forward(x, zeros), [NaN]],
    ["mse of infinity", () => mse.forward(Tensor.from(device, [[Infinity]]), Tensor.from(device, [[0]])), [Infinity]],
    ["mse backward", () => mse.backward(x, zeros), [NaN, Infinity, -Infinity, 0.4, -0.4].map(Math.fround)],
    ["matmul", () => ops.matmul(x, zeros, { transposeB: true }), [NaN]],
  ];
  for (const [name, run, expected] of cases) assertEquals([name, ...await compute(device, run)], [name, ...expected]);
});

gpuTest("min() and max() give NaN wherever it stands, and pass infinities", async (device) => {
  for (const length of [1, 2, 5, 3_000]) {
    for (const place of new Set([0, 1, length >> 1, length - 1])) {
      const values = ramp([length]);
      if (place >= length) continue;
      values[place] = NaN;
      for (const op of [ops.min, ops.max]) {
        assertEquals([...await compute(device, () => op(Tensor.from(device, values)))], [NaN], `${length}, ${place}`);
      }
    }
  }
  const infinite = [1, Infinity, -Infinity];
  assertEquals([...await compute(device, () => ops.min(Tensor.from(device, infinite)))], [-Infinity]);
  assertEquals([...await compute(device, () => ops.max(Tensor.from(device, infinite)))], [Infinity]);
});

gpuTest("gatherRows() gives NaN for rows outside the table and past the end of the list", async (device) => {
  using table = Tensor.from(device, [[1, 2], [3, 4]]);
  using rows = Tensor.from(device, Uint32Array.of(1, 2, 4_294_967_295));
  using far = Tensor.from(device, Uint32Array.of(2));
  assertEquals([...await compute(device, () => recorded.gatherRows(table, rows))], [3, 4, NaN, NaN, NaN, NaN]);
  const past = { count: 2, stride: 1, cursor: far };
  assertEquals([...await compute(device, () => recorded.gatherRows(table, rows, past))], [NaN, NaN, NaN, NaN]);
});

gpuTest("reductions longer than 65,535 elements are right over either axis and over all", async (device) => {
  const length = 70_003;
  const values = ramp([length]);
  values[length - 1] = 9; // a loop cut short would miss it
  const total = values.reduce((a, b) => a + b); // exact, in eighths
  using row = Tensor.from(device, values, [1, length]);
  const column = row.reshape([length, 1]);
  const cases: [() => Tensor, number][] = [
    [() => ops.sum(row), total],
    [() => ops.sum(row, 1), total],
    [() => ops.sum(column, 0), total],
    [() => ops.mean(column, 0), total / length],
    [() => ops.addBiasBackward(column), total],
    [() => ops.max(column), 9],
    [() => ops.max(row, 1), 9],
    [() => ops.min(ops.scale(column, -1), 0), -9],
  ];
  for (const [run, expected] of cases) assertClose(await compute(device, run), [expected], { rtol: 1e-6, atol: 0 });
});

gpuTest("matmul() with an inner dimension longer than 65,535 is right, transposed or not", async (device) => {
  const a = randomMatrix(3, 70_003, 1);
  const b = randomMatrix(70_003, 2, 2);
  const expected = reference.matmul(a, b).data;
  for (const [transposeA, transposeB] of [[false, false], [true, false], [false, true], [true, true]]) {
    const run = () => {
      const left = upload(device, transposeA ? reference.transpose(a) : a);
      return ops.matmul(left, upload(device, transposeB ? reference.transpose(b) : b), { transposeA, transposeB });
    };
    assertClose(await compute(device, run), expected, { rtol: 1e-4, atol: 1e-2 });
  }
});

/** Checks operations on so many elements: all, or those that are named. */
async function checkOperations(device: Device, length: number, isTried: (name: string) => boolean): Promise<void> {
  const data = ramp([length]);
  using x = Tensor.from(device, data, [length, 1]);
  using y = ops.scale(x, 2);
  using row = Tensor.from(device, [0.5]);
  using one = Tensor.from(device, [[3]]);
  using order = Tensor.from(device, new Uint32Array(length).map((_, i) => length - 1 - i));
  using first = Tensor.from(device, Uint32Array.of(7));
  const step = 1 / length;
  const period = new Matrix(1, 17, data.subarray(0, 17));
  const gelu = reference.gelu(period).data;
  const geluSlope = reference.geluBackward(period, period).data;
  const cases: [string, () => Tensor, (v: number, i: number) => number][] = [
    ["scale", () => ops.scale(x, 2), (v) => 2 * v],
    ["add", () => ops.add(x, y), (v) => 3 * v],
    ["relu", () => ops.relu(x), (v) => Math.max(0, v)],
    ["reluBackward", () => ops.reluBackward(x, y), (v) => v > 0 ? 2 * v : 0],
    ["sigmoid", () => ops.sigmoid(x), (v) => 1 / (1 + Math.exp(-v))],
    ["sigmoidBackward", () => ops.sigmoidBackward(x, y), (v) => 2 * v * v * (1 - v)],
    ["leakyRelu", () => ops.leakyRelu(x), (v) => Math.max(v, v / 100)],
    ["leakyReluBackward", () => ops.leakyReluBackward(x, x), (v) => Math.max(v, v / 100)],
    ["tanh", () => ops.tanh(x), Math.tanh],
    ["tanhBackward", () => ops.tanhBackward(x, x), (v) => v * (1 - v * v)],
    ["gelu", () => ops.gelu(x), (_, i) => gelu[i]],
    ["geluBackward", () => ops.geluBackward(x, x), (_, i) => geluSlope[i]],
    ["addBias", () => ops.addBias(x, row), (v) => v + 0.5],
    ["subtract a row", () => ops.subtract(x, row), (v) => v - 0.5],
    ["multiply by a number", () => ops.multiply(x, 4), (v) => 4 * v],
    ["square", () => ops.square(x), (v) => v * v],
    ["transpose", () => ops.transpose(x), (v) => v],
    ["matmul", () => ops.matmul(x, one), (v) => 3 * v],
    ["sum over columns", () => ops.sum(x, 1), (v) => v],
    ["min over rows", () => ops.min(x.reshape([1, length]), 0), (v) => v],
    ["gatherRows", () => recorded.gatherRows(x, order), (_, i) => data[length - 1 - i]],
    ["bce backward", () => ops.scale(bceWithLogits.backward(x, y), length), (v) => 1 / (1 + Math.exp(-v)) - 2 * v],
    ["sumBackward over rows", () => ops.sumBackward(x.reshape([length]), [1, length], 0), (v) => v],
    ["sumBackward over columns", () => ops.sumBackward(x.reshape([length]), [length, 1], 1), (v) => v],
    ["mse backward", () => ops.scale(mse.backward(x, y), length), (v) => -2 * v],
  ];
  for (const [name, run, expected] of cases.filter(([name]) => isTried(name))) {
    assertEquals([name, firstWrong(await compute(device, run), length, expected)], [name, -1]);
  }
  const scattered = await compute(device, () => recorded.gatherRowsBackward(row.reshape([1, 1]), first, length));
  assertEquals(scattered[7], 0.5);
  scattered[7] = 0;
  assertEquals(firstWrong(scattered, length, () => 0), -1);
  const mean = data.reduce((sum, v) => sum + v * v, 0) * step;
  assertClose(await compute(device, () => mse.forward(x, y)), [mean], { rtol: 1e-5, atol: 0 });
  const bce = data.reduce((sum, v) => sum + Math.log(1 + Math.exp(v)) - v * 2 * v, 0) * step;
  // Terms of about 1 with either sign: the mean is small, its rounding is not.
  assertClose(await compute(device, () => bceWithLogits.forward(x, y)), [bce], { rtol: 0, atol: 1e-5 });
}

/** Checks optimizers and clipByNorm() on so many elements. */
async function checkOptimizers(device: Device, length: number, isTried: (name: string) => boolean): Promise<void> {
  const data = ramp([length]);
  using gradients = Tensor.from(device, data);
  const cases: [OptimizerName, (v: number) => number][] = [
    ["sgd", (v) => -0.5 * v],
    ["momentum", (v) => -0.5 * v],
    ["nesterov", (v) => -0.95 * v],
    ["rmsprop", (v) => -5 * Math.sign(v)],
    ["adam", (v) => -0.5 * Math.sign(v)],
    ["adamw", (v) => -0.5 * Math.sign(v)],
  ];
  for (const [name, expected] of cases.filter(([name]) => isTried(name))) {
    using values = Tensor.zeros(device, [length]);
    using optimizer = createOptimizer(name, { values, gradients }, 0.5);
    optimizer.step();
    assertEquals([name, firstWrong(await values.read(), length, expected, 1e-5)], [name, -1]);
  }
  clipByNorm(gradients, Math.sqrt(data.reduce((sum, v) => sum + v * v, 0)) / 4);
  assertEquals(firstWrong(await gradients.read(), length, (v) => v / 4), -1);
}

gpuTest("grids wider than 65,535 workgroups give every element its value", async (device) => {
  const isTried = (name: string) => ON_MILLIONS.includes(name);
  await checkOperations(device, WIDE, isTried);
  await checkOptimizers(device, WIDE, isTried);
});

Deno.test("every operation and optimizer gives every element of a folded grid its value", async () => {
  using device = await Device.request({ smallDispatches: true, gridWidth: GRID_WIDTH });
  await checkOperations(device, FOLDED, () => true);
  await checkOptimizers(device, FOLDED, () => true);
});
