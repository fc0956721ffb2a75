import { AssertionError, assertThrows } from "@std/assert";
import { assertClose } from "./assert_close.ts";

Deno.test("assertClose() allows atol + rtol * |expected|, and no more", () => {
  assertClose([1.5, -100.5, 0], [1, -100, 0.25], { rtol: 0.0025, atol: 0.5 });
  assertClose([1, 2], Float32Array.of(1, 2), { rtol: 0, atol: 0 });
  assertThrows(
    () => assertClose([0, 5, -9, 2], [0, 1, -1, 2], { rtol: 0, atol: 1 }),
    AssertionError,
    "2 of 4 numbers differ by more than rtol 0 and atol 1; worst at index 2: found -9, expected -1",
  );
});

Deno.test("assertClose() takes NaN and infinities for close to themselves alone", () => {
  assertClose([NaN, Infinity, -Infinity], [NaN, Infinity, -Infinity]);
  for (const [actual, expected] of [[NaN, 1], [1, NaN], [1, Infinity], [Infinity, 1], [-Infinity, Infinity]]) {
    assertThrows(
      () => assertClose([0, actual], [0, expected], { atol: 1e30 }),
      AssertionError,
      `worst at index 1: found ${actual}, expected ${expected}`,
    );
  }
});

Deno.test("assertClose() refuses another length", () => {
  assertThrows(() => assertClose([1], [1, 1]), AssertionError, "Found 1 numbers, expected 2");
  assertThrows(() => assertClose([], [1]), AssertionError, "Found 0 numbers, expected 1");
});
