/** Operations whose second operand is a row, a column, a scalar or a number; functions, scale, softmax, norms ... */
import { assertEquals, assertThrows } from "@std/assert";
import * as ops from "../../lib/arithmetic/ops.ts";
import * as reference from "../../lib/reference/mod.ts";
import { Matrix } from "../../lib/reference/mod.ts";
import { readAll, Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { compute, gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

const PAIRS = ["add", "subtract", "multiply", "divide", "equal", "greater"] as const;
const DIFFERENTIABLE = ["add", "subtract", "multiply", "divide"] as const;
/** One element, less and more than a workgroup of 64, by fours and not. */
const SHAPES = [[1, 1], [5, 7], [4, 8], [1, 65], [65, 1], [65, 63]] as const;

/** Halves of whole numbers, so that some are equal; never 0. */
const halves = (rows: number, columns: number, seed: number) =>
  randomMatrix(rows, columns, seed).map((v) => Math.round(2 * v) / 2 || 1);

gpuTest("every form of the second operand agrees with the oracle on odd shapes", async (device) => {
  for (const [rows, columns] of SHAPES) {
    const a = halves(rows, columns, 1);
    const forms: [Matrix, number[]][] = [
      [halves(rows, columns, 2), [rows, columns]],
      [halves(1, columns, 3), [columns]],
      [halves(1, columns, 3), [1, columns]],
      [halves(rows, 1, 4), [rows, 1]],
      [halves(1, 1, 5), []],
      [halves(1, 1, 5), [1, 1]],
    ];
    for (const [b, shape] of forms) {
      const results = PAIRS.map((name) => device.tidy(() => ops[name](upload(device, a), upload(device, b, shape))));
      const actual = await readAll(results);
      PAIRS.forEach((name, i) => assertClose(actual[i], reference[name](a, b).data));
      for (const tensor of results) tensor.dispose();
    }
  }
});

gpuTest("a number as second operand is that number for every element, by fours and not", async (device) => {
  for (const size of [1, 4, 65, 256]) {
    const a = halves(1, size, 6);
    for (const number of [0.5, -2]) {
      const b = new Matrix(1, 1, [number]);
      for (const name of PAIRS) {
        const actual = await compute(device, () => ops[name](upload(device, a, [size]), number));
        assertClose(actual, reference[name](a, b).data);
      }
    }
  }
});

gpuTest("the gradients of both operands agree with the oracle and have their shapes", async (device) => {
  for (const [rows, columns] of SHAPES) {
    const a = halves(rows, columns, 1);
    const dOut = randomMatrix(rows, columns, 7);
    const forms: [Matrix, number[]][] = [
      [halves(rows, columns, 2), [rows, columns]],
      [halves(1, columns, 3), [columns]],
      [halves(rows, 1, 4), [rows, 1]],
      [halves(1, 1, 5), [1]],
    ];
    for (const [b, shape] of forms) {
      for (const name of DIFFERENTIABLE) {
        const { dA, dB } = device.tidy(() =>
          ops[`${name}Backward`](upload(device, a), upload(device, b, shape), upload(device, dOut))
        );
        const expected = reference[`${name}Backward`](a, b, dOut);
        assertEquals([dA.shape, dB.shape], [[rows, columns], shape]);
        assertClose(await dA.read(), expected.dA.data, { atol: 1e-5 });
        assertClose(await dB.read(), expected.dB.data, { rtol: 1e-4, atol: 1e-4 });
        dA.dispose();
        dB.dispose();
      }
    }
  }
});

gpuTest("a number has a gradient of shape []: the sum over all elements", async (device) => {
  using a = Tensor.from(device, [[1, 2], [3, 4]]);
  using dOut = Tensor.from(device, [[1, 10], [100, 1_000]]);
  const cases = { add: 1_111, subtract: -1_111, multiply: 4_321, divide: -4_321 / 4 };
  for (const name of DIFFERENTIABLE) {
    const dB = device.tidy(() => ops[`${name}Backward`](a, 2, dOut).dB);
    assertEquals([name, dB.shape, ...await dB.read()], [name, [], cases[name]]);
    dB.dispose();
  }
});

gpuTest("operations on two operands say which one is wrong, and what was found", (device) => {
  using a = Tensor.zeros(device, [2, 3]);
  using two = Tensor.zeros(device, [2]);
  const none = undefined as unknown as Tensor;
  const three = 3 as unknown as Tensor;
  const need = "the second operand must have the same shape, or be a row [3], a column [2, 1], a scalar [] or a number";
  const first = "the first operand must be a tensor, and the second a tensor or a number";
  const cases: [() => unknown, string][] = [
    [() => ops.add(three, a), `add 3 and [2, 3]: ${first}; write add(x, 3)`],
    [() => ops.subtract(three, a), `subtract 3 and [2, 3]: ${first}; write add(scale(x, -1), 3)`],
    [() => ops.multiply(three, a), `multiply 3 and [2, 3]: ${first}; write scale(x, 3)`],
    [() => ops.equal(three, a), `compare 3 and [2, 3]: ${first}; write equal(x, 3)`],
    [() => ops.divide(three, a), `divide 3 and [2, 3]: ${first}`],
    [() => ops.add(none, three), `add undefined and 3: ${first}`],
    [() => ops.subtract(a, none), "subtract [2, 3] and undefined: the second operand must be a tensor or a number"],
    [
      () => ops.divide(a, [1, 2] as unknown as Tensor),
      "divide [2, 3] and an array (Tensor.from makes a tensor of it): the second operand must be a tensor or a number",
    ],
    [() => ops.greater(a, two), `compare [2, 3] and [2]: ${need}`],
    [
      () => ops.equal(two, a),
      "compare [2] and [2, 3]: the second operand must have the same shape, or be a scalar [] or a number",
    ],
    [() => ops.multiplyBackward(a, two, a), `multiply [2, 3] and [2]: ${need}`],
    [
      () => ops.addBackward(a, 1, two),
      "take the gradient of add: dOut [2] must have the shape of the result, [2, 3]",
    ],
    [() => ops.divideBackward(a, 1, none), "take the gradient of divide: dOut must be a tensor, found undefined"],
    [() => ops.matmul(a, three), "multiply matrices: b must be a tensor, found 3"],
    [() => ops.addBias(none, a), "add a bias: x must be a tensor, found undefined"],
    [() => ops.relu(three), "apply relu: x must be a tensor, found 3"],
    [() => ops.sum(new Float32Array(2) as unknown as Tensor), "sum: x must be a tensor, found a Float32Array"],
    [() => ops.sigmoidBackward(a, none), "apply sigmoidBackward: the second operand must be a tensor, found undefined"],
    [() => ops.transpose(two), "transpose [2]: need a matrix"],
    [() => ops.softmax(two), "take the softmax of [2]: need a matrix"],
    [() => ops.softmaxBackward(three, a), "take the softmax: x must be a tensor, found 3"],
    [() => ops.oneHot(a, 3), "make one-hot rows of [2, 3]: need [r] or [r, 1]"],
    [() => ops.oneHot(none, 3), "make one-hot rows: numbers must be a tensor, found undefined"],
    [() => ops.norm(three), "take the norm: x must be a tensor, found 3"],
    [() => ops.spread(two, [2, 3], 0), "spread [2] over [2, 3]: need [3]"],
    [() => ops.sgdStep(a, two, 0.1), "take a step: w [2, 3] and dW [2] must have one shape"],
    [() => ops.sgdStep(a, none, 0.1), "take a step: dW must be a tensor, found undefined"],
  ];
  const { allocations } = device.stats;
  for (const [run, text] of cases) {
    assertEquals(assertThrows(() => device.tidy(run), TypeError).message, `Cannot ${text}`);
  }
  const ranges: [() => unknown, string][] = [
    [() => ops.oneHot(two, 2.5), "Cannot make one-hot rows of 2.5 classes: need a whole number over 0"],
    [() => ops.sgdStep(a, a, NaN), "Cannot use a learning rate of NaN: it must be a finite number over 0 in float32"],
  ];
  for (const [run, text] of ranges) assertEquals(assertThrows(run, RangeError).message, text);
  assertEquals(device.stats.allocations, allocations, "refused before anything is allocated");
});

gpuTest("NaN and infinities are what IEEE says, in pairs, with a number and in functions", async (device) => {
  const strange = [NaN, Infinity, -Infinity, 0, -0, 1, -2];
  const a = new Matrix(strange.length, strange.length).map((_, i) => strange[Math.floor(i / strange.length)]);
  const row = new Matrix(1, strange.length, strange);
  for (const name of PAIRS) {
    const expected = reference[name](a, row).data;
    assertClose(await compute(device, () => ops[name](upload(device, a), upload(device, row))), expected);
    const wide = reference.spread(row, a);
    assertClose(await compute(device, () => ops[name](upload(device, a), upload(device, wide))), expected);
    for (const number of strange) {
      const numbers = reference[name](row, new Matrix(1, 1, [number])).data;
      assertClose(await compute(device, () => ops[name](upload(device, row), number)), numbers);
    }
  }
  for (const name of ["exp", "log", "sqrt", "square"] as const) {
    assertClose(await compute(device, () => ops[name](upload(device, row))), reference[name](row).data);
  }
});

gpuTest("functions and their backwards agree with the oracle on odd shapes", async (device) => {
  for (const [rows, columns] of SHAPES) {
    const x = randomMatrix(rows, columns, 8).map((v) => Math.fround(Math.abs(v) + 0.1));
    const dOut = randomMatrix(rows, columns, 9);
    for (const name of ["exp", "log", "sqrt", "square"] as const) {
      const y = reference[name](x).map(Math.fround);
      const kept = name === "exp" || name === "sqrt" ? y : x;
      assertClose(await compute(device, () => ops[name](upload(device, x))), y.data);
      const dX = await compute(device, () => ops[`${name}Backward`](upload(device, kept), upload(device, dOut)));
      assertClose(dX, reference[`${name}Backward`](kept, dOut).data);
    }
    assertClose(await compute(device, () => ops.transpose(upload(device, x))), reference.transpose(x).data);
    assertClose(await compute(device, () => ops.scale(upload(device, x), -1.25)), x.map((v) => -1.25 * v).data);
  }
});

gpuTest("softmax() and its backward agree with the oracle, for rows of any size and length", async (device) => {
  for (const [rows, columns] of [...SHAPES, [2, 2_051]]) {
    const x = randomMatrix(rows, columns, 10);
    const dOut = randomMatrix(rows, columns, 11);
    const s = reference.softmax(x).map(Math.fround);
    assertClose(await compute(device, () => ops.softmax(upload(device, x))), s.data);
    const dX = await compute(device, () => ops.softmaxBackward(upload(device, s), upload(device, dOut)));
    assertClose(dX, reference.softmaxBackward(s, dOut).data);
  }
  using extreme = Tensor.from(device, [[3e38, -3e38], [1_000, 1_000], [-Infinity, 5], [NaN, 1], [Infinity, 1]]);
  const shares = await compute(device, () => ops.softmax(extreme));
  assertEquals([...shares], [1, 0, 0.5, 0.5, 0, 1, NaN, NaN, NaN, NaN]);
});

gpuTest("oneHot() takes numbers of both types, and gives NaN for what is no class", async (device) => {
  const whole = Uint32Array.of(2, 0, 1, 3, 4_294_967_295);
  const real = [1, -0, 2, 0.5, 3, -1, NaN, Infinity, -Infinity, 1e-45, 2.0000002, 1e20];
  assertEquals([...await compute(device, () => ops.oneHot(Tensor.from(device, whole), 3))], [
    ...reference.oneHot([...whole], 3).data,
  ]);
  assertEquals([...await compute(device, () => ops.oneHot(Tensor.from(device, real.map((v) => [v])), 3))], [
    ...reference.oneHot([...Float32Array.from(real)], 3).data,
  ]);
  assertEquals([...await compute(device, () => ops.oneHot(Tensor.from(device, [16_777_216, 0]), 1))], [NaN, 1]);
});

gpuTest("norm() is the length of all, of columns and of rows; its backward is 0 at length 0", async (device) => {
  using x = Tensor.from(device, [[3, 0], [4, 0]]);
  using one = Tensor.from(device, 10);
  using two = Tensor.from(device, [10, 20]);
  const cases: [() => Tensor, number[]][] = [
    [() => ops.norm(x), [5]],
    [() => ops.norm(x, 0), [5, 0]],
    [() => ops.norm(x, 1), [3, 4]],
    [() => ops.normBackward(x, ops.norm(x), one), [6, 0, 8, 0]],
    [() => ops.normBackward(x, ops.norm(x, 0), two, 0), [6, 0, 8, 0]],
    [() => ops.normBackward(x, ops.norm(x, 1), two, 1), [10, 0, 20, 0]],
    [() => ops.norm(Tensor.from(device, [1, NaN])), [NaN]],
    [() => ops.norm(Tensor.from(device, [1, -Infinity])), [Infinity]],
  ];
  for (const [run, expected] of cases) assertEquals([...await compute(device, run)], expected);
});

gpuTest("sgdStep() changes the tensor in place, a view as well, and makes nothing", async (device) => {
  for (const size of [3, 64, 67]) {
    const w = randomMatrix(1, size, 12);
    const dW = randomMatrix(1, size, 13);
    using values = upload(device, w);
    using gradients = upload(device, dW);
    const { buffers } = device.stats;
    assertEquals(ops.sgdStep(values, gradients, 0.5) === values, true);
    assertEquals(device.stats.buffers, buffers);
    assertClose(await values.read(), w.map((v, i) => v - 0.5 * dW.data[i]).data);
  }
  using all = Tensor.from(device, new Float32Array(128).fill(1));
  using ones = Tensor.from(device, new Float32Array(64).fill(1));
  ops.sgdStep(all.view(64, [64]), ones, 0.25);
  assertEquals([...await all.read()], [...Array(64).fill(1), ...Array(64).fill(0.75)]);
});

gpuTest("a recorded sgdStep() moves on at each replay", async (device) => {
  using w = Tensor.from(device, [1, 2]);
  using dW = Tensor.from(device, [8, -8]);
  using recording = device.record(() => void ops.sgdStep(w, dW, 0.125));
  recording.replay(3);
  assertEquals([...await w.read()], [-2, 5]);
});
