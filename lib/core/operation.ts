/**
 * What all operations share: the checks, the place of the result, and the run of a kernel element by element.
 *
 * @module
 */
import type { Kernel } from "../../kernels/mod.ts";
import { formatShape, sameShape, type Shape } from "../base/shape.ts";
import { type DataType, Tensor } from "./tensor.ts";

/** Where a result goes. */
export interface Out {
  /** A tensor of the result's shape to write into; without one a tensor is made. */
  readonly out?: Tensor;
}

/** Checks or makes the tensor that a result goes into. */
export function result(inputs: readonly Tensor[], shape: Shape, out: Tensor | undefined): Tensor {
  checkType("f32", inputs);
  for (const input of inputs) input.buffer; // throws for one that was disposed of, before anything is made
  if (!out) return Tensor.empty(inputs[0].device, shape);
  checkType("f32", [out]);
  if (!sameShape(out.shape, shape)) {
    throw new TypeError(`Cannot write a result ${formatShape(shape)} into a tensor ${formatShape(out.shape)}`);
  }
  return out;
}

/** A kernel would read elements of another type as other values. */
export function checkType(dtype: DataType, tensors: readonly Tensor[]): void {
  const wrong = tensors.find((tensor) => tensor.dtype !== dtype);
  if (wrong) throw new TypeError(`Cannot compute with a tensor of ${wrong.dtype}: need ${dtype}`);
}

/**
 * Refuses what is no tensor.
 *
 * @param action What is asked, such as "multiply matrices".
 * @param operands What was given, by name.
 */
export function checkTensors(action: string, operands: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(operands)) {
    if (value instanceof Tensor) continue;
    throw new TypeError(`Cannot ${action}: ${name} must be a tensor, found ${describe(value)}`);
  }
}

/** What was given as an operand, in a few words: a tensor's shape, a number, or what it is instead. */
export function describe(value: unknown): string {
  if (value instanceof Tensor) return formatShape(value.shape);
  if (Array.isArray(value)) return "an array (Tensor.from makes a tensor of it)";
  return typeof value === "object" && value !== null ? `a ${value.constructor?.name ?? "object"}` : String(value);
}

/** Runs a kernel that has one output element for each element of its inputs, all of one shape. */
export function elementwise(
  kernel: Kernel,
  inputs: readonly Tensor[],
  options: Out,
  reals: readonly number[] = [],
): Tensor {
  const names = inputs.length === 1 ? ["x"] : ["the first operand", "the second operand"];
  checkTensors(`apply ${kernel.name}`, Object.fromEntries(inputs.map((input, i) => [names[i], input])));
  const [first, ...others] = inputs;
  for (const other of others) {
    if (!sameShape(first.shape, other.shape)) {
      throw new TypeError(
        `Cannot apply ${kernel.name} to ${formatShape(first.shape)} and ${formatShape(other.shape)}: the shapes differ`,
      );
    }
  }
  const out = result(inputs, first.shape, options.out);
  first.device.run(kernel, { buffers: [...inputs, out], sizes: [first.size], reals, invocations: first.size });
  return out;
}
