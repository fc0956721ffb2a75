/** Faults of the GPU, each provoked for real: none of them passes in silence, and each names what was at work. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { Device } from "../../lib/gpu/device.ts";
import { DeviceError } from "../../lib/base/errors.ts";
import { Linear, ReLU } from "../../lib/core/layers.ts";
import { relu, scale } from "../../lib/arithmetic/ops.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { gpuTest } from "../support/gpu_test_case.ts";
import { pathInProject, Workplace } from "../support/run_task_process.ts";
import { permitted } from "../support/permitted.ts";
import { smallTraining } from "../support/small_training.ts";

const FILL = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] = x[0]; }`;

/** A kernel that fills what it binds, but for what is replaced in its text. */
function fillKernel(name: string, text = "", by = ""): Kernel {
  return { name, code: FILL.replaceAll(text, by), access: ["read_write"] };
}

/** What a device of its own reports of the work that a function gives it; it must go on reporting it. */
async function reportOf(body: (device: Device) => void): Promise<string> {
  using device = await Device.request({ smallDispatches: true });
  body(device);
  using sound = Tensor.zeros(device, [1]);
  const { message } = await assertRejects(() => sound.read(), DeviceError, "The GPU reported: ");
  for (const again of [() => device.check(), () => device.check()]) {
    assertEquals(assertThrows(again, DeviceError).message, message, "the fault does not stay");
  }
  await assertRejects(() => sound.read(), DeviceError, message);
  return message;
}

/** WebGPU's own device behind the next one that is requested. */
async function requestBoth(): Promise<{ device: Device; gpu: GPUDevice }> {
  const { prototype } = GPUAdapter;
  const { requestDevice } = prototype;
  let gpu: GPUDevice | undefined;
  prototype.requestDevice = async function (...options) {
    return gpu = await requestDevice.apply(this, options);
  };
  try {
    const device = await Device.request({ smallDispatches: true });
    return { device, gpu: gpu! };
  } finally {
    prototype.requestDevice = requestDevice;
  }
}

Deno.test("read() reports kernels that do not compile, and bindings too small, by their names", async () => {
  const faults: [Kernel, string, size?: number][] = [
    [fillKernel("brokenText", "fn main", "fn main( {"), "parsing error"],
    [fillKernel("brokenType", "= x[0]", "= true"), "`bool` to `f32`"],
    [fillKernel("otherEntry", "main", "other"), "Unable to find entry point 'main'"],
    [{ ...fillKernel("otherAccess"), access: ["read"] }, "Storage class"],
    [fillKernel("beyondWorkgroup", "workgroup_size(64)", "workgroup_size(4096)"), "4096 total invocations"],
    [fillKernel("wantsFours", "array<f32>", "array<vec4f>"), "bound with size 8 where the shader expects 16", 2],
  ];
  for (const [kernel, words, size = 64] of faults) {
    const message = await reportOf((device) => {
      device.run(kernel, { buffers: [Tensor.zeros(device, [size])], invocations: size });
    });
    assertMatch(message, new RegExp(`^The GPU reported: ${kernel.name}: `));
    assertStringIncludes(message, words);
  }
});

Deno.test("read() reports a buffer destroyed behind the device's back by the kernel that binds it", async () => {
  const reports = (use: (x: Tensor, y: Tensor) => void) =>
    reportOf((device) => {
      const x = Tensor.zeros(device, [3]);
      const y = Tensor.zeros(device, [4]);
      using recording = device.record(() => [relu(y), scale(x, 2)]);
      x.buffer.destroy();
      use(x, y);
      if (use.length === 0) recording.replay(3);
    });
  assertMatch(await reports(() => {}), /^The GPU reported: scale: .*'a tensor \[3\]' label has been destroyed$/);
  assertMatch(await reports((x) => scale(x, 2)), /^The GPU reported: scale: .*destroyed$/);
  assertMatch(await reports((x) => x.write([1, 2, 3])), /^The GPU reported: writing to a tensor \[3\]: .*destroyed$/);
  const copied = await reports((x, y) => x.device.copy(x, y.view(0, [3])));
  assertMatch(copied, /^The GPU reported: copying a tensor \[3\] to a tensor \[4\]: .*destroyed$/);
  const read = await reports((x) => void assertRejects(() => x.read(), DeviceError));
  assertMatch(read, /^The GPU reported: reading back: .*destroyed$/);
});

gpuTest("run() and replay() refuse what WebGPU would only report", (device) => {
  using x = Tensor.zeros(device, [2]);
  using y = Tensor.zeros(device, [2]);
  const many = () => device.run(kernels.relu, { buffers: [x, y], sizes: [2], invocations: 2 ** 40 });
  const text = "1099511627776 invocations are 17179869184 workgroups, a dispatch has at most 4294836225";
  assertThrows(many, RangeError, `Cannot run relu: ${text}`);
  const gone = Tensor.zeros(device, [5]);
  using recording = device.record(() => [relu(x), scale(gone, 2)]);
  gone.dispose();
  assertThrows(() => recording.replay(), TypeError, "Cannot run scale: a tensor [5] was disposed of");
});

permitted("createBuffer() out of memory: what was asked for, what is held, what to do", async () => {
  const code = `import { Device } from "./lib/gpu/device.ts";
    import { Tensor } from "./lib/core/tensor.ts";
    const device = await Device.request(), held = [];
    try {
      for (let i = 0; i < 2000; i++) {
        held.push(Tensor.zeros(device, [4096, 8192]));
        await Promise.resolve();
        device.check();
      }
    } catch (error) {
      console.log(held.length - 1, String(error));
      await held[0].read().catch((again) => console.log(again.message === error.message));
    }`;
  using device = await Device.request({ smallDispatches: true });
  // A software adapter has all the memory there is: a limit on the address space, for this process alone, ends it sooner.
  const limit = device.info.isFallbackAdapter ? "ulimit -v 40000000;" : "";
  const command = new Deno.Command("sh", {
    args: ["-c", `${limit} exec "$0" eval --no-lock --no-check "$1"`, Deno.execPath(), code],
    cwd: new URL("../../", import.meta.url),
  });
  let said = "";
  let error = "";
  // One start in twelve finds no room under the limit for the heap of V8 itself, and runs none of the code.
  for (let start = 0; start < 6 && (start === 0 || error.includes("CagedHeap reservation")); start++) {
    const { stdout, stderr } = await command.output();
    [said, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  }
  const [_, before, bytes, buffers] = said.match(
    /^(\d+) DeviceError: The GPU reported: out of memory for a tensor \[4096, 8192\], which takes 134217728 bytes besides (\d+) in (\d+) buffers: take smaller batches or a smaller network, .*\ntrue\n$/,
  ) ?? [];
  assert(before, `said ${said}${error}`);
  assertEquals([Number(buffers), Number(bytes)], [Number(before), Number(before) * 134217728]);
});

/** Runs a function while a method of WebGPU fails. */
async function withFailing<T>(prototype: T, method: keyof T, body: () => Promise<void>): Promise<void> {
  const original = prototype[method];
  prototype[method] = (() => Promise.reject(new Error("the driver says no"))) as T[keyof T];
  try {
    await body();
  } finally {
    prototype[method] = original;
  }
}

Deno.test("Device.request() says where an adapter gives no device", async () => {
  await withFailing(GPUAdapter.prototype, "requestDevice", async () => {
    const { message } = await assertRejects(() => Device.request(), DeviceError);
    assertMatch(message, /^Cannot use WebGPU: adapter .+ gives no device \(the driver says no\); end other programs/);
  });
});

Deno.test("read() reports a buffer that cannot be mapped, and goes on reporting it", async () => {
  using device = await Device.request({ smallDispatches: true });
  using x = Tensor.from(device, [1]);
  const says = "The GPU reported: reading back failed: the driver says no";
  await withFailing(GPUBuffer.prototype, "mapAsync", async () => {
    await assertRejects(() => x.read(), DeviceError, says);
  });
  await assertRejects(() => x.read(), DeviceError, says);
});

Deno.test("epochs() rejects where the device is lost in the middle, and nothing hangs", async () => {
  for (const moment of ["at once", "while steps run", "in an evaluation"]) {
    const { device, gpu } = await requestBoth();
    using x = Tensor.from(device, Float32Array.from({ length: 64 }, Math.random), [64, 1]);
    const layers = [new Linear(1, 64), new ReLU(), new Linear(64, 1)];
    using setup = smallTraining(device, { layers, learningRate: 0.01, x, y: x, batchSize: 4 });
    const { model, trainer } = setup;
    const reads = Promise.allSettled([x.read(), model.read()]);
    if (moment === "at once") gpu.destroy();
    let epochs = 0;
    const train = async () => {
      for await (const _ of trainer.epochs(1e6, { evaluate: () => model.read() })) {
        epochs++;
        if (moment === "while steps run" && epochs === 500) gpu.destroy();
        if (moment === "in an evaluation" && epochs === 40) setTimeout(() => gpu.destroy(), 3);
      }
    };
    const { message } = await assertRejects(train, DeviceError);
    assertEquals(
      message,
      "The GPU reported: the device was lost (destroyed) and with it all that it held: start again from what was saved",
    );
    await reads; // none hangs
    for (const read of [() => x.read(), () => model.read(), () => x.read()]) {
      assertEquals((await assertRejects(read, DeviceError)).message, message);
    }
  }
});

permitted("train ends with code 1 and keeps no result where its device is lost, or refuses work", async () => {
  await using place = await Workplace.create();
  const config = pathInProject("deno.json");
  const preload = pathInProject("tests/gpu/lost_device.ts");
  const run = ["run", "--config", config, "-A", "--no-check", "--preload", preload, pathInProject("tasks/train.ts")];
  const sizes = ["--num-dataset", "500", "--num-epochs", "2000", "--hidden-size", "8"];
  const train = (name: string, env: Record<string, string>) =>
    place.runDeno([...run, ...sizes, "--run-name", name], env);
  const lost = await train("lost", { HARM: "lost", HARM_AFTER: "400" });
  const told =
    /^error: The GPU reported: the device was lost \(destroyed\).*\nthe last checkpoint is at step (\d+): .*\n$/m;
  assertMatch(lost.stderr, told);
  const [_, step] = lost.stderr.match(told)!;
  const checkpoints = Object.keys(await place.digests("data/runs/lost/checkpoints"));
  assertEquals(Math.max(...checkpoints.map((name) => Number(name.match(/\d+/)))), Number(step), `${checkpoints}`);
  const invalid = await train("invalid", { HARM: "invalid", HARM_AFTER: "400" });
  assertMatch(invalid.stderr, /^error: The GPU reported: Buffer size \d+ is greater than the maximum/m);
  for (const { code, stdout, stderr } of [lost, invalid]) {
    assertEquals([code, stderr.match(/^\s+at /m)?.[0]], [1, undefined]);
    assertMatch(stdout, /^epoch /m, "the fault came before it trained");
  }
  for (const name of ["lost", "invalid"]) {
    const files = Object.keys(await place.digests(`data/runs/${name}`));
    for (const result of ["model.safetensors", "summary.json"]) assertEquals(files.includes(result), false, result);
  }
});
