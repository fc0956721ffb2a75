/** Lesson 9: it runs, its check finds it unfinished, the solution passes, and planted bugs are named. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Kernel, multiply, sigmoid, Tensor } from "../../../mod.ts";
import { check, hints } from "../../../tasks/lessons/checks/09_own_layer.ts";
import { judge, LESSONS } from "../../../tasks/lessons/course.ts";
import * as solution from "../../../tasks/lessons/solutions/09_own_layer.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";

/** The solution's kernel with another formula, or another number of invocations. */
function planted(formula: string, invocations = Infinity): (x: Tensor, dOut: Tensor) => Tensor {
  const kernel: Kernel = {
    name: "softplusBackward",
    access: ["read", "read", "read_write"],
    code: `
      @group(0) @binding(0) var<storage, read> x: array<f32>;
      @group(0) @binding(1) var<storage, read> dOut: array<f32>;
      @group(0) @binding(2) var<storage, read_write> dx: array<f32>;
      @group(0) @binding(3) var<uniform> count: u32;
      @compute @workgroup_size(64)
      fn main(@builtin(global_invocation_id) id: vec3u) {
        if (id.x < count) { let i = id.x; dx[i] = ${formula}; }
      }`,
  };
  return (x, dOut) => {
    const dx = Tensor.zeros(x.device, x.shape);
    x.device.run(kernel, { buffers: [x, dOut, dx], sizes: [x.size], invocations: Math.min(x.size, invocations) });
    return dx;
  };
}

permittedGpuTest(
  "lesson 9 trains with a layer of its own, as by hand, and its exercise is unfinished",
  async (device) => {
    const lines: string[] = [];
    const { log } = console;
    console.log = (...words: string[]) => lines.push(words.join(" "));
    try {
      const lesson = await import("../../../tasks/lessons/09_own_layer.ts");
      assertStringIncludes((await check(device, lesson)).join("\n"), "dx");
    } finally {
      console.log = log;
    }
    const text = lines.join("\n");
    assertStringIncludes(text, "softplus of -100, -1, 0, 1, 100: ");
    assertStringIncludes(text, "35 nudged, right");
    const losses = lines.filter((line) => line.includes("AdamW")).map((line) => line.match(/[\d.]+(?= by)/g));
    assertEquals(losses, [["129.685", "129.685"], ["0.390", "0.390"]]);
    assertEquals(hints.length, 3);
  },
);

permittedGpuTest("lesson 9, solved, passes its check", async (device) => {
  assertEquals(await check(device, solution), []);
});

permittedGpuTest(
  "lesson 9's check names a wrong sign, an overflow, a grid too small, two dispatches and bad WGSL",
  async (device) => {
    const said = async (softplusBackward: (x: Tensor, dOut: Tensor) => Tensor) =>
      (await judge(device, LESSONS[8], () => Promise.resolve({ softplusBackward }))).join("\n");
    assertEquals(await said(planted("dOut[i] / (1.0 + exp(-x[i]))")), "");
    assertStringIncludes(await said(planted("-dOut[i] / (1.0 + exp(-x[i]))")), "the sign is flipped");
    assertStringIncludes(await said(planted("dOut[i] * exp(x[i]) / (1.0 + exp(x[i]))")), "e^100 is infinite");
    assertStringIncludes(await said(planted("dOut[i] / (1.0 + exp(-x[i]))", 64)), "A workgroup has 64 invocations");
    const two = (x: Tensor, dOut: Tensor) => x.device.tidy(() => multiply(dOut, sigmoid(x)));
    assertStringIncludes(await said(two), "It takes 2 dispatches");
    assertStringIncludes(await said(planted("dOut[j]")), "softplusBackward");
  },
);
