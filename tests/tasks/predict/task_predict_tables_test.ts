/** deno task predict and evaluate on the columns of real tables: names, dates, ids; from files, stdin and the command line. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { InputColumn } from "../../../lib/data/table.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";
import { putHandRun } from "./hand_run.ts";

const FLAG: InputColumn = { kind: "categorical", name: "flag", categories: ["False", "True"], shares: [0.5, 0.5] };
const CODE: InputColumn = { kind: "categorical", name: "code", categories: ["1.0", "007"], others: ["rare"] };
const DAY: InputColumn = { kind: "date", name: "day", origin: 20_000, parts: [] };
const GERMAN: InputColumn = { kind: "date", name: "day", format: "%d.%m.%Y", origin: 20_000, parts: [], fill: 20_001 };
const LAND: InputColumn = {
  kind: "categorical",
  name: "land",
  categories: ["NA", "DE"],
  shares: [0.5, 0.5],
  fill: "DE",
};
const X: InputColumn = { kind: "numeric", name: "x" };

const lines = (text: string) => text.trim().split(/\r?\n/);

/** What predict says to rows on stdin. */
async function feed(place: Workplace, run: string, text: string, ...args: string[]) {
  const outcome = await place.feed("predict", ["--run-name", run, ...args], (write) => write(text));
  return { code: outcome.code, stdout: lines(outcome.stdout), stderr: outcome.stderr };
}

permitted("predict and evaluate: names, dates and missing texts are the same in CSV, JSON and words", async (t) => {
  await using place = await Workplace.inSeries("predict");
  await putHandRun(place, "names", { inputs: [FLAG, CODE], weights: [0, 10, 1, 2, 4] });
  await putHandRun(place, "dates", { inputs: [DAY, X], weights: [1, 0] });
  await putHandRun(place, "texts", { inputs: [GERMAN, LAND], weights: [1, 10, 20], missingTexts: ["?", "-"] });

  /** Cells of a row, and what is predicted. */
  const cases: [run: string, row: Record<string, unknown>, predicted: number][] = [
    ["names", { flag: "True", code: "1.0" }, 11],
    ["names", { flag: true, code: 1 }, 11],
    ["names", { flag: "TRUE", code: "1" }, 11],
    ["names", { flag: false, code: 1.0 }, 1],
    ["names", { flag: " False ", code: "007" }, 2],
    ["names", { flag: "False", code: "rare" }, 4],
    ["dates", { day: "2024-10-04", x: 1 }, 0],
    ["dates", { day: "2024-10-05T12:00", x: 1 }, 1.5],
    ["dates", { day: "2024-10-05T02:00+02:00", x: 1 }, 1],
    ["texts", { day: "06.10.2024", land: "NA" }, 12],
    ["texts", { day: "-", land: "?" }, 21],
    ["texts", { day: null, land: null }, 21],
  ];
  const files = Map.groupBy(cases, ([run]) => run);
  await t.step("in words, and as --row", async () => {
    for (const [run, row, predicted] of cases) {
      const words = Object.entries(row).map(([name, cell]) => `${name}=${cell ?? ""}`);
      const asWords = await place.succeed("predict", ["--run-name", run, ...words]);
      assertEquals(lines(asWords.stdout)[1].split(",").at(-1), `${predicted}`, words.join(" "));
      const asRow = await place.succeed("predict", ["--run-name", run, "--row", JSON.stringify(row)]);
      assertEquals([asRow.stdout, asRow.stderr, asWords.stderr], [`{"y":${predicted}}\n`, "", ""]);
    }
  });
  await t.step("in a file, on stdin as CSV and as JSON lines", async () => {
    for (const [run, rows] of files) {
      const names = Object.keys(rows[0][1]);
      const csv = `${names}\n${rows.map(([_, row]) => `${names.map((name) => row[name] ?? "")}\n`).join("")}`;
      const json = rows.map(([_, row]) => `${JSON.stringify(row)}\n`).join("");
      const expected = rows.map((row) => `${row[2]}`);
      await place.write("new.csv", csv);
      const last = (found: string[]) => found.slice(1).map((line) => line.split(",").at(-1));
      const file = await place.succeed("predict", ["--run-name", run, "--input", "new.csv"]);
      assertEquals([last(lines(file.stdout)), file.stderr], [expected, ""]);
      assertEquals(last((await feed(place, run, csv)).stdout), expected);
      assertEquals((await feed(place, run, json)).stdout, expected.map((y) => `{"y":${y}}`));
    }
  });
  await t.step("what is no date and what is no JSON is refused", async () => {
    const run = ["--run-name", "dates"];
    await place.refuse(2, ['column "day": "banana" is no such date: a date is written'], "predict", [
      ...run,
      "day=banana",
      "x=1",
    ]);
    await place.refuse(2, ["the columns are not all numbers: write day=... x=..."], "predict", [...run, "20000", "1"]);
    const hint = "JSON has no NaN, write null for a missing cell";
    await place.refuse(2, [`--row is {"x": NaN}: allowed is JSON`, hint], "predict", [...run, "--row", '{"x": NaN}']);
    const twice = '{"day":"2024-10-04","x":1,"x":2}';
    await place.refuse(2, [`--row is ${twice}: the key "x" is there twice`], "predict", [...run, "--row", twice]);
    const outcome = await feed(place, "dates", '{"day":"2024-10-04","x":1}\n{"day":NaN,"x":1}\n');
    assertEquals([outcome.code, outcome.stdout], [1, ['{"y":0}']]);
    assertStringIncludes(outcome.stderr, `stdin:2: this is no JSON: {"day":NaN,"x":1}: ${hint}`);
  });
  await t.step("names that training did not see are told once, with column, count and the first", async () => {
    const rows = ["True,1,1", "maybe,1,2", "perhaps,2,3", "maybe,1,4"];
    await place.write("new.csv", `flag,code,y\n${rows.join("\n")}\n`);
    const told = (source: string) => [
      `warning: ${source}, column "flag": 3 cells hold names that training did not see, ` +
      'the first "maybe", "perhaps"; these predictions are less sure',
      `warning: ${source}, column "code": 1 cell holds a name that training did not see, the first "2"; ` +
      "these predictions are less sure",
    ];
    const file = await place.succeed("predict", ["--run-name", "names", "--input", "new.csv"]);
    assertEquals(lines(file.stdout).slice(2), ["maybe,1,6", "perhaps,2,9", "maybe,1,6"], "neutral, or as the rare");
    assertEquals(lines(file.stderr), told("new.csv"));
    const stdin = await feed(place, "names", await place.read("new.csv"));
    assertEquals(lines(stdin.stderr), told("stdin"));
    const words = await place.succeed("predict", ["--run-name", "names", "flag=True", "code=2"]);
    assertEquals(lines(words.stderr), [told("the command line")[1]]);
    const evaluate = ["--run-name", "names", "--data", "new.csv"];
    assertEquals(lines((await place.succeed("evaluate", evaluate)).stderr), told("new.csv"));
    const found = JSON.parse((await place.succeed("evaluate", [...evaluate, "--json"])).stdout);
    assertEquals(found.unseen, [
      { column: "flag", count: 3, first: ["maybe", "perhaps"] },
      { column: "code", count: 1, first: ["2"] },
    ]);
  });
  await t.step("evaluate takes the table's missing texts for the target, too", async () => {
    await place.write("new.csv", "day,land,y\n06.10.2024,NA,?\n");
    const args = ["--run-name", "texts", "--data", "new.csv"];
    await place.refuse(1, ['new.csv:2, column "y": the target is missing'], "evaluate", args);
  });
});

permitted("predict carries columns along, takes FEATURES' order, and CSV on stdin", async (t) => {
  await using place = await Workplace.inSeries("predict");
  const two: InputColumn[] = [{ kind: "numeric", name: "a" }, { kind: "numeric", name: "predicted_y" }];
  await putHandRun(place, "two", { inputs: two, weights: [1, 10] });
  await putHandRun(place, "asked", { inputs: two, weights: [1, 10], settings: { FEATURES: "predicted_y,a" } });
  await putHandRun(place, "times", { inputs: [X], weights: [1], target: ["t", 1_700_000_000, 3600] });
  await place.write("new.csv", "id,a,predicted_y,y\n 007,1,2,x\n12345678901234567890,3,4,\n");
  const args = ["--run-name", "two"];

  await t.step("no column of the answer has the name of another", async () => {
    const { stdout } = await place.succeed("predict", [...args, "--input", "new.csv"]);
    assertEquals(lines(stdout), ["a,predicted_y,predicted_y_", "1,2,21", "3,4,43"]);
  });
  await t.step("--keep: a file's columns stand before the inputs, each cell as it is", async () => {
    const keep = async (names: string) =>
      lines((await place.succeed("predict", [...args, "--input", "new.csv", "--keep", names])).stdout);
    assertEquals(await keep("id"), [
      "id,a,predicted_y,predicted_y_",
      " 007,1,2,21",
      "12345678901234567890,3,4,43",
    ]);
    assertEquals(await keep("y,id,a"), [
      "y,id,a,predicted_y,predicted_y_",
      "x, 007,1,2,21",
      ",12345678901234567890,3,4,43",
    ]);
    const unknown = [...args, "--input", "new.csv", "--keep", "id,ident"];
    await place.refuse(1, ['there is no column "ident"; there are id, a, predicted_y, y'], "predict", unknown);
    const { stderr } = await place.succeed("predict", [...args, "--input", "new.csv"]);
    assertEquals(stderr, "note: new.csv has columns that the model does not take: id\n");
  });
  await t.step("--keep: in words and JSON, with all digits of a long id", async () => {
    const words = await place.succeed("predict", [...args, "--keep", "id", "a=1", "id=x=y", "predicted_y=2"]);
    assertEquals(lines(words.stdout), ["id,a,predicted_y,predicted_y_", "x=y,1,2,21"]);
    const row = '{"id":12345678901234567890,"y":null,"a":1,"predicted_y":2}';
    const answer = await place.succeed("predict", [...args, "--keep", "id,y", "--row", row]);
    assertEquals(answer.stdout, '{"id":12345678901234567890,"y":null,"y_":21}\n');
    const refused: [code: number, says: string, ...args: string[]][] = [
      [2, 'it has no "id" to keep, only "a", "predicted_y"', "a=1", "predicted_y=2"],
      [2, 'it has no "id" to keep, only "a", "predicted_y"', "--row", '{"a":1,"predicted_y":2}'],
      [2, "numbers alone have no columns to keep: write id=... a=... predicted_y=...", "1", "2"],
      [2, '--keep is "id,id": allowed is names of columns', "1", "2", "--keep=id,id"],
    ];
    for (const [code, says, ...rest] of refused) {
      await place.refuse(code, [says], "predict", [...args, "--keep", "id", ...rest]);
    }
  });
  await t.step("CSV on stdin: answered as it comes, whatever its separator and line ends", async () => {
    const outcome = await place.feed("predict", [...args, "--keep", "id"], async (write, read) => {
      await write("\ufeffid;predicted_y;a\r\n");
      await write('"first;\n');
      await write('id";2;1\r\n');
      assertEquals(await read(), 'id,a,predicted_y,predicted_y_\r\n"first;\nid",1,2,21\r\n');
      await write("b;4;3");
    });
    assertEquals([outcome.code, outcome.stderr], [0, ""]);
    assertStringIncludes(outcome.stdout, "\r\nb,3,4,43\r\n");
  });
  await t.step("stdin that is no table is refused", async () => {
    const cases: [text: string, code: number, says: string][] = [
      ["", 2, "nothing to predict from: stdin is empty; give numbers"],
      ["\r\n \n", 2, "stdin is empty"],
      ["a,b\n1,2\n", 1, 'stdin:1: there is no column "predicted_y"; there are a, b'],
      [
        "x y\n1 2\n",
        1,
        "stdin:1: this is neither a row in JSON nor a header that names the input columns a, predicted_y",
      ],
      ["a,predicted_y\n1,2\n\n3\n", 1, "stdin:4: this row has 1 cell, the header has 2"],
      ["a,predicted_y\n1,2\n1,two\n", 1, 'stdin:3, column "predicted_y": "two" is not a number'],
      ["a,predicted_y\n", 1, "stdin: there are no rows after the header"],
    ];
    for (const [text, code, says] of cases) {
      const outcome = await feed(place, "two", text, "--input=-");
      assertEquals(outcome.code, code, says);
      assertStringIncludes(outcome.stderr, says);
    }
  });
  await t.step("numbers on the command line are in the order of FEATURES", async () => {
    const answer = async (run: string) =>
      lines((await place.succeed("predict", ["--run-name", run, "1", "2", "3", "4"])).stdout);
    assertEquals(await answer("two"), ["a,predicted_y,predicted_y_", "1,2,21", "3,4,43"]);
    assertEquals(await answer("asked"), ["a,predicted_y,predicted_y_", "2,1,12", "4,3,34"]);
    const says = ["a row has 2 numbers (predicted_y, a), found 1 in all"];
    await place.refuse(2, says, "predict", ["--run-name", "asked", "1"]);
  });
  await t.step("times in seconds as targets keep the digits that tell them apart", async () => {
    const { stdout } = await place.succeed("predict", ["--run-name", "times", "0", "0.25", "0.00048828125"]);
    assertEquals(lines(stdout).slice(1).map((line) => line.split(",")[1]), [
      "1700000000",
      "1700000900",
      "1700000001.758",
    ]);
    const json = await place.succeed("predict", ["--run-name", "times", "--row", '{"x":0.25}']);
    assertEquals(json.stdout, '{"t":1700000900}\n');
  });
});
