/** No number leaves a device before the kernels in use were examined, where somebody examines them. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { add, relu, scale, sum } from "../../lib/arithmetic/ops.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { Device } from "../../lib/gpu/device.ts";

Deno.test("each read waits for the examiner, who is told each kernel once and in each form", async () => {
  using device = await Device.request({ smallDispatches: true });
  using x = Tensor.from(device, [1, -2, 3]);
  using fours = Tensor.from(device, [1, 2, 3, 4]);
  assertEquals(await scale(x, 2).read(), Float32Array.of(2, -4, 6)); // nobody examines yet
  const told: string[][] = [];
  const order: string[] = [];
  let go = () => {};
  device.examineWith(async (kernels) => {
    told.push(kernels.map(({ name }) => name));
    await new Promise<void>((resolve) => go = resolve);
    order.push("examined");
  });
  const reads = [relu(x), sum(x)].map((y) => y.read().then(() => order.push("read")));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals([told, order], [[["scale", "relu", "sum"]], []]);
  go();
  await Promise.all(reads);
  assertEquals(order, ["examined", "read", "read"]);

  await relu(x).read();
  assertEquals(told.length, 1);
  const read = add(x, x).read(); // and one element at a time is another form than four
  await new Promise((resolve) => setTimeout(resolve, 20));
  go();
  await read;
  const more = add(fours, fours).read();
  await new Promise((resolve) => setTimeout(resolve, 20));
  go();
  await more;
  assertEquals(told.slice(1), [["add"], ["add"]]);
});

Deno.test("a recording's kernels are examined before it is replayed; what a test runs is not in use", async () => {
  using device = await Device.request({ smallDispatches: true });
  using x = Tensor.from(device, [1, -2, 3]);
  using y = Tensor.zeros(device, [3]);
  const told: string[] = [];
  device.examineWith(async (kernels) => {
    told.push(...kernels.map(({ name }) => name));
    const { result, kernels: ran } = device.test(() => relu(x));
    assertEquals([...ran].map(({ name }) => name), ["relu"]);
    assertThrows(() => device.test(() => scale(x, 1, { out: x.view(0, [2]) })));
    await device.read([result], false); // does not wait for itself
    result.dispose();
  });
  using recording = device.record(() => void scale(x, 3, { out: y }));
  await device.examine();
  assertEquals(told, ["scale"]);
  recording.replay();
  assertEquals(await y.read(), Float32Array.of(3, -6, 9));
  assertEquals(told, ["scale"]);
});

Deno.test("what the examiner throws, each read throws from then on", async () => {
  using device = await Device.request({ smallDispatches: true });
  using x = Tensor.from(device, [1, -2, 3]);
  device.examineWith(() => Promise.reject(new RangeError("wrong")));
  assertEquals(await x.read(), Float32Array.of(1, -2, 3)); // no kernel had a part in it
  using y = relu(x);
  for (let time = 0; time < 2; time++) await assertRejects(() => y.read(), RangeError, "wrong");
  await assertRejects(() => x.read(), RangeError, "wrong");
  using staging = device.stage([y]);
  await assertRejects(() => staging.read(() => {}), RangeError, "wrong");
});
