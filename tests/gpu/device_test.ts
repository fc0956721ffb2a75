import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { kernels } from "../../kernels/mod.ts";
import { Device } from "../../lib/gpu/device.ts";
import { DeviceError } from "../../lib/base/errors.ts";
import { add, matmulBackward, relu, scale } from "../../lib/arithmetic/ops.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { compute, gpuTest } from "../support/gpu_test_case.ts";
import { permitted } from "../support/permitted.ts";

/** What a process prints that requests a device and runs some code with it. */
async function printed(code: string, env: Record<string, string>): Promise<string> {
  const { LP_NUM_THREADS: _, ...rest } = Deno.env.toObject();
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", "--no-check", `import { Device } from "./lib/gpu/device.ts"; ${code}`],
    cwd: new URL("../../", import.meta.url),
    clearEnv: true,
    env: { ...rest, ...env },
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

permitted("Device.request() says what to do where there is no adapter", async () => {
  const env = { DENO_WEBGPU_BACKEND: Deno.build.os === "darwin" ? "dx12" : "metal" };
  assertEquals(
    await printed("await Device.request().catch((e) => console.log(String(e)))", env),
    "DeviceError: Cannot use WebGPU: this machine has no adapter. `deno task setup` gives it a software one",
  );
});

permitted("Device.request() tells the software adapter of small dispatches, unless the environment does", async () => {
  const threads = (env: Record<string, string>, smallDispatches: boolean) =>
    printed(
      `using device = await Device.request({ smallDispatches: ${smallDispatches} });
      console.log(Deno.env.get("LP_NUM_THREADS"));`,
      env,
    );
  assertEquals(await threads({}, true), "0");
  assertEquals(await threads({}, false), "undefined");
  assertEquals(await threads({ LP_NUM_THREADS: "1" }, true), "1");
});

gpuTest("Device.request() asks for the adapter's largest buffers, and names it", async (device) => {
  const adapter = await navigator.gpu.requestAdapter();
  assertEquals(device.limits.maxBufferSize, adapter!.limits.maxBufferSize);
  assertEquals(device.limits.maxStorageBufferBindingSize, adapter!.limits.maxStorageBufferBindingSize);
  assert(device.name.length > 0);
  assertEquals(device.name.endsWith(", software"), adapter!.info.isFallbackAdapter);
});

gpuTest("a device refuses what does not fit, and works on after that", async (device) => {
  using x = Tensor.from(device, [1, -2]);
  using long = Tensor.zeros(device, [128]);
  const cases: [() => unknown, ErrorConstructor, string][] = [
    [
      () => device.run(kernels.relu, { buffers: [x], sizes: [2], invocations: 2 }),
      TypeError,
      "Cannot run relu: it binds 2 buffers, found 1",
    ],
    [
      () => device.write(long.view(0, [1]), Float32Array.of(1, 2)),
      RangeError,
      "Cannot write 8 bytes into a place of 4",
    ],
    [() => device.copy(long, x), TypeError, "Cannot copy 512 bytes to a place of 8"],
    [() => device.tidy(() => Promise.resolve()), TypeError, "Cannot tidy an async function"],
    [() => device.record(() => Promise.resolve()), TypeError, "Cannot record an async function"],
    [() => device.record(() => device.copy(x, x)), TypeError, "Cannot record a copy: a recording holds kernels only"],
    [() => device.record(() => void device.record(() => {})), TypeError, "Cannot record inside a recording"],
  ];
  for (const [run, type, text] of cases) assertThrows(run, type, text);
  assertEquals(await x.read(), Float32Array.of(1, -2));
  assertEquals(await compute(device, () => relu(x)), Float32Array.of(1, 0));
});

gpuTest("run() with nothing to do builds nothing", (device) => {
  using x = Tensor.zeros(device, [0]);
  using y = Tensor.zeros(device, [0]);
  const { bindGroups, dispatches, allocations } = device.stats;
  device.run(kernels.relu, { buffers: [x, y], sizes: [0], invocations: 0 });
  assertEquals([device.stats.bindGroups, device.stats.dispatches], [bindGroups, dispatches]);
  assertEquals(device.stats.allocations, allocations);
});

Deno.test("read() reports a device that was lost, again and again", async () => {
  const device = await Device.request({ smallDispatches: true });
  const x = Tensor.from(device, [1, 2]);
  device.dispose();
  let message = "";
  for (let attempt = 0; attempt < 100 && !message.includes("lost"); attempt++) {
    ({ message } = await assertRejects(() => x.read(), DeviceError, "The GPU reported: "));
    await new Promise((resolve) => setTimeout(resolve, 10)); // the news of the loss takes its time
  }
  assertStringIncludes(message, "the device was lost");
  assertEquals(device.stats.buffers, 1, "the copies for reading back were freed");
});

Deno.test("a Device destroys itself at the end of its scope", async () => {
  let kept: Device;
  {
    using device = await Device.request({ smallDispatches: true });
    kept = device;
  }
  await assertRejects(() => kept.read([{ buffer: kept.createBuffer(4, "x"), byteOffset: 0, byteLength: 4 }]));
});

gpuTest("createBuffer() rounds up to what can be bound and copied", (device) => {
  for (const [asked, made] of [[0, 4], [1, 4], [4, 4], [6, 8]]) {
    const buffer = device.createBuffer(asked, "odd");
    assertEquals([buffer.size, buffer.label], [made, "odd"]);
    device.destroyBuffer(buffer);
  }
});

gpuTest("copy() goes from buffer to buffer", async (device) => {
  using a = Tensor.from(device, [1, 2, 3]);
  using b = Tensor.zeros(device, [5]);
  device.copy(a, b.view(1, [3]));
  assertEquals(await b.read(), Float32Array.of(0, 1, 2, 3, 0));
});

gpuTest("tidy() frees what was made, and keeps what is returned, within arrays and objects", async (device) => {
  using x = Tensor.from(device, [-1, 2]);
  const { buffers } = device.stats;
  const one = device.tidy(() => scale(relu(x), 2));
  const two = device.tidy(() => [relu(x), scale(add(x, x), 1)]);
  assertEquals(device.tidy(() => relu(x).size), 2);
  assertEquals(device.stats.buffers, buffers + 3);
  assertEquals(await one.read(), Float32Array.of(0, 4));
  assertEquals(await two[1].read(), Float32Array.of(-2, 4));
  using three = Tensor.from(device, [[3]]);
  const { gradients: [dA, { dB }] } = device.tidy(() => {
    const { dA, dB } = matmulBackward(three, three, Tensor.from(device, [[2]]));
    return { gradients: [dA, { dB }] as const };
  });
  assertEquals([...await dA.read(), ...await dB.read()], [6, 6]);
  for (const tensor of [one, ...two, dA, dB]) tensor.dispose();
});

gpuTest("tidy() hands what an inner one returns to the outer one", (device) => {
  using x = Tensor.zeros(device, [2]);
  const { buffers } = device.stats;
  device.tidy(() => {
    const inner = device.tidy(() => relu(relu(x)));
    assertEquals(device.stats.buffers, buffers + 1);
    inner.buffer; // alive
  });
  assertEquals(device.stats.buffers, buffers);
});

gpuTest("tidy() and record() free what they made where the function throws", (device) => {
  using x = Tensor.zeros(device, [3]);
  const { buffers } = device.stats;
  const body = () => add(relu(x), Tensor.zeros(device, [2]));
  assertThrows(() => device.tidy(body), TypeError, "Cannot add [3] and [2]");
  assertThrows(() => device.record(body), TypeError, "Cannot add [3] and [2]");
  assertEquals(device.stats.buffers, buffers);
});
