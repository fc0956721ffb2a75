/** Operations that are not recorded: gathered, in order, with buffers and bind groups that are used again. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { add, Device, divide, matmul, relu, scale, subtract, Tensor } from "../../mod.ts";
import { kernels } from "../../kernels/mod.ts";
import { bits, gpuTest, ramp } from "../support/gpu_test_case.ts";

gpuTest("operations go to the queue together, at a read or at the end of tidy", async (device) => {
  using x = Tensor.from(device, [-1, 2]);
  const { submits } = device.stats;
  const y = device.tidy(() => scale(relu(add(x, x)), 3));
  assertEquals(device.stats.submits, submits + 1);
  using z = add(y, y);
  using w = relu(z);
  assertEquals(device.stats.submits, submits + 1);
  assertEquals(await w.read(), Float32Array.of(0, 24));
  assertEquals(device.stats.submits, submits + 3, "the two operations, and the copy that is read");
  y.dispose();
});

gpuTest("hundreds of operations do not wait for a read", (device) => {
  using x = Tensor.from(device, [1]);
  using y = Tensor.zeros(device, [1]);
  const { submits } = device.stats;
  for (let i = 0; i < 600; i++) relu(x, { out: y });
  assertEquals(device.stats.submits, submits + 2);
});

gpuTest("what is written, copied or freed after an operation does not change its result", async (device) => {
  for (const size of [3, 400_000]) { // a small buffer is kept for reuse, a large one is destroyed
    const x = Tensor.from(device, new Float32Array(size).fill(2));
    using first = scale(x, 2);
    x.write(new Float32Array(size).fill(5));
    using second = scale(x, 2);
    device.copy(first, x);
    using third = scale(x, 2);
    x.dispose();
    using other = Tensor.from(device, new Float32Array(size).fill(9));
    const found = [first, second, third, other].map(async (tensor) => (await tensor.read()).at(-1));
    assertEquals(await Promise.all(found), [4, 10, 8, 9], `${size} numbers`);
  }
});

gpuTest("a result may go where an operand lies", async (device) => {
  using w = Tensor.from(device, [1, 2]);
  using gradient = Tensor.from(device, [10, -20]);
  device.tidy(() => subtract(w, scale(gradient, 0.5), { out: w }));
  assertEquals(await w.read(), Float32Array.of(-4, 12));
  add(w, w, { out: w });
  relu(w, { out: w });
  assertEquals(await w.read(), Float32Array.of(0, 24));
  using square = Tensor.from(device, [[1, 2], [3, 4]]);
  using recording = device.record(() => matmul(square, square, { out: square }), { fuse: true });
  recording.replay(2);
  assertEquals(await square.read(), Float32Array.of(199, 290, 435, 634));
});

/** A step by hand: what a batch leaves are the weights, which move. */
function step(device: Device, weights: Tensor, i: number): void {
  device.tidy(() => {
    const x = Tensor.from(device, [[i % 7, 1], [1, -1]]);
    const error = subtract(matmul(x, weights), Tensor.from(device, [[1], [0]]));
    subtract(weights, scale(matmul(x, error, { transposeA: true }), 0.001), { out: weights });
  });
}

gpuTest("a loop that is not recorded makes buffers and bind groups once", async (device) => {
  using weights = Tensor.from(device, [[0.5], [-0.5]]);
  for (let i = 0; i < 20; i++) step(device, weights, i);
  const before = { ...device.stats };
  for (let i = 0; i < 500; i++) step(device, weights, i);
  for (const key of ["allocations", "bindGroups", "buffers", "bytes"] as const) {
    assertEquals(device.stats[key], before[key], key);
  }
  assert((await weights.read()).every(Number.isFinite));
});

gpuTest("a factor that changes at each step leaves nothing behind", async (device) => {
  using x = Tensor.from(device, [2]);
  using y = Tensor.zeros(device, [1]);
  for (let i = 1; i <= 5_000; i++) scale(x, i, { out: y });
  assertEquals(await y.read(), Float32Array.of(10_000));
});

gpuTest("a buffer that a recording or a staging binds is nobody else's, and zeros are zeros", async (device) => {
  const x = Tensor.from(device, [3]);
  using out = Tensor.zeros(device, [1]);
  using recording = device.record(() => scale(x, 2, { out }));
  x.dispose();
  using same = Tensor.from(device, [7]); // of the same size
  assertThrows(() => recording.replay(), TypeError, "Cannot run scale: a tensor [1] was disposed of");
  const staged = same.buffer;
  const staging = device.stage([same]);
  same.dispose();
  using next = Tensor.from(device, [8]);
  assert(next.buffer !== staged);
  staging[Symbol.dispose]();
  using zeros = Tensor.zeros(device, [1]);
  assertEquals(await zeros.read(), Float32Array.of(0));
});

gpuTest("an upload inside record() is refused with the way round it; a constant is not", async (device) => {
  using x = Tensor.from(device, [1, 2]);
  using out = Tensor.zeros(device, [2]);
  const text = "Cannot write into a tensor inside `record`: a replay would not write again. Make the tensor before";
  assertThrows(() => device.record(() => add(x, Tensor.from(device, [3, 4]), { out })), TypeError, text);
  assertThrows(() => device.record(() => x.write([3, 4])), TypeError, text);
  using recording = device.record(() => add(x, Tensor.constant(device, [3, 4]), { out }));
  x.write([10, 20]);
  recording.replay();
  assertEquals(await out.read(), Float32Array.of(13, 24));
});

gpuTest(
  "a tensor that is disposed of inside record() is refused where a kernel binds it, and leaves nothing",
  async (device) => {
    using x = Tensor.from(device, [2]);
    using out = Tensor.zeros(device, [1]);
    const withUsing = () => {
      using double = scale(x, 2);
      relu(double, { out });
    };
    assertThrows(() => device.record(withUsing), TypeError, "Cannot use a tensor [1] that was disposed of");
    using recording = device.record(() => {
      Tensor.zeros(device, [5]).dispose(); // no kernel binds it
      scale(x, 3, { out });
    });
    recording.replay();
    assertEquals(await out.read(), Float32Array.of(6));
  },
);

gpuTest("a narrow product packs nothing unless it is recorded, and gives the same bits", async () => {
  using device = await Device.request({ smallDispatches: true, products: "blocks" });
  using a = Tensor.from(device, ramp([900, 2]), [900, 2]);
  using b = Tensor.from(device, ramp([2, 2]), [2, 2]); // 3,600 multiplications
  using c = Tensor.from(device, ramp([2, 3]), [2, 3]); // 5,400
  using recording = device.record(() => [matmul(a, b), matmul(a, c)]);
  const dispatches = (body: () => void) => {
    const before = device.stats.dispatches;
    device.tidy(body);
    return device.stats.dispatches - before;
  };
  assertEquals(dispatches(() => void matmul(a, b)), 1);
  assert(dispatches(() => void matmul(a, c)) > 1);
  assert(recording.length > 4);

  using out = Tensor.zeros(device, [900, 2]);
  using once = matmul(a, b);
  using recorded = device.record(() => void matmul(a, b, { out }));
  recorded.replay();
  assertEquals(bits(await once.read()), bits(await out.read()));
});

gpuTest("-0 is not 0, though their texts are the same", async (device) => {
  using x = Tensor.from(device, [1]);
  using out = Tensor.zeros(device, [1]);
  for (const [divisor, expected] of [[0, Infinity], [-0, -Infinity], [0, Infinity]]) {
    divide(x, divisor, { out });
    assertEquals(await out.read(), Float32Array.of(expected));
  }
});

gpuTest("large products do not pile up what they pack", async () => {
  using device = await Device.request({ smallDispatches: true, products: "blocks" });
  using w = Tensor.zeros(device, [1024, 1024]);
  using x = Tensor.zeros(device, [1, 1024]);
  using y = Tensor.zeros(device, [1, 1024]);
  for (let i = 0; i < 60; i++) matmul(x, w, { out: y }); // 4 MiB of texture each
  assert(device.stats.submits >= 3, `${device.stats.submits} submits`);
  await y.read();
});

gpuTest(
  "zeros are made of freed buffers, and rare sizes do not fill the pool",
  async (device) => {
    using one = Tensor.from(device, [1]);
    for (let i = 0; i < 5; i++) Tensor.full(device, [3], 7).dispose();
    const before = device.stats.allocations;
    for (let i = 0; i < 100; i++) {
      using zeros = Tensor.zeros(device, [3]);
      using sum = add(zeros, zeros);
      if (i === 99) assertEquals(await sum.read(), new Float32Array(3));
    }
    assert(device.stats.allocations - before <= 3, `${device.stats.allocations - before} allocations`);
    const rare = Array.from({ length: 70 }, () => Tensor.empty(device, [1 << 18])); // 70 MiB
    for (const tensor of rare) tensor.dispose();
    const loop = () => device.tidy(() => void add(add(one, one), one));
    for (let i = 0; i < 5; i++) loop();
    const { allocations } = device.stats;
    for (let i = 0; i < 50; i++) loop();
    assertEquals(device.stats.allocations, allocations);
  },
);

gpuTest("what throws in the middle leaves no buffer", (device) => {
  using x = Tensor.from(device, [1, 2, 3]);
  const gone = Tensor.from(device, [1, 2, 3]);
  gone.dispose();
  const { buffers } = device.stats;
  const dispatch = { sizes: [2], invocations: 2 ** 50 };
  const tooMany = () => device.run(kernels.relu, { buffers: [x.view(1, [2]), x.view(0, [2])], ...dispatch });
  const cases: [() => unknown, string][] = [
    [() => add(x, gone), "that was disposed of"],
    [tooMany, "a dispatch has at most"],
    [() => device.record(() => void (relu(x), tooMany())), "a dispatch has at most"],
  ];
  for (const [run, text] of cases) assertThrows(run, Error, text);
  assertEquals(device.stats.buffers, buffers);
});
