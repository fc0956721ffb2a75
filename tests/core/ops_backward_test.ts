/** The backwards of operations that no layer uses: by hand, and against central differences of a float64 forward. */
import { assertEquals, assertThrows } from "@std/assert";
import * as ops from "../../lib/core/ops.ts";
import * as recorded from "../../lib/training/recorded_rows.ts";
import type { Matrix } from "../../lib/reference/mod.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { compute, gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

/** Which elements a reduction folds into its output `k`. */
function folded(x: Matrix, axis: 0 | 1 | undefined, k: number): number[] {
  const all = [...x.data.keys()];
  if (axis === undefined) return all;
  return all.filter((i) => (axis === 0 ? i % x.columns : Math.floor(i / x.columns)) === k);
}

const FOLDS = {
  sum: (v: number[]) => v.reduce((a, b) => a + b),
  mean: (v: number[]) => v.reduce((a, b) => a + b) / v.length,
  min: (v: number[]) => Math.min(...v),
  max: (v: number[]) => Math.max(...v),
};

/** Gradient of `sum over k of dOut[k] * fold(x)[k]` with respect to each element of x, by central differences. */
function differentiate(fold: (v: number[]) => number, x: Matrix, dOut: number[], axis: 0 | 1 | undefined): number[] {
  const loss = (data: Float64Array) =>
    dOut.reduce((total, d, k) => total + d * fold(folded(x, axis, k).map((i) => data[i])), 0);
  return [...x.data.keys()].map((i) => {
    const up = x.data.slice();
    const down = x.data.slice();
    up[i] += 1e-6;
    down[i] -= 1e-6;
    return (loss(up) - loss(down)) / 2e-6;
  });
}

gpuTest("the backwards of reductions agree with central differences on odd shapes", async (device) => {
  for (const [rows, columns] of [[1, 1], [5, 7], [23, 3], [1, 9]]) {
    const data = randomMatrix(rows, columns);
    for (const axis of [undefined, 0, 1] as const) {
      const outputs = axis === undefined ? 1 : axis === 0 ? columns : rows;
      const gradient = [...randomMatrix(1, outputs, 2).data];
      using x = upload(device, data);
      using dOut = Tensor.from(device, Float32Array.from(gradient), axis === undefined ? [] : [outputs]);
      const backwards = {
        sum: () => ops.sumBackward(dOut, x.shape, axis),
        mean: () => ops.meanBackward(dOut, x.shape, axis),
        min: () => ops.minBackward(x, ops.min(x, axis), dOut, axis),
        max: () => ops.maxBackward(x, ops.max(x, axis), dOut, axis),
      };
      for (const [name, backward] of Object.entries(backwards)) {
        const expected = differentiate(FOLDS[name as keyof typeof FOLDS], data, gradient, axis);
        assertClose(await compute(device, backward), expected, { rtol: 1e-5, atol: 1e-7 });
      }
    }
  }
});

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

gpuTest("the backwards of elementwise operations agree with values worked out by hand", async (device) => {
  using dOut = Tensor.from(device, [3, -4]);
  using x = Tensor.from(device, [1, 2]);
  const sum = ops.addBackward(x, x, dOut);
  assertEquals([sum.dA === dOut, sum.dB === dOut], [true, true]);
  assertEquals([...await compute(device, () => ops.subtractBackward(x, x, dOut).dB)], [-3, 4]);
  assertEquals(device.tidy(() => ops.subtractBackward(x, x, dOut).dA === dOut), true);
  assertEquals([...await compute(device, () => ops.scaleBackward(dOut, -0.5))], [-1.5, 2]);
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

gpuTest("sumBackward() is right on a grid wider than 65,535 workgroups", async (device) => {
  const wide = 65_535 * 64 + 77;
  using dOut = Tensor.from(device, [1, 2]);
  const dX = await compute(device, () => ops.sumBackward(dOut, [wide, 2], 0));
  assertEquals([dX.length, dX.findIndex((value, i) => value !== 1 + i % 2)], [2 * wide, -1]);
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
