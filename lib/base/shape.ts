/**
 * Shapes: how long a tensor is along each axis, last axis fastest. `[]` is a scalar, `[n]` a vector, `[rows, columns]` a
 * matrix.
 *
 * @module
 */

/** Lengths along each axis; every one a whole number, 0 allowed. */
export type Shape = readonly number[];

/**
 * Number of elements of a shape.
 *
 * @throws {RangeError} If a length is not a whole number of at least 0.
 */
export function sizeOf(shape: Shape): number {
  for (const length of shape) {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`Cannot use shape ${formatShape(shape)}: ${length} is not a whole number of at least 0`);
    }
  }
  return shape.reduce((product, length) => product * length, 1);
}

/** A shape as text. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
