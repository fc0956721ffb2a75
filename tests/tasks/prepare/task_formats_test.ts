/** Tables in every format, from scale to evaluate, with the permissions that the tasks have. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { temporaryFile } from "../../support/temp_files.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const COUNT = 40;
const rows = Array.from({ length: COUNT }, (_, i) => ({ a: i, kind: i % 3 ? "x" : "y", y: 2 * i + (i % 3 ? 0 : 5) }));
const csv = (mark: string) => `a${mark}kind${mark}y\n${rows.map((row) => Object.values(row).join(mark)).join("\n")}\n`;

/** The same table in files of all formats. */
function files(): Record<string, string | Uint8Array> {
  const columnData = (["a", "kind", "y"] as const).map((name) => ({ name, data: rows.map((row) => row[name]) }));
  return {
    "plain.csv": csv(","),
    "index.csv": `,${csv(",").replaceAll(/\n(?=.)/g, () => `\n${index++},`)}`,
    "sep.csv": `sep=;\n${csv(";")}`,
    "pipes.csv": csv("|"),
    "packed.csv.gz": new Uint8Array(gzipSync(csv(","))),
    "lines.jsonl": rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
    "columns.parquet": new Uint8Array(parquetWriteBuffer({ columnData })),
  };
}

let index = 0;

async function write(place: Workplace, all: Record<string, string | Uint8Array>): Promise<void> {
  for (const [name, bytes] of Object.entries(all)) {
    if (typeof bytes === "string") await place.write(name, bytes);
    else await Deno.writeFile(place.at(name), bytes);
  }
}

permitted("train, predict and evaluate give the same for every format", async () => {
  const all = files();
  await using place = await Workplace.inSeries("train");
  await write(place, all);
  const names = Object.keys(all);
  const train = ["--target", "y", "--seed", "4"];
  const told: string[] = [];
  for (const name of names) {
    const { stdout } = await place.succeed("scale", ["--data", name, ...train]);
    assertEquals(stdout.includes("column 1 has no name and numbers the rows"), name === "index.csv", stdout);
    const lines = stdout.split("\n").filter((line) => /^(a|kind|y) /.test(line));
    told.push(lines.join("\n"));
  }
  assertEquals(new Set(told).size, 1, told.join("\n\n"));
  await place.succeed("train", ["--data", "columns.parquet", "--num-epochs", "3", ...train]);
  const found: [string, string][] = [];
  for (const name of names) {
    const { stderr } = await place.succeed("predict", ["--input", name, "--output", `data/${name}.out.csv`]);
    assertEquals(stderr.includes("note: "), name === "index.csv", stderr);
    const evaluated = await place.succeed("evaluate", ["--data", name, "--json"]);
    const { data: _, ...measures } = JSON.parse(evaluated.stdout);
    found.push([await Deno.readTextFile(place.at(`data/${name}.out.csv`)), JSON.stringify(measures)]);
  }
  found.forEach((pair, i) => assertEquals(pair, found[0], names[i]));
});

permitted("scale names the row of a Parquet file where a cell is missing or no number", async () => {
  await using place = await Workplace.inSeries("scale");
  const data = rows.map(({ a }) => a);
  const columns = (x: (number | string | null)[]) => [{ name: "x", data: x }, { name: "y", data }];
  const gap = parquetWriteBuffer({ columnData: columns(data.map((a) => a === 7 || a === 9 ? null : a)) });
  await Deno.writeFile(place.at("gap.parquet"), new Uint8Array(gap));
  await place.refuse(1, ["x: 2, in rows 8, 10"], "scale", ["--data", "gap.parquet", "--target", "y"]);
  const text = parquetWriteBuffer({ columnData: columns(data.map((a) => a === 7 ? "many" : `${a}`)) });
  await Deno.writeFile(place.at("text.parquet"), new Uint8Array(text));
  const says = ['text.parquet, row 8, column "x": "many" is not a number'];
  await place.refuse(1, says, "scale", ["--data", "text.parquet", "--target", "y"]);
});

permitted("every task refuses a pipe, a device and stdin at once, and in the project's words", async () => {
  await using place = await Workplace.inSeries("train", { "t.csv": csv(",") });
  await using file = await temporaryFile("p.csv"); // elsewhere: the workplace looks into its files
  await new Deno.Command("mkfifo", { args: [file.path] }).output();
  await place.succeed("train", ["--data", "t.csv", "--target", "y", "--num-epochs", "1"]);
  const says = ["it is a pipe or a device, which can be read only once: write it to a file first, and name that file"];
  for (const path of [file.path, "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "/dev/null"]) {
    await place.refuse(1, [...says, path], "scale", ["--data", path, "--target", "y"]);
  }
  const table = ["--data", "t.csv", "--target", "y"];
  await place.refuse(1, says, "train", [...table, "--validation", file.path]);
  await place.refuse(1, says, "train", [...table, "--test", "/dev/stdin"]);
  await place.refuse(1, says, "predict", ["--input", "/dev/stdin"]);
  await place.refuse(1, says, "evaluate", ["--data", file.path]);
});

permitted("train says what a file is that is no table, and never a stack", async () => {
  await using place = await Workplace.inSeries("train");
  const zip = "PK\x03\x04.....[Content_Types].xml......xl/workbook.xml";
  const cases: [bytes: string, says: string][] = [
    [zip, "book.csv: it is an Excel workbook (.xlsx): save the sheet as CSV UTF-8"],
    ['[{"x":1}]', "book.csv: it is a JSON array: write one object a line"],
    ["\x1f\x8b\x08\0", "book.csv: it is packed by gzip, and damaged or cut off"],
    ["PAR1\x15\0\0\0PAR1", "book.csv: this Parquet file is damaged, or cannot be read"],
  ];
  for (const [bytes, says] of cases) {
    await Deno.writeFile(place.at("book.csv"), Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
    const { stderr } = await place.refuse(1, [says], "train", ["--data", "book.csv", "--target", "y"]);
    assertStringIncludes(stderr, "error: ");
  }
});
