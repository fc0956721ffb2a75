/** Lesson 8: it runs, its check finds it unfinished, the solution passes, and planted bugs are named. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Device, matmul, mse, sgdStep, Tensor } from "../../../mod.ts";
import { check, hints, type Lesson } from "../../../tasks/lessons/checks/08_fast.ts";
import { judge, LESSONS } from "../../../tasks/lessons/course.ts";
import * as solution from "../../../tasks/lessons/solutions/08_fast.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";

type Batches = Parameters<Lesson["trainLine"]>[2];

function learn(w: Tensor, x: Tensor, y: Tensor): void {
  sgdStep(w, matmul(x, mse.backward(matmul(x, w), y), { transposeA: true }), 0.1);
}

permittedGpuTest("lesson 8 measures four ways that end at one loss, and its exercise is unfinished", async (device) => {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  try {
    const lesson = await import("../../../tasks/lessons/08_fast.ts");
    const wrong = await check(device, lesson);
    assertEquals(wrong.length, 2);
    for (const sentence of wrong) assertStringIncludes(sentence, "every step saw batch 0");
  } finally {
    console.log = log;
  }
  const ways = lines.filter((line) => line.includes("steps/s"));
  assertEquals(ways.map((line) => line.split("loss of step 100: ")[1]), Array(4).fill("0.1831"));
  assertEquals(hints.length, 3);
});

permittedGpuTest("lesson 8, solved, passes its check", async (device) => {
  assertEquals(await check(device, solution), []);
});

permittedGpuTest(
  "lesson 8's check names an upload inside record, late replays, many recordings and what is left",
  async (device) => {
    const upload = (device: Device, w: Tensor, [{ x, y }]: Batches) => {
      device.record(() => learn(w, Tensor.from(device, x), Tensor.from(device, y)));
    };
    assertStringIncludes(
      (await judge(device, LESSONS[7], () => Promise.resolve({ trainLine: upload }))).join("\n"),
      "08_fast.ts: Cannot write into",
    );

    const late = (device: Device, w: Tensor, batches: Batches) => {
      using x = Tensor.zeros(device, [batches[0].x.length, 1]);
      using y = Tensor.zeros(device, [batches[0].x.length, 1]);
      using recording = device.record(() => learn(w, x, y));
      for (const batch of batches) {
        x.write(batch.x);
        y.write(batch.y);
      }
      recording.replay(batches.length);
    };
    assertStringIncludes((await check(device, { trainLine: late }))[0], "every step saw the last batch");

    const many = (device: Device, w: Tensor, batches: Batches) => {
      for (const { x, y } of batches) {
        using recording = device.record(() => learn(w, Tensor.constant(device, x), Tensor.constant(device, y)));
        recording.replay();
      }
    };
    assertEquals(
      await check(device, { trainLine: many }),
      [6, 3].map((count) => {
        return `record was called ${count} times: record once, before the loop over the batches.`;
      }),
    );

    const unrecorded = (device: Device, w: Tensor, batches: Batches) => {
      for (const { x, y } of batches) device.tidy(() => learn(w, Tensor.from(device, x), Tensor.from(device, y)));
    };
    assertStringIncludes((await check(device, { trainLine: unrecorded }))[0], "Nothing was recorded");

    const kept: Disposable[] = [];
    const leaky = (device: Device, w: Tensor, batches: Batches) => {
      kept.push(Tensor.zeros(device, [1]));
      solution.trainLine(device, w, batches);
    };
    assertEquals(await check(device, { trainLine: leaky }), [
      "Buffers left behind: 1. Declare the recording and the tensors you make with `using`.",
    ]);
    for (const tensor of kept) tensor[Symbol.dispose]();
  },
);
