/** What a report counts of the rows: in pieces, from the first row to the last. */

import { assert, assertEquals } from "@std/assert";
import { ArrayRows } from "../../../lib/data/row_source.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import { countValues } from "../../../tasks/report/rows.ts";
import { Numbers } from "../runs/numbered_rows.ts";

Deno.test("countValues() counts raw values into bins; the last bin holds the largest", async () => {
  const column = (name: string, values: number[]) => {
    const mean = values.reduce((a, b) => a + b) / values.length;
    return { name, min: Math.min(...values), max: Math.max(...values), mean, deviation: 2 };
  };
  const x = [0, 1, 2, 30, 30, 15, 7, 7, 7, 7];
  const y = x.map(() => 4);
  const inputs = new Scaler("standardize", [column("x", x)]);
  const scalers = { inputs, targets: new Scaler("none", [column("y", y)]) };
  const source = new ArrayRows(Float32Array.from(inputs.transform(x)), Float32Array.from(y), 1);
  const { inputs: [counted], targets: [constant], rows } = await countValues(source, scalers, 5);
  assertEquals([rows, counted.low, counted.high], [10, 0, 30]);
  const filled = counted.counts.flatMap((count, bin) => count > 0 ? [[bin, count]] : []);
  assertEquals([filled.at(-1), filled.reduce((sum, [_, count]) => sum + count, 0)], [[29, 2], 10]);
  assertEquals(filled.filter(([_, count]) => count === 4).length, 1);
  assertEquals([constant.counts, constant.low, constant.high], [[10], 2, 6], "a constant has one bin");
  assertEquals((await countValues(source, scalers, 0)).inputs, []);
});

Deno.test("countValues() counts the rows of each category, and takes bent values back", async () => {
  const quantiles = Array.from({ length: 17 }, (_, k) => k);
  const inputs = new Scaler("robust", [
    { name: "kind", min: 0, max: 2, mean: 0, deviation: 1, names: 3 },
    { name: "x", min: -1000, max: 16, mean: 5, deviation: 2, quantiles },
  ]);
  const x = Float32Array.from(inputs.transform([0, -1000, 2, 8, 2, 16, 0, 16]));
  const scalers = { inputs, targets: new Scaler("none", [{ name: "y", min: 0, max: 0, mean: 0, deviation: 0 }]) };
  const { inputs: [kind, far] } = await countValues(new ArrayRows(x, new Float32Array(4), 2), scalers, 5);
  assertEquals([kind.counts, kind.low, kind.high], [[2, 0, 2], -0.5, 2.5]);
  assertEquals(far.counts, [1, ...new Array(28).fill(0), 3]);
});

Deno.test("countValues() takes of very many rows some from all over, in pieces", async () => {
  const scaler = new Scaler("none", [{ name: "x", min: 0, max: 1e6, mean: 5e5, deviation: 1 }]);
  const source = new Numbers(1_000_000);
  const { inputs: [{ counts }], rows } = await countValues(source, { inputs: scaler, targets: scaler }, 1);
  assertEquals([rows, source.most], [131_072, 2_048]);
  assertEquals(counts.reduce((a, b) => a + b), rows);
  assert(Math.min(...counts) > rows / 60 && Math.max(...counts) < rows / 15, `${counts}`);
});
