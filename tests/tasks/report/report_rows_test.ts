/** What a report takes of the rows: counted and sampled in pieces, from the first row to the last. */

import { assert, assertEquals } from "@std/assert";
import { ArrayRows, type RowBlock, type RowSource } from "../../../lib/data/row_source.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import { countValues, sampleRows } from "../../../tasks/report/rows.ts";

/** Rows whose input is their number, computed when they are asked for; notes how many were read at once. */
class Numbers implements RowSource {
  readonly inputs = 1;
  readonly targets = 1;
  most = 0;

  constructor(readonly rows: number) {}

  read(start: number, count: number): Promise<RowBlock> {
    assert(start >= 0 && start + count <= this.rows, `${count} rows from ${start} of ${this.rows}`);
    this.most = Math.max(this.most, count);
    const x = Float32Array.from({ length: count }, (_, i) => start + i);
    return Promise.resolve({ x, y: x.map((value) => -value) });
  }
}

Deno.test("sampleRows() takes all rows of a few, else rows from all over, each with its target", async () => {
  for (const rows of [0, 1, 99, 100, 101, 150, 1_600, 1_601, 9_999, 1_000_000]) {
    const source = new Numbers(rows);
    const { x, y } = await sampleRows(source, 100);
    assertEquals([x.length, y.length], [Math.min(rows, 100), Math.min(rows, 100)]);
    assertEquals(y, x.map((value) => -value));
    assertEquals(new Set(x).size, x.length, `a row comes twice of ${rows}`);
    assertEquals(x.toSorted(), x);
    const gaps = [...x].map((row, i) => row - (i === 0 ? -1 : x[i - 1]));
    assert(Math.max(...gaps, rows - (x.at(-1) ?? rows)) <= Math.max(2, rows / 9), `${rows}: ${gaps}`);
    assert(source.most <= 4_096, "rows are read in pieces");
  }
});

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
