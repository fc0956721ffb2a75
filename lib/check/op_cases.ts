/**
 * What a case of the self-test is; the cases of operations, and of what moves a recorded step along.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { byFours } from "../gpu/kernel_forms.ts";
import { matmulBlocksKernel, matmulTilesKernel, PLAIN_PRODUCT } from "../gpu/product_forms.ts";
import { layoutsOf } from "../gpu/product.ts";
import type { Device } from "../gpu/device.ts";
import { flagNotFinite } from "../training/finite_watch.ts";
import * as ops from "../arithmetic/ops.ts";
import * as recorded from "../training/recorded_rows.ts";
import { Random } from "../base/random.ts";
import * as reference from "../reference/mod.ts";
import { Matrix } from "../reference/mod.ts";
import { Tensor } from "../core/tensor.ts";

/** A kernel on some input, and what the oracle says of it. */
export interface KernelCase {
  /** The kernel. */
  kernel: Kernel;
  /** Shapes or lengths. */
  on: string;
  /** Puts the work on the queue. */
  run(): Tensor;
  /** The oracle's result. */
  expected: ArrayLike<number>;
}

/** Whether there is a use for cases of a kernel: the oracle takes time, and a training uses few kernels. */
export type IsUsed = (kernel: Kernel) => boolean;

/** The same numbers for each case. */
export const random = (): Random => new Random(7, "self-test");

/** Numbers drawn from the standard normal distribution, rounded to float32. */
export function matrix(rows: number, columns: number, stream: Random): Matrix {
  return new Matrix(rows, columns).map(() => Math.fround(stream.normal()));
}

/** A float64 matrix on the GPU. */
export function upload(device: Device, { rows, columns, data }: Matrix): Tensor {
  return Tensor.from(device, Float32Array.from(data), [rows, columns]);
}

/** A product both ways round, under the plain kernel or under that of its form. */
function matmulCases(
  device: Device,
  [m, k, n]: readonly number[],
  kernelOf: (transposeA: boolean, transposeB: boolean) => Kernel = () => kernels.matmul,
): KernelCase[] {
  const stream = random();
  const a = matrix(m, k, stream);
  const b = matrix(k, n, stream);
  const { data: expected } = reference.matmul(a, b);
  return [[false, false], [true, false], [false, true], [true, true]].map(([transposeA, transposeB]) => ({
    kernel: kernelOf(transposeA, transposeB),
    on: `[${m}, ${k}]${transposeA ? "ᵀ" : ""} · [${k}, ${n}]${transposeB ? "ᵀ" : ""}`,
    run: () => {
      const left = upload(device, transposeA ? reference.transpose(a) : a);
      const right = upload(device, transposeB ? reference.transpose(b) : b);
      return ops.matmul(left, right, { transposeA, transposeB });
    },
    expected,
  }));
}

/** What a fold does to two numbers depends on no shape: large ones need `sumsAlone`. */
function reduceCases(device: Device, rows: number, columns: number, sumsAlone = false): KernelCase[] {
  const x = matrix(rows, columns, random());
  const byColumn = reference.transpose(x);
  const row = (i: number) => x.data.subarray(i * columns, (i + 1) * columns);
  const column = (j: number) => byColumn.data.subarray(j * rows, (j + 1) * rows);
  const folds = [
    { kernel: kernels.sum, op: ops.sum, fold: (v: Float64Array) => v.reduce((a, b) => a + b) },
    { kernel: kernels.sum, op: ops.mean, fold: (v: Float64Array) => v.reduce((a, b) => a + b) / v.length },
    { kernel: kernels.min, op: ops.min, fold: (v: Float64Array) => v.reduce((a, b) => Math.min(a, b)) },
    { kernel: kernels.max, op: ops.max, fold: (v: Float64Array) => v.reduce((a, b) => Math.max(a, b)) },
  ];
  return folds.slice(0, sumsAlone ? 1 : folds.length).flatMap(({ kernel, op, fold }) => {
    const over = (axis: 0 | 1 | undefined, expected: number[]): KernelCase => ({
      kernel,
      on: `${op.name} of [${rows}, ${columns}] over ${axis === undefined ? "all" : axis === 0 ? "rows" : "columns"}`,
      run: () => op(upload(device, x), axis),
      expected,
    });
    return [
      over(0, Array.from({ length: columns }, (_, j) => fold(column(j)))),
      over(1, Array.from({ length: rows }, (_, i) => fold(row(i)))),
      over(undefined, [fold(x.data)]),
    ];
  });
}

function elementwiseCases(device: Device, rows: number, columns: number): KernelCase[] {
  const stream = random();
  const on = `[${rows}, ${columns}]`;
  const a = matrix(rows, columns, stream);
  const b = matrix(rows, columns, stream);
  const bias = matrix(1, columns, stream);
  const biased = reference.addBias(a, bias);
  const isByFours = (kernel: Kernel) => kernel.counts === 1 && (rows * columns) % 4 === 0;
  const kernelCase = (kernel: Kernel, op: (a: Tensor, b: Tensor) => Tensor, { data: expected }: Matrix): KernelCase => {
    return {
      kernel: isByFours(kernel) ? byFours(kernel) : kernel,
      on,
      run: () => op(upload(device, a), upload(device, b)),
      expected,
    };
  };
  return [
    kernelCase(kernels.add, ops.add, a.map((v, i) => v + b.data[i])),
    kernelCase(kernels.subtract, ops.subtract, a.map((v, i) => v - b.data[i])),
    kernelCase(kernels.multiply, ops.multiply, a.map((v, i) => v * b.data[i])),
    kernelCase(kernels.scale, (a) => ops.scale(a, -2.5), a.map((v) => -2.5 * v)),
    kernelCase(kernels.addBias, (a) => ops.addBias(a, upload(device, bias).reshape([columns])), biased),
  ];
}

/** The backwards of operations on two operands. */
function operandCases(device: Device): KernelCase[] {
  const stream = random();
  const a = matrix(5, 3, stream);
  const b = matrix(3, 4, stream);
  const dOut = matrix(5, 4, stream);
  const pairCase = (kernel: Kernel, on: string, run: () => Tensor, { data: expected }: Matrix): KernelCase => {
    return { kernel, on: `gradient of ${on}`, run, expected };
  };
  const products = () => ops.matmulBackward(upload(device, a), upload(device, b), upload(device, dOut));
  const pair = () => ops.multiplyBackward(upload(device, a), upload(device, a.map((v) => 2 * v)), upload(device, a));
  const difference = () => ops.subtractBackward(upload(device, a), upload(device, a), upload(device, a));
  return [
    pairCase(kernels.matmul, "matmul, a", () => products().dA, reference.matmul(dOut, b, false, true)),
    pairCase(kernels.matmul, "matmul, b", () => products().dB, reference.matmul(a, dOut, true)),
    pairCase(kernels.multiply, "multiply, a", () => pair().dA, a.map((v) => 2 * v * v)),
    pairCase(kernels.multiply, "multiply, b", () => pair().dB, a.map((v) => v * v)),
    pairCase(kernels.scale, "subtract, b", () => difference().dB, a.map((v) => -v)),
  ];
}

/** NaN and infinities pass through: nothing may turn them into numbers. */
function notFiniteCases(device: Device): KernelCase[] {
  const rows = [[1, -1, NaN, Infinity, -Infinity], [1, -1, -2, -3, -Infinity]];
  const strange = [[NaN, 1], [-1, -Infinity]];
  const on = "not finite";
  return [
    { kernel: kernels.relu, on, run: () => ops.sum(ops.relu(Tensor.from(device, strange)), 1), expected: [NaN, 0] },
    { kernel: kernels.max, on, run: () => ops.max(Tensor.from(device, rows), 1), expected: [NaN, 1] },
  ];
}

/** The watch over the values of a training, by ones and by fours: a tensor with an infinity at its end, a sound one, one with NaN. */
function watchCases(device: Device): KernelCase[] {
  const sound = [3e38, -3e38, 1e-45, 0, -0, 1, 2, 3];
  const odd = [...sound, 4];
  const cases = [
    { kernel: kernels.notFinite, tensors: [odd.with(-1, -Infinity), odd, odd.with(0, NaN)] },
    { kernel: byFours(kernels.notFinite), tensors: [[...sound, 1, 2, 3, -Infinity], sound, sound.with(0, NaN)] },
  ];
  return cases.map(({ kernel, tensors }) => ({
    kernel,
    on: `[${tensors[0].length}] with an infinity, [${tensors[1].length}], and one with a NaN`,
    run: () => {
      const flags = Tensor.from(device, Uint32Array.of(0, 0, 0));
      tensors.forEach((x, place) => flagNotFinite(Tensor.from(device, x), flags, place));
      return flags;
    },
    expected: [1, 0, 1],
  }));
}

/** The backward of sums and extremes: equal smallest elements share the gradient. */
function spreadCases(device: Device): KernelCase[] {
  const x = [[4, 1, 3], [1, 5, 1]];
  const dOut = [6, 8];
  const minBackward = (): Tensor => {
    const tensor = Tensor.from(device, x);
    return ops.minBackward(tensor, ops.min(tensor, 1), Tensor.from(device, dOut), 1);
  };
  const expected = [0, 6, 0, 4, 0, 4];
  const on = "gradient of min of [2, 3] over columns";
  return [
    { kernel: kernels.equal, on, run: minBackward, expected },
    { kernel: kernels.divide, on, run: minBackward, expected },
    {
      kernel: kernels.slice,
      on: "relu of the second row of [2, 3]",
      run: () => ops.relu(Tensor.from(device, [1, 2, 3, 4, -5, 6], [2, 3]).view(3, [3])),
      expected: [4, 0, 6],
    },
    {
      kernel: kernels.spread,
      on: "gradient of mean of [2, 3] over rows",
      run: () => ops.meanBackward(Tensor.from(device, [2, 4, 6]), [2, 3], 0),
      expected: [1, 2, 3, 1, 2, 3],
    },
    {
      kernel: kernels.spread,
      on: "gradient of sum of [67, 3] over columns",
      run: () => ops.sumBackward(Tensor.from(device, count(67)), [67, 3], 1),
      expected: count(3 * 67).map((i) => Math.floor(i / 3)),
    },
  ];
}

/** 0, 1, 2 ... */
function count(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

/** Row numbers are looked through in parts: more of them than a part holds, and than an invocation may loop over. */
function pickedCases(device: Device): KernelCase[] {
  const picks = 70_001;
  const ones = new Float32Array(picks).fill(1);
  const rowsOf = (length: number, rows: number) => Uint32Array.from({ length }, (_, i) => (i * i) % rows);
  const timesOf = (picked: Uint32Array, rows: number) =>
    count(rows).map((row) => picked.filter((r) => r === row).length);
  const backward = (picked: Uint32Array<ArrayBuffer>, rows: number, columns: number): KernelCase => ({
    kernel: kernels.gatherRowsBackward,
    on: `[${picked.length}, ${columns}] into ${rows} rows`,
    run: () => {
      const dOut = Tensor.from(device, ones.slice(0, picked.length * columns), [picked.length, columns]);
      return recorded.gatherRowsBackward(dOut, Tensor.from(device, picked), rows);
    },
    expected: timesOf(picked, rows).flatMap((times) => Array(columns).fill(times)),
  });
  return [backward(rowsOf(29, 67), 67, 3), backward(rowsOf(picks, 3), 3, 1)];
}

/** What moves a recorded step along: the gather of its rows, and the append of its loss. */
function stepCases(device: Device): KernelCase[] {
  const table = [[1, 2], [3, 4], [5, 6]];
  const indices = (...rows: number[]) => Tensor.from(device, Uint32Array.from(rows));
  const picked = () => recorded.gatherRowsBackward(Tensor.from(device, table), indices(2, 0, 2), 4);
  const gather = (table: number[][], expected: number[]): KernelCase => ({
    kernel: table[0].length % 4 === 0 ? byFours(kernels.gatherRows) : kernels.gatherRows,
    on: `[${table.length}, ${table[0].length}], one row outside`,
    run: () => recorded.gatherRows(Tensor.from(device, table), indices(2, 0, 1, 9), { count: 2, cursor: indices(1) }),
    expected: [...expected, ...expected.map(() => NaN)],
  });
  return [
    gather(table, [3, 4]),
    gather(table.map((row) => [...row, 7, 8]), [3, 4, 7, 8]),
    {
      kernel: kernels.gatherRows,
      on: "[3, 2], a list for each copy",
      run: () => {
        const lists = indices(2, 0, 1, 1).reshape([2, 2]);
        return recorded.gatherRows(Tensor.from(device, table), lists, { count: 1, copies: 2, cursor: indices(1) });
      },
      expected: [1, 2, 3, 4],
    },
    {
      kernel: kernels.gatherRowsBackward,
      on: "[3, 2], one row picked twice",
      run: picked,
      expected: [3, 4, 0, 0, 6, 8, 0, 0],
    },
    {
      kernel: kernels.append,
      on: "[3]",
      run: () => {
        const history = Tensor.zeros(device, [3]);
        const cursor = indices(1);
        for (const value of [5, 6, 7]) recorded.append(Tensor.from(device, value), history, cursor);
        return history;
      },
      expected: [0, 5, 6],
    },
  ];
}

/** Every kernel on small odd shapes, some of several workgroups. */
export function smallCases(device: Device): KernelCase[] {
  return [
    ...matmulCases(device, [5, 7, 9]),
    ...matmulCases(device, [13, 2, 17]),
    ...reduceCases(device, 5, 7),
    ...elementwiseCases(device, 13, 17),
    ...elementwiseCases(device, 12, 17),
    ...operandCases(device),
    ...notFiniteCases(device),
    ...watchCases(device),
    ...spreadCases(device),
    ...stepCases(device),
  ];
}

/** Products that are not run plain: what the software adapter packs by a kernel, by copies row by row, and by copies flat. */
export function largeProductCases(device: Device): KernelCase[] {
  const shapes: [number, number, number][] = [[39, 41, 43], [68, 64, 128], [5, 260, 260]];
  const [odd, ...others] = shapes.map((shape) => matmulCases(device, shape, productKernels(device, shape)));
  const packed = device.products === "blocks" ? odd.map((given) => ({ ...given, kernel: kernels.pack })) : [];
  return [...odd, ...packed, ...others.flat()];
}

/** The kernels of products that are not run plain, and take nothing else in. */
function productKernels(
  device: Device,
  [m, k, n]: readonly [number, number, number],
): (transposeA: boolean, transposeB: boolean) => Kernel {
  return (transposeA, transposeB) => {
    const form = Object.assign({}, PLAIN_PRODUCT, { transposeA, transposeB });
    const { a, b } = layoutsOf({ groups: 1, m, n, k, transposeA, transposeB });
    const flat = { a: a.isFlat, b: b.isFlat, y: true };
    if (device.products === "blocks") return matmulBlocksKernel(form, n % 4 === 0, flat);
    return device.products === "tiles" ? matmulTilesKernel(form) : kernels.matmul;
  };
}

/** What takes several dispatches: a reduction in blocks, row numbers in parts. */
export function partedCases(device: Device): KernelCase[] {
  return [
    ...reduceCases(device, 67, 2_051, true),
    ...reduceCases(device, 2_051, 69, true),
    ...pickedCases(device),
  ];
}

/** Reductions longer than 65,535 elements, an inner dimension longer than that, and a grid wider than 65,535 workgroups. */
export function longCases(device: Device): KernelCase[] {
  const length = 200_003;
  const wide = 65_536 * 64 + 77;
  const ones = () => Tensor.from(device, new Float32Array(wide).fill(1));
  const ramp = new Matrix(1, length).map((_, i) => (i % 7) - 3);
  const column = reference.transpose(ramp);
  const total = ramp.data.reduce((a, b) => a + b);
  return [
    ...matmulCases(device, [3, 70_001, 2], productKernels(device, [3, 70_001, 2])),
    ...matmulCases(device, [1, 240_001, 2]),
    { kernel: kernels.sum, on: `[${length}]`, run: () => ops.sum(upload(device, ramp)), expected: [total] },
    {
      kernel: kernels.sum,
      on: `[${length}, 1] over rows`,
      run: () => ops.sum(upload(device, column), 0),
      expected: [total],
    },
    {
      kernel: kernels.notFinite,
      on: `[${wide}] with a NaN at its end, and without`,
      run: () => {
        const flags = Tensor.from(device, Uint32Array.of(0, 0));
        const x = ones();
        flagNotFinite(x, flags, 0);
        x.write(new Float32Array(wide).fill(NaN, wide - 1));
        flagNotFinite(x, flags, 1);
        return flags;
      },
      expected: [0, 1],
    },
    {
      kernel: kernels.scale,
      on: `[${wide}]`,
      run: () => ops.scale(ones(), 2),
      expected: new Float64Array(wide).fill(2),
    },
  ];
}
