import { assert, assertEquals } from "@std/assert";
import { sampleRows } from "../../../tasks/runs/sample_rows.ts";
import { Numbers } from "./numbered_rows.ts";

Deno.test("sampleRows() takes all rows of a few, else rows from all over, each with its target", async () => {
  for (const rows of [0, 1, 99, 100, 101, 150, 1_600, 1_601, 9_999, 1_000_000]) {
    const source = new Numbers(rows);
    const { x, y, places } = await sampleRows(source, 100);
    assertEquals([x.length, y.length], [Math.min(rows, 100), Math.min(rows, 100)]);
    assertEquals(y, x.map((value) => -value));
    assertEquals(new Set(x).size, x.length, `a row comes twice of ${rows}`);
    assertEquals(x.toSorted(), x);
    assertEquals([...places], [...x]);
    const gaps = [...x].map((row, i) => row - (i === 0 ? -1 : x[i - 1]));
    assert(Math.max(...gaps, rows - (x.at(-1) ?? rows)) <= Math.max(2, rows / 9), `${rows}: ${gaps}`);
    assert(source.most <= 4_096, "rows are read in pieces");
  }
});
