/**
 * Operations on two operands, the second of which may be smaller: a row, a column, a scalar or a number counts for every
 * element that it is spread over. Its gradient is the sum over those elements, for it moved all of them.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { withOperand } from "./operand_forms.ts";
import { formatShape, sameShape, sizeOf } from "../base/shape.ts";
import { axesOf, type Axis, reduce } from "../core/reductions.ts";
import { checkTensors, describe, elementwise, type Out, result } from "../core/operation.ts";
import { Tensor } from "../core/tensor.ts";

/** A second operand: a tensor of the first one's shape, a row [c] or [1, c], a column [r, 1], a scalar [] or a number. */
export type Operand = Tensor | number;

/** What a kernel is called in a sentence. */
const VERBS: Readonly<Record<string, string>> = { equal: "compare", greater: "compare" };

/** What to write where a number is to come first; x is the tensor. */
const NUMBER_FIRST: Readonly<Record<string, (number: number) => string>> = {
  add: (number) => `; write add(x, ${number})`,
  subtract: (number) => `; write add(scale(x, -1), ${number})`,
  multiply: (number) => `; write scale(x, ${number})`,
  equal: (number) => `; write equal(x, ${number})`,
};

/** Runs an elementwise kernel on a tensor and an operand; the result has the tensor's shape. */
export function operate(kernel: Kernel, a: Tensor, b: Operand, options: Out): Tensor {
  const axis = spreadAxis(kernel.name, a, b);
  if (typeof b === "number") {
    const out = result([a], a.shape, options.out);
    // The kernel binds a second buffer in each of its forms; here it does not read it.
    const buffers = [a, a, out];
    const sizes = [a.size, 0, 0];
    a.device.run(withOperand(kernel, "number"), { buffers, sizes, reals: [b], invocations: a.size });
    return out;
  }
  if (axis === "none") return elementwise(kernel, [a, b], options);
  const { length, inner } = axesOf("spread", a.shape, axis);
  const out = result([a, b], a.shape, options.out);
  const buffers = [a, b, out];
  a.device.run(withOperand(kernel, "spread"), { buffers, sizes: [a.size, length, inner], invocations: a.size });
  return out;
}

/** Sums a gradient of the result's shape over what the second operand was spread over: into its own shape. */
export function sumToOperand(name: string, dOut: Tensor, b: Operand): Tensor {
  const axis = spreadAxis(name, dOut, b);
  if (axis === "none") return dOut;
  const dB = Tensor.zeros(dOut.device, typeof b === "number" ? [] : b.shape);
  reduce(kernels.sum, dOut, axis, { out: dB.reshape(axesOf("sum", dOut.shape, axis).left) });
  return dB;
}

/** Refuses a gradient that has not the shape of the result, which is that of `a`. */
export function checkGradient(name: string, a: Tensor, b: Operand, dOut: Tensor): void {
  spreadAxis(name, a, b);
  checkTensors(`take the gradient of ${name}`, { dOut });
  if (sameShape(a.shape, dOut.shape)) return;
  const shapes = `dOut ${formatShape(dOut.shape)} must have the shape of the result, ${formatShape(a.shape)}`;
  throw new TypeError(`Cannot take the gradient of ${name}: ${shapes}`);
}

/** The axis that `b` is spread over; "none" where it has the shape of `a`. Refuses what does not fit. */
function spreadAxis(name: string, a: Tensor, b: Operand): Axis | "none" {
  const asked = `Cannot ${VERBS[name] ?? name} ${describe(a)} and ${describe(b)}`;
  if (!(a instanceof Tensor)) {
    const way = typeof a === "number" && b instanceof Tensor ? NUMBER_FIRST[name]?.(a) ?? "" : "";
    throw new TypeError(`${asked}: the first operand must be a tensor, and the second a tensor or a number${way}`);
  }
  if (typeof b === "number") return undefined;
  if (!(b instanceof Tensor)) throw new TypeError(`${asked}: the second operand must be a tensor or a number`);
  if (sameShape(a.shape, b.shape)) return "none";
  if (sizeOf(b.shape) === 1 && b.shape.length <= a.shape.length) return undefined;
  const [rows, columns] = a.shape;
  if (a.shape.length === 2 && (sameShape(b.shape, [columns]) || sameShape(b.shape, [1, columns]))) return 0;
  if (a.shape.length === 2 && sameShape(b.shape, [rows, 1])) return 1;
  const smaller = a.shape.length === 2 ? `a row [${columns}], a column [${rows}, 1], a scalar []` : "a scalar []";
  throw new TypeError(`${asked}: the second operand must have the same shape, or be ${smaller} or a number`);
}
