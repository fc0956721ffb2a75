import { assertEquals, assertRejects } from "@std/assert";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { DataError } from "../../lib/base/errors.ts";
import { type CsvOptions, placesOfRows, readRecords } from "../../lib/data/csv_records.ts";
import { withCsv } from "../support/temp_files.ts";
import { permitted } from "../support/permitted.ts";

type WriteOptions = Partial<Parameters<typeof parquetWriteBuffer>[0]>;

function written(columnData: ColumnSource[], options: WriteOptions = {}): Uint8Array {
  return new Uint8Array(parquetWriteBuffer({ columnData, ...options }));
}

const read = (bytes: Uint8Array, options?: CsvOptions) =>
  withCsv(bytes, async (path) => {
    const blocks = await Array.fromAsync(readRecords(path, options));
    return { ...blocks[0], records: blocks.flatMap(({ records }) => records), blocks };
  });

const DAY = new Date("2026-01-31");
const TIME = new Date("2026-01-31T12:30:00.250Z");

permitted("Parquet: values are the texts that a CSV file would have", async () => {
  const cases: [column: Omit<ColumnSource, "name">, texts: string[]][] = [
    [{ data: [1, null, -3], type: "INT32" }, ["1", "", "-3"]],
    [{ data: [9007199254740993n, -1n, null], type: "INT64" }, ["9007199254740993", "-1", ""]],
    [{ data: [1.5, null, 1e-7], type: "DOUBLE" }, ["1.5", "", "1e-7"]],
    [{ data: [0.5, NaN, -2], type: "FLOAT" }, ["0.5", "NaN", "-2"]],
    [{ data: [true, false, null], type: "BOOLEAN" }, ["true", "false", ""]],
    [{ data: ["é", "", null], type: "STRING" }, ["é", "", ""]],
    [{ data: ["01", "a,b\n", "x"], type: "STRING", nullable: false }, ["01", "a,b\n", "x"]],
    [{ data: [TIME, null, DAY], type: "TIMESTAMP" }, ["2026-01-31T12:30:00.25Z", "", "2026-01-31T00:00:00Z"]],
    [{ data: [null, null, null], type: "STRING" }, ["", "", ""]],
  ];
  const columns = cases.map(([column], i) => ({ ...column, name: `c${i}` }));
  const { records } = await read(written(columns));
  cases.forEach(([_, texts], i) => assertEquals(records.map((cells) => cells[i]), texts, `column ${i}`));
});

permitted("Parquet: decimals are exact, and days are days", async () => {
  const schema: WriteOptions["schema"] = [
    { name: "root", num_children: 4 },
    { name: "price", type: "INT32", repetition_type: "OPTIONAL", converted_type: "DECIMAL", scale: 2, precision: 9 },
    { name: "day", type: "INT32", repetition_type: "REQUIRED", converted_type: "DATE" },
    { name: "clock", type: "INT32", repetition_type: "REQUIRED", converted_type: "TIME_MILLIS" },
    { name: "count", type: "INT64", repetition_type: "REQUIRED", converted_type: "UINT_64" },
  ];
  const columns = [
    { name: "price", data: [0.57, null, -12.3] },
    { name: "day", data: [DAY, new Date(0), new Date("1969-12-31")] },
    { name: "clock", data: [0, 45_296_007, 1000] },
    { name: "count", data: [1n, 2n, 3n] },
  ];
  const { records } = await read(written(columns, { schema }));
  assertEquals(records, [
    ["0.57", "2026-01-31", "00:00:00", "1"],
    ["", "1970-01-01", "12:34:56.007", "2"],
    ["-12.30", "1969-12-31", "00:00:01", "3"],
  ]);
});

permitted("Parquet: all compressions, several row groups and pages, with rows as places", async () => {
  const count = 12_000;
  const columns = (): ColumnSource[] => [
    { name: "n", data: Array.from({ length: count }, (_, i) => i) },
    { name: "k", data: Array.from({ length: count }, (_, i) => i % 5 ? `kind ${i % 7}` : null) },
    { name: "x", data: Array.from({ length: count }, (_, i) => i % 3 ? i / 8 : null), type: "DOUBLE" },
  ];
  const compressors = {
    GZIP: (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes)),
    BROTLI: (bytes: Uint8Array) => new Uint8Array(brotliCompressSync(bytes)),
    ZSTD: (bytes: Uint8Array) => new Uint8Array(zstdCompressSync(bytes)),
  };
  for (const codec of ["UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "ZSTD"] as const) {
    const bytes = written(columns(), { codec, compressors, rowGroupSize: 5000, pageSize: 4000 });
    const told: number[][] = [];
    const onProgress = (...now: number[]) => told.push(now);
    const { records, blocks } = await read(bytes, { columns: ["x", "n"], onProgress });
    assertEquals(records.length, count, codec);
    records.forEach((cells, i) => {
      assertEquals(cells, [`${i}`, i % 5 ? `kind ${i % 7}` : "", i % 3 ? `${i / 8}` : ""], codec);
    });
    assertEquals([blocks[0].places, blocks.map(({ firstRow }) => firstRow)], [[2, 0], [0, 4096, 5000, 9096, 10_000]]);
    assertEquals([blocks[2].lineOf(3), blocks[3].placeOf(0).row, told.at(-1)], [5004, 9097, [
      bytes.length,
      bytes.length,
    ]]);
    await withCsv(bytes, async (path) => {
      assertEquals(await placesOfRows(path, [0, 11_999]), [{ file: path, row: 1 }, { file: path, row: 12_000 }]);
    });
  }
});

permitted("Parquet: an index that pandas wrote without a name is left out, and told", async () => {
  const columns = [{ name: "a", data: [1, 2] }, { name: "__index_level_0__", data: [3, 5] }];
  const notes: string[] = [];
  const pandas = written(columns, { kvMetadata: [{ key: "pandas", value: "{}" }] });
  const found = await read(pandas, { onNote: (note) => notes.push(note) });
  assertEquals([found.columns, found.records], [["a"], [["1"], ["2"]]]);
  assertEquals(notes, ["column __index_level_0__ is an index without a name that pandas wrote: left out"]);
  assertEquals((await read(written(columns))).columns, ["a", "__index_level_0__"]);
});

permitted("Parquet: what is no table is refused by column", async () => {
  const one = { name: "a", data: [1, 2] };
  const nested: WriteOptions["schema"] = [
    { name: "root", num_children: 1 },
    { name: "a", num_children: 1, repetition_type: "OPTIONAL" },
    { name: "b", type: "INT32", repetition_type: "OPTIONAL" },
  ];
  const bytes: WriteOptions["schema"] = [
    { name: "root", num_children: 1 },
    { name: "a", type: "FIXED_LEN_BYTE_ARRAY", type_length: 2, repetition_type: "REQUIRED" },
  ];
  const good = written([one]);
  const lz4 = { codec: "LZ4", compressors: { LZ4: (bytes: Uint8Array) => bytes } } as const;
  const cases: [bytes: Uint8Array, says: string, options?: CsvOptions][] = [
    [
      written([{ name: "a", data: [{ b: 1 }] }], { schema: nested }),
      'column "a": it is a list or a group: write its parts as columns, or if it is no input, say --ignore a',
    ],
    [
      written([{ name: "a", data: [Uint8Array.of(1, 2)] }], { schema: bytes }),
      'column "a": it holds bytes: write it as text, or if it is no input, say --ignore a',
    ],
    [written([{ name: "a", data: [Uint8Array.of(255)], type: "BYTE_ARRAY" }]), "it holds bytes that are no UTF-8 text"],
    [
      written([{ name: "a", data: [1, 2], type: "INT32" }], lz4),
      "it is compressed by LZ4: write it with the compression",
    ],
    [written([{ ...one, data: [] }]), "there are no rows after the header"],
    [written([one]), 'there is no column "b"; there are a', { columns: ["b"] }],
    [written([one, { name: "a ", data: [1, 2] }]), 'the header names column "a" twice'],
    [good.subarray(0, good.length - 20), "this Parquet file is damaged, or cannot be read: parquet file invalid"],
  ];
  for (const [bytes, says, options] of cases) {
    await assertRejects(() => read(bytes, options), DataError, says);
  }
});

permitted("Parquet: a group and bytes are no matter in columns that are not used", async () => {
  const schema: WriteOptions["schema"] = [
    { name: "root", num_children: 3 },
    { name: "a", num_children: 1, repetition_type: "OPTIONAL" },
    { name: "b", type: "INT32", repetition_type: "OPTIONAL" },
    { name: "c", type: "FIXED_LEN_BYTE_ARRAY", type_length: 2, repetition_type: "REQUIRED" },
    { name: "d", type: "INT32", repetition_type: "REQUIRED" },
  ];
  const columns = [{ name: "a", data: [{ b: 1 }] }, { name: "c", data: [Uint8Array.of(1, 2)] }, {
    name: "d",
    data: [7],
  }];
  const bytes = written(columns, { schema });
  for (const options of [{ isIgnored: (name: string) => name !== "d" }, { columns: ["d"] }]) {
    const { columns, records } = await read(bytes, options);
    assertEquals([columns, records], [["a", "c", "d"], [["(not read)", "(not read)", "7"]]]);
  }
  await assertRejects(() => read(bytes, { isIgnored: (name) => name === "a" }), DataError, 'column "c"');
});

permitted("Parquet: a run that is longer than its page says is refused before it fills the memory", async () => {
  const data: (string | null)[] = Array.from({ length: 10_000 }, () => null);
  const bytes = written([{ name: "a", data, type: "STRING" }], { codec: "UNCOMPRESSED" });
  assertEquals((await read(bytes)).records.length, 10_000);
  // The second page has one run of 9,000: twice that as a varint, and the value.
  const run = [0xd0, 0x8c, 0x01];
  const at = bytes.findIndex((_, i) => run.every((byte, k) => bytes[i + k] === byte) && bytes[i + run.length] === 0);
  bytes.set([0xfe, 0xff, 0x7f], at);
  await assertRejects(
    () => read(bytes),
    DataError,
    'row 1001, column "a": this Parquet file is damaged, or cannot be read: a run',
  );
});
