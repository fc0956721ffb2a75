/** Files whose content would cost far more memory or time than their size, were it believed. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { numberOf } from "../../lib/data/cells.ts";
import { isPlaceholder, writtenNumber } from "../../lib/data/odd_cells.ts";
import { readRecords } from "../../lib/data/csv_records.ts";
import { DataError } from "../../lib/base/errors.ts";
import { Linear } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { parseBoundedJson } from "../../lib/safetensors/bounded_json.ts";
import { readSafetensors, writeSafetensors } from "../../lib/safetensors/reader.ts";
import { SafetensorsRows } from "../../lib/safetensors/rows.ts";
import { SavedModel, saveModel } from "../../lib/model_file/saved_model.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import { numericTable } from "../../lib/data/table.ts";
import { parseTable } from "../../lib/data/table_json.ts";
import { ColumnProfile } from "../../lib/data/table_profile.ts";
import { openScaledDataset } from "../../tasks/prepare/scaled_dataset.ts";
import { seal } from "../../tasks/prepare/seal.ts";
import { PARTS } from "../../tasks/prepare/split.ts";
import { permittedGpuTest } from "../support/gpu_test_case.ts";
import { Workplace } from "../support/run_task_process.ts";
import { permitted } from "../support/permitted.ts";

/** Scales columns by nothing. */
function unscaled(...names: string[]): Scaler {
  return new Scaler("none", names.map((name) => ({ name, min: 0, max: 1, mean: 0, deviation: 1 })));
}

/** Fails where a function takes longer than any that grows with its input. */
function within<T>(seconds: number, run: () => T): T {
  const start = performance.now();
  const result = run();
  assert(performance.now() - start < seconds * 1000, `${performance.now() - start} ms`);
  return result;
}

permittedGpuTest("SavedModel.load() asks the device for no memory that the file does not have", async (device) => {
  await using place = await Workplace.create();
  const path = place.at("model.safetensors");
  using model = new Model(device, [new Linear(1, 1)]);
  const scalers = { inputs: unscaled("x"), targets: unscaled("y") };
  const table = numericTable(["x"], ["y"]);
  await saveModel(path, model, { table, features: ["x"], targets: ["y"], scalers, loss: mse, settings: {} });
  const { metadata } = await readSafetensors(path);
  const { buffers } = device.stats;
  const wide = 2 ** 40;
  const empty = (...shape: number[]) => ({ shape, data: new Float32Array(0) });
  const zeros = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)) });
  const weights = [[1, 0], [0, wide], [wide, 0], [0, 1]].map((shape, i) => [`${i}.weight`, empty(...shape)]);
  const huge = { ...Object.fromEntries(weights), "0.bias": empty(0), "2.bias": empty(0), "3.bias": zeros(1) };
  const many = JSON.stringify(Array(10_001).fill({ kind: "Dropout", rate: 0.5, seed: 1 }));
  for (
    const [layers, says, tensors = {}] of [
      [JSON.stringify(Array(4).fill("Linear")), `1.bias [${wide}] is missing`, huge],
      [many, "it has 10001 layers, allowed are 10000"],
      ['[["ReLU"]]', "layer 0 is of the unknown kind"],
      ['[{"kind":["ReLU"]}]', 'layer 0 is of the unknown kind ["ReLU"]'],
      ['[{"kind":"Dropout","rate":"0.5","seed":1}]', 'layer 0: its "rate" is "0.5", need a number'],
      [`[${"[".repeat(5e5)}${"]".repeat(5e5)}]`, "JSON nested deeper than 100"],
    ]
  ) {
    await writeSafetensors(path, tensors, { ...metadata, layers });
    await assertRejects(() => SavedModel.load(device, path), DataError, says);
  }
  assertEquals(device.stats.buffers, buffers);
});

Deno.test("parseBoundedJson() refuses what is deep or has many values, before it takes memory", () => {
  assertEquals(parseBoundedJson('{"a":[1,"[[{,,",null]}'), { a: [1, "[[{,,", null] });
  assertEquals(parseBoundedJson("[0,0]", { maxValues: 3 }), [0, 0]);
  for (
    const [text, says, maxValues] of [
      ["[0,0,0]", "JSON of more than 3 values", 3],
      ["[".repeat(101) + "]".repeat(101), "JSON nested deeper than 100", undefined],
      ["{".repeat(5e7), "JSON nested deeper than 100", undefined],
      [`[${"0,".repeat(2e6)}0]`, "JSON of more than 2000000 values", undefined],
      ['"abc', "Unterminated string", undefined],
      ['"\\', "Unexpected end of JSON", undefined],
    ] as const
  ) {
    within(5, () => assertThrows(() => parseBoundedJson(text, { maxValues }), SyntaxError, says));
  }
});

Deno.test("parseTable() takes time that grows with the columns, and no long names", () => {
  const columns = (count: number) => Array.from({ length: count }, (_, i) => ({ kind: "numeric", name: `c${i}` }));
  const rest = { target: { kind: "numeric", names: ["y"] }, missing: "error" };
  assertEquals(within(5, () => parseTable({ inputs: columns(300_000), ...rest })).inputs.length, 300_000);
  const inputs = [{ kind: "numeric", name: "x".repeat(10_001) }];
  assertThrows(() => parseTable({ inputs, ...rest }), SyntaxError, "a name of 10001 characters");
});

Deno.test("numbers of megabytes are read in time that grows with their length", () => {
  for (const piece of ["1", " ", ".", "e1", "1,234", "1 ", "\r"]) {
    const text = piece.repeat(8e6 / piece.length);
    for (const cell of [text, `${text}x`, `x${text}`, `1${text}x`]) {
      within(
        5,
        () => [numberOf(cell), writtenNumber(cell), isPlaceholder(cell, true), new ColumnProfile("a").add(cell, 0)],
      );
    }
  }
  assertEquals([numberOf(`${"0".repeat(1e6)}.5`), numberOf(" 5. "), numberOf(".5e1")], [0.5, 5, 5]);
});

Deno.test("ColumnProfile keeps no prose of a thousand long cells", () => {
  const profile = new ColumnProfile("a");
  ["x".repeat(1000), "y"].forEach((cell, row) => profile.add(cell, row));
  assertEquals(profile.values?.length, 2);
  profile.add("x".repeat(1001), 2);
  assertEquals([profile.values, profile.look], [undefined, "prose"]);
});

permitted("readRecords() refuses very many or very long names, and takes one byte-order mark away", async () => {
  await using place = await Workplace.create();
  const read = (text: string) => place.write("a.csv", text).then(() => Array.fromAsync(readRecords(place.at("a.csv"))));
  const names = (count: number) => Array.from({ length: count }, (_, i) => `c${i}`).join();
  const [{ columns }] = await read(`${names(100_000)}\n${",".repeat(99_999)}\n`);
  assertEquals(columns.length, 100_000);
  const says = "the header has 1000000 columns, at most 100000";
  await assertRejects(() => read(`${names(1_000_000)}\n1\n`), DataError, says);
  await assertRejects(() => read(`a,${"b".repeat(10_001)}\n1,2\n`), DataError, "a column's name of 10001 characters");
  // A byte-order mark is taken away at the file's start, not where a block starts.
  for (const quoted of ["", '"x"\n']) {
    // The first block ends before the last line, which reaches over the end of what is read at once.
    const text = `\ufeffa\n${"x\n".repeat(131_050)}\ufeffb${"b".repeat(100)}\n${quoted}`;
    const blocks = await read(text);
    assertEquals([blocks.length, blocks[0].columns, blocks[1].records[0][0].slice(0, 2)], [2, ["a"], "\ufeffb"]);
  }
});

permitted("readSafetensors() refuses pipes and devices instead of waiting for them", async () => {
  await using place = await Workplace.create();
  const path = Deno.build.os === "windows" ? "\\\\.\\NUL" : "/dev/zero";
  await assertRejects(() => readSafetensors(path), DataError, "a regular file is needed");
  await assertRejects(() => SafetensorsRows.open(path, "x", "y"), DataError, "a regular file is needed");
  await assertRejects(() => readSafetensors(place.path), Deno.errors.IsADirectory, "it is a folder");
});

permitted("openScaledDataset() refuses a description that does not fit the rows", async () => {
  await using place = await Workplace.create();
  const good: Record<string, string> = {
    sha256: "0".repeat(64),
    format: "backhand scaled dataset 7",
    settings: JSON.stringify({ recipe: "xor" }),
    scaler: JSON.stringify({ inputs: unscaled("x"), targets: unscaled("y") }),
    table: JSON.stringify(numericTable(["x"], ["y"])),
    loss: "mse",
    notes: JSON.stringify({ columns: [], notes: [] }),
  };
  const open = async (changed: Record<string, string>, columns = 1) => {
    const tensor = (columns: number) => ({ shape: [0, columns], data: new Float32Array(0) });
    const tensors = Object.fromEntries(
      PARTS.flatMap((part) => [[`${part}.x`, tensor(columns)], [`${part}.y`, tensor(1)]]),
    );
    await writeSafetensors(place.at("a.safetensors"), tensors, { ...good, ...changed });
    await seal(place.at("a.safetensors"));
    (await openScaledDataset(place.at("a.safetensors")))[Symbol.dispose]();
  };
  await open({});
  await assertRejects(() => open({}, 2 ** 50), DataError, "the columns of its part train are not those of its scalers");
  for (const [name, text] of [["scaler", "null"], ["scaler", "{"], ["table", "[]"], ["loss", "toString"]]) {
    const says = "its description does not fit together: run deno task scale";
    await assertRejects(() => open({ [name]: text }), DataError, says);
  }
});
