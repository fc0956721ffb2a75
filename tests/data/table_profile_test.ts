import { assertEquals } from "@std/assert";
import { ColumnProfile } from "../../lib/data/table_profile.ts";

function profile(name: string, cells: Iterable<string>): ColumnProfile {
  const profile = new ColumnProfile(name);
  let row = 0;
  for (const cell of cells) profile.add(cell, row++);
  return profile;
}

const count = (n: number, text: (i: number) => string) => Array.from({ length: n }, (_, i) => text(i));

Deno.test("ColumnProfile.look tells what a column is", () => {
  const cases: [string, string[], string][] = [
    ["area", ["1", " 2.5 ", "-3e2", ""], "numeric"],
    ["color", ["red", "blue", "red", "NA"], "categorical"],
    ["site", ["b1", "2", "b1", "3"], "categorical"],
    ["area", ["1", "2", "3", "tall"], "mixed"],
    ["price", ["1,200", "-900,5", "$ 7", "1.200,50 €", "12%", "1 200.5"], "mixed"],
    ["price", ["1,200", "900", "on request"], "mixed"],
    ["day", ["2026-01-31", "31.01.2026", "1/2/26", "12:30", "1,2,3"], "categorical"],
    ["area", ["1", "1.0", "NaN"], "constant"],
    ["color", ["red", "red ", ""], "constant"],
    ["empty", ["", "NA"], "constant"],
    ["id", ["1", "2", "7"], "identifier"],
    ["customerId", ["1", "2", "7"], "identifier"],
    ["house_id", ["1", "2", "7"], "identifier"],
    ["id", ["1", "3", "2"], "numeric"],
    ["id", ["1", "2.5", "3"], "numeric"],
    ["year", ["1", "2", "3"], "numeric"],
    ["acid", ["1", "2", "3"], "numeric"],
    ["name", count(20, (i) => `n${i % 11}`), "identifier"],
    ["name", count(20, (i) => `n${i % 10}`), "categorical"],
    ["name", count(19, (i) => `n${i}`), "categorical"],
    ["name", count(10_000, (i) => `n${i % 1001}`), "identifier"],
    ["name", count(10_000, (i) => `n${i % 1000}`), "categorical"],
  ];
  for (const [name, cells, look] of cases) assertEquals([name, profile(name, cells).look], [name, look]);
});

Deno.test("ColumnProfile counts missing cells and keeps the first rows, the first text and the range", () => {
  const found = profile("a", ["", "1", "NA", "x y", "null", "-2", "nan", "z"]);
  assertEquals([found.missing, found.numbers, found.texts], [4, 2, 2]);
  assertEquals(found.firstMissing, [0, 2, 4]);
  assertEquals(found.firstText, { text: "x y", row: 3 });
  assertEquals([found.min, found.max], [-2, 1]);
});

Deno.test("ColumnProfile.values are in order, numbers by size", () => {
  assertEquals(profile("a", ["b", "a ", "b", "B"]).values, ["B", "a", "b"]);
  assertEquals(profile("a", ["10", "9", "-1"]).values, ["-1", "9", "10"]);
  assertEquals(profile("a", count(1001, String)).values, undefined);
});
