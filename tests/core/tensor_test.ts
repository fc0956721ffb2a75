import { assert, assertEquals, assertThrows } from "@std/assert";
import { relu } from "../../lib/arithmetic/ops.ts";
import { readAll, Tensor, type TensorLike } from "../../lib/core/tensor.ts";
import { compute, gpuTest } from "../support/gpu_test_case.ts";

gpuTest("Tensor.from() takes numbers, arrays, rows and typed arrays", async (device) => {
  const cases: [TensorLike, number[], number[]][] = [
    [3, [], [3]],
    [[1, 2], [2], [1, 2]],
    [[[1, 2, 3], [4, 5, 6]], [2, 3], [1, 2, 3, 4, 5, 6]],
    [Float32Array.of(0.5, -1), [2], [0.5, -1]],
    [[[]], [1, 0], []],
    [[], [0], []],
  ];
  for (const [data, shape, values] of cases) {
    using tensor = Tensor.from(device, data);
    assertEquals([tensor.shape, tensor.dtype, tensor.size], [shape, "f32", values.length]);
    assertEquals(await tensor.read(), Float32Array.from(values));
  }
  using rows = Tensor.from(device, Uint32Array.of(4_294_967_295, 1), [2, 1]);
  assertEquals([rows.shape, rows.dtype], [[2, 1], "u32"]);
  assertEquals(await rows.readU32(), Uint32Array.of(4_294_967_295, 1));
});

gpuTest("tensors refuse what does not fit before they allocate, and keep their elements", async (device) => {
  using x = Tensor.from(device, [[1, 2, 3], [4, 5, 6]]);
  using out = Tensor.zeros(device, [2]);
  const allowed = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
  const cases: [() => unknown, ErrorConstructor, string][] = [
    [() => Tensor.from(device, [[1, 2], [3]]), TypeError, "Cannot make a matrix: row 0 has 2 numbers, row 1 has 1"],
    [() => Tensor.from(device, [1, 2, 3], [2, 2]), TypeError, "Cannot give shape [2, 2] to 3 numbers"],
    [
      () => Tensor.zeros(device, [2 ** 16, 2 ** 16]),
      RangeError,
      `Cannot allocate a tensor [65536, 65536]: it takes ${2 ** 34} bytes, and this device binds at most ${allowed} ` +
      "bytes at once",
    ],
    ...[1, -1, 0.5].map((offset): [() => unknown, ErrorConstructor, string] => [
      () => x.view(offset, [2, 3]),
      RangeError,
      `Cannot view [2, 3] at ${offset} of a tensor of 6 elements`,
    ]),
    [
      () => relu(out, { out: x.view(1, [2]) }),
      RangeError,
      "Cannot run relu: its result would start at byte 4 of a buffer, no multiple of 256; give it a tensor of its own",
    ],
    [() => x.reshape([4]), TypeError, "Cannot reshape [2, 3] to [4]: the sizes differ"],
    [() => x.write([1, 2, 3]), TypeError, "Cannot write [3] into a tensor [2, 3]"],
    [() => x.write(1), TypeError, "Cannot write [] into a tensor [2, 3]"],
    [() => x.write([[1, 2], [3, 4], [5, 6]]), TypeError, "Cannot write [3, 2] into a tensor [2, 3]"],
  ];
  const { allocations } = device.stats;
  for (const [run, type, text] of cases) assertEquals(assertThrows(run, type).message, text);
  assertEquals(device.stats.allocations, allocations);
  assertEquals(await x.read(), Float32Array.of(1, 2, 3, 4, 5, 6));
});

gpuTest("Tensor.zeros() gives zeros of either type", async (device) => {
  using values = Tensor.zeros(device, [2, 3]);
  using counter = Tensor.zeros(device, [1], "u32");
  assertEquals(await readAll([values, counter]), [new Float32Array(6), new Uint32Array(1)]);
});

gpuTest("Tensor.view() shares the elements from an offset on", async (device) => {
  using all = Tensor.from(device, Float32Array.from({ length: 200 }, (_, i) => i));
  const view = all.view(64, [2, 3]);
  const nested = view.view(3, [3]);
  assertEquals(await readAll([view, nested]), [Float32Array.of(64, 65, 66, 67, 68, 69), Float32Array.of(67, 68, 69)]);
  view.write([[-1, -2, -3], [-4, -5, -6]]);
  assertEquals((await all.read()).subarray(63, 71), Float32Array.of(63, -1, -2, -3, -4, -5, -6, 70));
  using positive = relu(view);
  assertEquals(await positive.read(), new Float32Array(6));
  view.dispose(); // a view frees nothing
  assertEquals((await all.read())[0], 0);
  assertEquals(await all.view(200, [0]).read(), new Float32Array());
});

gpuTest(
  "Tensor.view() at an odd offset is an operand as any other, recorded or not",
  async (device) => {
    using x = Tensor.from(device, [-1, -2, 3, 4]);
    using out = Tensor.zeros(device, [3]);
    const { dispatches } = device.stats;
    relu(x.view(1, [3]), { out });
    assertEquals(device.stats.dispatches, dispatches + 2, "a copy, and the operation");
    assertEquals(await out.read(), Float32Array.of(0, 3, 4));
    using recording = device.record(() => relu(x.view(1, [3]), { out }), { fuse: true });
    x.write([-1, 5, -6, 7]);
    recording.replay();
    assertEquals(await out.read(), Float32Array.of(5, 0, 7));
    using numbers = Tensor.from(device, Float32Array.from({ length: 130 }, (_, i) => i));
    assertEquals(await compute(device, () => relu(numbers.view(127, [3]))), Float32Array.of(127, 128, 129));
  },
);

gpuTest("Tensor.reshape() keeps the elements", async (device) => {
  using x = Tensor.from(device, [[1, 2, 3], [4, 5, 6]]);
  const y = x.reshape([3, 2]);
  assertEquals(y.shape, [3, 2]);
  assertEquals(await y.read(), Float32Array.of(1, 2, 3, 4, 5, 6));
});

gpuTest("Tensor.write() takes its own shape or flat numbers, in its own type", async (device) => {
  using x = Tensor.zeros(device, [2, 2]);
  using n = Tensor.zeros(device, [2], "u32");
  x.write([[1, 2], [3, 4]]);
  n.write([7, 8]);
  assertEquals(await readAll([x, n]), [Float32Array.of(1, 2, 3, 4), Uint32Array.of(7, 8)]);
  x.write(Float32Array.of(5, 6, 7, 8));
  assertEquals(await x.read(), Float32Array.of(5, 6, 7, 8));
});

gpuTest("dispose() frees the buffer once; the tensor and its views are refused from then on", (device) => {
  const before = { ...device.stats };
  const x = Tensor.zeros(device, [4]);
  const view = x.view(0, [2]);
  assertEquals(device.stats.buffers, before.buffers + 1);
  x.dispose();
  x.dispose();
  assertEquals([device.stats.buffers, device.stats.bytes], [before.buffers, before.bytes]);
  assertThrows(() => x.buffer, TypeError, "Cannot use a tensor [4] that was disposed of");
  assertThrows(() => view.buffer, TypeError, "Cannot use a tensor [2] that was disposed of");
  assertThrows(() => x.write([1, 2, 3, 4]), TypeError, "Cannot use a tensor [4] that was disposed of");
  assertThrows(() => device.tidy(() => relu(view)), TypeError, "that was disposed of");
});

gpuTest("readAll() reads everything in one wait", async (device) => {
  using a = Tensor.from(device, [1, 2]);
  using b = Tensor.from(device, Uint32Array.of(3));
  const { waits, submits } = device.stats;
  assertEquals(await readAll([a, b, a]), [Float32Array.of(1, 2), Uint32Array.of(3), Float32Array.of(1, 2)]);
  assertEquals([device.stats.waits - waits, device.stats.submits - submits], [1, 1]);
  assertEquals(await readAll([]), []);
  assert(device.stats.waits === waits + 1, "reading nothing waits for nothing");
});
