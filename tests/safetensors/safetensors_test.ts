import { assertEquals, assertRejects } from "@std/assert";
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from "../../lib/safetensors/reader.ts";
import { SafetensorsWriter } from "../../lib/safetensors/writer.ts";
import { fileOf, inFolder } from "../support/temp_files.ts";
import { permitted } from "../support/permitted.ts";

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

/** Registers a test that has a path in a folder of its own. */
function fileTest(name: string, body: (path: string, folder: string) => Promise<void>): void {
  permitted(name, () => inFolder((folder) => body(`${folder}/a.safetensors`, folder)));
}

fileTest("writeSafetensors() writes the bytes that the format describes", async (path, folder) => {
  await writeSafetensors(path, { b: { shape: [1, 2], data: Float32Array.of(1, -2) } }, { k: "v" });
  const header = '{"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}       ';
  assertEquals(header.length % 8, 0);
  assertEquals(await Deno.readFile(path), fileOf(header, [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]));
  assertEquals(await namesIn(folder), ["a.safetensors"]);
});

fileTest("readSafetensors() gives back all shapes, values and texts", async (path) => {
  const tensors = {
    matrix: { shape: [2, 3], data: Float32Array.of(1, 2, 3, NaN, -0, Infinity) },
    none: { shape: [0, 4], data: new Float32Array(0) },
    number: { shape: [], data: Float32Array.of(7) },
    'ü"{': { shape: [1], data: Float32Array.of(8) },
  };
  const metadata = { text: 'line\n"quoted": {', empty: "" };
  await writeSafetensors(path, tensors, metadata);
  const read = await readSafetensors(path);
  assertEquals(Object.fromEntries(read.tensors), tensors);
  assertEquals(read.metadata, metadata);
  const { shapes } = await readSafetensorsHeader(path);
  assertEquals([...shapes], Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
});

fileTest("SafetensorsWriter takes pieces in any order, larger than its buffer too", async (path) => {
  const [a, b] = [0, 1].map((start) => Float32Array.from({ length: 200_003 }, (_, i) => start + i));
  await using writer = await SafetensorsWriter.create(path, { a: [200_003], b: [200_003, 1] });
  for (let from = 0; from < a.length; from += 7919) {
    await writer.append("b", b.slice(from, from + 7919));
    if (from === 0) await writer.append("a", a.slice(0, 150_000));
  }
  await writer.append("a", a.slice(150_000));
  await writer.close();
  const { tensors } = await readSafetensors(path);
  // One comparison of numbers is quicker than one of 200,003.
  assertEquals(tensors.get("a")!.data.findIndex((value, i) => value !== a[i]), -1);
  assertEquals(tensors.get("b")!.data.findIndex((value, i) => value !== b[i]), -1);
});

fileTest("SafetensorsWriter leaves the file before it alone unless it is closed", async (path, folder) => {
  await Deno.writeTextFile(path, "old");
  {
    await using writer = await SafetensorsWriter.create(path, { a: [3] });
    await writer.append("a", Float32Array.of(1, 2));
    assertEquals(await namesIn(folder), ["a.safetensors", "a.safetensors.partial"]);
    await assertRejects(() => writer.close(), TypeError, `Cannot close ${path}: a got 2 of 3 values`);
  }
  assertEquals(await namesIn(folder), ["a.safetensors"]);
  assertEquals(await Deno.readTextFile(path), "old");
});

fileTest("SafetensorsWriter refuses what was not declared", async (path) => {
  await using writer = await SafetensorsWriter.create(path, { a: [2] });
  await assertRejects(() => writer.append("b", Float32Array.of(1)), TypeError, '"b": it was not declared');
  const tooMany = Float32Array.of(1, 2, 3);
  await assertRejects(() => writer.append("a", tooMany), TypeError, "a: 3 values, and its shape holds 2");
  await assertRejects(() => SafetensorsWriter.create(path, { __metadata__: [1] }), TypeError, "bad name or shape");
  await assertRejects(() => SafetensorsWriter.create(path, { a: [1.5] }), TypeError, '"a" [1.5]');
});
