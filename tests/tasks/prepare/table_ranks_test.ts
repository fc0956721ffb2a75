import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ALONE } from "../../../lib/ranks/communicator.ts";
import { Random } from "../../../lib/base/random.ts";
import { readSafetensors, type StoredTensors } from "../../../lib/safetensors/reader.ts";
import { ColumnProfile } from "../../../lib/data/table_profile.ts";
import { NumericFit } from "../../../tasks/prepare/table_fit.ts";
import type { TableReport } from "../../../tasks/prepare/scale_table.ts";
import { smallest } from "../../../tasks/prepare/table_split.ts";
import { assertClose } from "../../support/assert_close.ts";
import { runAsRanks } from "../../support/data_ranks.ts";
import { asRanks } from "../../support/rank_group.ts";
import { Workplace } from "../../support/run_task_process.ts";

/** Metadata with all numbers taken out, which ranks may round otherwise; and these numbers. */
function taken({ metadata }: StoredTensors): { text: string; numbers: number[] } {
  const numbers: number[] = [];
  const { scaler, table, ...others } = metadata;
  const text = `${scaler}${table}`.replaceAll(/(?<="(mean|deviation|fill)":)[-\d.e]+/g, (number) => {
    numbers.push(Number(number));
    return "?";
  });
  return { text: JSON.stringify([text, others]), numbers };
}

async function assertSameTables(
  files: Record<string, string>,
  args: readonly string[],
  ranks = "1,3",
  data = "houses.csv",
): Promise<TableReport> {
  await using folder = await Workplace.create(files);
  const outcomes = await runAsRanks("scale", folder, ranks, ["--data", data, ...args]);
  const read = (ranks: number) => readSafetensors(folder.at(`data/houses.scaled.safetensors.${ranks}`));
  for (const { ranks, reports, faults } of outcomes) {
    assertEquals(faults, Array(ranks).fill(null));
    for (const report of reports) assertEquals(report, outcomes[0].reports[0]);
    const one = await read(1);
    const many = await read(ranks);
    assertEquals(taken(many).text, taken(one).text);
    assertClose(taken(many).numbers, taken(one).numbers, { rtol: 1e-12, atol: 1e-13 });
    assertEquals([...many.tensors.keys()], [...one.tensors.keys()]);
    for (const [name, { shape, data }] of many.tensors) {
      assertEquals(shape, one.tensors.get(name)!.shape);
      assertClose(data, one.tensors.get(name)!.data, { rtol: 2 ** -22, atol: 1e-10 });
    }
  }
  return outcomes[0].reports[0] as TableReport;
}

/** Houses: numbers, categories whose texts hold line breaks, missing cells, days and an identifier that goes up. */
function houses(rows: number, seed: number): string {
  const random = new Random(seed, "houses");
  const pick = (...of: string[]) => of[Math.floor(random.uniform(0, of.length))];
  const lines = Array.from({ length: rows }, (_, i) => [
    i + 1,
    pick(`${random.normal(100, 20)}`, `${Math.round(random.uniform(0, 9))}`, "", "NA"),
    pick("1", "1.0", "2", " 3"),
    pick("brick", '"wo\nod"', '"stone, ""old"""', i > rows / 2 ? "late" : "brick", ""),
    `2020-01-${10 + Math.floor(random.uniform(0, 20))}`,
    pick("low", "high", i > rows - 9 ? "rare" : "low"),
    i * 1.5 + random.normal(),
  ]);
  return `id,area,rooms,wall,day,class,price\r\n${lines.map((line) => line.join(",")).join("\r\n")}`;
}

const AREAS = ["--ignore", "class,day"];

Deno.test("scaleTable() on ranks makes the table of one process, however cells are missing", async () => {
  for (const missing of ["mean", "category", "drop"]) {
    const args = ["--target", "price", "--missing", missing, "--categorical", "rooms", ...AREAS];
    const ranks = missing === "drop" ? "1,2,3,4" : "1,3";
    const report = await assertSameTables({ "houses.csv": houses(700, 1) }, args, ranks);
    assertStringIncludes(report.columns, "whole numbers that only go up: an identifier");
    assert(report.counts.test > 0);
  }
});

Deno.test("scaleTable() on ranks takes the same median as one process, of a sample too", async () => {
  const random = new Random(1, "area");
  const size = 70_000;
  const rows = Array.from(
    { length: size },
    (_, i) => `${i % 9 === 0 ? "" : random.normal(5, 2).toFixed(6)},${i % 5}\n`,
  );
  const args = ["--target", "y", "--missing", "median", "--split", "1,0,0"];
  await assertSameTables({ "houses.csv": `x,y\n${rows.slice(0, 999).join("")}` }, args);
  // Longer than what is kept: the sample is the same, too.
  const cells = Array.from({ length: 80_000 }, () => `${random.normal()}`);
  const fill = async (ranks: number) =>
    await asRanks(ranks, async (communicator) => {
      const cut = (rank: number) => Math.floor(cells.length * rank / ranks);
      const from = cut(communicator.rank);
      const fit = new NumericFit("x", "median", 7, from);
      for (const cell of cells.slice(from, cut(communicator.rank + 1))) fit.add(cell);
      await fit.merge(communicator);
      const { column } = fit.result();
      return column.fill;
    });
  const [one] = await fill(1);
  for (const ranks of [2, 9]) assertEquals(await fill(ranks), Array(ranks).fill(one)); // of 9 the last skips draws
});

Deno.test("scaleTable() on ranks splits classes, times and files of their own as one process does", async () => {
  const common = ["--missing", "category", "--categorical", "rooms", "--ignore", "price"];
  const classes = await assertSameTables({ "houses.csv": houses(9500, 2) }, ["--target", "class", ...common]);
  assertEquals(classes.counts.train + classes.counts.validation + classes.counts.test, 9500);
  const times = await assertSameTables({ "houses.csv": houses(800, 3) }, [
    "--target",
    "class",
    "--time-column",
    "day",
    ...common,
  ]);
  assert(times.counts.validation > 0);
  const files = { "houses.csv": houses(300, 4), "more.csv": houses(40, 5), "two.csv": houses(2, 6) };
  const own = ["--target", "price", "--missing", "drop", "--validation", "more.csv", "--test", "two.csv", ...AREAS];
  const { counts, notes } = await assertSameTables(files, own);
  assert(counts.validation > 0 && counts.validation < 40);
  assertStringIncludes(notes[0], "rows with missing cells are left out");
});

Deno.test("scaleTable() makes of a folder what it makes of its files put together, on ranks too", async () => {
  const [header, ...rows] = houses(500, 7).split(/(?<=\r\n)/);
  const whole = header + rows.join("");
  // Cut at rows: the cells with line breaks have LF alone. One file has no row, one no last line end.
  const cuts = [0, 3, 3, 90, 91, 400, rows.length];
  const parts: Record<string, string> = {};
  for (let i = 1; i < cuts.length; i++) {
    const text = (i === 3 ? "\ufeff" : "") + header + rows.slice(cuts[i - 1], cuts[i]).join("");
    parts[`houses/part ${i}.csv`] = i === 4 ? text.trimEnd() : text;
  }
  const [first, second] = ["drop", "median"].map((missing) => {
    return ["--target", "price", "--missing", missing, "--categorical", "rooms", ...AREAS];
  });
  for (const [args, ranks] of [[first, "1,2,3,4"], [second, "1,4"]] as const) {
    const report = await assertSameTables(parts, args, ranks, "houses");
    await using place = await Workplace.create({ "houses.csv": whole, ...parts });
    const files: StoredTensors[] = [];
    for (const data of ["houses.csv", "houses/"]) {
      const [{ reports, faults }] = await runAsRanks("scale", place, "1", ["--data", data, ...args]);
      assertEquals([faults, reports], [[null], [report]]);
      files.push(await readSafetensors(place.at("data/houses.scaled.safetensors.1")));
    }
    const [{ tensors, metadata: { source, settings: _, ...others } }, { tensors: expected, metadata }] = files
      .toReversed();
    assertEquals(tensors, expected); // bit for bit
    assertEquals(others, { scaler: metadata.scaler, table: metadata.table, ...others });
    assertEquals(Object.keys(JSON.parse(source)), Object.keys(parts));
  }
});

Deno.test("scaleTable() names files and lines of a folder", async () => {
  const rows = (bad: Record<number, string> = {}) =>
    `x,y\n${Array.from({ length: 40 }, (_, i) => bad[i] ?? `${i % 7},${i % 3}`).join("\n")}`;
  const cases: [Record<number, string>, string, string][] = [
    [{ 5: ",1", 38: "NA,2" }, "auto", "t: cells are missing; "],
    [{ 5: ",1", 38: "NA,2" }, "auto", "\n  x: 2, at t/b.csv:7, t/b.csv:40"],
    [{ 30: "tall,2" }, "auto", 't/b.csv:32, column "x": "tall" is not a number, and 79 cells of the column are'],
    [{ 39: "1e300,2" }, "none", 't/b.csv:41, column "x": scaled, this value is beyond the range of float32'],
  ];
  for (const [bad, scaling, message] of cases) {
    await using folder = await Workplace.create({ "t/a.csv": rows(), "t/b.csv": rows(bad) });
    const args = ["--data", "t", "--target", "y", ...(scaling === "none" ? ["--scaling-method", "none"] : [])];
    for (const { faults } of await runAsRanks("scale", folder, "1,3", args)) {
      for (const fault of faults) assertStringIncludes(fault?.[1] ?? "nothing", message);
    }
  }
});

Deno.test("scaleTable() on ranks goes on where there are fewer rows than ranks", async () => {
  const args = ["--target", "y", "--split", "1,0,0"];
  await assertSameTables({ "houses.csv": "x,y\n1,2\n4,5" }, args, "1,2,4");
  await assertSameTables({ "houses.csv": "x,y\n\n\n\n\n\n\n1,2\n4,5" }, args);
});

Deno.test("scaleTable() on ranks tells all of them what one finds, with lines of the file", async () => {
  const rows = (bad: Record<number, string>) =>
    `t,x,y\n${Array.from({ length: 100 }, (_, i) => bad[i] ?? `${i},${i % 7},${i % 3}`).join("\n")}\n`;
  const cases: [string, string[], string][] = [
    [rows({ 90: "1,2" }), [], "houses.csv:92: this row has 2 cells"],
    [rows({ 40: "a,,1", 90: "b,,2" }), ["--ignore", "t"], "x: 2, in lines 42, 92"],
    [rows({ 70: "1,tall,2" }), ["--ignore", "t"], 'houses.csv:72, column "x": "tall" is not a number'],
    [rows({ 99: "now,1,2" }), ["--time-column", "t"], 'houses.csv:101, column "t": "now" is no time'],
    [rows({ 99: "1,1e300,2" }), ["--ignore", "t", "--scaling-method", "none"], "houses.csv:101"],
    [rows({}), ["--ignore", "x,t"], "no column is left to predict from"],
    [rows({}), ["--ignore", "z"], 'IGNORE names "z", which is no column'],
  ];
  for (const [csv, args, message] of cases) {
    await using folder = await Workplace.create({ "houses.csv": csv });
    for (
      const { ranks, faults } of await runAsRanks("scale", folder, "1,3", [
        "--data",
        "houses.csv",
        "--target",
        "y",
        ...args,
      ])
    ) {
      assertEquals(faults.length, ranks);
      for (const fault of faults) assertStringIncludes(fault?.[1] ?? "nothing", message);
    }
    assertEquals(Object.keys(await folder.digests()).filter((name) => name.startsWith("data/")), []);
  }
});

Deno.test("ColumnProfile.merged() knows what one profile of all cells knows", async () => {
  const look = ({ look, values, missing, numbers, texts, min, max, firstMissing, firstText }: ColumnProfile) => (
    { look, values, missing, numbers, texts, min, max, firstMissing, firstText }
  );
  const columns: [string, string[]][] = [
    ["id", ["1", "2", "", "3", "NA", "4"]],
    ["id", ["1", "2", "2", "3", "9", "11"]],
    ["id", ["5", "6", "7", "1", "2", "3"]],
    ["x", ["", "", "", "", "", ""]],
    ["x", ["1.0", "1", "red", "2", "b", "-7"]],
    ["x", Array.from({ length: 1200 }, (_, i) => `n${i}`)],
    ["x", Array.from({ length: 1001 }, (_, i) => `n${i % 999}`)],
  ];
  for (const [name, cells] of columns) {
    const profile = (from: number, to: number) => {
      const profile = new ColumnProfile(name);
      for (let row = from; row < to; row++) profile.add(cells[row], row);
      return profile;
    };
    const expected = look(await profile(0, cells.length).merged(ALONE));
    for (const ranks of [2, 3, 5]) {
      const cut = (rank: number) => Math.floor(cells.length * rank / ranks);
      const all = await asRanks(ranks, (own) => profile(cut(own.rank), cut(own.rank + 1)).merged(own));
      for (const merged of all) assertEquals(look(merged), expected);
    }
  }
});

Deno.test("smallest() finds a place among the numbers of all ranks", async () => {
  const random = new Random(3, "places");
  for (
    const numbers of [
      [5],
      [0, -0, 3, 3, -1e300, 1e-320, -1e-320, 7],
      Array.from({ length: 99 }, () => random.normal()),
    ]
  ) {
    const sorted = Float64Array.from(numbers).sort();
    for (const ranks of [1, 2, 3]) {
      for (let place = 0; place < numbers.length; place += ranks) {
        const found = await asRanks(ranks, (own) => {
          return smallest(Float64Array.from(numbers.filter((_, i) => i % ranks === own.rank)).sort(), place, own);
        });
        // -0 and 0 are the same.
        for (const number of found) assert(number === sorted[place], `${number}, not ${sorted[place]}`);
      }
    }
  }
});
