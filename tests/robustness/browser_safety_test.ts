/** What lets the library run in a browser: files in memory, and nothing at the top of a module that only Deno has. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parseRecords } from "../../lib/data/csv_records.ts";
import { DataError } from "../../lib/base/errors.ts";
import { multilayerPerceptron } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { decodeModel, encodeModel } from "../../lib/model_file/bytes.ts";
import { decodeSafetensors, encodeSafetensors } from "../../lib/safetensors/bytes.ts";
import { readSafetensors, writeSafetensors } from "../../lib/safetensors/reader.ts";
import { blocksDispatch, tilesDispatch } from "../../lib/gpu/product.ts";
import { type ModelDescription, SavedModel, saveModel } from "../../lib/model_file/saved_model.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import { numericTable } from "../../lib/data/table.ts";
import { readSources } from "../../tasks/gate/sources.ts";
import { permittedGpuTest } from "../support/gpu_test_case.ts";
import { permitted } from "../support/permitted.ts";
import { temporaryFile } from "../support/temp_files.ts";

const TENSORS = {
  empty: { shape: [0, 3], data: new Float32Array(0) },
  matrix: { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 1e-38, 5, -0) },
  number: { shape: [], data: Float32Array.of(7) },
};

permitted("encodeSafetensors() gives the bytes of a file, decodeSafetensors() what is read from it", async () => {
  await using file = await temporaryFile("a.safetensors");
  const texts = { note: 'ä, "quoted"' };
  await writeSafetensors(file.path, TENSORS, texts);
  const bytes = encodeSafetensors(TENSORS, texts);
  assertEquals(bytes, await Deno.readFile(file.path));
  assertEquals(decodeSafetensors(bytes), await readSafetensors(file.path));
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3); // a view that starts anywhere
  assertEquals(decodeSafetensors(shifted.subarray(3)).tensors.get("matrix"), TENSORS.matrix);
});

Deno.test("encodeSafetensors() refuses values that do not fill their shape", () => {
  const tensors = { bias: { shape: [3], data: Float32Array.of(1) } };
  const says = "Cannot encode bias: it has 1 values, and its shape holds 3";
  assertThrows(() => encodeSafetensors(tensors), TypeError, says);
});

Deno.test("decodeSafetensors() refuses bytes cut short anywhere, and others", () => {
  const bytes = encodeSafetensors(TENSORS);
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => decodeSafetensors(bytes.subarray(0, length), "a.safetensors"), DataError, "a.safetensors");
  }
  assertThrows(() => decodeSafetensors(new Uint8Array(100).fill(255), "b"), DataError, "not a safetensors file");
});

permittedGpuTest(
  "encodeModel() gives what saveModel() writes, decodeModel() what SavedModel.load() does",
  async (device) => {
    using model = new Model(device, multilayerPerceptron(1, [3], 1, { activation: "leaky-relu" }));
    const column = (name: string) => ({ name, min: 0, max: 10, mean: 5, deviation: 2 });
    const description: ModelDescription = {
      table: numericTable(["x"], ["y"]),
      features: ["x"],
      targets: ["y"],
      scalers: { inputs: new Scaler("standardize", [column("x")]), targets: new Scaler("minmax", [column("y")]) },
      loss: mse,
      settings: { HIDDEN_SIZE: "3" },
    };
    await using file = await temporaryFile("model.safetensors");
    await saveModel(file.path, model, description);
    const bytes = await encodeModel(model, description);
    assertEquals(bytes, await Deno.readFile(file.path));
    using one = decodeModel(device, bytes);
    using other = await SavedModel.load(device, file.path);
    assertEquals(await one.predict([1, 2, 3]), await other.predict([1, 2, 3]));
    assertEquals(one.description.versions?.deno, Deno.version.deno);
    const tensors = encodeSafetensors(TENSORS);
    assertThrows(() => decodeModel(device, tensors, "x.safetensors"), DataError, "x.safetensors: this is no model");
  },
);

permitted("parseRecords() reads a text as readRecords() reads a file, and names it in faults", async () => {
  const [block] = await Array.fromAsync(parseRecords('a;b\n1;"x;y"\n\n2;z\n'));
  assertEquals([block.columns, block.records], [["a", "b"], [["1", "x;y"], ["2", "z"]]]);
  assertEquals([block.lineOf(0), block.lineOf(1)], [2, 4]);
  const faults = [["", "the file is empty"], ["a,b\n", "no rows after"], ["a,b\n1\n", "this row has 1 cell"]];
  for (const [text, says] of faults) {
    await assertRejects(() => Array.fromAsync(parseRecords(text, { name: "pasted" })), DataError, says);
  }
});

permitted("no module of lib imports what only Deno has, but in a function", async () => {
  for (const [name, text] of await readSources("lib")) {
    assertEquals(text.match(/^(import|export)\b[^;]*from "(node:[^"]*)"/m)?.[2], undefined, name);
  }
});

Deno.test("blocksDispatch() and tilesDispatch() bind no place twice for writing, which browsers refuse", () => {
  const place = (label: string) => ({ buffer: { label } as GPUBuffer, byteOffset: 0, byteLength: 16 });
  const texture = {} as GPUTexture;
  const unused = {
    read: place("read"),
    out: place("out"),
    out4: place("out4"),
    sums: place("sums"),
    texels: {} as GPUTexture,
  };
  for (const n of [4, 5]) {
    for (const sums of [undefined, place("own sums")]) {
      const sides = { a: place("a"), b: place("b"), transposeA: false, transposeB: false, sums };
      const whole = {
        groups: 1,
        m: 8,
        n,
        k: 8,
        ...sides,
        out: place("result"),
        activation: "none",
        derivative: "none",
      } as const;
      const dispatches = [
        blocksDispatch(whole, { a: texture, b: texture }, unused),
        blocksDispatch(whole, { a: texture, b: texture, out: {} as GPUTexture }, unused),
        tilesDispatch(whole, unused),
      ];
      for (const { kernel, resources } of dispatches) {
        const written = resources.filter((_, i) => /write/.test(kernel.access[i]));
        assertEquals(new Set(written).size, written.length, kernel.name);
      }
    }
  }
});
