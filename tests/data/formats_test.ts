/** The same table, written in every way that is read. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { gunzipSync, gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { DataError } from "../../lib/base/errors.ts";
import { type CsvOptions, placesOfRows, readRecords } from "../../lib/data/csv_records.ts";
import { dataSource } from "../../lib/model_file/metadata.ts";
import { inFolder, withCsv } from "../support/temp_files.ts";
import { permitted } from "../support/permitted.ts";

const CSV = 'size,kind\n1.50,"é\nb"\n,c\n3,\n';
const LINES = '{"size":1.50,"kind":"é\\nb"}\n\n{"kind":"c"}\r\n{"size":3,"kind":null}\n';
const ROWS = [["1.50", "é\nb"], ["", "c"], ["3", ""]];

function utf16(text: string, isBig: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 * text.length));
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), !isBig);
  return new Uint8Array(view.buffer);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Bytes in every format, with the line of each row; Parquet has rows. */
function formats(): Record<string, [bytes: Uint8Array, lines: number[]]> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const gzip = (part: Uint8Array) => new Uint8Array(gzipSync(part));
  const lines = [2, 4, 5];
  return {
    csv: [bytes(CSV), lines],
    gzip: [gzip(bytes(CSV)), lines],
    "gzip in two members": [joined(gzip(bytes(CSV.slice(0, 12))), gzip(bytes(CSV.slice(12)))), lines],
    "utf-16le with mark": [utf16(`\ufeff${CSV}`, false), lines],
    "utf-16be with mark": [utf16(`\ufeff${CSV}`, true), lines],
    "utf-16le": [utf16(CSV, false), lines],
    "utf-16be": [utf16(CSV, true), lines],
    "gzip of utf-16": [gzip(utf16(`\ufeff${CSV}`, false)), lines],
    "json lines": [bytes(LINES), [1, 3, 4]],
    "json lines with mark": [bytes(`\ufeff${LINES}`), [1, 3, 4]],
    "gzip of json lines": [gzip(bytes(LINES)), [1, 3, 4]],
    "utf-16 of json lines": [utf16(LINES, false), [1, 3, 4]],
  };
}

async function read(path: string, options?: CsvOptions) {
  const blocks = await Array.fromAsync(readRecords(path, options));
  const places = blocks.flatMap(({ records, placeOf }) => records.map((_, i) => placeOf(i)));
  return { columns: blocks[0].columns, records: blocks.flatMap(({ records }) => records), places };
}

permitted("readRecords() and placesOfRows() read every format alike, whatever the file is called", async () => {
  for (const [name, [bytes, lines]] of Object.entries(formats())) {
    await withCsv(bytes, async (path) => {
      const told: [number, number][] = [];
      const { columns, records, places } = await read(path, { onProgress: (done, size) => told.push([done, size]) });
      assertEquals([columns, records], [["size", "kind"], ROWS], name);
      assertEquals(places, lines.map((line) => ({ file: path, line })), name);
      assertEquals(await placesOfRows(path, [0, 2]), [places[0], places[2]], name);
      assertEquals(told.at(-1), [bytes.length, bytes.length], name);
      assertEquals((await dataSource(path)).sha256.length, 64);
    });
  }
});

permitted("readRecords() of a folder reads tables of several formats as one", async () => {
  await inFolder(async (folder) => {
    const all = formats();
    await Deno.writeFile(`${folder}/a.csv`, all.csv[0]);
    await Deno.writeFile(`${folder}/b.csv.gz`, all.gzip[0]);
    await Deno.writeFile(`${folder}/c.jsonl.gz`, all["gzip of json lines"][0]);
    await Deno.writeTextFile(`${folder}/d.ndjson`, '{"kind":"z","size":7}\n');
    const columnData = [{ name: "kind", data: ["y"] }, { name: "size", data: [8] }];
    await Deno.writeFile(`${folder}/e.parquet`, new Uint8Array(parquetWriteBuffer({ columnData })));
    await Deno.writeTextFile(`${folder}/f.txt`, "none of it");
    const { columns, records, places } = await read(folder, { columns: ["kind"] });
    assertEquals([columns, records], [["size", "kind"], [...ROWS, ...ROWS, ...ROWS, ["7", "z"], ["8", "y"]]]);
    assertEquals(places.at(-1), { file: `${folder}/e.parquet`, row: 1 });
    assertEquals(await placesOfRows(folder, [4, 9]), [places[4], places[9]]);
    await Deno.writeTextFile(`${folder}/g.jsonl`, '{"kind":"z","length":7}\n');
    const says = `${folder}/g.jsonl: it has no column "size", unlike the files before it: all files of a folder need`;
    await assertRejects(() => read(folder), DataError, says);
  });
});

permitted(
  "readRecords() refuses what is damaged, cut off or packed twice, with the line where there is one",
  async () => {
    const text = new TextEncoder().encode(`a,b\n${"1,2\n".repeat(50_000)}`);
    const gzip = new Uint8Array(gzipSync(text));
    const damaged = gzip.slice();
    damaged[damaged.length - 6] ^= 1;
    const cases: [bytes: Uint8Array, says: string][] = [
      [gzip.subarray(0, gzip.length - 9), "it is packed by gzip, and damaged or cut off (unexpected end of file)"],
      [damaged, "it is packed by gzip, and damaged or cut off (incorrect data check)"],
      [joined(gzip, Uint8Array.of(1, 2, 3)), "it is packed by gzip, and damaged or cut off (incorrect header check)"],
      [new Uint8Array(gzipSync(gzip)), "it is gzip of another packed file: unpack it first"],
      [utf16("\ufeffa,b\n1,2\n\ud800,4\n", false), ":3: this is not UTF-16LE: save the file as UTF-8"],
      [utf16("\ufeffa,b\n1,2\n3,4", false).subarray(0, -1), ":3: this is not UTF-16LE"],
    ];
    for (const [bytes, says] of cases) {
      await withCsv(bytes, async (path) => {
        const { message } = await assertRejects(() => read(path), DataError);
        assert(message.includes(says), `${message} has not: ${says}`);
      });
    }
  },
);

permitted("readRecords() gives up on a small gzip file that holds one endless record", async () => {
  const bomb = new Uint8Array(gzipSync(new Uint8Array(40_000_000).fill(0x61)));
  assertEquals(gunzipSync(bomb).length, 40_000_000);
  await withCsv(bomb, async (path) => {
    await assertRejects(() => read(path), DataError, ":1: this record is longer than 16777216 bytes");
  });
});

permitted("readRecords() may be left before the end of what is packed", async () => {
  const gzip = new Uint8Array(gzipSync(new TextEncoder().encode(`a,b\n${"1,2\n".repeat(2_000_000)}`)));
  await withCsv(gzip, async (path) => {
    for await (const { records } of readRecords(path)) {
      assertEquals(records[0], ["1", "2"]);
      break;
    }
  });
});

permitted("readRecords() refuses a pipe and a device at once", async () => {
  await inFolder(async (folder) => {
    const fifo = `${folder}/p.csv`;
    assertEquals((await new Deno.Command("mkfifo", { args: [fifo] }).output()).code, 0);
    const says = "it is a pipe or a device, which can be read only once: write it to a file first, and name that file";
    for (const path of [fifo, "/dev/null"]) {
      for (const use of [read, dataSource, (path: string) => placesOfRows(path, [0])]) {
        const { message } = await assertRejects(async () => void await use(path), DataError);
        assertEquals(message, `${path}: ${says}`);
      }
    }
  });
});
