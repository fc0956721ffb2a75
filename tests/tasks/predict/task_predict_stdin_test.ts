/** deno task predict takes from stdin what it takes from a file, and answers the same. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { InputColumn } from "../../../lib/data/table.ts";
import { permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { putHandRun } from "./hand_run.ts";

const INPUTS: InputColumn[] = [{ kind: "numeric", name: "a", fill: 50 }, { kind: "numeric", name: "b", fill: 7 }];
const ARGS = ["--run-name", "two"];

const lines = (text: string) => text.trim().split(/\r?\n/);

async function placeWithRun(): Promise<Workplace> {
  const place = await Workplace.inSeries("predict");
  await putHandRun(place, "two", { inputs: INPUTS, weights: [1, 10] });
  return place;
}

async function feed(place: Workplace, bytes: string | Uint8Array<ArrayBuffer>, ...args: string[]) {
  return await place.feed("predict", [...ARGS, ...args], (write) => write(bytes));
}

/** A text as UTF-16, with the lower byte first or the upper one. */
function utf16(text: string, isLittle: boolean): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(2 * text.length));
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), isLittle);
  return new Uint8Array(view.buffer);
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}

permitted("predict: JSON lines mean the same from a file and on stdin", async (t) => {
  await using place = await placeWithRun();
  await t.step("a key that is not there is a missing cell, and others are noted once", async () => {
    const rows = ['{"a":1,"b":2,"city":"X"}', '{"a":1," city":"Y"}', '{"b":1,"more":[1]}', "{}", '{" a ":1,"b":null}'];
    await place.write("rows.jsonl", `${rows.join("\n")}\n`);
    const file = await place.succeed("predict", [...ARGS, "--input", "rows.jsonl"]);
    const expected = [21, 71, 60, 120, 71];
    assertEquals(lines(file.stdout).slice(1).map((line) => Number(line.split(",").at(-1))), expected);
    assertEquals(file.stderr, "note: rows.jsonl has columns that the model does not take: city, more\n");
    const stdin = await feed(place, await place.read("rows.jsonl"), "--keep", "b");
    assertEquals(lines(stdin.stdout).map((line) => JSON.parse(line).y), expected);
    assertEquals(lines(stdin.stdout).map((line) => JSON.parse(line).b), [2, null, 1, null, null]);
    assertEquals(lines(stdin.stderr), [
      "note: stdin has columns that the model does not take: city",
      'note: stdin:2 has no "b": a cell that a row lacks counts as missing',
    ]);
  });
  await t.step("a bad row ends it, and those before it are answered", async () => {
    const cases: [row: string, says: string][] = [
      ['{"a":1," a":2}', 'stdin:2: the key "a" is there twice'],
      ["3", 'stdin:2: it is no object with cells by column, such as {"a": 1}'],
      ['{"a":[1],"b":2}', 'stdin:2: column "a": a cell is a number or a text'],
      ['{"a":1e400,"b":2}', 'stdin:2: column "a": "1e400" is beyond the range of a number'],
    ];
    for (const [row, says] of cases) {
      const { code, stdout, stderr } = await feed(place, `{"a":1,"b":2}\n${row}\n`);
      assertEquals([code, stdout], [1, '{"y":21}\n']);
      assertStringIncludes(stderr, says);
    }
  });
  await t.step("kept ids have the digits that they are written with", async () => {
    for (const id of ["12345678901234567890.10", "1.10", "1E3", '"1.10"', "null"]) {
      const row = `{"id":${id},"a":1,"b":2}`;
      const answer = `{"id":${id},"y":21}\n`;
      assertEquals((await place.succeed("predict", [...ARGS, "--keep", "id", "--row", row])).stdout, answer);
      assertEquals((await feed(place, `${row}\n`, "--keep", "id")).stdout, answer);
    }
  });
  await t.step("--row is strict, and a number that is too large is named as it is written", async () => {
    const cases: [row: string, says: string][] = [
      ['{"a":1,"b":2,"city":"X"}', 'there is no column "city"'],
      ['{"a":1}', 'it lacks "b"'],
      ['{"a":1e400,"b":2}', 'column "a": "1e400" is beyond the range of a number'],
    ];
    for (const [row, says] of cases) await place.refuse(2, [says], "predict", [...ARGS, "--row", row]);
  });
});

permitted("predict: CSV on stdin may be all that it may be in a file", async (t) => {
  await using place = await placeWithRun();
  const text = 'a,"a\nnote",b\n1,x,2\n3,"y\nz",4\n';
  const bytes = new TextEncoder().encode(text);
  const forms: Record<string, Uint8Array<ArrayBuffer>> = {
    "a quoted line end in the header": bytes,
    "UTF-16 with a mark, lower byte first": utf16(`\ufeff${text}`, true),
    "UTF-16 with a mark, upper byte first": utf16(`\ufeff${text}`, false),
    "UTF-16 without a mark": utf16(text, true),
    "gzip": await gzip(bytes),
    "gzip of two members": new Uint8Array([...await gzip(bytes.slice(0, 9)), ...await gzip(bytes.slice(9))]),
    "gzip of UTF-16": await gzip(utf16(text, false)),
  };
  for (const [form, given] of Object.entries(forms)) {
    await t.step(form, async () => {
      await place.write("new.csv", given);
      const file = await place.succeed("predict", [...ARGS, "--input", "new.csv"]);
      const stdin = await feed(place, given, "--input", "-");
      assertEquals([stdin.code, stdin.stdout], [0, file.stdout]);
      assertEquals(lines(stdin.stdout), ["a,b,predicted_y", "1,2,21", "3,4,43"]);
      assertEquals(stdin.stderr, file.stderr.replace("new.csv", "stdin"));
    });
  }
  await t.step("JSON lines in gzip, too", async () => {
    const { stdout } = await feed(place, await gzip(new TextEncoder().encode('{"a":1,"b":2}\n')));
    assertEquals(stdout, '{"y":21}\n');
  });
  await t.step(
    "what only a file can give is refused, and so is what is no table; messages have no raw bytes",
    async () => {
      const zip = new TextEncoder().encode("PK\x03\x04....xl/workbook.xml");
      const cases: [bytes: string | Uint8Array<ArrayBuffer>, says: string][] = [
        ["PAR1\x15\0\x15\0", "stdin: it is Parquet, which is read from a file: name the file with --input"],
        [zip, "stdin: it is a zip archive, perhaps a workbook: name the file with --input"],
        ["%PDF-1.7\n", "stdin: it is a PDF document"],
        [(await gzip(bytes)).slice(0, 30), "stdin: it is packed by gzip, and damaged or cut off"],
        ['[{"a":1,"b":2}]\n', "stdin: it is a JSON array: write one object a line"],
        ['"x\ny",z\n1,2\n', 'the input columns a, b: "x\\u000ay",z'],
      ];
      for (const [given, says] of cases) {
        const { code, stderr } = await feed(place, given);
        assertEquals(code, 1, says);
        assertStringIncludes(stderr, says);
        assertEquals(lines(stderr).length, 1);
      }
    },
  );
});

permitted("predict, evaluate, export, report and train refuse empty paths in words", async () => {
  await using place = await placeWithRun();
  const flags: [task: string, ...words: string[]][] = [
    ["predict", "1", "2", "--output", ""],
    ["predict", "--input", ""],
    ["evaluate", "--data", ""],
    ["evaluate", "--data", "x.csv", "--confusion", ""],
    ["export", "--format", "ts", "--output", ""],
    ["report", "--output", ""],
    ["report", "--svg", ""],
    ["playground", "--output", ""],
    ["train", "--data", ""],
    ["train", "--data", "x.csv", "--target", "y", "--validation", ""],
    ["train", "--data", "x.csv", "--target", "y", "--test", ""],
    ["train", "--init-from", ""],
  ];
  for (const [task, ...words] of flags) await place.refuse(2, [`${words.at(-2)} is "": allowed is `], task, words);
});
