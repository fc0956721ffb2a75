import { assert, assertEquals, assertThrows } from "@std/assert";
import { Linear, ReLU } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { add, relu, scale, sum } from "../../lib/arithmetic/ops.ts";
import { Sgd } from "../../lib/core/optimizers.ts";
import { Recording } from "../../lib/gpu/recording.ts";
import { readAll, Tensor } from "../../lib/core/tensor.ts";
import { bits, gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

gpuTest("record() runs nothing yet; replay() runs it as often as asked", async (device) => {
  using counter = Tensor.from(device, [0]);
  using one = Tensor.from(device, [1]);
  using next = Tensor.zeros(device, [1]);
  const { dispatches } = device.stats;
  using recording = device.record(() => {
    add(counter, one, { out: next });
    scale(next, 1, { out: counter });
  });
  assertEquals([recording.length, device.stats.dispatches], [2, dispatches]);
  assertEquals(await counter.read(), Float32Array.of(0));
  recording.replay();
  recording.replay(0);
  recording.replay(3_000); // more than one submission holds
  assertEquals(await counter.read(), Float32Array.of(3_001));
  assertEquals(device.stats.dispatches, dispatches + 2 * 3_001);
});

gpuTest("replay() makes no buffer and no bind group, and does not wait", (device) => {
  using x = Tensor.from(device, [-1, 2]);
  using recording = device.record(() => void sum(relu(scale(x, 2))));
  const { allocations, bindGroups, waits, dispatches } = device.stats;
  recording.replay(500);
  assertEquals(device.stats.dispatches, dispatches + 1_500);
  const { stats } = device;
  assertEquals([stats.allocations, stats.bindGroups, stats.waits], [allocations, bindGroups, waits]);
});

gpuTest("replay() gives the same bits as running unrecorded", async (device) => {
  const layers = () => [new Linear(3, 70), new ReLU(), new Linear(70, 2)];
  using x = upload(device, randomMatrix(9, 3));
  using target = upload(device, randomMatrix(9, 2));
  const results: Uint32Array[] = [];
  for (const recorded of [true, false]) {
    using model = new Model(device, layers());
    using optimizer = new Sgd(model, 0.05);
    const step = () => {
      const prediction = model.forward(x);
      model.backward(mse.backward(prediction, target));
      optimizer.step();
    };
    if (recorded) {
      using recording = device.record(step);
      recording.replay(20);
    } else {
      for (let i = 0; i < 20; i++) device.tidy(step);
    }
    results.push(...(await readAll([model.values, model.gradients])).map(bits));
  }
  assertEquals(results[0], results[2]);
  assertEquals(results[1], results[3]);
});

gpuTest("a recording owns what was made in it, tidy or not, until it is disposed of", async (device) => {
  using x = Tensor.from(device, [-1, 2]);
  const { buffers } = device.stats;
  let out: Tensor | undefined;
  const recording = device.record(() => {
    out = device.tidy(() => scale(relu(x), 3));
  });
  recording.replay();
  assertEquals(await out!.read(), Float32Array.of(0, 6));
  assert(device.stats.buffers > buffers);
  recording.dispose();
  recording.dispose(); // a second time frees nothing more
  assertEquals(device.stats.buffers, buffers);
  assertThrows(() => recording.replay(), TypeError, "Cannot replay a recording that was disposed of");
});

gpuTest("replay() sees what was written between replays", async (device) => {
  using x = Tensor.from(device, [-1, 2]);
  let out: Tensor | undefined;
  using recording = device.record(() => {
    out = relu(x);
  });
  for (const values of [[-1, 2], [3, -4], [5, 6]]) {
    x.write(values);
    recording.replay();
    assertEquals([...await out!.read()], values.map((value) => Math.max(0, value)));
  }
});

Deno.test("Recording cuts a replay into submissions of bounded length", () => {
  const submissions: number[] = [];
  const submit = (times: number) => submissions.push(times);
  new Recording([{ length: 1_000, submit }], []).replay(5);
  new Recording([{ length: 5_000, submit }], []).replay(2); // longer than the bound: one replay each
  new Recording([{ length: 0, submit }], []).replay(2);
  assertEquals(submissions, [2, 2, 1, 1, 1, 2]);
});
