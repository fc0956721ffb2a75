import { assert, assertEquals, assertThrows } from "@std/assert";
import { formatShape, sameShape, sizeOf } from "../../lib/base/shape.ts";

Deno.test("sizeOf() multiplies the lengths", () => {
  assertEquals([[], [7], [2, 3], [4, 0], [2, 3, 4]].map(sizeOf), [1, 7, 6, 0, 24]);
});

Deno.test("sizeOf() refuses lengths that are no whole numbers of at least 0", () => {
  for (const length of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
    assertThrows(
      () => sizeOf([2, length]),
      RangeError,
      `Cannot use shape [2, ${length}]: ${length} is not a whole number of at least 0`,
    );
  }
});

Deno.test("formatShape() writes a shape in brackets", () => {
  assertEquals([[], [7], [2, 3]].map(formatShape), ["[]", "[7]", "[2, 3]"]);
});

Deno.test("sameShape() compares rank and every length", () => {
  assert(sameShape([], []));
  assert(sameShape([2, 3], [2, 3]));
  assert(!sameShape([2, 3], [3, 2]));
  assert(!sameShape([2], [2, 1]));
  assert(!sameShape([2, 1], [2]));
});
