import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Linear, ReLU } from "../../lib/core/layers.ts";
import { Model } from "../../lib/core/model.ts";
import { Predictor } from "../../lib/evaluate/predictor.ts";
import { referenceMse } from "../../lib/reference/mod.ts";
import { ArrayRows } from "../../lib/data/row_source.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

gpuTest("predict() agrees with the float64 model, row by row", async (device) => {
  using model = new Model(device, [new Linear(3, 9), new ReLU(), new Linear(9, 2)]);
  const twin = await model.reference(referenceMse);
  const rows = randomMatrix(37, 3);
  using predictor = new Predictor(model, 3, 37);
  using x = upload(device, rows);
  assertClose(await predictor.predict(x), twin.forward(rows).data, { rtol: 1e-5, atol: 1e-5 });
});

gpuTest("predict() goes over more rows than a chunk holds, with one wait", async (device) => {
  // A hidden width of 2^14 leaves 64 rows to a chunk.
  using model = new Model(device, [new Linear(1, 2 ** 14), new Linear(2 ** 14, 1)]);
  const rows = 150;
  const hidden = (value: number) => new Float32Array(2 ** 14).fill(value);
  model.load({ "0.weight": hidden(1), "0.bias": hidden(0), "1.weight": hidden(2 ** -14), "1.bias": [1] });
  const values = Float32Array.from({ length: rows }, (_, i) => i - 70);
  using x = Tensor.from(device, values, [rows, 1]);
  using predictor = new Predictor(model, 1, rows);
  const { waits, bytes, dispatches } = device.stats;
  assertEquals(await predictor.predict(x), values.map((v) => v + 1));
  assertEquals([device.stats.waits - waits, device.stats.bytes], [1, bytes]);
  // Three chunks of two products with their biases. A kernel packs the column of rows; that of weights is copied as a row.
  assertEquals(device.stats.dispatches - dispatches, 3 * 3);
});

gpuTest("predict() sees the weights of each call, and takes fewer rows than announced", async (device) => {
  using model = new Model(device, [new Linear(1, 1)]);
  using predictor = new Predictor(model, 1, 100);
  using x = Tensor.from(device, [[1], [2]]);
  for (const weight of [3, -5]) {
    model.load({ "0.weight": [weight], "0.bias": [1] });
    assertEquals([...await predictor.predict(x)], [weight + 1, 2 * weight + 1]);
  }
  using none = Tensor.zeros(device, [0, 1]);
  assertEquals(await predictor.predict(none), new Float32Array());
});

gpuTest("predictBlocks() gives what predict() does, block by block, and reads one block ahead", async (device) => {
  // 2^13 inputs leave 128 rows to a block.
  const rows = 300;
  const inputs = 2 ** 13;
  const log: string[] = [];
  using model = new Model(device, [new Linear(inputs, 2)]);
  const x = Float32Array.from({ length: rows * inputs }, (_, i) => i % 7 - 3);
  const y = Float32Array.from({ length: 2 * rows }, (_, i) => i);
  const memory = new ArrayRows(x, y, inputs);
  const read = (start: number, count: number) => (log.push(`read ${start}`), memory.read(start, count));
  const source = { rows, inputs, targets: 2, read };
  using predictor = new Predictor(model, inputs, rows);
  using all = Tensor.from(device, x, [rows, inputs]);
  const { bytes } = device.stats;
  const outputs: number[] = [];
  const targets: number[] = [];
  for await (const block of predictor.predictBlocks(source)) {
    outputs.push(...block.output);
    targets.push(...block.y);
    log.push(`block of ${block.y.length / 2}`);
  }
  assertEquals(outputs, [...await predictor.predict(all)]);
  assertEquals(targets, [...y]);
  assertEquals(log, ["read 0", "read 128", "block of 128", "read 256", "block of 128", "block of 44"]);
  assertEquals(device.stats.bytes, bytes);
});

gpuTest("predictBlocks() that is left early, or whose source fails, leaves nothing behind", async (device) => {
  const rows = 3_000_000;
  const zeros = new Float32Array(rows);
  const memory = new ArrayRows(zeros, zeros, 1);
  using model = new Model(device, [new Linear(1, 1)]);
  using predictor = new Predictor(model, 1, rows);
  const { buffers } = device.stats;
  let underWay = 0;
  const read = async (start: number, count: number) => {
    underWay++;
    await new Promise((resolve) => setTimeout(resolve, 50 + start / 4_000));
    underWay--;
    if (start > 2 ** 20) throw new Error("the disk is gone");
    return await memory.read(start, count);
  };
  const source = { rows, inputs: 1, targets: 1, read };
  for await (const _ of predictor.predictBlocks(source)) break;
  assertEquals([underWay, device.stats.buffers], [0, buffers]);
  let blocks = 0;
  const count = async () => {
    for await (const _ of predictor.predictBlocks(source)) blocks++;
  };
  await assertRejects(count, Error, "the disk is gone");
  assertEquals([blocks, underWay, device.stats.buffers], [2, 0, buffers]);
});

gpuTest("a Predictor refuses inputs that its model does not take, and leaves nothing behind", async (device) => {
  using model = new Model(device, [new Linear(2, 1)]);
  const { buffers } = device.stats;
  assertThrows(() => new Predictor(model, 3, 4), TypeError, "Cannot feed 3 values a row to Linear [2, 1]: it takes 2");
  assertEquals(device.stats.buffers, buffers);
  using predictor = new Predictor(model, 2, 4);
  for (const shape of [[4, 3], [2]]) {
    using x = Tensor.zeros(device, shape);
    const text = `Cannot predict from x [${shape.join(", ")}]: need [rows, 2]`;
    await assertRejects(() => predictor.predict(x), TypeError, text);
  }
});

gpuTest("a Predictor makes a chunk no larger than the rows asked for", (device) => {
  using model = new Model(device, [new Linear(1, 64)]);
  const { bytes } = device.stats;
  using _predictor = new Predictor(model, 1, 10);
  // Input, product and bias of ten rows, and their sizes.
  assert(device.stats.bytes - bytes < 4 * (10 + 2 * 640) + 200, `${device.stats.bytes - bytes} bytes`);
});

gpuTest("a Predictor shows all members the same rows, and combines what they put out", async (device) => {
  // A hidden width of 2^14 leaves 16 rows of four members to a chunk.
  const wide = 2 ** 14;
  const members = 4;
  using model = new Model(device, [new Linear(1, wide, { members }), new Linear(wide, 1, { members })]);
  const each = (values: number[], size: number) =>
    Float32Array.from(values.flatMap((value) => Array(size).fill(value)));
  model.load({
    "0.weight": each([1, 2, 3, -2], wide),
    "0.bias": each([0, 0, 0, 0], wide),
    "1.weight": each([1 / wide, 1 / wide, 1 / wide, 1 / wide], wide),
    "1.bias": [0, 1, 2, 3],
  });
  const values = Float32Array.from({ length: 37 }, (_, i) => i - 20);
  using x = Tensor.from(device, values, [37, 1]);
  using predictor = new Predictor(model, 1, 37, "mse");
  const predicted = await predictor.predictEach(x);
  const { output, own } = predicted;
  assert(predicted.output === output, "members are combined once, however often the output is read");
  assertClose(own, [1, 2, 3, -2].flatMap((slope, member) => [...values].map((v) => slope * v + member)), {
    rtol: 1e-5,
  });
  assertClose(output, [...values].map((v) => v + 1.5), { rtol: 1e-5 });
  assertEquals(await predictor.predict(x), output);
  const blocks = await Array.fromAsync(predictor.predictBlocks(new ArrayRows(values, values, 1)));
  assertEquals(blocks, [{ output, own, y: values }]);
  assertThrows(() => new Predictor(model, 1, 37), TypeError, "Cannot combine 4 members");
});
