/**
 * Mutated safetensors files, each read by all that reads such files: a file is refused with the project's own error, or gives
 * the values that a second, plain reader finds. None makes the reader ask for more memory than the file has bytes.
 */

import { DataError } from "../../lib/base/errors.ts";
import { ColumnDropout } from "../../lib/tabular/column_dropout.ts";
import { type EmbeddedColumn, TableEmbedding } from "../../lib/tabular/table_embedding.ts";
import { sizeOf } from "../../lib/base/shape.ts";
import { Device } from "../../lib/gpu/device.ts";
import { Dropout, GELU, LeakyReLU, Linear, ReLU } from "../../lib/core/layers.ts";
import { mse, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import {
  readSafetensors,
  readSafetensorsHeader,
  type StoredTensors,
  writeSafetensors,
} from "../../lib/safetensors/reader.ts";
import { SafetensorsRows } from "../../lib/safetensors/rows.ts";
import { loadWeights, SavedModel, saveModel } from "../../lib/model_file/saved_model.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import { encodedNames, numericTable, type Table } from "../../lib/data/table.ts";
import { readConfig } from "../../tasks/settings/config.ts";
import { encodeOnnx } from "../../tasks/export/onnx.ts";
import { readExportedModel } from "../../tasks/export/exported_model.ts";
import { writePython } from "../../tasks/export/pytorch.ts";
import { writeTypeScript } from "../../tasks/export/typescript.ts";
import { openScaledDataset } from "../../tasks/prepare/scaled_dataset.ts";
import { seal } from "../../tasks/prepare/seal.ts";
import { scale } from "../../tasks/prepare/scale.ts";
import { collectGarbage, type FuzzCounts, type FuzzOptions, runCases, same, unlessRefused } from "./fuzz_cases.ts";
import { fileOf } from "../support/temp_files.ts";
import { damage, damageJson, type Dice, splice, writeJson } from "./mutations.ts";
import { type PlainFile, readPlain } from "./plain_safetensors.ts";

/** One case in so many is a header of 100 MB. */
const BIG_EVERY = 5000;

/** Characters of a message that a terminal obeys. */
const OBEYED = /[^\P{Cc}\n]/u;

/** A file to start from, and what it is. */
interface Start {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  kind: "model" | "scaled" | "other";
}

/** Everything that a case needs; the files lie in the working folder. */
interface Bench {
  device: Device;
  starts: readonly Start[];
  /** Takes weights of the first start's shape. */
  target: Model;
}

export async function fuzz(options: FuzzOptions): Promise<FuzzCounts> {
  using device = await Device.request({ smallDispatches: true });
  using target = new Model(device, mixedLayers());
  const bench: Bench = { device, target, starts: await makeStarts(device) };
  return await runCases("safetensors", options, async (dice, acts, index) => {
    const isBig = index % BIG_EVERY === BIG_EVERY - 1;
    return isBig ? await bigCase(index / BIG_EVERY | 0, acts) : await smallCase(bench, dice, acts, index);
  });
}

async function smallCase(bench: Bench, dice: Dice, acts: string[], index: number): Promise<boolean> {
  const start = dice.pick(bench.starts);
  const bytes = mutate(start, dice, acts);
  acts.unshift(start.name);
  Deno.writeFileSync("case.safetensors", bytes);
  const expected = unlessRefused(() => readPlain(bytes));
  let found: StoredTensors | undefined;
  const allocated = await allocatedBy(async () => {
    found = await attempt(() => readSafetensors("case.safetensors"));
  });
  if (allocated > bytes.length + 8) throw new Error(`it takes ${allocated} bytes for a file of ${bytes.length}`);
  if (!expected !== !found) throw new Error(found ? "it is read" : "it is refused, and the plain reader reads it");
  // What is refused by its header is refused by every reader for the same reason: one more of them is asked.
  const turn = expected ? undefined : index % 4;
  if (turn !== undefined && turn > 0) {
    await readAs(start, bench, expected, index, turn);
    return false;
  }
  const header = await attempt(() => readSafetensorsHeader("case.safetensors"));
  if (!header !== !expected) throw new Error("its header alone is judged otherwise");
  if (expected && found && header) {
    const texts = (metadata: object) => Object.entries(metadata).sort();
    same("metadata", texts(found.metadata), texts(Object.fromEntries(expected.metadata)));
    same("header", texts(header.metadata), texts(found.metadata));
    const shapes = shapesOf(expected.tensors);
    same("shapes", shapesOf(found.tensors), shapes);
    same("shapes of the header", [...header.shapes].sort(), shapes);
    sameWeights(Object.fromEntries([...found.tensors].map(([name, { data }]) => [name, data])), expected);
  }
  await readAs(start, bench, expected, index);
  return expected !== undefined;
}

/** Reads it as what it was before; a model by one of three ways, or by all. */
async function readAs(start: Start, bench: Bench, expected: PlainFile | undefined, index: number, way?: number) {
  if (start.kind === "model" && way === undefined) await readModel(bench, expected, index);
  else if (start.kind === "scaled") await readScaled(expected);
  else if (start.name === "multi") await readRows(expected);
  else {
    const ways = [
      () => SavedModel.load(bench.device, "case.safetensors"),
      () => readExportedModel("run", "case.safetensors"),
      () => loadWeights(bench.target, "case.safetensors"),
    ];
    if (await attempt<unknown>(ways[(way ?? 1) - 1])) throw new Error("the plain reader refuses it, and it is a model");
  }
}

/** Loads a model by all ways that there are. */
async function readModel({ device, target }: Bench, expected: PlainFile | undefined, index: number): Promise<void> {
  const { buffers } = device.stats;
  const saved = await attempt(() => SavedModel.load(device, "case.safetensors"));
  if (saved) {
    using model = saved;
    if (!expected) throw new Error("a model is loaded, and the plain reader refuses the file");
    if (index % 20 === 0) {
      sameWeights(await model.model.read(), expected);
      await attempt(() => model.predict(model.description.features.map(() => 1)), /^Cannot predict: /);
    }
  } else if (device.stats.buffers !== buffers) throw new Error("a model that is refused leaves buffers behind");
  const exported = await attempt(() => readExportedModel("run", "case.safetensors"));
  if (!exported !== !saved) throw new Error(`to load it ${saved ? "works" : "fails"}, to export it does not`);
  if (exported) {
    writeTypeScript(exported, "model.ts");
    writePython(exported, "model.safetensors");
    await attempt(() => Promise.resolve(encodeOnnx(exported)), /^Cannot export to ONNX: /);
  }
  const isLoaded = await attempt(() => loadWeights(target, "case.safetensors").then(() => true));
  if (isLoaded && index % 20 === 0) sameWeights(await target.read(), expected!);
}

/** Opens it as it is, which its hash forbids mostly, and then with a hash that fits. */
async function readScaled(expected: PlainFile | undefined): Promise<void> {
  await readScaledOnce(expected);
  await attempt(() => seal("case.safetensors"));
  const bytes = Deno.readFileSync("case.safetensors");
  await readScaledOnce(unlessRefused(() => readPlain(bytes)));
}

async function readScaledOnce(expected: PlainFile | undefined): Promise<void> {
  const dataset = await attempt(() => openScaledDataset("case.safetensors"));
  if (!dataset) return;
  using opened = dataset;
  if (!expected) throw new Error("a dataset is opened, and the plain reader refuses the file");
  for (const [name, part] of Object.entries(opened.parts)) {
    const { x, y } = await part.read(0, part.rows);
    same(`${name}.x`, bitsOf(x), bitsOf(expected.tensors.get(`${name}.x`)!.data));
    same(`${name}.y`, bitsOf(y), bitsOf(expected.tensors.get(`${name}.y`)!.data));
    if (x.length !== part.rows * opened.features.length) throw new Error(`${name} has not a value for each feature`);
  }
}

async function readRows(expected: PlainFile | undefined): Promise<void> {
  const found = await attempt(() => SafetensorsRows.open("case.safetensors", "x", "y"));
  if (!found) return;
  using rows = found;
  if (!expected) throw new Error("rows are opened, and the plain reader refuses the file");
  const block = await attempt(() => rows.read(0, Math.min(rows.rows, 10)));
  const width = expected.tensors.get("x")!.shape[1];
  same("x", bitsOf(block!.x), bitsOf(expected.tensors.get("x")!.data.subarray(0, 10 * width)));
}

/** What a promise gives; nothing where it is refused in the project's own words. Any other error is thrown. */
async function attempt<T>(run: () => Promise<T>, own?: RegExp): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof DataError) {
      if (message.length > 20_100 || OBEYED.test(message)) {
        throw new Error(`a message that may not be printed: ${message}`);
      }
      if (/Maximum call stack|allocation failed|Invalid (typed )?array length/.test(message)) throw error;
    } else if (!(error instanceof RangeError && own?.test(message))) throw error;
    return undefined;
  }
}

/** Bytes of all arrays that a function asks for by length. */
async function allocatedBy(run: () => Promise<unknown>): Promise<number> {
  const kinds = { Uint8Array, Float32Array };
  let bytes = 0;
  const watched = (kind: typeof Uint8Array | typeof Float32Array) =>
    new Proxy(kind, {
      construct(target, args, newTarget) {
        if (typeof args[0] === "number") bytes += args[0] * target.BYTES_PER_ELEMENT;
        return Reflect.construct(target, args, newTarget);
      },
    });
  Object.assign(globalThis, { Uint8Array: watched(Uint8Array), Float32Array: watched(Float32Array) });
  try {
    await run();
  } finally {
    Object.assign(globalThis, kinds);
  }
  return bytes;
}

function bitsOf(data: Float32Array): string {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).toHex();
}

function shapesOf(tensors: ReadonlyMap<string, { shape: number[] }>): [string, number[]][] {
  return [...tensors].map(([name, { shape }]): [string, number[]] => [name, shape]).sort();
}

function sameWeights(found: Record<string, Float32Array>, { tensors }: PlainFile): void {
  same("names", Object.keys(found).sort(), [...tensors.keys()].sort());
  for (const [name, { data }] of tensors) same(name, bitsOf(found[name]), bitsOf(data));
}

/** Damages bytes anywhere, or the header's JSON, or JSON within its metadata. */
function mutate({ bytes, kind }: Start, dice: Dice, acts: string[]): Uint8Array<ArrayBuffer> {
  const times = 1 + dice.below(3);
  let result = bytes;
  const way = dice.below(kind === "other" ? 3 : 4);
  if (way < 2) {
    const end = headerEnd(bytes);
    for (let i = 0; i < times; i++) {
      // Half of all damage goes to the header.
      const from = dice.happens(0.5) ? 0 : end;
      const to = from === 0 ? end : result.length;
      const piece = damage(result.slice(from, Math.max(from, to)), dice, acts);
      result = splice(result, from, Math.max(0, to - from), piece);
    }
    if (way === 1 && result.length > 8) {
      acts.push("length set");
      const lengths = [end - 8, 0, 1, end - 9, end - 7, 1e8, 100_000_001, 2 ** 53, 2 ** 63];
      result = withLength(result, BigInt(dice.pick(lengths)));
    }
    return result;
  }
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, headerEnd(bytes))));
  for (let i = 0; i < times; i++) {
    const texts = header.__metadata__;
    const keys = Object.keys(Object(texts)).filter((key) => /^[[{]/.test(texts[key]));
    if (way === 2 || keys.length === 0) damageJson(header, dice, acts);
    else {
      const key = dice.pick(keys);
      acts.push(`in ${key}`);
      texts[key] = writeJson(damageJson(JSON.parse(texts[key]), dice, acts), dice);
      if (i > 0) break; // its JSON may be none by now
    }
    if (way === 3) break;
  }
  return fileOf(writeJson(header, dice), bytes.subarray(headerEnd(bytes)));
}

function headerEnd(bytes: Uint8Array<ArrayBuffer>): number {
  return 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
}

function withLength(bytes: Uint8Array<ArrayBuffer>, length: bigint): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  new DataView(copy.buffer).setBigUint64(0, length, true);
  return copy;
}

/** Headers of nearly 100 MB: whether each is read, its beginning, what it is filled with, and its end. */
const BIG: [isRead: boolean, begin: string, piece: string, end: string][] = [
  [true, '{"__metadata__":{"a":"', "x", '"}}'],
  [false, '{"a":{"dtype":"F32","shape":[', "0,", '0],"data_offsets":[0,0]}}'],
  [true, '{"__metadata__":{"€":"', '\\"', '"}}'],
  [false, "", '{"a":', ""],
  [false, '{"__metadata__":{"format":"backhand model 3","layers":"[', "0,", '0]"}}'],
  [false, '{"', "\\u001b", '":{"dtype":"F16","shape":[],"data_offsets":[0,4]}}'],
  [false, '{"a":{"dtype":"F32","shape":[', "9", '],"data_offsets":[0,0]}}'],
  [false, "{", "{}", ""],
];

async function bigCase(index: number, acts: string[]): Promise<boolean> {
  collectGarbage();
  const [isRead, begin, piece, end] = BIG[index % BIG.length];
  acts.push(`100 MB of ${piece}`);
  {
    using file = Deno.openSync("big.safetensors", { write: true, create: true, truncate: true });
    const encoder = new TextEncoder();
    const [first, last] = [begin, end].map((text) => encoder.encode(text));
    const filling = encoder.encode(piece.repeat(Math.floor(1e6 / piece.length)));
    const length = first.length + 99 * filling.length + last.length;
    file.writeSync(withLength(new Uint8Array(8), BigInt(length)));
    file.writeSync(first);
    for (let i = 0; i < 99; i++) file.writeSync(filling);
    file.writeSync(last);
  }
  const found = await attempt(() => readSafetensorsHeader("big.safetensors"));
  if (!found === isRead && index % BIG.length !== 4) throw new Error(found ? "it is read" : "it is refused");
  collectGarbage();
  if (await attempt(() => readExportedModel("run", "big.safetensors"))) throw new Error("it is a model");
  Deno.removeSync("big.safetensors");
  collectGarbage();
  return isRead;
}

/** Two networks of the mixed columns: waves of numbers, trained rows, one-hot values. */
function mixedLayers() {
  const members = 2;
  const shares = [0.5, 0.25, 0.25];
  const columns: EmbeddedColumn[] = [
    { kind: "number" },
    { kind: "names", names: 3, width: 2, shares },
    { kind: "number" },
    { kind: "names", names: 3 },
  ];
  const embedding = new TableEmbedding({ columns, numbers: "pbld", members });
  const activation = new LeakyReLU({ slope: 0.1 });
  const dropout = new Dropout(0.25, { seed: 7 });
  const columnDropout = new ColumnDropout(0.25, { widths: [4, 2, 4, 3], seed: 7 });
  return [embedding, columnDropout, new Linear(13, 5, { members }), activation, dropout, new Linear(5, 3, { members })];
}

const MIXED: Table = {
  inputs: [
    { kind: "numeric", name: "age", fill: 30.5 },
    {
      kind: "categorical",
      name: "colour",
      categories: ["blue", 'r"ed', "grün"],
      shares: [0.5, 0.25, 0.25],
      fill: "blue",
    },
    { kind: "numeric", name: "size" },
    { kind: "categorical", name: "shape", categories: ["flat", "tall"], others: ["round"] },
  ],
  target: { kind: "classes", name: "kind", classes: ["cat", "dog", "horse"] },
  missing: "mean",
};

/** Valid files: two models, a scaled dataset, one of several tensors, one of none. */
async function makeStarts(device: Device): Promise<Start[]> {
  const column = (name: string) => ({ name, min: -2, max: 5, mean: 1, deviation: 2 });
  const scaler = (names: readonly string[]) =>
    new Scaler(
      "standardize",
      names.map((name) => /colour|shape/.test(name) ? { ...column(name), names: 3 } : column(name)),
    );
  const features = encodedNames(MIXED.inputs);
  const targets = ["cat", "dog", "horse"];
  {
    using model = new Model(device, mixedLayers());
    await saveModel("model.safetensors", model, {
      table: MIXED,
      features,
      targets,
      scalers: { inputs: scaler(features), targets: new Scaler("none", targets.map(column)) },
      loss: softmaxCrossEntropy,
      settings: { SEED: "42", DATA: "cats.csv" },
      seed: 42,
      baseline: [0.5, 0.25, 0.25],
      output: { temperature: 1.5, conformal: [{ rows: 3, scores: [0.1, 0.2, 0.7] }] },
      source: { name: "cats.csv", sha256: "ab".repeat(32) },
    });
  }
  {
    using model = new Model(device, [new Linear(1, 4), new GELU(), new ReLU(), new Linear(4, 1)]);
    const columns = { table: numericTable(["x"], ["y"]), features: ["x"], targets: ["y"] };
    const scalers = { inputs: scaler(["x"]), targets: scaler(["y"]) };
    await saveModel("numbers.safetensors", model, {
      ...columns,
      scalers,
      loss: mse,
      settings: {},
      output: { clip: true },
    });
  }
  const rows = Array.from({ length: 30 }, (_, i) => `${i * i % 17},${["a", "b", ""][i % 3]},${i % 7}\n`);
  Deno.writeTextFileSync("rows.csv", `x,name,y\n${rows.join("")}`);
  const flags = ["--data=rows.csv", "--target=y", "--missing=category"];
  const { path } = await scale(readConfig("scale", flags, { env: () => undefined, dotenv: "" }));
  const shapes = { x: [12, 3], y: [12, 1], number: [], none: [0, 4], deep: [1, 2, 1, 3] };
  const several = Object.entries(shapes).map(([name, shape]: [string, number[]]) => [
    name,
    { shape, data: new Float32Array(sizeOf(shape)).fill(0.5) },
  ]);
  await writeSafetensors("multi.safetensors", Object.fromEntries(several), { note: "several" });
  await writeSafetensors("empty.safetensors", {});
  const start = (name: string, file: string, kind: Start["kind"]) => ({ name, bytes: Deno.readFileSync(file), kind });
  return [
    start("model", "model.safetensors", "model"),
    start("model of numbers", "numbers.safetensors", "model"),
    start("scaled", path, "scaled"),
    start("multi", "multi.safetensors", "other"),
    start("empty", "empty.safetensors", "other"),
  ];
}
