import { assertEquals } from "@std/assert";
import type { ProfileOptions } from "../../lib/data/column_kinds.ts";
import { ColumnProfile } from "../../lib/data/table_profile.ts";

function profile(name: string, cells: Iterable<string>, options?: ProfileOptions): ColumnProfile {
  const profile = new ColumnProfile(name, options);
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
    ["area", ["1", "1.0", "NaN"], "constant"],
    ["color", ["red", "red ", ""], "constant"],
    ["flag", ["True", "true", "TRUE"], "constant"],
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
    ["name", count(2100, (i) => `n${i % 1050}`), "categorical"],
    ["name", count(2100, (i) => `n${i % 1051}`), "identifier"],
    ["name", count(131_072, (i) => `n${i % 65_536}`), "categorical"],
    ["name", count(131_074, (i) => `n${i % 65_537}`), "prose"],
    ["note", ["a", "b", "x".repeat(1001)], "prose"],
    // Numbers or dates, and texts in place of some, whatever their share.
    ["ca", ["1", "?", "?", "?", "2.5"], "placeholders"],
    ["ca", [...count(50, (i) => `${i}`), "unknown"], "placeholders"],
    ["day", ["2026-01-31", "N/A", "2026-02-01"], "placeholders"],
    ["class", ["a", "?", "b", "?"], "categorical"],
    ["class", ["?", "-", "?", "-"], "categorical"],
    ["class", ["low", "unknown", "high"], "categorical"],
    ["area", ["1", "?", "?", "?", "tall", "2"], "mixed"],
    ["grade", [...count(10, String), ...count(12, () => "k. A.")], "mixed"],
    ["grade", [...count(9, String), ...count(12, () => "k. A.")], "categorical"],
    ["grade", [...count(10, String), ...count(24, (i) => "abc"[i % 3])], "categorical"],
    ["day", [...count(10, (i) => `2026-01-1${i}`), ...count(12, () => "k. A.")], "mixed"],
    ["grade", [...count(1500, String), ...count(1600, () => "k. A.")], "mixed"],
    // Numbers written otherwise.
    ["t", ["10:30", "11:30", "12:30:15"], "mixed"],
    ["t", ["−1.5", "−2.5", "NA"], "mixed"],
    ["t", ["12 kg", "7 kg", "?"], "mixed"],
    ["t", ["12 kg", "7 lb", "3 oz", "7"], "mixed"],
    ["seat", ["4A", "4B", "4C", "4D", "5A"], "categorical"],
    ["rank", ["1st", "2nd", "3rd"], "categorical"],
    // After too many texts, some of the rest say what they are.
    ["weight", [...count(66_000, (i) => `n${i}`), ...count(70_000, (i) => `${i} kg`)], "mixed"],
    ["day", [...count(70_000, (i) => new Date(i * 1e6).toISOString()), "?"], "placeholders"],
    // Dates.
    ["day", ["2026-01-31", "2026-02-01T12:00", "2026/2/3"], "date"],
    ["day", ["2026-01-31", "2026-1-31", "2026-01-31T00:00"], "constant"],
    ["day", count(100, (i) => `2026-01-01T${i % 24}:${10 + i % 50}`), "date"],
    ["day", ["2026-01-31", "2026-02-01", "banana"], "mixed"],
    ["day", ["2026-01-31", "2026-02-01", "2026"], "mixed"],
    ["day", ["2026-01-31", "31.01.2026", "1/2/26", "12:30", "1,2,3"], "mixed"],
    ["day", ["31.01.2026", "01.02.2026", "?"], "other dates"],
    ["day", ["31 Jan 2026", "1 Feb 2026", "soon"], "other dates"],
    ["day", ["Monday", "Friday", "31.01.2026"], "categorical"],
    // Days and times that there are not, whatever their share.
    ["day", ["2024-02-28", "2024-02-30"], "mixed"],
    ["day", ["2024-12-01", "2024-13-01", "2024-14-01", "2024-31-01"], "mixed"],
    ["day", ["2024-01-31", ...count(5, () => "0000-00-00")], "mixed"],
    ["day", ["2024-01-31T23:00:00", ...count(5, (i) => `2024-01-0${i + 1}T24:00:00Z`)], "mixed"],
    ["day", ["31.01.2024", "30.02.2024", "31.02.2024"], "other dates"],
    ["part", ["1234-56-78", "1234-05-06", "1234-56-79"], "categorical"],
    ["part", ["1234-16-30", "1234-17-30", "1234-18-30"], "categorical"],
  ];
  for (const [name, cells, look] of cases) {
    assertEquals([name, cells.slice(0, 6), profile(name, cells).look], [name, cells.slice(0, 6), look]);
  }
});

Deno.test("ColumnProfile.look of columns of which something is said", () => {
  const cases: [string[], ProfileOptions, string][] = [
    [["1", "?", "2"], { missingTexts: ["?"] }, "numeric"],
    [["1", "-999", "2"], { missingTexts: ["-999"] }, "numeric"],
    [["1", "NA", "2"], { missingTexts: [] }, "placeholders"],
    [["DE", "NA", "FR"], { missingTexts: [] }, "categorical"],
    [["1234567890123456789", "1234567890123456790"], {}, "constant"],
    [["1", "1.0", "1e0"], { isNames: true }, "constant"],
    [[""], { isNames: true }, "constant"],
    [["31.01.2026", "1.2.2026"], { dates: { format: "%d.%m.%Y" } }, "date"],
    [["20260131", "20260201"], { dates: { format: "%Y%m%d" } }, "date"],
    [["31.01.2026", "1.2.2026", "2.31.2026"], { dates: { format: "%d.%m.%Y" } }, "mixed"],
    [["31.01.2026", "?", "1.2.2026"], { dates: { format: "%d.%m.%Y" } }, "placeholders"],
    [["2026-01-31", "banana", "apple", "pear"], { dates: {} }, "mixed"],
  ];
  for (const [cells, options, look] of cases) assertEquals([cells, profile("a", cells, options).look], [cells, look]);
  const missing = profile("a", ["1", "-999", "2", "-999", ""], { missingTexts: ["-999", "-"] });
  assertEquals([missing.missing, missing.range.min, [...missing.missingFound]], [3, 1, ["-999"]]);
});

Deno.test("ColumnProfile counts missing cells and keeps the first rows, the first text and the range", () => {
  const found = profile("a", ["", "1", "NA", "x y", "null", "-2", "nan", "z"]);
  assertEquals([found.missing, found.numbers, found.texts], [4, 2, 2]);
  assertEquals(found.firstMissing, [0, 2, 4]);
  assertEquals(found.firstBut("number"), { text: "x y", row: 3 });
  assertEquals([found.range.min, found.range.max], [-2, 1]);
  const dates = profile("a", ["1970-01-03", "?", "1969-12-31", "1970-01-03", "?", "-"]);
  assertEquals([dates.count("date"), dates.days.min, dates.days.max], [3, -1, 2]);
  assertEquals([[...dates.placeholders], dates.first.placeholder], [[["?", 2], ["-", 1]], { text: "?", row: 1 }]);
});

Deno.test("ColumnProfile.values are in order, numbers by size, names that mean the same once", () => {
  assertEquals(profile("a", ["b", "a ", "b", "B"]).values, ["B", "a", "b"]);
  assertEquals(profile("a", ["10", "9", "-1"]).values, ["-1", "9", "10"]);
  const same = profile("a", ["1.0", "0", "1", "True", "0.0", "true", "1e0"]);
  assertEquals([same.values, same.different], [["0", "1.0", "True"], 3]);
  assertEquals(profile("a", count(1001, String)).values, undefined);
  assertEquals(profile("a", count(1001, String), { isNames: true }).values?.length, 1001);
  // Numbers that were not counted as names are a lower bound of them.
  const late = profile("a", [...count(1001, String), ...count(2000, (i) => `n${i % 1001}`)]);
  assertEquals([late.look, late.different, late.isNamesCut], ["categorical", 1001, true]);
});

Deno.test("ColumnProfile keeps what codes and dates look like", () => {
  const codes = profile("a", ["00501", "10001", "00502", "0.5", "0", "1234567890123456789", "0.12345678901234567"]);
  assertEquals([codes.zeroLed, codes.overlong], [
    { count: 2, first: "00501" },
    { count: 1, first: "1234567890123456789" },
  ]);
  assertEquals(profile("a", ["1.2.2026", "2.13.2026"]).dateFormats, ["%m.%d.%Y"]);
  assertEquals(profile("a", ["1.2.2026", "2/1/2026"]).dateFormats, []);
});

Deno.test("ColumnProfile.isConstant goes by names where numbers are names", () => {
  const ids = ["1234567890123456789", "1234567890123456790"];
  assertEquals([profile("a", ids).isConstant, profile("a", ids, { isNames: true }).isConstant], [true, false]);
});

Deno.test("ColumnProfile shares the room for names, and gives back what it has no use for", () => {
  const room = { left: 100_000 };
  const texts = (names: number) => count(5000, (i) => `n${i % names}`);
  const some = profile("a", texts(1200), { room });
  assertEquals([some.look, some.different, room.left < 60_000], ["categorical", 1200, true]);
  const left = room.left;
  const more = profile("b", texts(2400), { room });
  assertEquals([more.look, more.namesFault, room.left], ["prose", "large", left]);
  // There is room for the first thousand names of every column.
  assertEquals(profile("c", texts(1000), { room: { left: 0 } }).look, "categorical");
});
