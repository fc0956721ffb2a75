import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Random } from "../../../lib/base/random.ts";
import { readSafetensors } from "../../../lib/safetensors/reader.ts";
import { type ColumnStatistics, RunningStatistics } from "../../../lib/data/scaler.ts";
import type { ScaleReport } from "../../../tasks/prepare/scale_recipe.ts";
import { assertClose } from "../../support/assert_close.ts";
import { type RanksOutcome, runAsRanks } from "../../support/data_ranks.ts";
import { asRanks } from "../../support/rank_group.ts";
import { Workplace } from "../../support/run_task_process.ts";

const RANKS = [1, 2, 3, 4];

const SCALED = "data/cubic.scaled.safetensors";

/** How far statistics of ranks may be from those of one process, as a share. */
const TOLERANCE = 1e-12;

function assertStatistics(actual: ColumnStatistics[], expected: ColumnStatistics[]): void {
  assertEquals(actual.map(({ name }) => name), expected.map(({ name }) => name));
  actual.forEach(({ min, max, mean, deviation }, i) => {
    assertEquals([min, max], [expected[i].min, expected[i].max]);
    const scale = Math.max(Math.abs(expected[i].mean), expected[i].deviation);
    assert(Math.abs(mean - expected[i].mean) <= TOLERANCE * scale, `mean ${mean}, not ${expected[i].mean}`);
    const apart = Math.abs(deviation / expected[i].deviation - 1);
    assert(apart <= TOLERANCE, `deviation ${deviation}, not ${expected[i].deviation}: ${apart}`);
  });
}

/** A file of ranks beside that of one process: the same rows at the same places, their values within float32's rounding. */
async function assertSameFile(folder: Workplace, path: string, ranks: number, isExact: boolean): Promise<void> {
  const [one, many] = await Promise.all([1, ranks].map((n) => readSafetensors(folder.at(`${path}.${n}`))));
  assertEquals([...many.tensors.keys()], [...one.tensors.keys()]);
  for (const [name, { shape, data }] of many.tensors) {
    const expected = one.tensors.get(name)!;
    assertEquals(shape, expected.shape);
    if (isExact) assert(data.every((value, i) => Object.is(value, expected.data[i])), `${name} of ${ranks} ranks`);
    else assertClose(data, expected.data, { rtol: 2 ** -22, atol: 1e-10 });
  }
  const texts = ({ metadata: { scaler: _, ...others } }: typeof one) => others;
  assertEquals(texts(many), texts(one));
}

async function assertRanksScale(csv: string, args: readonly string[], isExact: boolean): Promise<RanksOutcome[]> {
  await using folder = await Workplace.create({ "data/cubic.csv": csv });
  const outcomes = await runAsRanks("scale", folder, "1,2,3,4", args);
  const [[one]] = outcomes.map(({ reports }) => reports as ScaleReport[]);
  for (const { ranks, reports, faults } of outcomes) {
    assertEquals(faults, Array(ranks).fill(null));
    for (const report of reports as ScaleReport[]) {
      assertEquals([report.path, report.counts], [SCALED, one.counts]);
      assertStatistics(report.before, one.before);
      // These are of float32 values near 0 and 1.
      report.after.forEach(({ mean, deviation }, i) => {
        assert(Math.abs(mean - one.after[i].mean) < 1e-7 && Math.abs(deviation - one.after[i].deviation) < 1e-7);
      });
      assertEquals(report, reports[0], "ranks differ");
    }
    await assertSameFile(folder, SCALED, ranks, isExact);
  }
  assertEquals(Object.keys(await folder.digests("data")).length, 5, "a file was left over");
  return outcomes;
}

function csvOf(rows: number, seed: number, offset = 0, deviation = 3): string {
  const random = new Random(seed, "test rows");
  const lines = Array.from({ length: rows }, () => `${random.uniform(-5, 5)},${random.normal(offset, deviation)}\r\n`);
  return `x,y\r\n${lines.join("")}`;
}

Deno.test("scaleData() on ranks writes the file of one process, over several blocks of the split", async () => {
  await assertRanksScale(csvOf(20_000, 1), ["--split", "0.7,0.2,0.1"], false);
});

Deno.test("scaleData() on ranks writes the same bytes where nothing is rounded otherwise", async () => {
  await assertRanksScale(csvOf(9_001, 2), ["--split", "0.7,0.2,0.1", "--scaling-method", "minmax"], true);
});

Deno.test("scaleData() on ranks reads quotes and line breaks across cuts, a mark, and a last line without an end", async () => {
  const note = (i: number) => ['"a\n""b"""', '"\n\n\n"', '","', "plain", '"1,2\r\n3,4"'][i % 5];
  const lines = Array.from({ length: 500 }, (_, i) => `${note(i)},"${i / 8}",${(i * 37) % 101}${i % 7 ? "" : "\r\n"}`);
  await assertRanksScale(`\ufeffnote,x,y\r\n${lines.join("\r\n")}`, ["--scaling-method", "none"], true);
});

Deno.test("scaleData() on ranks goes on where there are fewer rows than ranks", async () => {
  for (const csv of ["x,y\n1,2\n4,3", "x,y\n1,2\n\n\n\n\n\n7,9\n3,3\n"]) {
    await assertRanksScale(csv, ["--split", "1,0,0", "--scaling-method", "minmax"], true);
  }
});

Deno.test("scaleData() on ranks tells all of them what one finds, with the line in the file, and leaves nothing behind", async () => {
  const rows = Array.from({ length: 3000 }, (_, i) => `${i},${-i}`);
  const bad = (at: number, row: string) => `x,y\n${rows.with(at, row).join("\n")}\n`;
  const cases: [string, string[], string][] = [
    [bad(2500, "1,nan"), [], 'data/cubic.csv:2502, column "y": "nan" is not finite'],
    [bad(1200, "1"), [], "data/cubic.csv:1202: this row has 1 cell, the header has 2"],
    [bad(2999, '1,"2'), [], "data/cubic.csv:3001: a quote is out of place or never closed"],
    [
      bad(2990, "1,1e39"),
      ["--scaling-method", "none"],
      'data/cubic.csv:2992, column "y": scaled, this value is beyond',
    ],
    [bad(7, "x,nan").replace("2990,", "y,"), [], 'data/cubic.csv:9, column "x": "x" is not a number'],
    ["x,z\n1,2\n", [], 'data/cubic.csv:1: there is no column "y"; there are x, z'],
    ["x,y\n", [], "data/cubic.csv: there are no rows behind the header"],
    ["x,y\n1,2\n", ["--split", "0.1,0.9,0"], "data/cubic.csv: no row is left for training"],
    ["x,y\n3,2\n1,2\n3,2\n", ["--split", "1,0,0"], 'data/cubic.csv: target "y" is 2 in every training row'],
  ];
  for (const [csv, args, message] of cases) {
    await using folder = await Workplace.create({ "data/cubic.csv": csv });
    for (const { ranks, faults } of await runAsRanks("scale", folder, "1,2,4", args)) {
      assertEquals(faults.length, ranks);
      for (const fault of faults) assertStringIncludes(fault?.[1] ?? "nothing", message);
      assertEquals(new Set(faults.map((fault) => fault?.[1])).size, 1);
    }
    assertEquals(Object.keys(await folder.digests("data")), ["cubic.csv"]);
  }
});

Deno.test("RunningStatistics.merge() is as near to the truth as one process, far from zero too", async () => {
  for (const [offset, deviation] of [[0, 1], [1e4, 1], [1e6, 1e4], [1e9, 1], [1e9, 1e-3]]) {
    const random = new Random(1, "far");
    const values = Float64Array.from({ length: 30_000 }, () => random.normal(offset, deviation));
    // In two passes from the first value, whose distance to the others is exact.
    const apart = values.map((value) => value - values[0]);
    const mean = apart.reduce((sum, x) => sum + x, 0) / apart.length;
    const truth = Math.sqrt(apart.reduce((sum, x) => sum + (x - mean) ** 2, 0) / apart.length);
    for (const ranks of RANKS) {
      const all = await asRanks(ranks, async (own) => {
        const statistics = new RunningStatistics(["x"]);
        // The last rank has no rows.
        const share = Math.ceil(values.length / Math.max(1, ranks - 1));
        for (const value of values.subarray(own.rank * share, (own.rank + 1) * share)) statistics.add([value]);
        await statistics.merge(own);
        assertEquals(statistics.count, values.length);
        return statistics.result()[0];
      });
      for (const found of all) {
        assertClose([found.mean], [values[0] + mean], { rtol: 1e-12, atol: 1e-14 });
        assertClose([found.deviation], [truth], { rtol: 1e-12 });
        assertEquals(found, all[0]);
      }
    }
  }
});
