/** What splitting a table needs to know of its rows: classes and times. */

import { assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../../lib/base/errors.ts";
import { permitted } from "../../support/permitted.ts";
import { planTable } from "../../support/plan_table.ts";

const table = (rows: readonly string[]) => `t,x,y\n${rows.map((row, i) => `${row},${i * 1.5},${i % 7}\n`).join("")}`;

permitted("classes whose names mean the same are one", async () => {
  const rows = ["1", "0", "1.0", "0.0", "1e0", "2"].map((y, i) => `${i},${i * 1.5},${y}\n`).join("");
  const { look } = await planTable(`t,x,y\n${rows}`, ["--task", "classification"]);
  assertEquals([...look.classes!], [0, 1, 0, 1, 0, 2]);
});

permitted("times are numbers or dates, those of one kind", async () => {
  const cases: [times: string[], flags: string[], order: number[]][] = [
    [["3", "1", "2"], [], [2, 0, 1]],
    [["2026-01-31", "2025-12-31T23:59", "2026-01-30 07:00+02:00"], [], [2, 0, 1]],
    [["1.2.2026", "31.1.2026", "2.1.2027"], ["--dates", "t:%d.%m.%Y"], [1, 0, 2]],
    [["20260201", "20260131", "20270102"], ["--dates", "t:%Y%m%d"], [1, 0, 2]],
    [["2026-01-01T12:00Z", "2026-01-01T13:00+01:00", "2026-01-01"], [], [1, 1, 0]],
  ];
  for (const [times, flags, order] of cases) {
    const { look } = await planTable(table(times), ["--time-column", "t", ...flags]);
    const sorted = [...new Set(look.times)].sort((a, b) => a - b);
    assertEquals([times, [...look.times!].map((time) => sorted.indexOf(time))], [times, order]);
  }
});

permitted("a time that is none is refused, and dates that are written otherwise ask for their format", async () => {
  const cases: [times: string[], flags: string[], line: number, says: string][] = [
    [["1", "noon"], [], 3, '"noon" is no time: a number is, or a date such as 2026-01-31 or 2026-01-31T12:00'],
    [["31.01.2026", "2"], [], 2, 'or say how dates are written: --dates "t:%d.%m.%Y"'],
    [["2026-01-31", "2026"], [], 3, '"2026" is a number, and the rows before hold dates'],
    [["2026", "2026-01-31"], [], 3, '"2026-01-31" is a date, and the rows before hold numbers'],
    [["1", ""], [], 3, "the time is missing: rows are split by it"],
    [["1", "?"], ["--missing-texts", "?"], 3, "the time is missing: rows are split by it"],
    [["31.01.2026", "13.13.2026"], ["--dates", "t:%d.%m.%Y"], 3, '"13.13.2026" is no such date: dates are said to be'],
  ];
  for (const [times, flags, line, says] of cases) {
    const error = await assertRejects(() => planTable(table(times), ["--time-column", "t", ...flags]), DataError, says);
    assertEquals([error.place.line, error.place.column], [line, "t"]);
  }
});
