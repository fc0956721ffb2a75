/**
 * The numbers of a tensor as a program gives and gets them.
 *
 * @module
 */
import { sameShape, type Shape, sizeOf } from "./shape.ts";

/** Element types: float32 for values, unsigned 32-bit whole numbers for row numbers and counters. */
export type DataType = "f32" | "u32";

/** The typed array that holds elements of a type. */
export type TensorData = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Numbers as a scalar, a vector, a matrix, or a typed array. */
export type TensorLike = number | readonly number[] | readonly (readonly number[])[] | Float32Array | Uint32Array;

/** Whether numbers of one shape can be written into a tensor of another: flat ones need only be as many. */
export function fits(shape: Shape, target: Shape): boolean {
  return shape.length > 1 ? sameShape(shape, target) : sizeOf(shape) === sizeOf(target);
}

/** The shape of numbers as they are given. */
export function shapeOf(data: TensorLike): Shape {
  if (typeof data === "number") return [];
  const first = data[0];
  if (typeof first !== "object") return [data.length];
  for (const [i, row] of (data as readonly (readonly number[])[]).entries()) {
    if (row.length !== first.length) {
      throw new TypeError(`Cannot make a matrix: row 0 has ${first.length} numbers, row ${i} has ${row.length}`);
    }
  }
  return [data.length, first.length];
}

/** A copy as a typed array; without a type a `Uint32Array` stays one, and all else becomes float32. */
export function toTypedArray(
  data: TensorLike,
  dtype: DataType = data instanceof Uint32Array ? "u32" : "f32",
): TensorData {
  const flat = typeof data === "number" ? [data] : data instanceof Array ? data.flat() : data;
  return dtype === "u32" ? Uint32Array.from(flat) : Float32Array.from(flat);
}
