/** CSV files as Excel, pandas and people write them: what is left out, what is told, what is refused. */
import { assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../lib/base/errors.ts";
import { type CsvOptions, readRecords } from "../../lib/data/csv_records.ts";
import { withCsv } from "../support/temp_files.ts";
import { permitted } from "../support/permitted.ts";

async function read(text: string, options?: CsvOptions) {
  return await withCsv(text, async (path) => {
    const notes: string[] = [];
    const blocks = await Array.fromAsync(readRecords(path, { ...options, onNote: (note) => notes.push(note) }));
    const lines = blocks.flatMap(({ records, lineOf }) => records.slice(0, 9).map((_, i) => lineOf(i)));
    return { columns: blocks[0].columns, records: blocks.flatMap(({ records }) => records), notes, lines };
  });
}

async function assertFaults(cases: readonly (readonly [text: string, says: string, options?: CsvOptions])[]) {
  for (const [text, says, options] of cases) {
    const error = await assertRejects(() => read(text, options), DataError, undefined, text.slice(0, 80));
    assertEquals(error.message.slice(error.message.indexOf(".csv") + 4), says);
  }
}

permitted("a first line sep= says the separator, whatever it is", async () => {
  for (const [line, mark] of [["sep=;", ";"], ['"sep=,"', ","], ["SEP=|", "|"], ["sep=\t", "\t"], ["sep=:", ":"]]) {
    for (const end of ["\n", "\r\n"]) {
      const text = `\ufeff${line}${end}a x${mark}b${end}1${mark}2${end}`;
      const { columns, records, lines } = await read(text);
      assertEquals([columns, records, lines], [["a x", "b"], [["1", "2"]], [3]], line);
    }
  }
  // A setting counts more.
  assertEquals((await read("sep=;\na,b;c\n1,2;3\n", { separator: "," })).columns, ["a", "b;c"]);
  await assertFaults([["sep=;\na;b\n1;2\n3\n", ":4: this row has 1 cell, the header has 2"]]);
});

permitted("the header says the separator: pipes too, and the one that gives the wanted columns", async () => {
  assertEquals((await read("a|b|c, d\n1|2|3\n")).columns, ["a", "b", "c, d"]);
  const text = "size (m, net);price (EUR, gross, incl.);y\n0;1;2\n";
  assertEquals((await read(text, { columns: ["y", "size (m, net)"] })).records, [["0", "1", "2"]]);
  const hint = "is the separator a semicolon, not a comma? If so, say --separator semicolon";
  await assertFaults([[text, `:2: this row has 1 cell, the header has 4; ${hint}`]]);
});

permitted("an index without a name and empty columns are left out, and told", async () => {
  const index = "column 1 has no name and numbers the rows, as pandas writes them: left out";
  const one = (place: number) => `column ${place} has no name and is empty: left out`;
  const cases: [text: string, columns: string[], records: string[][], notes: string[]][] = [
    [",a,y\n0,5,x\n1,6,z\n", ["a", "y"], [["5", "x"], ["6", "z"]], [index]],
    ['"","a"\n"1",5\n"2",6\n', ["a"], [["5"], ["6"]], [index]],
    [",a\n7,5\n3,6\n", ["a"], [["5"], ["6"]], [index]], // a shuffled part
    [",a\n0,5\n1,6\n0,7\n", ["a"], [["5"], ["6"], ["7"]], [index]], // parts one after the other
    ["a,y,\n1,2,\n3,4, \n", ["a", "y"], [["1", "2"], ["3", "4"]], [one(3)]],
    [" ,a,,\n0,1,,\n", ["a"], [["1"]], [index, "2 columns have no name and are empty: left out"]],
    [",a,,b\n,1,,2\n", ["a", "b"], [["1", "2"]], ["2 columns have no name and are empty: left out"]],
    ["a,b\n1,2\n", ["a", "b"], [["1", "2"]], []],
  ];
  for (const [text, columns, records, notes] of cases) {
    const found = await read(text);
    assertEquals([found.columns, found.records, found.notes], [columns, records, notes], text);
  }
  assertEquals((await read(",a,y,\n0,5,x,\n", { columns: ["y"] })).records, [["5", "x"]]);
});

permitted("a column without a name that holds anything is refused, with the cell", async () => {
  const long = `,a\n${Array.from({ length: 60_000 }, (_, i) => `${i},some more text\n`).join("")}x,1\n`;
  const no = (place: number) => `:1: column ${place} of the header has no name: give it one`;
  await assertFaults([
    [",a\nx,1\n", `${no(1)}; it holds "x" in line 2`],
    [",a\n0,1\n1.5,1\n", `${no(1)}; it holds "0" in line 2`],
    [",flag\n0,1\n1,1\n1,1\n0,2\n1,2\n1,1\n", `${no(1)}; it holds "0" in line 2`],
    ["a,\n,\n1,2\n", `${no(2)}; it holds "2" in line 3`],
    [long, `${no(1)}; it holds "x" in line 60002`],
    [",\n1,2\n", no(1)],
    [",3,2.5\n1,4,3.5\n", ":1: a header with the names of the columns is needed, and this line holds numbers"],
  ]);
});

permitted("rows that do not fit the header say why", async () => {
  const off = "it ends in a comma: take it off the ends of the rows, or write one at the end of the header, too";
  const again = "this row is the header again, as where files are joined: take it out, or give a folder of the files";
  await assertFaults([
    ["a,b\n1,2,\n", `:2: this row has 3 cells, the header has 2; ${off}`],
    ["a,b\n1,2,3\n", ":2: this row has 3 cells, the header has 2; quote a cell that holds a comma"],
    ["a,b\r\n1,2\r\na,b\r\n3,4\r\n", `:3: ${again}`],
    ['"a",b\n1,2\na,"b"', `:3: ${again}`],
  ]);
});

permitted("spaces next to quotes are no fault, and stay between them", async () => {
  const text = 'a, "b, c" ,d\n1, "x  ""y"" , z" ,2\n "p" , "q\nr",3 \n" s ",,"t" \n';
  const { columns, records, lines } = await read(text);
  assertEquals(columns, ["a", "b, c", "d"]);
  assertEquals(records, [["1", 'x  "y" , z', "2"], ["p", "q\nr", "3 "], [" s ", "", "t"]]);
  assertEquals(lines, [2, 3, 5]);
  assertEquals((await read('a|b\n1| "x"\n')).records, [["1", "x"]]);
});

permitted("what cannot be seen in a name is shown", async () => {
  await assertFaults([
    [
      "x\u200b,net\u00a0price\n1,2\n",
      ':1: there is no column "x", "net price"; there are "x\\u200b", "net\\u00a0price"; "x\\u200b" differs from "x" only by ' +
      'what cannot be seen; "net\\u00a0price" differs from "net price" only by what cannot be seen',
      { columns: ["x", "net price"] },
    ],
    ["x\u2060,x\u2060\n1,2\n", ':1: the header names column "x\\u2060" twice'],
  ]);
});
