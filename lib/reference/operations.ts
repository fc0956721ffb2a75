/**
 * Operations on tensors in float64: two operands of which the second may be a row, a column or a single number; functions of
 * each element; the backward of each.
 *
 * @module
 */
import { Matrix } from "./matrix.ts";

/** Gradients of the operands, each in its own shape. */
export interface ReferenceGradients {
  /** Of the first. */
  readonly dA: Matrix;
  /** Of the second. */
  readonly dB: Matrix;
}

/** The element of `b` that counts for element `i` of `a`, where `b` is as large, a row, a column, or one number. */
function placeIn(b: Matrix, a: Matrix, i: number): number {
  const row = b.rows === 1 ? 0 : Math.floor(i / a.columns);
  const column = b.columns === 1 ? 0 : i % a.columns;
  return row * b.columns + column;
}

/** `b` in the shape of `a`, its row, column or number repeated. */
export function spread(b: Matrix, a: Matrix): Matrix {
  return a.map((_, i) => b.data[placeIn(b, a, i)]);
}

/** The backward of {@linkcode spread}: the elements of `dOut` summed in the places of `b` that they come from. */
export function spreadBackward(b: Matrix, dOut: Matrix): Matrix {
  const out = new Matrix(b.rows, b.columns);
  dOut.data.forEach((d, i) => out.data[placeIn(b, dOut, i)] += d);
  return out;
}

/** `f(a, b)` for each element of `a` and the one of `b` that counts for it. */
function pairs(a: Matrix, b: Matrix, f: (v: number, w: number) => number): Matrix {
  const { data } = spread(b, a);
  return a.map((v, i) => f(v, data[i]));
}

/** `a + b`. */
export function add(a: Matrix, b: Matrix): Matrix {
  return pairs(a, b, (v, w) => v + w);
}

/** `dA = dOut`, `dB = dOut`, summed into the shape of `b`, here and below. */
export function addBackward(_a: Matrix, b: Matrix, dOut: Matrix): ReferenceGradients {
  return { dA: dOut, dB: spreadBackward(b, dOut) };
}

/** `a - b`. */
export function subtract(a: Matrix, b: Matrix): Matrix {
  return pairs(a, b, (v, w) => v - w);
}

/** `dA = dOut`, `dB = -dOut`. */
export function subtractBackward(_a: Matrix, b: Matrix, dOut: Matrix): ReferenceGradients {
  return { dA: dOut, dB: spreadBackward(b, dOut.map((d) => -d)) };
}

/** `a * b`. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  return pairs(a, b, (v, w) => v * w);
}

/** `dA = dOut * b`, `dB = dOut * a`. */
export function multiplyBackward(a: Matrix, b: Matrix, dOut: Matrix): ReferenceGradients {
  return { dA: multiply(dOut, b), dB: spreadBackward(b, multiply(dOut, a)) };
}

/** `a / b`. */
export function divide(a: Matrix, b: Matrix): Matrix {
  return pairs(a, b, (v, w) => v / w);
}

/** `dA = dOut / b`, `dB = -dOut * a / b²`. */
export function divideBackward(a: Matrix, b: Matrix, dOut: Matrix): ReferenceGradients {
  const slope = pairs(a, b, (v, w) => -v / w ** 2);
  return { dA: divide(dOut, b), dB: spreadBackward(b, multiply(dOut, slope)) };
}

/** 1 where `a = b`, else 0. */
export function equal(a: Matrix, b: Matrix): Matrix {
  return pairs(a, b, (v, w) => Number(v === w));
}

/** 1 where `a > b`, else 0. */
export function greater(a: Matrix, b: Matrix): Matrix {
  return pairs(a, b, (v, w) => Number(v > w));
}

/** `e^x`. */
export function exp(x: Matrix): Matrix {
  return x.map(Math.exp);
}

/** `dOut * y`, with `y` the output. */
export function expBackward(y: Matrix, dOut: Matrix): Matrix {
  return multiply(dOut, y);
}

/** Natural logarithm. */
export function log(x: Matrix): Matrix {
  return x.map(Math.log);
}

/** `dOut / x`. */
export function logBackward(x: Matrix, dOut: Matrix): Matrix {
  return divide(dOut, x);
}

/** Square root. */
export function sqrt(x: Matrix): Matrix {
  return x.map(Math.sqrt);
}

/** `dOut / (2 y)`, with `y` the output. */
export function sqrtBackward(y: Matrix, dOut: Matrix): Matrix {
  return dOut.map((d, i) => d / (2 * y.data[i]));
}

/** `x²`. */
export function square(x: Matrix): Matrix {
  return x.map((v) => v * v);
}

/** `2 x * dOut`. */
export function squareBackward(x: Matrix, dOut: Matrix): Matrix {
  return dOut.map((d, i) => 2 * x.data[i] * d);
}

/** `s * (dOut - sum over the row of dOut * s)`, with `s` the output of softmax. */
export function softmaxBackward(s: Matrix, dOut: Matrix): Matrix {
  const column = new Matrix(s.rows, 1);
  const shared = spreadBackward(column, multiply(dOut, s));
  return multiply(s, subtract(dOut, shared));
}

/** Rows of 0 with a 1 in the place of each class number; NaN for one that is no class. */
export function oneHot(numbers: readonly number[], classes: number): Matrix {
  return new Matrix(numbers.length, classes).map((_, i) => {
    const number = numbers[Math.floor(i / classes)];
    const isClass = Number.isInteger(number) && number >= 0 && number < classes;
    return isClass ? Number(number === i % classes) : NaN;
  });
}

/** Root of the sum of squares of each row, [rows, 1]. */
export function rowNorms(x: Matrix): Matrix {
  return sqrt(spreadBackward(new Matrix(x.rows, 1), square(x)));
}

/** `dOut * x / norm`, 0 where the norm is 0; `dOut` [rows, 1]. */
export function rowNormsBackward(x: Matrix, dOut: Matrix): Matrix {
  const norms = spread(rowNorms(x), x);
  const wide = spread(dOut, x);
  return x.map((v, i) => norms.data[i] === 0 ? 0 : wide.data[i] * v / norms.data[i]);
}
