/**
 * The self-test of fast matrix products, in just the form that a training uses: with its bias, activation, derivative and column
 * sums. A form comes about where neighbouring operations are fused, so a case records these operations.
 *
 * @module
 */
import type { Kernel } from "../../kernels/mod.ts";
import { layoutsOf, type ProductShape } from "../gpu/product.ts";
import { type Activation, type KnownForm, productFormOf } from "../gpu/product_forms.ts";
import { MAX_RESULT_TEXELS } from "../gpu/packing.ts";
import { canCopy, texelsOf } from "../gpu/textures.ts";
import type { Device } from "../gpu/device.ts";
import * as ops from "../arithmetic/ops.ts";
import * as reference from "../reference/mod.ts";
import { Matrix } from "../reference/mod.ts";
import { Tensor } from "../core/tensor.ts";
import { type KernelCase, matrix, random, upload } from "./op_cases.ts";

/**
 * Rows, inner positions and columns: some blocks of 16 x 8 outputs, few of them whole at the edge. The first that suit a form
 * are taken: matrices lie flat in their textures or row by row, and columns are a multiple of four or not.
 */
const ROWS = [39, 260, 64, 173, 9, 5, 4];
const INNER = [41, 36, 108, 9, 64, 260, 1_044];
/** Inner positions up to which a product takes in the column sums of `b`: those of more are two dispatches. */
const MOST_SUMMED = 1_024;
const COLUMNS = [43, 28, 260, 64, 5];
/** With so many rows in all, every matrix lies flat. Only where nothing smaller suits: numbers of so many rows take time to draw. */
const LONG = { rows: 8_193, inner: 9, columns: [13, 28] };
/** Columns of a product that reads the result. */
export const NEXT = 11;

const GROUPS = 3;
const DROPOUT = { rate: 0.3, key: 0x9abc_def0, step: 2 };

type Named = Exclude<Activation, "none">;

/**
 * The cases of a fast product in its form: what it multiplies, and its column sums where it gives them.
 *
 * @param kernel A kernel of `matmulBlocksKernel` or `matmulTilesKernel`, one that the device uses; of any other there are no cases.
 * @returns The cases, under the product's own kernel.
 */
export function productCases(device: Device, kernel: Kernel): KernelCase[] {
  const known = productFormOf(kernel);
  if (!known) return [];
  const { transposeA, transposeB, bias, activation, derivative, dropout, sums, grouped, texels } = known.form;
  const stream = random();
  const shape = shapeOf(known);
  if (!shape) return [];
  const { groups, m: rows, k: inner, n: columns } = shape;
  const draw = (rows: number, columns: number) => Array.from({ length: groups }, () => matrix(rows, columns, stream));
  const a = draw(rows, inner);
  const b = draw(inner, columns);
  const row = draw(1, columns);
  // A result goes to a texture where nothing but products reads it: one by this matrix, with a bias as most outputs have.
  const next = draw(columns, NEXT);
  const nextRow = draw(1, NEXT);
  const y = matrix(groups * rows, columns, stream);

  let expected = stack(a.map((own, group) => {
    const product = reference.matmul(own, b[group]);
    return bias ? reference.addBias(product, row[group]) : product;
  }));
  if (activation !== "none") expected = reference[activation](expected);
  const { rate, key, step } = DROPOUT;
  const mask = reference.dropoutMask(expected.rows, columns, rate, key, step);
  if (dropout) expected = expected.map((value, i) => value * mask.data[i]);
  if (derivative !== "none") expected = reference[`${derivative}Backward`](y, expected);
  if (texels) {
    expected = stack(next.map((own, group) => {
      const part = new Matrix(rows, columns, expected.data.slice(group * rows * columns, (group + 1) * rows * columns));
      return reference.addBias(reference.matmul(part, own), nextRow[group]);
    }));
  }
  const run = (): { product: Tensor; columnSums: Tensor } => {
    const left = upload(device, stack(transposeA ? a.map(reference.transpose) : a));
    const right = upload(device, stack(transposeB ? b.map(reference.transpose) : b));
    const added = upload(device, stack(row)).reshape([groups * columns]);
    const output = upload(device, y);
    const options = { rate, key, step: Tensor.from(device, Uint32Array.of(step)) };
    const product = Tensor.zeros(device, [groups * rows, texels ? NEXT : columns]);
    const last = upload(device, stack(next));
    const lastBias = upload(device, stack(nextRow)).reshape([groups * NEXT]);
    const columnSums = Tensor.zeros(device, [groups * columns]);
    const steps: ((x: Tensor, out?: Tensor) => Tensor)[] = [
      (_, out) => ops.matmul(left, right, { transposeA, transposeB, groups, out }),
    ];
    if (bias) steps.push((x, out) => ops.addBias(x, added, { groups, out }));
    if (activation !== "none") steps.push((x, out) => ops[activation as Named](x, { out }));
    if (dropout) steps.push((x, out) => ops.dropout(x, { ...options, out }));
    if (derivative !== "none") steps.push((x, out) => ops[`${derivative as Named}Backward`](output, x, { out }));
    if (texels) {
      steps.push((x) => ops.matmul(x, last, { groups }), (x, out) => ops.addBias(x, lastBias, { groups, out }));
    }
    using recording = device.record(() => {
      steps.reduce((x, step, i) => step(x, i === steps.length - 1 ? product : undefined), left);
      if (sums) ops.addBiasBackward(right, { groups, out: columnSums });
    }, { fuse: true, closed: texels });
    recording.replay();
    return { product, columnSums };
  };
  const parts = [
    `${grouped ? `${groups} times ` : ""}[${rows}, ${inner}]${transposeA ? "ᵀ" : ""} · [${inner}, ${columns}]${
      transposeB ? "ᵀ" : ""
    }`,
    bias ? "bias" : "",
    activation === "none" ? "" : activation,
    dropout ? "dropout" : "",
    derivative === "none" ? "" : `gradient of ${derivative}`,
    texels ? "into a texture" : "",
  ];
  const on = parts.filter((part) => part !== "").join(", ");
  const cases: KernelCase[] = [{ kernel, on, run: () => run().product, expected: expected.data }];
  if (!sums) return cases;
  const ones = new Matrix(1, inner).map(() => 1);
  return [...cases, {
    kernel,
    on: `column sums of ${on}`,
    run: () => run().columnSums,
    expected: stack(b.map((own) => reference.matmul(ones, own))).data,
  }];
}

/** The first shape whose product takes the form; undefined where none does. */
export function shapeOf({ form, aligned, flat }: KnownForm): ProductShape | undefined {
  const { transposeA, transposeB, grouped, texels, derivative, sums } = form;
  const groups = grouped ? GROUPS : 1;
  for (const sizes of sizesFor(groups)) {
    const shape = { groups, ...sizes, transposeA, transposeB };
    if (!flat) return shape;
    const { a, b, out } = layoutsOf(shape);
    const isSmall = texelsOf(out.rows, shape.n) <= MAX_RESULT_TEXELS;
    const suitsOut = texels ? isSmall : aligned === (shape.n % 4 === 0);
    const suitsY = out.isFlat === flat.y || (derivative === "none" && !texels);
    const suitsSums = !sums || shape.k <= MOST_SUMMED;
    if (a.isFlat === flat.a && b.isFlat === flat.b && suitsOut && suitsY && suitsSums) return shape;
  }
}

/** Whether the cases of a kernel also pack matrices by a kernel: those of a blocked product do where a copy cannot. */
export function testsPack(kernel: Kernel): boolean {
  const known = productFormOf(kernel);
  const shape = known?.flat && shapeOf(known);
  if (!shape) return false;
  const { a, b } = layoutsOf(shape);
  return !canCopy(a) || !canCopy(b);
}

/** Sizes of products, in the order in which they are tried. */
function* sizesFor(groups: number): Generator<Pick<ProductShape, "m" | "n" | "k">> {
  for (const k of INNER) {
    for (const m of ROWS) {
      for (const n of COLUMNS) yield { m, n, k };
    }
  }
  for (const n of LONG.columns) yield { m: LONG.rows / groups, n, k: LONG.inner };
}

/** Matrices of the same width, one below the other. */
function stack(parts: readonly Matrix[]): Matrix {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  return new Matrix(rows, parts[0].columns, parts.flatMap(({ data }) => [...data]));
}
