import { assertEquals } from "@std/assert";
import * as ops from "../../lib/arithmetic/ops.ts";
import * as recorded from "../../lib/training/recorded_rows.ts";
import * as reference from "../../lib/reference/mod.ts";
import type { Matrix } from "../../lib/reference/mod.ts";
import { readAll, Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { compute, gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

/** One element, less and more than a workgroup of 64, and nothing that divides evenly. */
const SHAPES = [[1, 1], [5, 7], [9, 5], [63, 1], [1, 65], [64, 64], [65, 63]] as const;

gpuTest("elementwise operations agree with values worked out by hand", async (device) => {
  const get = (...values: number[]) => Tensor.from(device, values);
  const cases: [string, () => Tensor, number[]][] = [
    ["add", () => ops.add(get(1, -2, 3), get(4, 5, -6)), [5, 3, -3]],
    ["subtract", () => ops.subtract(get(1, -2, 3), get(4, 5, -6)), [-3, -7, 9]],
    ["multiply", () => ops.multiply(get(1, -2, 3), get(4, 5, -6)), [4, -10, -18]],
    ["multiplyBackward dA", () => ops.multiplyBackward(get(2, 3), get(5, 7), get(10, 1)).dA, [50, 7]],
    ["multiplyBackward dB", () => ops.multiplyBackward(get(2, 3), get(5, 7), get(10, 1)).dB, [20, 3]],
    ["scale", () => ops.scale(get(1, -2, 0.5), -4), [-4, 8, -2]],
    ["subtractBackward dB", () => ops.subtractBackward(get(1, 2), get(5, 6), get(3, -4)).dB, [-3, 4]],
    ["scaleBackward", () => ops.scaleBackward(get(3, -4), -0.5), [-1.5, 2]],
    ["relu", () => ops.relu(get(-1, -0.001, 0, 0.001, 2)), [0, 0, 0, Math.fround(0.001), 2]],
    ["reluBackward", () => ops.reluBackward(get(-1, 0, -0, 1e-30, 2), get(3, 4, 5, 6, 7)), [0, 0, 0, 6, 7]],
    ["sigmoid", () => ops.sigmoid(get(0, 1_000, -1_000)), [0.5, 1, 0]],
    ["sigmoidBackward", () => ops.sigmoidBackward(get(0.5, 0.25, 1), get(4, 16, 5)), [1, 3, 0]],
    ["scalars", () => ops.add(Tensor.from(device, 2), Tensor.from(device, 3)), [5]],
  ];
  for (const [name, run, expected] of cases) assertEquals([name, ...await compute(device, run)], [name, ...expected]);
});

gpuTest("matmul() and addBias() agree with values worked out by hand", async (device) => {
  using a = Tensor.from(device, [[1, 2, 3], [4, 5, 6]]);
  using b = Tensor.from(device, [[7, 8], [9, 10], [11, 12]]);
  using bias = Tensor.from(device, [100, 200]);
  assertEquals([...await compute(device, () => ops.matmul(a, b))], [58, 64, 139, 154]);
  assertEquals([...await compute(device, () => ops.addBias(ops.matmul(a, b), bias))], [158, 264, 239, 354]);
  assertEquals([...await compute(device, () => ops.matmul(a, a, { transposeB: true }))], [14, 32, 32, 77]);
  const squares = [17, 22, 27, 22, 29, 36, 27, 36, 45];
  assertEquals([...await compute(device, () => ops.matmul(a, a, { transposeA: true }))], squares);
  assertEquals([...await compute(device, () => ops.addBiasBackward(a))], [5, 7, 9]);
});

gpuTest("matmul() agrees with the oracle on odd shapes, with each side transposed and not", async (device) => {
  const shapes = [[1, 1, 1], [5, 7, 9], [63, 65, 64], [64, 64, 64], [65, 63, 33], [1, 129, 1], [129, 1, 3], [2, 0, 3]];
  for (const [m, k, n] of shapes) {
    const a = randomMatrix(m, k, 1);
    const b = randomMatrix(k, n, 2);
    const expected = reference.matmul(a, b).data;
    for (const [transposeA, transposeB] of [[false, false], [true, false], [false, true], [true, true]]) {
      using left = upload(device, transposeA ? reference.transpose(a) : a);
      using right = upload(device, transposeB ? reference.transpose(b) : b);
      using product = ops.matmul(left, right, { transposeA, transposeB });
      assertEquals(product.shape, [m, n]);
      assertClose(await product.read(), expected, { rtol: 1e-5, atol: 1e-5 });
    }
  }
});

gpuTest("sum(), mean(), min() and max() agree with values worked out by hand", async (device) => {
  using x = Tensor.from(device, [[1, -2, 3], [4, 5, -6]]);
  const cases: [typeof ops.sum, 0 | 1 | undefined, number[]][] = [
    [ops.sum, undefined, [5]],
    [ops.sum, 0, [5, 3, -3]],
    [ops.sum, 1, [2, 3]],
    [ops.mean, 0, [2.5, 1.5, -1.5]],
    [ops.mean, 1, [2 / 3, 1].map(Math.fround)],
    [ops.min, undefined, [-6]],
    [ops.min, 0, [1, -2, -6]],
    [ops.min, 1, [-2, -6]],
    [ops.max, undefined, [5]],
    [ops.max, 0, [4, 5, 3]],
    [ops.max, 1, [3, 5]],
  ];
  for (const [op, axis, expected] of cases) {
    using result = op(x, axis);
    assertEquals(result.shape, axis === undefined ? [] : [expected.length]);
    assertEquals([op.name, axis, ...await result.read()], [op.name, axis, ...expected]);
  }
  assertClose(await compute(device, () => ops.mean(x)), [5 / 6]);
});

gpuTest("reductions agree with the oracle on odd shapes, in one block and in several", async (device) => {
  for (const [rows, columns] of [...SHAPES, [2_051, 3], [3, 2_051], [1_024, 1], [1_025, 1]]) {
    const x = randomMatrix(rows, columns, 5);
    const byColumn = reference.transpose(x);
    const lines = (m: Matrix) =>
      Array.from({ length: m.rows }, (_, i) => m.data.subarray(i * m.columns, (i + 1) * m.columns));
    const folds: [typeof ops.sum, (v: Float64Array) => number][] = [
      [ops.sum, (v) => v.reduce((a, b) => a + b)],
      [ops.mean, (v) => v.reduce((a, b) => a + b) / v.length],
      [ops.min, (v) => v.reduce((a, b) => Math.min(a, b))],
      [ops.max, (v) => v.reduce((a, b) => Math.max(a, b))],
    ];
    const wanted = folds.flatMap(([_, fold]) => [lines(byColumn).map(fold), lines(x).map(fold), [fold(x.data)]]);
    using input = upload(device, x);
    const results = folds.flatMap(([op]) => ([0, 1, undefined] as const).map((axis) => op(input, axis)));
    const actual = await readAll(results);
    wanted.forEach((expected, i) => assertClose(actual[i], expected, { rtol: 1e-5, atol: 1e-4 }));
    for (const tensor of results) tensor.dispose();
  }
});

gpuTest("gatherRows() picks rows in order, from the cursor on", async (device) => {
  using table = Tensor.from(device, [[0, 1], [10, 11], [20, 21]]);
  using rows = Tensor.from(device, Uint32Array.of(2, 0, 0, 1, 2));
  using cursor = Tensor.from(device, Uint32Array.of(1));
  const cases: [recorded.GatherOptions, number[]][] = [
    [{}, [20, 21, 0, 1, 0, 1, 10, 11, 20, 21]],
    [{ count: 2 }, [20, 21, 0, 1]],
    [{ count: 2, cursor }, [0, 1, 10, 11]],
    [{ count: 1, cursor, stride: 3 }, [10, 11]],
  ];
  for (const [options, expected] of cases) {
    assertEquals([...await compute(device, () => recorded.gatherRows(table, rows, options))], expected);
  }
});

gpuTest("append() fills a history and counts on past its end", async (device) => {
  using history = Tensor.zeros(device, [3]);
  using cursor = Tensor.zeros(device, [1], "u32");
  for (const value of [5, 6, 7, 8]) device.tidy(() => recorded.append(Tensor.from(device, value), history, cursor));
  assertEquals(await readAll([history, cursor]), [Float32Array.of(5, 6, 7), Uint32Array.of(4)]);
});

gpuTest("operations write into out where it is given", async (device) => {
  using x = Tensor.from(device, [[-1, 2], [3, -4]]);
  using square = Tensor.zeros(device, [2, 2]);
  using row = Tensor.zeros(device, [2]);
  using scalar = Tensor.zeros(device, []);
  const { buffers } = device.stats;
  const cases: [(out: Tensor) => Tensor, Tensor, number[]][] = [
    [(out) => ops.relu(x, { out }), square, [0, 2, 3, 0]],
    [(out) => ops.matmul(x, x, { out }), square, [7, -10, -15, 22]],
    [(out) => ops.addBias(x, row.view(0, [2]), { out }), square, [-1, 2, 3, -4]],
    [(out) => ops.sum(x, 0, { out }), row, [2, -2]],
    [(out) => ops.max(x, undefined, { out }), scalar, [3]],
  ];
  for (const [run, out, expected] of cases) {
    assertEquals(run(out) === out, true);
    assertEquals([...await out.read()], expected);
  }
  assertEquals(device.stats.buffers, buffers);
});
