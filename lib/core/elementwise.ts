/**
 * Operations element by element, each with its backward right under it, and what all operations share.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { formatShape, sameShape, type Shape } from "../base/shape.ts";
import { type DataType, Tensor } from "./tensor.ts";

/** Where a result goes. */
export interface Out {
  /** A tensor of the result's shape to write into; without one a tensor is made. */
  readonly out?: Tensor;
}

/**
 * `a + b`, element by element.
 *
 * @param a Any shape.
 * @param b The same shape.
 * @returns The same shape.
 * @throws {TypeError} If the shapes differ.
 *
 * @example
 * ```ts
 * import { add, addBackward, Device, multiply, multiplyBackward, Tensor } from "@backhand/backhand";
 * import { scale, scaleBackward, subtract, subtractBackward } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using a = Tensor.from(device, [1, 2]);
 * using b = Tensor.from(device, [10, 20]);
 * using dOut = Tensor.from(device, [3, -4]);
 * assertEquals([...await add(a, b).read()], [11, 22]);
 * assertEquals([...await addBackward(dOut).dA.read()], [3, -4]);
 * assertEquals([...await subtract(a, b).read()], [-9, -18]);
 * assertEquals([...await subtractBackward(dOut).dB.read()], [-3, 4]);
 * assertEquals([...await multiply(a, b).read()], [10, 40]);
 * assertEquals([...await multiplyBackward(a, b, dOut).dA.read()], [30, -80]);
 * assertEquals([...await scale(a, -3).read()], [-3, -6]);
 * assertEquals([...await scaleBackward(dOut, -3).read()], [-9, 12]);
 * ```
 */
export function add(a: Tensor, b: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.add, [a, b], options);
}

/** Gradients of {@linkcode add}: `dA = dB = dOut`, twice the very tensor: dispose of it once. */
export function addBackward(dOut: Tensor): { dA: Tensor; dB: Tensor } {
  return { dA: dOut, dB: dOut };
}

/** `a - b`, element by element; shapes, errors and an example as of {@linkcode add}. */
export function subtract(a: Tensor, b: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.subtract, [a, b], options);
}

/** Gradients of {@linkcode subtract}: `dA = dOut`, the very tensor, and `dB = -dOut`, a new one. */
export function subtractBackward(dOut: Tensor): { dA: Tensor; dB: Tensor } {
  return { dA: dOut, dB: scale(dOut, -1) };
}

/** `a * b`, element by element; shapes, errors and an example as of {@linkcode add}. */
export function multiply(a: Tensor, b: Tensor, options: Out = {}): Tensor {
  return elementwise(kernels.multiply, [a, b], options);
}

/**
 * Gradients of {@linkcode multiply}, from its factors: `dA = dOut * b`, `dB = dOut * a`, in the shape of all three.
 *
 * @throws {TypeError} If the shapes differ.
 */
export function multiplyBackward(a: Tensor, b: Tensor, dOut: Tensor): { dA: Tensor; dB: Tensor } {
  return { dA: multiply(dOut, b), dB: multiply(dOut, a) };
}

/** `factor * x`, in the shape of `x`; an example is at {@linkcode add}. */
export function scale(x: Tensor, factor: number, options: Out = {}): Tensor {
  return elementwise(kernels.scale, [x], options, [factor]);
}

/** Gradient of {@linkcode scale}, in the shape of `dOut`: `dX = factor * dOut`. */
export function scaleBackward(dOut: Tensor, factor: number, options: Out = {}): Tensor {
  return scale(dOut, factor, options);
}

/** Checks or makes the tensor that a result goes into. */
export function result(inputs: readonly Tensor[], shape: Shape, out: Tensor | undefined): Tensor {
  checkType("f32", inputs);
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

/** Runs a kernel that has one output element for each element of its inputs, all of one shape. */
export function elementwise(
  kernel: Kernel,
  inputs: readonly Tensor[],
  options: Out,
  reals: readonly number[] = [],
): Tensor {
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
