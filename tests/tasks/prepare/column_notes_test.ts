/** What is noted of columns, besides what they are taken as. */

import { assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../../lib/base/errors.ts";
import { permitted } from "../../support/permitted.ts";
import { planTable, tableOf } from "../../support/plan_table.ts";

const times = (count: number, cells: readonly string[]) => Array.from({ length: count }, () => cells).flat();

/** Cells of the input x, flags, and the notes. */
const NOTES: [cells: string[], flags: string[], notes: string[]][] = [
  [["1", "2", "5"], [], []],
  [["red", "blue", "red"], [], []],
  [["00501", "10001", "00502"], [], [
    "x: 2 cells such as 00501 with zeros in front, which numbers lose; if they are names, say --categorical x",
  ]],
  [["00501", "10001", "00502"], ["--categorical", "x"], []],
  [["1234567890123456789", "1234567890123456792", "1234567890123457792"], [], [
    "x: 2 cells such as 1234567890123456789 with more than 15 digits, of which numbers lose the last; " +
    "if they are names, say --categorical x",
  ]],
  [["1700000000000000", "1700000000000001"], [], []], // float64 holds them
  [["9007199254740993", "1"], [], [
    "x: 1 cell such as 9007199254740993 with more than 15 digits, of which numbers lose the last; " +
    "if they are names, say --categorical x",
  ]],
  [["20260131", "20260201"], [], ['x: numbers such as 20260131; if they are days, say --dates "x:%Y%m%d"']],
  [["20260131", "20261301"], [], []],
  [["Mon", "mon", "Tue"], [], ['x: "Mon" and "mon" differ only in case, and are two names']],
  [["caf\u00e9", "cafe\u0301", "b"], [], [
    'x: "cafe\\u0301" and "caf\u00e9" differ only in Unicode form, and are two names',
  ]],
  [["New York", "New  York", "b"], [], ['x: "New  York" and "New York" differ only in spaces, and are two names']],
  [["New York", "New\u00a0York", "b"], [], [
    'x: "New York" and "New\\u00a0York" differ only in spaces, and are two names',
  ]],
  [["ab", "a\u200bb", "b"], [], [
    'x: "ab" and "a\\u200bb" differ only in case, spaces or Unicode form, and are two names',
  ]],
  [["True", "true", "False"], [], []],
  [["1", "1.0", "2"], ["--categorical", "x"], []],
  [["a", "?", "b", "?", "NA"], ["--missing", "mean"], [
    'x: "?" in 2 cells: taken as a name; if it means missing, say --missing-texts "?,NA"',
  ]],
  [["b1", "2", "b1", "3"], [], ['x: 2 cells of 4 hold numbers, taken as names because of "b1" and the like']],
  [["4A", "4B", "2", "4C", "4D", "4F"], [], [
    'x: 1 cell of 6 holds numbers, taken as names because of "4A" and the like',
  ]],
  // Who says that a column holds names knows what it holds.
  [["b1", "2", "b1", "3"], ["--categorical", "x"], []],
  [["tall", "12 kg", "low", "2026-01-31", "3", "wide"], [], [
    'x: 3 cells of 6 hold numbers or numbers written otherwise such as "12 kg" or dates such as "2026-01-31", ' +
    'taken as names because of "tall" and the like',
  ]],
  [["2024Q1", "2024Q2", "2024Q3", "2024Q4"], [], []],
  [["2024-02-30", "2024-02-31", "3"], [], [
    'x: 1 cell of 3 holds numbers, taken as names because of "2024-02-30" and the like',
    'x: cells such as "2024-02-30" look like dates, but there is no such day or time; if they are, correct them',
  ]],
  [["2024-02-30", "2024-02-31", "2023-13-01"], ["--categorical", "x"], []],
  [["2023-45-01", "2024-46-02"], [], []],
  // A value far from all others may stand for none.
  [["-999", "20", "21.5", "-999.0", "22", "23", "24", "NA"], ["--missing", "mean"], [
    'x: -999 and -999.0 lie far from all others, 20 to 24; if it means missing, say --missing-texts "-999,-999.0,NA"',
  ]],
  [["9999", "20", "21.5", "9999", "22", "23", "24"], ["--missing-texts", "9999", "--missing", "mean"], []],
  [["-999", "20", "21.5", "22", "23", "24"], [], []], // once is no habit
  [["9", "20", "21", "22", "9", "23", "24", "25", "26", "36", "36"], [], []], // others are as far apart
  [["0", "1", "0", "1"], [], []],
  [["1", "2", "3", "4", "5", "9999-12-31"].map((day) => day.padStart(10, "2026-01-0")), [], [
    'x: 9999-12-31 lies far from all others, 2026-01-01 to 2026-01-05; if it means missing, say --missing-texts "9999-12-31"',
  ]],
  [["2026-01-01", "2026-01-02T10:00", "2026-01-03T10:00+02:00"], [], [
    "x: dates such as 2026-01-01 have no zone, while others do, such as 2026-01-03T10:00+02:00: those without are taken as UTC",
  ]],
  [["2026-01-01 10:00Z", "2026-01-02 10:00+0200"], [], []],
];

permitted("notes say where a guess is likely wrong", async () => {
  for (const [cells, flags, expected] of NOTES) {
    assertEquals([cells, (await planTable(tableOf(cells), flags)).notes.notes], [cells, expected]);
  }
});

permitted(
  "a number that means missing in one column alone is to be left blank, as missing texts are of all",
  async () => {
    const rows = (other: (i: number) => string) =>
      `x,z,y\n${Array.from({ length: 20 }, (_, i) => `${i % 4 ? 200 + i : 0},${other(i)},${i}.5\n`).join("")}`;
    const others: [other: (i: number) => string, way: string][] = [
      [(i) => `${i % 2}`, "leave these cells blank, as other columns hold it, too"],
      [(i) => `${i + 5}`, 'say --missing-texts "0"'],
      [(i) => `${i % 5 ? 100 + i : 0}`, 'say --missing-texts "0"'],
    ];
    for (const [other, way] of others) {
      const { notes: { notes: [note] } } = await planTable(rows(other));
      assertEquals(note, `x: 0 lies far from all others, 201 to 219; if it means missing, ${way}`);
    }
  },
);

permitted("texts that a person may take for dates get a hint, also where no other column is left", async () => {
  const table = (start: string, text: (i: number) => string) =>
    `${start},x,y\n${Array.from({ length: 20 }, (_, i) => `${start === "z" ? i : ""},${text(i)},${i}.5\n`).join("")}`;
  const day = (i: number) => `Mon ${i + 1} Jan 2026 10:00 CET`;
  const hint =
    'x: if texts such as "Mon 1 Jan 2026 10:00 CET" are dates, write them as 2026-01-31 or 2026-01-31T12:00, ' +
    'or as --dates "x:%d.%m.%Y %H:%M" says';
  assertEquals((await planTable(table("z", day))).notes.notes, [hint]);
  await assertRejects(() => planTable(table("w", day)), DataError, hint);
  assertEquals((await planTable(table("z", (i) => `n${i}`))).notes.notes, []);
  for (
    const flags of [["--ignore", "x"], ["--features", "z"], [
      "--time-column",
      "x",
      "--dates",
      "x:Mon %d %b %Y %H:%M CET",
    ]]
  ) {
    assertEquals((await planTable(table("z", day), flags)).notes.notes, []);
  }
});

permitted("few whole numbers as a target are said to be taken as numbers, unless that was asked for", async () => {
  const zeroOne = "it holds only 0, 1 and is predicted as a number; if they are classes, say --task classification";
  const cases: [cells: string[], flags: string[], notes: string[]][] = [
    [times(3, ["0", "1"]), [], [`y: ${zeroOne}`]],
    [times(3, ["1", "2", "3"]), [], [`y: ${zeroOne.replace("0, 1", "1, 2, 3")}`]],
    [times(3, ["-1", "1"]), [], [`y: ${zeroOne.replace("0, 1", "-1, 1")}`]],
    [times(3, ["-1", "0", "1"]), [], []],
    [times(3, ["0", "1"]), ["--task", "regression"], []],
    [times(3, ["0", "1"]), ["--loss", "mae"], []],
    [times(3, ["0", "1"]), ["--task", "classification"], []],
    [times(3, ["0", "0.5", "1"]), [], []],
    [times(3, ["5", "6"]), [], []],
    [times(3, ["0", "7"]), [], []],
    [["0", "1", "2", "3"], [], []],
    [times(2, Array.from({ length: 11 }, (_, i) => `${i}`)), [], []],
    [times(3, ["0", "0.0", "1"]), ["--task", "classification"], []],
  ];
  for (const [cells, flags, expected] of cases) {
    const text = `x,y\n${cells.map((cell, i) => `${i * 1.5},${cell}\n`).join("")}`;
    assertEquals([cells, (await planTable(text, flags)).notes.notes], [cells, expected]);
  }
});

permitted("one value or none is two names where missing cells are a category of their own", async () => {
  const table = "x,n,day,z,y\nx,1,2026-01-31,1,1\n,,,2,2\nx,1,2026-01-31,3,3\n";
  const cases: [flags: string[], used: string[], notes: string[]][] = [
    [["--missing", "mean"], ["z"], [
      "x: to predict from whether it is missing, say --missing category",
      "n: to predict from whether it is missing, say --categorical n --missing category",
      "day: to predict from whether it is missing, say --categorical day --missing category",
    ]],
    [["--missing", "category", "--ignore", "day"], ["x", "z"], [
      "n: to predict from whether it is missing, say --categorical n",
    ]],
    [["--missing", "category", "--categorical", "n,day"], ["x", "n", "day", "z"], []],
    [["--missing", "mean", "--ignore", "x,n,day"], ["z"], []],
  ];
  for (const [flags, used, expected] of cases) {
    const { inputs, notes: { notes } } = await planTable(table, flags);
    assertEquals([flags, inputs.map(({ name }) => name), notes], [flags, used, expected]);
  }
});

permitted("the reason for which a column is left out is the true one", async () => {
  const cases: [cells: string[], as: string, holds: string][] = [
    [["7", "7.0", "7"], "left out", "one value throughout: 7"],
    [["7", "", "7"], "left out", "7, or missing"],
    [["x", "", "x"], "left out", "x, or missing"],
    [["20240101", "20240128"], "numeric", "20240101 to 20240128"],
    [["0.1", "0.100000000001"], "numeric", "0.1 to 0.100000000001"],
    [["12345678901234001.5", "12345678901234567"], "numeric", "12345678901234002 to 12345678901234568"],
    [["0.123456789", "7.123456789"], "numeric", "0.123457 to 7.12346"],
    [
      ["1234567890123456789", "1234567890123456790"],
      "left out",
      "numbers that are the same to 15 digits, such as 1234567890123456789",
    ],
    [["2026-01-31", "2026-1-31"], "left out", "one value throughout: 2026-01-31"],
    [["a", "a", "a"], "left out", "one value throughout: a"],
    [["", "", ""], "left out", "no cell holds anything"],
    [
      Array.from({ length: 30 }, (_, i) => `n${i % 16}`),
      "left out",
      '16 different texts in 30 rows, such as "n0": more than half, an identifier',
    ],
    [["a", "b", "x".repeat(1001)], "left out", "a text of more than 1,000 characters"],
    [["2026-01-31", "2026-02-01 12:30"], "date", "2026-01-31 to 2026-02-01T12:30"],
  ];
  for (const [cells, as, holds] of cases) {
    const text = `z,x,y\n${cells.map((cell, i) => `${i % 2},${cell},${i * 1.5}\n`).join("")}`;
    const { notes: { columns } } = await planTable(text, ["--missing", "mean"]);
    assertEquals([columns[1].as, columns[1].holds], [as, holds]);
  }
});
