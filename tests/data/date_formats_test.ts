import { assertEquals } from "@std/assert";
import { formatsOf, isNoDate } from "../../lib/data/date_formats.ts";

Deno.test("formatsOf() gives the formats in which a text is a date", () => {
  const cases: [text: string, formats: string[]][] = [
    ["31.01.2026", ["%d.%m.%Y"]],
    ["1/31/2026", ["%m/%d/%Y"]],
    ["1/2/2026", ["%d/%m/%Y", "%m/%d/%Y"]],
    ["01-02-26", ["%d-%m-%y", "%m-%d-%y", "%y-%m-%d"]],
    ["40.13.2026", []],
    ["31.01.2026 12:30", ["%d.%m.%Y %H:%M"]],
    ["1/31/26 1:05:30 PM", ["%m/%d/%y %I:%M:%S %p"]],
    ["31 Jan 2026", ["%d %b %Y"]],
    ["31-January-26", ["%d-%b-%y"]],
    ["31. Jan. 2026", ["%d. %b %Y"]],
    ["Jan 31, 2026", ["%b %d, %Y"]],
    ["Jan 31, 2026 1:05 am", ["%b %d, %Y %I:%M %p"]],
    ["31 Foo 2026", []],
    ["2026.01.31", ["%Y.%m.%d"]],
    ["2026年1月31日", ["%Y年%m月%d日"]],
    ["Jan 2026", ["%b %Y"]],
    ["Jan-26", ["%b-%y"]],
    ["Room 2026", []],
    ["1/2026", ["%m/%Y"]],
    ["13/2026", []],
    ["20260131T123000", ["%Y%m%dT%H%M%S"]],
    ["20260131T123000Z", ["%Y%m%dT%H%M%S%z"]],
  ];
  for (const [text, formats] of cases) assertEquals([text, formatsOf(text)], [text, formats]);
  for (
    const text of [
      "2026-01-31",
      "banana",
      "",
      "1.2",
      "3.14",
      "1/2",
      "10-12",
      "192.168.1.1",
      "1.2.3.4",
      "May",
      "x".repeat(100),
    ]
  ) {
    assertEquals([text, formatsOf(text)], [text, []]);
  }
});

Deno.test("isNoDate() knows days and times that there are not, and leaves codes alone", () => {
  const cases: [texts: string[], isNone: boolean][] = [
    [[
      "2024-02-30",
      "0000-00-00",
      "2024/13/31",
      "2024-01-31T24:00:00",
      "2024-01-31 10:60Z",
      "31.02.2024",
      "31/02/2024 9:00",
    ], true],
    [["1234-56-78", "2024-13", "12-34-56", "1.2.2024.5", "2024-02/30", "room-12", "2024Q5", ""], false],
  ];
  for (const [texts, isNone] of cases) assertEquals(texts.map(isNoDate), texts.map(() => isNone));
});
