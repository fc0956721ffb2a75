import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DataError } from "../../lib/base/errors.ts";
import { ArrayRows } from "../../lib/data/row_source.ts";
import { writeSafetensors } from "../../lib/safetensors/reader.ts";
import { SafetensorsRows } from "../../lib/safetensors/rows.ts";
import { ramp } from "../support/gpu_test_case.ts";
import { inFolder } from "../support/temp_files.ts";
import { permitted } from "../support/permitted.ts";

const tensor = (...shape: number[]) => ({ shape, data: ramp(shape) });

async function withFile(tensors: Record<string, ReturnType<typeof tensor>>, body: (path: string) => Promise<void>) {
  await inFolder(async (folder) => {
    await writeSafetensors(`${folder}/rows.safetensors`, tensors);
    await body(`${folder}/rows.safetensors`);
  });
}

permitted("SafetensorsRows reads any range as ArrayRows does, asked for at once too", async () => {
  // Before and between the matrices lie others.
  const tensors = { a: tensor(5), x: tensor(37, 3), b: tensor(2, 2), y: tensor(37, 2), z: tensor() };
  const memory = new ArrayRows(tensors.x.data, tensors.y.data, 3);
  await withFile(tensors, async (path) => {
    using file = await SafetensorsRows.open(path, "x", "y");
    assertEquals([file.rows, file.inputs, file.targets], [37, 3, 2]);
    assertEquals([memory.rows, memory.inputs, memory.targets], [37, 3, 2]);
    const ranges = [[0, 37], [0, 1], [36, 1], [5, 20], [37, 0], [12, 3]];
    const read = (of: typeof file | ArrayRows) => Promise.all(ranges.map(([start, count]) => of.read(start, count)));
    assertEquals(await read(file), await read(memory));
    for (const [start, count] of [[-1, 2], [36, 2], [0, 38], [NaN, 1]]) {
      const text = `Cannot read ${count} rows from row ${start}: ${path} has 37`;
      await assertRejects(() => file.read(start, count), RangeError, text);
    }
    assertEquals(await file.read(0, 2), await memory.read(0, 2), "a refusal ends no turn");
    file.dispose(); // a second time closes nothing more
  });
});

permitted("SafetensorsRows says what the file lacks", async () => {
  await withFile({ x: tensor(4, 2), y: tensor(3, 1), flat: tensor(4) }, async (path) => {
    const refuse = (x: string, y: string, text: string) =>
      assertRejects(() => SafetensorsRows.open(path, x, y), DataError, `${path}: ${text}`);
    await refuse("x", "y", "x has 4 rows, y has 3");
    await refuse("x", "w", "tensor w is missing, need a matrix");
    await refuse("flat", "y", "tensor flat is [4], need a matrix");
    await assertRejects(() => SafetensorsRows.open(`${path}.not`, "x", "y"), Deno.errors.NotFound);
  });
});

permitted("SafetensorsRows tells a file that was cut short since it was opened", async () => {
  await withFile({ x: tensor(4, 1), y: tensor(4, 1) }, async (path) => {
    using file = await SafetensorsRows.open(path, "x", "y");
    await Deno.truncate(path, (await Deno.stat(path)).size - 4);
    await assertRejects(() => file.read(0, 4), DataError, `${path}: cut short: the file ends too early`);
    assertEquals((await file.read(0, 3)).y.length, 3);
  });
});

Deno.test("ArrayRows refuses arrays that hold no whole rows", () => {
  for (const [x, y, inputs] of [[5, 2, 2], [4, 3, 2], [4, 2, 0], [0, 3, 0]]) {
    const make = () => new ArrayRows(new Float32Array(x), new Float32Array(y), inputs);
    assertThrows(make, TypeError, `Cannot make rows of ${x} inputs and ${y} targets: a row has ${inputs} inputs`);
  }
});
