import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../lib/base/random.ts";
import {
  conformalClasses,
  conformalScores,
  conformalWidth,
  leastRows,
  MAX_SCORES,
  memberSpread,
} from "../../lib/evaluate/conformal.ts";

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Noise whose size is known of each row: the spread says half of it. */
function noisyRows(count: number, random: Random): { residuals: Float64Array; spreads: Float64Array } {
  const spreads = Float64Array.from({ length: count }, () => random.uniform(0.1, 3));
  const residuals = spreads.map((spread) => Math.abs(random.normal(0, 2 * spread)));
  return { residuals, spreads };
}

Deno.test("intervals of level 0.9 hold 0.9 of new rows on average over seeds, with spreads or without", () => {
  const widths = { plain: [] as number[], spread: [] as number[] };
  for (const kind of ["plain", "spread"] as const) {
    const coverages: number[] = [];
    for (let seed = 0; seed < 40; seed++) {
      const random = new Random(seed, "weights");
      const old = noisyRows(150, random);
      const scores = conformalScores(old.residuals, kind === "spread" ? old.spreads : undefined);
      assertEquals(scores.spread !== undefined, kind === "spread");
      const { residuals, spreads } = noisyRows(400, random);
      const width = conformalWidth(scores, 0.9);
      const own = spreads.map((spread) => scores.spread === undefined ? width : width * (spread + scores.spread));
      coverages.push(residuals.filter((residual, i) => residual <= own[i]).length / 400);
      widths[kind].push(mean([...own]));
    }
    // Four times its standard error of 0.005.
    assert(Math.abs(mean(coverages) - 0.9) < 0.02, `${kind}: ${mean(coverages)}`);
  }
  assert(mean(widths.spread) < 0.95 * mean(widths.plain), JSON.stringify(widths));
});

Deno.test("conformalWidth() is the score of rank ceil((n + 1) level), and of many rows never one of a lower rank", () => {
  for (const rows of [9, 10, 99, 1_000, 1_001, 2_500, 12_345]) {
    const scores = conformalScores(Float64Array.from({ length: rows }, (_, i) => i + 1));
    assertEquals(scores.scores.length, Math.min(rows, MAX_SCORES));
    for (const level of [0.01, 0.3, 0.5, 0.9]) {
      const rank = Math.max(1, Math.ceil((rows + 1) * level - 1e-9));
      const found = conformalWidth(scores, level);
      assert(
        found >= rank && found <= rank + Math.ceil(rows / MAX_SCORES) - 1,
        `${rows} ${level}: ${found}, not ${rank}`,
      );
    }
  }
});

Deno.test("rows that tie with a score lie within: scores are rounded up", () => {
  // Half of the rows are as far off as the other half: the last digits of both are cut by seven.
  for (const [low, high] of [[0.123456789, 0.876543211], [12345.6741, 99999.9941], [1e-9 / 3, 9.9999991e-9], [0, 4]]) {
    const residuals = Float64Array.from({ length: 100 }, (_, i) => i % 2 === 0 ? low : high);
    for (const [level, held] of [[0.4, 50], [0.9, 100]]) {
      const width = conformalWidth(conformalScores(residuals), level);
      assertEquals(residuals.filter((residual) => residual <= width).length, held, `${level} of ${low}, ${high}`);
      assert(width <= (held === 50 ? low : high) * (1 + 1e-6), `${width}`);
    }
  }
  const truth = 0.423456789;
  const { scores } = conformalScores(new Float64Array(20).fill(1 - truth));
  assertEquals(conformalClasses([1 - truth, truth], scores[0]), [0, 1]);
});

Deno.test("conformal scores say how many rows a level needs, and refuse what is no level or no score", () => {
  assertEquals([0.5, 0.8, 0.9, 0.95, 0.99, 0.999].map(leastRows), [1, 4, 9, 19, 99, 999]);
  const nine = conformalScores([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assertEquals(conformalWidth(nine, 0.9), 9);
  const says = "Cannot give intervals of level 0.95: that needs 19 rows, and the model was scored on 9";
  assertThrows(() => conformalWidth(nine, 0.95), RangeError, says);
  for (const level of [0, 1, -1, NaN]) {
    assertThrows(() => conformalWidth(nine, level), RangeError, "a share over 0 and under 1");
  }
  assertThrows(() => conformalScores([]), RangeError, "there are no rows");
  assertThrows(() => conformalScores([1, NaN]), RangeError, "one is off by NaN");
});

Deno.test("conformalScores() divides by spreads only where that makes intervals narrower", () => {
  const residuals = Float64Array.from({ length: 50 }, (_, i) => i % 10);
  const misleading = residuals.map((residual) => 10 - residual);
  assertEquals(conformalScores(residuals, misleading), conformalScores(residuals));
  assertEquals(conformalScores(residuals, residuals).spread, 4.5);
  assertEquals(conformalScores(residuals, new Float64Array(50)), conformalScores(residuals));
});

Deno.test("memberSpread() is the deviation in raw units; conformalClasses() never leaves a row without a class", () => {
  // Two members, two rows of two columns.
  assertEquals([...memberSpread([1, 2, 3, 4, 3, 2, 3, 0], 2, [1, 10])], [1, 0, 0, 20]);
  assertEquals(conformalClasses([0.2, 0.5, 0.3], 0.75), [1, 2]);
  assertEquals(conformalClasses([0.2, 0.5, 0.3], 0.1), [1]);
  assertEquals(conformalClasses([0.4, 0.4, 0.2], 1), [0, 1, 2]);
});
