import { assertAlmostEquals, assertEquals } from "@std/assert";
import { MISSING_TEXTS } from "../../../lib/data/cells.ts";
import { encodedNames, type MissingPolicy } from "../../../lib/data/table.ts";
import { fitOf, type FitSettings } from "../../../tasks/prepare/table_fit.ts";
import type { PlannedInput } from "../../../tasks/prepare/table_plan.ts";
import { sampleSize, ValueSample } from "../../../tasks/prepare/value_sample.ts";
import { assertClose } from "../../support/assert_close.ts";

/** Fits a column x to cells of training rows, then to those of others. */
function fitted(
  kind: PlannedInput["kind"],
  cells: Iterable<string>,
  settings: Partial<FitSettings> = {},
  others: readonly string[] = [],
) {
  const fit = fitOf({ name: "x", kind }, {
    missing: "mean",
    missingTexts: [...MISSING_TEXTS],
    maxCategories: 100,
    seed: 1,
    ...settings,
  });
  for (const cell of cells) fit.add(cell);
  for (const cell of others) fit.addOther(cell);
  return fit.result();
}

const medianOf = (cells: Iterable<string>) => Number(fitted("numeric", cells, { missing: "median" }).column.fill);

Deno.test("numbers are filled with the median of what is there", () => {
  assertEquals(medianOf(["9", "", "1", "NA", "4"]), 4);
  assertEquals(medianOf(["9", "1", "4", "2"]), 3);
});

Deno.test("the median is that of a sample where there are very many values", () => {
  // Ascending: what kept only the first values, or the last, would be far off.
  const cells = Array.from({ length: 200_000 }, (_, i) => `${i}`);
  assertClose([medianOf(cells)], [100_000], { rtol: 0.02 });
  assertEquals(medianOf(cells) === medianOf(cells), true);
});

Deno.test("a scaler of the statistics of numbers knows their quantiles", () => {
  const quantiles = (cells: string[]) => fitted("numeric", cells, { missing: "median" }).statistics[0].quantiles;
  assertEquals(quantiles(Array.from({ length: 17 }, (_, i) => `${16 - i}`)), Array.from({ length: 17 }, (_, i) => i));
  // 0, 8, 8, 8, 16: the missing ones are filled with 8.
  assertEquals(quantiles(["16", "", "8", "0", ""]), [0, 2, 4, 6, 8, 8, 8, 8, 8, 8, 8, 8, 8, 10, 12, 14, 16]);
  const many = quantiles(Array.from({ length: 100_000 }, (_, i) => `${i}`))!;
  assertClose(many.slice(4, 13), Array.from({ length: 9 }, (_, k) => (k + 4) * 6250), { rtol: 0.03 });
});

Deno.test("a column of a wide table keeps fewer values, spread over all of them", () => {
  assertEquals([1, 256, 512, 1_000_000].map(sampleSize), [65_536, 65_536, 32_768, 1_024]);
  const sample = new ValueSample("x", 1, 1_024);
  for (let i = 0; i < 50_000; i++) sample.add(i);
  // Of 16 uniform quantiles none is off by more than five of their standard errors, 1 / (2 sqrt(1024)).
  sample.quantiles().forEach((value, k) => assertAlmostEquals(value / 50_000, k / 16, 5 / 64));
  assertAlmostEquals(sample.median / 50_000, 1 / 2, 5 / 64);
});

Deno.test("a categorical column has the statistics of one column of numbers that is not scaled", () => {
  const cells = ["b", "a", "c", "b"];
  const at = (maxCategories: number) => fitted("categorical", cells, { maxCategories }).statistics;
  const common = { name: "x", min: 0, max: 2, mean: 0, deviation: 1, names: 3 };
  assertEquals(at(3), [common]);
  assertEquals(at(2), [common]); // two names, and a row of weights that a and c share
  assertEquals(at(1), [{ ...common, max: 1, names: 2 }]);
});

Deno.test("the statistics of numbers are those of the filled column", () => {
  const { statistics: [{ mean, deviation, min, max }] } = fitted("numeric", ["1", "", "2", "9", ""], {
    missing: "median",
  });
  // 1, 2, 2, 2, 9
  assertClose([mean, deviation, min, max], [3.2, Math.sqrt((4.84 + 3 * 1.44 + 33.64) / 5), 1, 9], { rtol: 1e-12 });
});

Deno.test("missing cells are told where other cells hold the name of their category", () => {
  const { notes } = fitted("categorical", ["(missing)", "a", "", ""], { missing: "category" });
  assertEquals(notes, ["x: 2 missing cells are taken as (missing), which other cells hold, too"]);
});

Deno.test("a number that means missing is no value", () => {
  const { column, statistics: [{ min, max }] } = fitted("numeric", ["-999", "1", "3"], { missingTexts: ["-999"] });
  assertEquals([column.fill, min, max], [2, 1, 3]);
});

Deno.test("a fit tells what a column holds that is the same in all training rows", () => {
  const near = ["14.62", "14.620000000000001", "14.62"];
  const cases: [PlannedInput["kind"], string[], string | undefined, MissingPolicy?][] = [
    ["numeric", ["0", "0.0", "-0"], "0 in all 3 training rows"],
    ["numeric", near, "14.62 to 14.620000000000001 in all 3 training rows: the same but for rounding"],
    [
      "numeric",
      ["0.3", `${0.1 + 0.2}`],
      "0.3 to 0.30000000000000004 in all 2 training rows: the same but for rounding",
    ],
    ["numeric", ["14.62", "14.6200001"], undefined],
    ["numeric", ["1", "", "1"], "1 in 2 of 3 training rows, missing in the others"],
    ["numeric", ["NA", ""], "missing in all 2 training rows"],
    ["categorical", ["a", "a"], "a in all 2 training rows"],
    ["categorical", ["true", "True"], "true in all 2 training rows"],
    ["categorical", ["a", ""], "a in 1 of 2 training rows, missing in the others"],
    ["categorical", ["a", ""], undefined, "category"],
    ["categorical", ["", ""], "missing in all 2 training rows", "category"],
    ["categorical", ["", ""], "missing in all 2 training rows"],
    ["date", ["2024-01-01", "2024-01-01T00:00Z"], "2024-01-01 in all 2 training rows"],
    ["date", ["2024-01-01T10:20+02:00", "2024-01-01 08:20"], "2024-01-01T08:20 in all 2 training rows"],
    ["date", ["2024-01-01", "2024-01-02"], undefined],
    ["date", [""], "missing in the only training row"],
  ];
  for (const [kind, cells, says, missing = "mean"] of cases) {
    assertEquals(fitted(kind, cells, { missing }).constant, says, `${kind} ${cells}`);
  }
});

Deno.test("names that mean the same are one category, under its first spelling in the training rows", () => {
  const { column, notes, statistics } = fitted("categorical", ["1", "true", "2", "1.0", "True"], {}, ["2.0", "TRUE"]);
  assertEquals(column, {
    kind: "categorical",
    name: "x",
    categories: ["1", "2", "true"],
    shares: [0.4, 0.2, 0.4],
    fill: "1",
  });
  assertEquals(statistics.map(({ name }) => name), encodedNames([column]));
  assertEquals(notes, ["x: names that mean the same are one: 1 and 1.0, true and True, 2 and 2.0"]);
});

Deno.test("shares are those of the training rows, with missing cells as they are filled", () => {
  const cells = ["b", "a", "b", "", ""];
  const cases: [MissingPolicy, unknown[], number[], string | undefined][] = [
    ["drop", ["a", "b"], [1 / 3, 2 / 3], undefined],
    ["mean", ["a", "b"], [0.2, 0.8], "b"],
    ["category", ["(missing)", "a", "b"], [0.4, 0.2, 0.4], "(missing)"],
  ];
  for (const [missing, categories, shares, fill] of cases) {
    const { column } = fitted("categorical", cells, { missing }, ["a", "c"]);
    assertEquals(column, { kind: "categorical", name: "x", categories, shares, ...(fill ? { fill } : {}) } as unknown);
  }
});

Deno.test("names beyond the most frequent share a category, and are told", () => {
  // Of c and d, which are as frequent, the first in order is one.
  const cells = ["d", "b", "c", "a", "b", "d", "c", "b", "e"];
  const { column, notes } = fitted("categorical", cells, { maxCategories: 2, missing: "error" });
  assertEquals(column, { kind: "categorical", name: "x", categories: ["b", "c"], others: ["d", "a", "e"] } as unknown);
  assertEquals(encodedNames([column]), ["x"]);
  assertEquals(notes, [
    "x: of the 5 names in training rows each of the 2 most frequent is a category, the others share one (--max-categories)",
  ]);
  const many = fitted("categorical", Array.from({ length: 70_000 }, (_, i) => `n${i}`));
  assertEquals(many.column.kind === "categorical" && many.column.others?.length, 65_536);
  assertEquals(many.notes, [
    "x: of the 70,000 names in training rows each of the 100 most frequent is a category, the others share one (--max-categories)",
  ]);
});

Deno.test("a fit tells what is filled in, and names that no training row has", () => {
  const cases: [PlannedInput["kind"], string[], MissingPolicy, string[], string[]][] = [
    ["numeric", ["1", "2", "", "6"], "median", ["", "7"], ["x: 2 missing cells are filled with the median 2"]],
    ["numeric", ["1", "2"], "category", [""], ["x: 1 missing cell is filled with the mean 1.5"]],
    ["numeric", ["1", "2"], "median", [], []],
    ["date", ["2024-01-01", "2024-01-03"], "mean", ["NA"], ["x: 1 missing cell is filled with the mean 2024-01-02"]],
    ["date", ["2024-01-01", "2024-01-02", "2024-01-02"], "mean", ["", ""], [
      "x: 2 missing cells are filled with the mean 2024-01-02",
    ]],
    ["date", ["2024-01-01", "2024-01-02T12:00"], "median", [""], [
      "x: 1 missing cell is filled with the median 2024-01-01T18:00",
    ]],
    ["categorical", ["a", "b", "a", ""], "mean", [], ["x: 1 missing cell is filled with the most frequent name, a"]],
    ["categorical", ["a", "b"], "category", [""], [
      "x: 1 missing cell is a category of their own, (missing)",
      "x: 1 validation or test row has a name that no training row has: (missing)",
    ]],
    ["categorical", ["a", "b"], "error", ["c", "a", "d", "c", "e", "f", "g", "h"], [
      "x: 7 validation or test rows have a name that no training row has: c, d, e, f, g, ...",
    ]],
  ];
  for (const [kind, cells, missing, others, says] of cases) {
    assertEquals(fitted(kind, cells, { missing }, others).notes, says, `${kind} ${cells}`);
  }
});

Deno.test("dates have the parts that vary, and the statistics of what they are encoded as", () => {
  const cases: [string[], string[]][] = [
    [["2024-01-01", "2024-01-08"], ["days"]],
    [["2024-01-01", "2025-01-06"], ["days", "year"]],
    [["2024-01-01", "2024-01-02"], ["days", "weekday sin", "weekday cos"]],
    [["2024-01-01T10:20", "2024-01-08T10:20", "2024-01-15T10:20"], ["days"]],
    [["2024-01-01T10:20", "2024-01-08T10:21"], ["days", "hour sin", "hour cos"]],
  ];
  for (const [cells, parts] of cases) {
    const { column, statistics } = fitted("date", cells, { missing: "error" });
    assertEquals(encodedNames([column]), parts.map((part) => `x (${part})`), `${cells}`);
    assertEquals(statistics.map(({ name }) => name), encodedNames([column]));
    assertEquals(column.fill, undefined);
  }
  // January and July: the sines of both are 0 but for rounding, and must not be scaled up.
  const { column, statistics } = fitted("date", ["2024-01-01", "2024-07-01", ""], { missing: "median" });
  assertEquals(column.kind === "date" && [column.origin, column.fill], [19_814, 19_814]);
  const [days, sine, cosine] = statistics.map(({ min, max, mean, deviation }) => [min, max, mean, deviation]);
  assertClose(days, [-91, 91, 0, 91 * Math.sqrt(2 / 3)], { rtol: 1e-12 });
  assertEquals(sine, [0, 1, 0, 1]);
  assertEquals(statistics[1].quantiles, new Array(17).fill(0));
  assertClose(
    statistics[2].quantiles!,
    [-1, -0.875, -0.75, -0.625, -0.5, -0.375, -0.25, -0.125, 0].concat(
      [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1],
    ),
    { atol: 1e-8 },
  );
  // Noons before and after day 16,384, from which on a time has a bit less: the quartiles of their angles are the same.
  const noons = Array.from({ length: 9 }, (_, i) => `2014-11-${`${i + 5}`.padStart(2, "0")}T12:20:03`);
  const hour = fitted("date", [...noons, "2014-11-14T18:00"]).statistics.find(({ name }) => name === "x (hour sin)")!;
  assertEquals(hour.quantiles![4], hour.quantiles![12]);
  // The fill value is in April: 1, -1 and 0.
  assertClose(cosine, [-1, 1, 0, Math.sqrt(2 / 3)], { rtol: 1e-12, atol: 1e-12 });
});
