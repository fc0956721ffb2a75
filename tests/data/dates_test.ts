import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { dateForm, datePart, dateReader, formatDate } from "../../lib/data/dates.ts";

const DAY = 86_400_000;

Deno.test("dateReader() reads ISO 8601 as Date does, and refuses days that no month has", () => {
  const read = dateReader();
  for (
    const text of [
      "1970-01-01",
      "2024-02-29",
      "1969-12-31T23:59:59.5Z",
      "2026-01-31T12:00:00+02:00",
      "2026-01-31T12:00:00-09:30",
      "0099-03-01",
    ]
  ) assertAlmostEquals(read(text), Date.parse(text) / DAY, 1e-9, text);
  assertEquals(read("2026-01-31T12:00"), Date.UTC(2026, 0, 31, 12) / DAY);
  assertEquals(
    [read("2026/1/5"), read("2026-01-05 00:00"), read(" 2026-01-05 ")],
    Array(3).fill(Date.UTC(2026, 0, 5) / DAY),
  );
  assertEquals(read("2026-01"), Date.UTC(2026, 0, 1) / DAY);
  for (
    const text of ["2023-02-29", "2026-13-01", "2026-00-10", "2026-01-32", "2026-01-31T24:00", "banana", "", "20260131"]
  ) {
    assertEquals(read(text), NaN, text);
  }
});

Deno.test("dateReader() reads dates by their format", () => {
  const day = Date.UTC(2026, 0, 31) / DAY;
  const cases: [format: string, text: string, days: number][] = [
    ["%d.%m.%Y", "31.1.2026", day],
    ["%m/%d/%y", "01/31/26", day],
    ["%y", "69", Date.UTC(1969, 0, 1) / DAY],
    ["%d %b %Y", "31  Jan 2026", day],
    ["%B %d, %Y", "january 31, 2026", day],
    ["%m/%d/%Y %I:%M %p", "1/31/2026 12:30 AM", day + 0.5 / 24],
    ["%m/%d/%Y %I:%M %p", "1/31/2026 12:30 pm", day + 12.5 / 24],
    ["%Y%m%d", "20260131", day],
    ["%d.%m.%Y", "1.31.2026", NaN],
    ["%m/%d/%Y %I:%M %p", "1/31/2026 13:30 PM", NaN],
  ];
  for (const [format, text, days] of cases) assertEquals(dateReader(format)(text), days, `${format}: ${text}`);
  assertThrows(() => dateForm("%d.%m"), SyntaxError, "has no year");
  assertThrows(() => dateForm("%q %Y"), SyntaxError, "has %q: allowed are %Y");
  assertThrows(() => dateForm("%Y %Y"), SyntaxError, "has %Y twice");
});

Deno.test("datePart() gives month, weekday and hour as Date does, before 1970 too", () => {
  for (const text of ["2026-01-31T12:30Z", "1969-12-28T23:15Z", "1900-03-01T00:00Z", "2024-12-31T06:00Z"]) {
    const date = new Date(text);
    const days = date.getTime() / DAY;
    assertEquals(
      [datePart(days, "year"), datePart(days, "month"), datePart(days, "weekday")],
      [date.getUTCFullYear(), date.getUTCMonth(), (date.getUTCDay() + 6) % 7],
      text,
    );
    assertAlmostEquals(datePart(days, "hour"), date.getUTCHours() + date.getUTCMinutes() / 60, 1e-9);
  }
  assertEquals([formatDate(0), formatDate(0.5), formatDate(20_000 + 1 / 86_400)], [
    "1970-01-01",
    "1970-01-01T12:00",
    "2024-10-04T00:00:01",
  ]);
});
