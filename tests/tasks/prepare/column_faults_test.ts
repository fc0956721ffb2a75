/** What is said of columns that hold something that they cannot be taken as. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DataError } from "../../../lib/base/errors.ts";
import { permitted } from "../../support/permitted.ts";
import { planTable, tableOf } from "../../support/plan_table.ts";

const WAYS = "or say --categorical x or --ignore x";

const problemOf = ({ message }: Error) => message.replace(/^.*?: /, "");

const INPUTS: [cells: string[], line: number, says: string][] = [
  [
    ["1", "?", "?", "?", "2"],
    3,
    `the column holds 2 numbers, and in place of others 3 "?": if they mean that a value is missing, say --missing-texts "?", ${WAYS}`,
  ],
  [
    ["1", "2", "N/A", "-", "-", "NA"],
    4,
    `the column holds 2 numbers, and in place of others 1 "N/A", 2 "-": if they mean that a value is missing, say --missing-texts "N/A,-,NA", ${WAYS}`,
  ],
  [
    ["1", "2", "3", "Unknown"],
    5,
    `the column holds 3 numbers, and in place of others 1 "Unknown": if they mean that a value is missing, say --missing-texts "Unknown", ${WAYS}`,
  ],
  [
    ["2026-01-31", "2026-02-01", "?"],
    4,
    `the column holds 2 dates, and in place of others 1 "?": if they mean that a value is missing, say --missing-texts "?", ${WAYS}`,
  ],
  [
    ["−1.5", "−2.5", "3"],
    2,
    `"−1.5" is not a number, and 1 cell of the column is. It has a minus sign that is not -, but U+2212: write it as -1.5, ${WAYS}`,
  ],
  [
    ["7", "?", "12 kg", "3 kg"],
    4,
    `"12 kg" is not a number, and 1 cell of the column is. It has a unit: kg: write it as 12, ${WAYS}`,
  ],
  [
    ["12 kg", "700 g", "3 kg"],
    2,
    `"12 kg" is not a number. It has a unit: kg, others have g: write all as numbers of the same, ${WAYS}`,
  ],
  [
    ["EUR 5", "USD 6", "7"],
    2,
    `"EUR 5" is not a number, and 1 cell of the column is. It has a currency: EUR, others have USD: write all as numbers of the same, ${WAYS}`,
  ],
  [
    ["(5)", "(6)", "7"],
    2,
    `"(5)" is not a number, and 1 cell of the column is. It has brackets for a negative number: write it as -5, ${WAYS}`,
  ],
  [
    ["5K", "6K", "1M"],
    2,
    `"5K" is not a number. It has K in place of zeros: write it with a point before decimals, without other signs, ${WAYS}`,
  ],
  [
    ["1", "2", "3", "inf", "-inf"],
    5,
    `"inf" is not finite, and 3 cells of the column are: give a finite number, or if it means that a value is missing, say --missing-texts "inf,-inf", ${WAYS}`,
  ],
  [["1", "2", "2026-01-31"], 4, `"2026-01-31" is not a number, and 2 cells of the column are: correct it, ${WAYS}`],
  [
    ["2026-01-31", "2026-02-01", "banana"],
    4,
    `"banana" is no date, and 2 cells of the column are: correct it, ${WAYS}`,
  ],
  [["2024-02-30", "2024-02-28"], 2, `"2024-02-30" is no date, and 1 cell of the column is: correct it, ${WAYS}`],
  [
    ["2024-01-31", "0000-00-00", "0000-00-00", "0000-00-00"],
    3,
    `"0000-00-00" is no date, and 1 cell of the column is: correct it, or if it means that a value is missing, say --missing-texts "0000-00-00", ${WAYS}`,
  ],
  [
    ["31.01.2024", "30.02.2024", "31.02.2024"],
    2,
    `the column holds dates such as 31.01.2024: say how they are written: --dates "x:%d.%m.%Y", ${WAYS}`,
  ],
  [["2026-01-31", "2026-02-01", "2026"], 4, `"2026" is no date, and 2 cells of the column are: correct it, ${WAYS}`],
  [
    ["31.01.2026", "01.02.2026"],
    2,
    `the column holds dates such as 31.01.2026: say how they are written: --dates "x:%d.%m.%Y", ${WAYS}`,
  ],
  [
    ["1/2/2026", "3/4/2026"],
    2,
    `the column holds dates such as 1/2/2026: say how they are written: --dates "x:%d/%m/%Y" or --dates "x:%m/%d/%Y" (the cells do not show which), ${WAYS}`,
  ],
  [
    ["1/2/2026", "31.4.2026", "1.2.2026"],
    2,
    `the column holds dates such as 1/2/2026, and no one format fits all: write them alike, and say how: such as --dates "x:%d.%m.%Y", ${WAYS}`,
  ],
];

permitted(
  "an input column that is neither numbers nor dates nor names is refused, with the first cell and a way out",
  async () => {
    for (const [cells, line, says] of INPUTS) {
      const error = await assertRejects(() => planTable(tableOf(cells)), DataError);
      assertEquals([cells, error.place.line, error.place.column, problemOf(error)], [cells, line, "x", says]);
      // As names, the same cells are taken.
      const { inputs } = await planTable(tableOf(cells), ["--categorical", "x", "--missing", "mean"]);
      assertEquals(inputs, [{ name: "x", kind: "categorical" }]);
    }
  },
);

const numbers = Array.from({ length: 12 }, (_, i) => `${i}`);
INPUTS.push(
  [
    ["k. A.", ...numbers, "k. A."],
    2,
    `"k. A." is not a number, and 12 cells of the column are: correct it, or if it means that a value is missing, say --missing-texts "k. A.", ${WAYS}`,
  ],
  [
    ["10:30", "11:15"],
    2,
    `"10:30" is not a number. It has the form of a time: write it as one number, such as minutes, ${WAYS}`,
  ],
);

const TARGETS: [cells: string[], says: string][] = [
  [
    ["1", "?", "?", "2"],
    'the column holds 2 numbers, and in place of others 2 "?": if they mean that a value is missing, say --missing-texts "?", or say --task classification',
  ],
  [["12 kg", "7 kg"], '"12 kg" is not a number. It has a unit: kg: write it as 12, or say --task classification'],
  [
    ["31.01.2026", "1.2.2026"],
    'the column holds dates such as 31.01.2026: say how they are written: --dates "y:%d.%m.%Y", or say --task classification',
  ],
  [
    ["2026-01-31", "2026-02-01"],
    "the target holds dates such as 2026-01-31: give numbers, such as days since a date, or say --task classification",
  ],
];

permitted("so is a target, unless it is said to be classes", async () => {
  for (const [cells, says] of TARGETS) {
    const text = `x,y\n${cells.map((cell, i) => `${i * 1.5},${cell}\n`).join("")}`;
    const error = await assertRejects(() => planTable(text), DataError);
    assertEquals([error.place.column, problemOf(error)], ["y", says]);
    assertEquals((await planTable(text, ["--task", "classification"])).kind, "classes");
  }
});

permitted("what the messages say to do, does it", async () => {
  const cases: [cells: string[], flags: string[], kind: string, format?: string][] = [
    [["1", "?", "2"], ["--missing-texts", "?", "--missing", "mean"], "numeric"],
    [["31.01.2026", "1.2.2026"], ["--dates", "x:%d.%m.%Y"], "date", "%d.%m.%Y"],
    [["20260131", "20260201"], ["--dates", "x:%Y%m%d"], "date", "%Y%m%d"],
    [["DE", "NA", "DE"], ["--missing-texts", "none"], "categorical"],
    [["Jan 31, 2026", "Feb 1, 2026"], ["--dates", '"x:%b %d, %Y"'], "date", "%b %d, %Y"],
  ];
  for (const [cells, flags, kind, format] of cases) {
    const { inputs: [{ kind: found, format: read }] } = await planTable(tableOf(cells), flags);
    assertEquals([cells, found, read], [cells, kind, format]);
  }
});

permitted("a cell that does not fit the dates that were said is refused, and NA may be a name", async () => {
  const cases: [cells: string[], flags: string[], says: string][] = [
    [
      ["31.01.2026", "13.13.2026"],
      ["--dates", "x:%d.%m.%Y"],
      '"13.13.2026" is no such date: dates are said to be %d.%m.%Y; correct it, or say --ignore x',
    ],
    [
      ["banana", "pear", "pear"],
      ["--dates", "x"],
      '"banana" is no such date: a date is written 2026-01-31, or 2026-01-31T12:00; correct it, or say --ignore x',
    ],
    [
      ["31.01.2026", "?"],
      ["--dates", "x:%d.%m.%Y"],
      'the column holds 1 date, and in place of others 1 "?": if they mean that a value is missing, say --missing-texts "?", or say --ignore x',
    ],
    [["DE", "NA", "FR", "DE"], [], 'x: 1, in line 3\n  if "NA" is a name, say --missing-texts none'],
  ];
  for (const [cells, flags, says] of cases) {
    const error = await assertRejects(() => planTable(tableOf(cells), flags), DataError);
    assertStringIncludes(problemOf(error), says);
    assertEquals(problemOf(error).endsWith(says), true, `${cells}`);
  }
  const gone = "x,z,y\nNA,1,1\nDE,NA,2\nFR,3,3\n";
  const error = await assertRejects(() => planTable(gone), DataError);
  assertEquals(problemOf(error).endsWith("x: 1, in line 2\n  z: 1, in line 3"), true, "NA cannot mean both");
  const both = "x,z,y\nNA,1,1\nDE,null,2\nFR,3,3\n";
  await assertRejects(() => planTable(both), DataError, 'if "NA" is a name, say --missing-texts "null"');
});
