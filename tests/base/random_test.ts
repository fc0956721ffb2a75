import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { MAX_SEED, Random } from "../../lib/base/random.ts";

function draws(random: Random, n: number, draw: (random: Random) => number): Float64Array {
  return Float64Array.from({ length: n }, () => draw(random));
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

Deno.test("Random gives the same numbers for the same seed and purpose, for ever", () => {
  const random = new Random(42, "weights");
  // Recorded once: files and weights made with a seed must not change between versions.
  assertEquals([random.uniform(), random.normal()], [0.3839373516146173, 0.5696379713434182]);
  assertEquals(new Random(42, "shuffle 1").permutation(6), Uint32Array.of(4, 5, 3, 1, 2, 0));
});

Deno.test("Random gives unrelated streams for other seeds and purposes", () => {
  const firsts = [0, 1, MAX_SEED].flatMap((seed) =>
    ["", "a", "b", "ab", "ba"].map((purpose) => new Random(seed, purpose).uniform())
  );
  assertEquals(new Set(firsts).size, 15);

  // Correlation of two neighbouring seeds: its standard error is 0.01.
  const a = draws(new Random(7, "data"), 10_000, (random) => random.normal());
  const b = draws(new Random(8, "data"), 10_000, (random) => random.normal());
  assert(Math.abs(mean(a.map((value, i) => value * b[i]))) < 0.05);
});

Deno.test("Random refuses a seed that is no whole number in range", () => {
  for (const seed of [-1, 1.5, MAX_SEED + 1, NaN]) {
    assertThrows(() => new Random(seed, "data"), RangeError, `Cannot seed with ${seed}`);
  }
});

Deno.test("below() gives each whole number as often, and refuses what it cannot draw from", () => {
  const counts = new Array(7).fill(0);
  for (const value of draws(new Random(1, "b"), 70_000, (random) => random.below(7))) counts[value]++;
  // The standard error of each is 93.
  assert(counts.every((count) => Math.abs(count - 10_000) < 500), `${counts}`);
  assertEquals(new Random(1, "b").below(1), 0);
  for (const n of [0, -1, NaN, 2 ** 32 + 1]) {
    assertThrows(() => new Random(1, "b").below(n), RangeError, `Cannot draw below ${n}`);
  }
});

Deno.test("uniform() stays within its ends and fills them evenly", () => {
  const values = draws(new Random(1, "u"), 40_000, (random) => random.uniform(-5, 3));
  assert(values.every((value) => value >= -5 && value < 3));
  const eighths = new Array(8).fill(0);
  for (const value of values) eighths[Math.floor(value + 5)]++;
  // 5,000 expected in each, with a standard deviation of 66.
  assert(eighths.every((count) => Math.abs(count - 5000) < 330), `${eighths}`);
  assertEquals(new Random(1, "u").uniform(2, 2), 2);
});

Deno.test("normal() has the moments of the normal distribution", () => {
  const values = draws(new Random(3, "n"), 100_000, (random) => random.normal());
  const moment = (power: number) => mean(values.map((value) => value ** power));
  // Standard errors: 0.003, 0.004, 0.012 and 0.03.
  assert(Math.abs(moment(1)) < 0.015, `${moment(1)}`);
  assert(Math.abs(moment(2) - 1) < 0.02, `${moment(2)}`);
  assert(Math.abs(moment(3)) < 0.06, `${moment(3)}`);
  assert(Math.abs(moment(4) - 3) < 0.15, `${moment(4)}`);

  const plain = new Random(4, "n");
  const moved = new Random(4, "n");
  for (let i = 0; i < 4; i++) assertEquals(moved.normal(10, 2), 10 + 2 * plain.normal());
});

Deno.test("permutation() holds every number once, in any order", () => {
  const random = new Random(5, "p");
  for (const n of [0, 1, 2, 1000]) {
    assertEquals(random.permutation(n).toSorted(), Uint32Array.from({ length: n }, (_, i) => i));
  }
  assertNotEquals(random.permutation(1000), random.permutation(1000));

  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = random.permutation(3).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals(counts.size, 6);
  // 1,000 expected of each order, with a standard deviation of 29.
  assert([...counts.values()].every((count) => Math.abs(count - 1000) < 145), `${[...counts.values()]}`);
  assertThrows(() => random.permutation(1.5), RangeError, "Cannot permute 1.5 numbers");
});
