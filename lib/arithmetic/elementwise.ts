/**
 * Operations on two operands element by element, and `scale`; each with its backward right under it.
 *
 * Why each backward is as it is: [README.md](README.md#every-backward-in-a-line).
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { checkGradient, type Operand, operate, sumToOperand } from "./broadcast.ts";
import { elementwise, type Out } from "../core/operation.ts";
import type { Tensor } from "../core/tensor.ts";

export type { Operand } from "./broadcast.ts";
export type { Out } from "../core/operation.ts";

/** The gradients of an operation on two operands. */
export interface OperandGradients {
  /** Gradient of the first operand, in its shape. */
  readonly dA: Tensor;
  /** Gradient of the second operand, in its shape; `[]` for a number. */
  readonly dB: Tensor;
}

/**
 * `a + b`, element by element.
 *
 * @param a Any shape.
 * @param b The same shape, or a number, or what is spread over `a`: a scalar `[]`, or for a matrix [r, c] a row `[c]` or a
 * column `[r, 1]`.
 * @returns The shape of `a`.
 * @throws {TypeError} If the shapes do not fit, or one is no tensor.
 *
 * @example
 * ```ts
 * import { add, addBackward, Device, divide, divideBackward, multiply, multiplyBackward, Tensor } from "@backhand/backhand";
 * import { equal, greater, scale, scaleBackward, subtract, subtractBackward } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using a = Tensor.from(device, [[1, 2], [3, 4]]);
 * using row = Tensor.from(device, [10, 20]);
 * using column = Tensor.from(device, [[2], [4]]);
 * using dOut = Tensor.from(device, [[3, -4], [5, 6]]);
 * assertEquals([...await add(a, row).read()], [11, 22, 13, 24]);
 * assertEquals([...await addBackward(a, row, dOut).dB.read()], [8, 2]);
 * assertEquals([...await subtract(a, column).read()], [-1, 0, -1, 0]);
 * assertEquals([...await subtractBackward(a, column, dOut).dB.read()], [1, -11]);
 * assertEquals([...await multiply(a, 3).read()], [3, 6, 9, 12]);
 * assertEquals([...await multiplyBackward(a, 3, dOut).dA.read()], [9, -12, 15, 18]);
 * assertEquals([...await divide(a, column).read()], [0.5, 1, 0.75, 1]);
 * assertEquals([...await divideBackward(a, column, dOut).dA.read()], [1.5, -2, 1.25, 1.5]);
 * assertEquals([...await greater(a, 2).read()], [0, 0, 1, 1]);
 * assertEquals([...await equal(a, a).read()], [1, 1, 1, 1]);
 * assertEquals([...await scale(a, -3).read()], [-3, -6, -9, -12]);
 * assertEquals([...await scaleBackward(dOut, -3).read()], [-9, 12, -15, -18]);
 * ```
 */
export function add(a: Tensor, b: Operand, options: Out = {}): Tensor {
  return operate(kernels.add, a, b, options);
}

/**
 * Gradients of {@linkcode add}, from its operands: `dA = dOut`, the very tensor, and `dB = dOut`, summed over the elements
 * that `b` was spread over. Where `b` has the shape of `a`, dB is the very tensor, too: dispose of it once.
 *
 * @param dOut Gradient of the result, in the shape of `a`.
 * @throws {TypeError} If the shapes do not fit, here and in the other backwards.
 * @throws {RangeError} If `b` was spread over nothing.
 */
export function addBackward(a: Tensor, b: Operand, dOut: Tensor): OperandGradients {
  checkGradient("add", a, b, dOut);
  return { dA: dOut, dB: sumToOperand("add", dOut, b) };
}

/** `a - b`, element by element; shapes, errors and an example as of {@linkcode add}. */
export function subtract(a: Tensor, b: Operand, options: Out = {}): Tensor {
  return operate(kernels.subtract, a, b, options);
}

/** Gradients of {@linkcode subtract}, as {@linkcode addBackward}: `dA = dOut`, the very tensor, and `dB = -dOut`, a new one. */
export function subtractBackward(a: Tensor, b: Operand, dOut: Tensor): OperandGradients {
  checkGradient("subtract", a, b, dOut);
  return { dA: dOut, dB: dOut.device.tidy(() => scale(sumToOperand("subtract", dOut, b), -1)) };
}

/** `a * b`, element by element; shapes, errors and an example as of {@linkcode add}. */
export function multiply(a: Tensor, b: Operand, options: Out = {}): Tensor {
  return operate(kernels.multiply, a, b, options);
}

/** Gradients of {@linkcode multiply}, as {@linkcode addBackward}: `dA = dOut * b`, `dB = dOut * a`; both are new. */
export function multiplyBackward(a: Tensor, b: Operand, dOut: Tensor): OperandGradients {
  checkGradient("multiply", a, b, dOut);
  const dA = multiply(dOut, b);
  return { dA, dB: dOut.device.tidy(() => sumToOperand("multiply", multiply(dOut, a), b)) };
}

/** `a / b`, element by element; shapes, errors and an example as of {@linkcode add}. */
export function divide(a: Tensor, b: Operand, options: Out = {}): Tensor {
  return operate(kernels.divide, a, b, options);
}

/** Gradients of {@linkcode divide}, as {@linkcode addBackward}: `dA = dOut / b`, `dB = -dOut * a / b²`; both are new. */
export function divideBackward(a: Tensor, b: Operand, dOut: Tensor): OperandGradients {
  checkGradient("divide", a, b, dOut);
  const dA = divide(dOut, b);
  const dB = dOut.device.tidy(() => scale(sumToOperand("divide", divide(multiply(dA, a), b), b), -1));
  return { dA, dB };
}

/**
 * 1 where `a = b`, else 0; shapes, errors and an example as of {@linkcode add}. NaN equals nothing. It has no backward: its
 * slope is 0 wherever it has one.
 */
export function equal(a: Tensor, b: Operand, options: Out = {}): Tensor {
  return operate(kernels.equal, a, b, options);
}

/** 1 where `a > b`, else 0: a gate as in ReLU's backward. As {@linkcode equal} in all else. */
export function greater(a: Tensor, b: Operand, options: Out = {}): Tensor {
  return operate(kernels.greater, a, b, options);
}

/** `factor * x`, in the shape of `x`; an example is at {@linkcode add}. */
export function scale(x: Tensor, factor: number, options: Out = {}): Tensor {
  return elementwise(kernels.scale, [x], options, [factor]);
}

/** Gradient of {@linkcode scale}, in the shape of `dOut`: `dX = factor * dOut`. */
export function scaleBackward(dOut: Tensor, factor: number, options: Out = {}): Tensor {
  return scale(dOut, factor, options);
}
