import { assertEquals, assertThrows } from "@std/assert";
import { CategoricalFit, NumericFit, TargetFit } from "../../../tasks/prepare/table_fit.ts";
import { assertClose } from "../../support/assert_close.ts";

function fillOf(cells: Iterable<string>, seed = 1): number {
  const fit = new NumericFit("x", "median", seed);
  for (const cell of cells) fit.add(cell);
  return Number(fit.result().column.fill);
}

Deno.test("NumericFit fills with the median of what is there", () => {
  assertEquals(fillOf(["9", "", "1", "NA", "4"]), 4);
  assertEquals(fillOf(["9", "1", "4", "2"]), 3);
});

Deno.test("NumericFit takes the median of a sample where there are very many values", () => {
  // Ascending: what kept only the first values, or the last, would be far off.
  const cells = Array.from({ length: 200_000 }, (_, i) => `${i}`);
  assertClose([fillOf(cells)], [100_000], { rtol: 0.02 });
  assertEquals(fillOf(cells) === fillOf(cells), true);
});

Deno.test("NumericFit gives the statistics of the filled column", () => {
  const fit = new NumericFit("x", "median", 1);
  for (const cell of ["1", "", "2", "9", ""]) fit.add(cell);
  const [{ mean, deviation, min, max }] = fit.result().statistics;
  // 1, 2, 2, 2, 9
  assertClose([mean, deviation, min, max], [3.2, Math.sqrt((4.84 + 3 * 1.44 + 33.64) / 5), 1, 9], { rtol: 1e-12 });
});

Deno.test("fits refuse columns that hold nothing, and a single class", () => {
  const nothing = (name: string) => `column "${name}" holds nothing in the training rows`;
  assertThrows(() => new NumericFit("x", "mean", 1).result(), RangeError, nothing("x"));
  assertThrows(() => new CategoricalFit("c", "mean").result(), RangeError, nothing("c"));
  const target = new TargetFit(["k"], "classes");
  target.add(["a"]);
  assertThrows(() => target.result(), RangeError, "the training rows have the one class a of k");
});
