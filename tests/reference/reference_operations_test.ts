/** The oracle's operations: held to values worked out by hand, and their backwards to finite differences. */
import { assertEquals } from "@std/assert";
import * as reference from "../../lib/reference/mod.ts";
import { Matrix } from "../../lib/reference/mod.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix } from "../support/gpu_test_case.ts";

const of = (...rows: number[][]) => new Matrix(rows.length, rows[0].length, rows.flat());

Deno.test("operations on two operands agree with values worked out by hand", () => {
  const a = of([1, 2, 3], [4, 5, 6]);
  const row = of([10, 20, 30]);
  const column = of([2], [4]);
  assertEquals(reference.add(a, a), of([2, 4, 6], [8, 10, 12]));
  assertEquals(reference.add(a, row), of([11, 22, 33], [14, 25, 36]));
  assertEquals(reference.subtract(a, column), of([-1, 0, 1], [0, 1, 2]));
  assertEquals(reference.multiply(a, of([-1])), of([-1, -2, -3], [-4, -5, -6]));
  assertEquals(reference.divide(a, column), of([0.5, 1, 1.5], [1, 1.25, 1.5]));
  assertEquals(reference.equal(a, column), of([0, 1, 0], [1, 0, 0]));
  assertEquals(reference.greater(a, column), of([0, 0, 1], [0, 1, 1]));
  assertEquals(reference.spreadBackward(row, a), of([5, 7, 9]));
  assertEquals(reference.spreadBackward(column, a), of([6], [15]));
  assertEquals(reference.multiplyBackward(a, column, of([1, 0, 1], [0, 1, 0])), {
    dA: of([2, 0, 2], [0, 4, 0]),
    dB: of([4], [5]),
  });
  assertEquals(reference.divideBackward(a, column, of([4, 0, 0], [0, 0, 16])).dB, of([-1], [-6]));
});

Deno.test("softmax's backward, one-hot rows and norms agree with values worked out by hand", () => {
  assertEquals(reference.softmaxBackward(of([0.5, 0.5]), of([4, 0])), of([1, -1]));
  assertEquals(reference.oneHot([1, 0], 2), of([0, 1], [1, 0]));
  assertEquals(reference.oneHot([2, 0.5, -1, NaN], 1), of([NaN], [NaN], [NaN], [NaN]));
  assertEquals(reference.rowNorms(of([3, 4], [0, 0])), of([5], [0]));
  assertEquals(reference.rowNormsBackward(of([3, 4], [0, 0]), of([10], [10])), of([6, 8], [0, 0]));
});

/** Gradient of the sum of `f(x) * weights` by central differences. */
function differences(f: (x: Matrix) => Matrix, x: Matrix, weights: Matrix): Float64Array {
  const loss = (x: Matrix) => f(x).data.reduce((sum, v, i) => sum + v * weights.data[i], 0);
  const nudged = (entry: number, by: number) => x.map((v, i) => i === entry ? v + by : v);
  return x.data.map((_, i) => (loss(nudged(i, 1e-6)) - loss(nudged(i, -1e-6))) / 2e-6);
}

Deno.test("the backwards agree with finite differences", () => {
  const close = (actual: Matrix, expected: Float64Array) =>
    assertClose(actual.data, expected, { rtol: 1e-7, atol: 1e-8 });
  const a = randomMatrix(5, 7, 1);
  const dOut = randomMatrix(5, 7, 2);
  const positive = a.map((v) => Math.abs(v) + 0.5);
  for (const shape of [[5, 7], [1, 7], [5, 1], [1, 1]]) {
    const b = randomMatrix(shape[0], shape[1], 3).map((v) => Math.sign(v) * (Math.abs(v) + 0.5));
    for (const name of ["add", "subtract", "multiply", "divide"] as const) {
      const { dA, dB } = reference[`${name}Backward`](a, b, dOut);
      close(dA, differences((x) => reference[name](x, b), a, dOut));
      close(dB, differences((x) => reference[name](a, x), b, dOut));
    }
  }
  for (const name of ["exp", "log", "sqrt", "square", "softmax"] as const) {
    const forward = reference[name];
    const kept = ["log", "square"].includes(name) ? positive : forward(positive);
    close(reference[`${name}Backward`](kept, dOut), differences(forward, positive, dOut));
  }
  const dNorms = randomMatrix(5, 1, 4);
  close(reference.rowNormsBackward(a, dNorms), differences(reference.rowNorms, a, dNorms));
});
