/**
 * The self-test of fast matrix products, in just the form that a training uses: with its bias, activation, derivative and column
 * sums. A form comes about where neighbouring operations are fused, so a case records these operations.
 *
 * @module
 */
import { type Activation, type Kernel, productFormOf } from "../../kernels/mod.ts";
import type { Device } from "../gpu/device.ts";
import * as ops from "../arithmetic/ops.ts";
import * as reference from "../reference/mod.ts";
import type { Matrix } from "../reference/mod.ts";
import { Tensor } from "../core/tensor.ts";
import { type KernelCase, matrix, random, upload } from "./op_cases.ts";

/**
 * Rows, inner positions and columns: some blocks of 16 x 8 outputs, and none of them whole at the edge. Only the columns may
 * divide by four, as they do in one form.
 */
const ROWS = 39;
const INNER = 41;
const COLUMNS = { aligned: 44, odd: 43 };

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
  const { transposeA, transposeB, bias, activation, derivative, sums } = known.form;
  const stream = random();
  const columns = known.aligned ? COLUMNS.aligned : COLUMNS.odd;
  const a = matrix(ROWS, INNER, stream);
  const b = matrix(INNER, columns, stream);
  const row = matrix(1, columns, stream);
  const y = matrix(ROWS, columns, stream);

  let expected: Matrix = reference.matmul(a, b);
  if (bias) expected = reference.addBias(expected, row);
  if (activation !== "none") expected = reference[activation](expected);
  if (derivative !== "none") expected = reference[`${derivative}Backward`](y, expected);
  const run = (): { product: Tensor; columnSums: Tensor } => {
    const left = upload(device, transposeA ? reference.transpose(a) : a);
    const right = upload(device, transposeB ? reference.transpose(b) : b);
    const added = upload(device, row).reshape([columns]);
    const output = upload(device, y);
    const product = Tensor.zeros(device, [ROWS, columns]);
    const columnSums = Tensor.zeros(device, [columns]);
    const steps: ((x: Tensor, out?: Tensor) => Tensor)[] = [
      (_, out) => ops.matmul(left, right, { transposeA, transposeB, out }),
    ];
    if (bias) steps.push((x, out) => ops.addBias(x, added, { out }));
    if (activation !== "none") steps.push((x, out) => ops[activation as Named](x, { out }));
    if (derivative !== "none") steps.push((x, out) => ops[`${derivative as Named}Backward`](output, x, { out }));
    using recording = device.record(() => {
      steps.reduce((x, step, i) => step(x, i === steps.length - 1 ? product : undefined), left);
      if (sums) ops.sum(right, 0, { out: columnSums });
    }, { fuse: true });
    recording.replay();
    return { product, columnSums };
  };
  const parts = [
    `[${ROWS}, ${INNER}]${transposeA ? "ᵀ" : ""} · [${INNER}, ${columns}]${transposeB ? "ᵀ" : ""}`,
    bias ? "bias" : "",
    activation === "none" ? "" : activation,
    derivative === "none" ? "" : `gradient of ${derivative}`,
  ];
  const on = parts.filter((part) => part !== "").join(", ");
  const cases: KernelCase[] = [{ kernel, on, run: () => run().product, expected: expected.data }];
  if (!sums) return cases;
  const ones = matrix(1, INNER, stream).map(() => 1);
  return [...cases, {
    kernel,
    on: `column sums of ${on}`,
    run: () => run().columnSums,
    expected: reference.matmul(ones, b).data,
  }];
}
