import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { readNumericCsv } from "../../lib/data/csv.ts";
import { csvPaths } from "../../lib/data/csv_files.ts";
import { type CsvOptions, placesOfRows, readRecords } from "../../lib/data/csv_records.ts";
import { DataError } from "../../lib/base/errors.ts";
import { dataSource } from "../../lib/model_file/metadata.ts";
import { Workplace } from "../support/run_task_process.ts";
import { permitted } from "../support/permitted.ts";

/** A row as a reader tells it. */
interface Told {
  file: string;
  row: number;
  line: number;
  cells: readonly string[];
}

/** Does something with a folder of files. */
async function withFolder<T>(files: Record<string, string>, work: (path: string, at: Workplace) => Promise<T>) {
  const inFolder = Object.entries(files).map(([name, text]) => [`t/${name}`, text]);
  await using place = await Workplace.create(Object.fromEntries(inFolder));
  return await work(place.at("t"), place);
}

async function rowsIn(path: string, options: CsvOptions = {}): Promise<Told[]> {
  const rows: Told[] = [];
  for await (const { file, records, firstRow, lineOf } of readRecords(path, options)) {
    records.forEach((cells, i) => rows.push({ file, row: firstRow + i, line: lineOf(i), cells }));
  }
  return rows;
}

/** What all files of a folder hold, each read by itself. */
async function rowsOfFiles(path: string): Promise<Told[]> {
  const rows: Told[] = [];
  for (const file of await csvPaths(path)) {
    const own = await rowsIn(file).catch((error) => {
      assertStringIncludes(error.message, "there are no rows after the header");
      return [];
    });
    rows.push(...own.map((told) => ({ ...told, row: told.row + rows.length })));
  }
  return rows;
}

/** Cells of every kind, quoted where they must be. */
const cell = fc.oneof(
  fc.constantFrom("1", "-2.5", "äö€", "🦉", " 7 "),
  fc.string({ unit: fc.constantFrom('""', "\n", "\r\n", ",", "a", "", "é"), maxLength: 12 }).map((text) => `"${text}"`),
);

permitted("readRecords() of a folder reads its files one after the other", async () => {
  const end = fc.constantFrom("\n", "\r\n");
  const blank = fc.constantFrom("", "", "", "\n", "\r\n");
  const row = fc.tuple(cell, cell, end, blank).map(([a, b, end, blank]) => `${a},${b}${end}${blank}`);
  const file = fc.tuple(fc.constantFrom("", "\ufeff"), blank, end, fc.array(row, { maxLength: 6 }), fc.boolean())
    .map(([mark, blank, end, rows, isCut]) => {
      const text = `${mark}${blank}x,"a ""\nname"""${end}${rows.join("")}`;
      return isCut ? text.replace(/(\r?\n)+$/, "") : text; // some files lack the last line's end
    });
  const files = fc.array(file, { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(files, async (texts) => {
      await withFolder(Object.fromEntries(texts.map((text, i) => [`${i}.csv`, text])), async (path) => {
        const expected = await rowsOfFiles(path);
        fc.pre(expected.length > 0);
        const told: [bytes: number, size: number][] = [];
        assertEquals(await rowsIn(path, { onProgress: (bytes, size) => told.push([bytes, size]) }), expected);
        const [bytes, size] = told.at(-1)!;
        assertEquals(bytes, size);
        assert(told.every(([bytes, of], i) => of === size && bytes <= size && bytes >= (told[i - 1]?.[0] ?? 0)));
        const places = await placesOfRows(path, expected.map(({ row }) => row));
        assertEquals(places, expected.map(({ file, line }) => ({ file, line })));
      });
    }),
    { numRuns: 100 },
  );
});

permitted("csvPaths() takes the *.csv files right in a folder, in the order of code units", async () => {
  const text = "x\n1\n";
  const names = ["B.csv", "a.csv", "a10.csv", "a2.CSV", "é.csv"];
  const empty = ["a.txt", ".hidden.csv", "below/c.csv", "d.csv/e.csv", "f.csv.partial", ".csv"];
  const others = Object.fromEntries(empty.map((name) => [name, ""]));
  const files = { ...Object.fromEntries(names.toReversed().map((name) => [name, text])), ...others };
  await withFolder(files, async (path) => {
    for (const given of [path, `${path}/`]) {
      assertEquals(await csvPaths(given), names.map((name) => `${path}/${name}`));
      assertEquals((await rowsIn(given)).length, 5);
    }
    assertEquals(await csvPaths(`${path}/a.txt`), [`${path}/a.txt`]);
    assertEquals(await csvPaths(`${path}/none`), [`${path}/none`]);
  });
  await withFolder(others, async (path) => {
    for (const read of [csvPaths, rowsIn, dataSource]) {
      const { message } = await assertRejects(async () => void await read(path), Deno.errors.NotFound);
      const names = "*.csv, *.tsv, *.jsonl, *.ndjson, each also with .gz, or *.parquet";
      const why = `it is a folder without tables (${names}); put the files of the table directly into it`;
      assertEquals(message, `Cannot read ${path}: ${why}`);
    }
  });
});

/** Asserts what is said of a folder. */
async function assertFault(files: Record<string, string>, says: (path: string) => string): Promise<void> {
  await withFolder(files, async (path) => {
    const { message } = await assertRejects(() => Array.fromAsync(readNumericCsv(path)), DataError);
    assertEquals(message, says(path));
  });
}

permitted("readNumericCsv() of a folder names the file and its line", async () => {
  const rows = (bad: Record<number, string> = {}) =>
    `x,y\n${Array.from({ length: 20 }, (_, i) => bad[i] ?? `${i},${2 * i}\n`).join("")}`;
  for (const name of ["a.csv", "b.csv", "c.csv"]) {
    const files = (bad: string) => ({ "a.csv": rows(), "b.csv": rows(), "c.csv": rows(), [name]: rows({ 17: bad }) });
    await assertFault(files("1,many\n"), (path) => `${path}/${name}:19, column "y": "many" is not a number`);
    await assertFault(files("1\n"), (path) => `${path}/${name}:19: this row has 1 cell, the header has 2`);
    // The cells with line breaks look otherwise where the open quote is thought to go on into the next file.
    const broken = rows(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [i, `"${i}\n",${i}\n`])));
    const last = { "a.csv": broken, "b.csv": broken, "c.csv": broken, [name]: rows({ 19: '19,"38\n' }) };
    const quote = "a quote is out of place or never closed; quote a whole cell, or none of it";
    await assertFault(last, (path) => `${path}/${name}:21: ${quote}`);
  }
});

permitted("readNumericCsv() of a folder wants the same header line in all files, before it reads rows", async () => {
  const differs = (path: string, file: string, header: string) =>
    `${path}/${file}: its header is ${JSON.stringify(header)}, and that of ${path}/a.csv is "x,y": ` +
    "all files of a folder need the same header line";
  const good = "x,y\n1,?\n"; // that row would be told of, too
  await assertFault({ "a.csv": good, "b.csv": "y,x\n1,2\n" }, (path) => differs(path, "b.csv", "y,x"));
  const third = { "a.csv": good, "b.csv": "\ufeff\r\nx,y\r\n", "c.csv": "x" };
  await assertFault(third, (path) => differs(path, "c.csv", "x"));
  await assertFault({ "a.csv": good, "b.csv": '"x",y' }, (path) => differs(path, "b.csv", '"x",y'));
  const empty = "the file is empty: a header is needed, the same as in all files of the folder";
  await assertFault({ "a.csv": good, "b.csv": "\n\n" }, (path) => `${path}/b.csv: ${empty}`);
  await assertFault({ "a.csv": "", "b.csv": good }, (path) => `${path}/a.csv: ${empty}`);
  await assertFault({ "a.csv": "x,y\n", "b.csv": "x,y" }, (path) => `${path}: there are no rows after the header`);
});

permitted("dataSource() of a folder is the SHA-256 of what sha256sum prints", async () => {
  await withFolder({ "b.csv": "x\n2\n", "a.csv": "x\n1\n", "note.txt": "" }, async (path) => {
    const digest = async (text: string) =>
      new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
    const lines = `${await digest("x\n1\n")}  a.csv\n${await digest("x\n2\n")}  b.csv\n`;
    for (const given of [path, `${path}/`, `${path}/.`]) {
      assertEquals(await dataSource(given), { name: "t", sha256: await digest(lines) });
    }
  });
});
