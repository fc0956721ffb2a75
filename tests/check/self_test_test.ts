import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Kernel, kernels } from "../../kernels/mod.ts";
import { Device } from "../../lib/gpu/device.ts";
import type { Dispatch } from "../../lib/gpu/dispatch.ts";
import { DeviceError } from "../../lib/base/errors.ts";
import { type KernelCheck, runCases, selfTest, shortCases } from "../../lib/check/self_test.ts";
import { gpuTest } from "../support/gpu_test_case.ts";

/** Changes the first element of what a kernel wrote, by little. */
const nudge: Kernel = {
  name: "nudge",
  code: `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
    @compute @workgroup_size(1) fn main() { x[0] = 1.0001 * x[0] + 0.001; }`,
  access: ["read_write"],
};

/** A kernel with another text in one place. */
function edited(kernel: Kernel, text: string, by: string): Kernel {
  assert(kernel.code.includes(text));
  return { ...kernel, code: kernel.code.replace(text, by) };
}

/** Runs the self-test, or a part of it, on a device whose every dispatch goes through `change`. */
async function selfTestWith(
  device: Device,
  change: (kernel: Kernel, dispatch: Dispatch, run: Device["run"]) => void,
  test: (device: Device) => Promise<KernelCheck[]> = selfTest,
): Promise<Map<string, boolean>> {
  const run = device.run.bind(device);
  device.run = (kernel, dispatch) => change(kernel, dispatch, run);
  try {
    const sound = new Map<string, boolean>();
    for (const { kernel, ok } of await test(device)) sound.set(kernel, ok && sound.get(kernel) !== false);
    return sound;
  } finally {
    device.run = run;
  }
}

gpuTest("selfTest() finds a sound device sound, in each kernel and in its long form", async (device) => {
  const checks = await selfTest(device);
  assertEquals(checks.filter(({ ok }) => !ok), []);
  const names = Object.values(kernels).map(({ name }): string => name);
  const product = device.products === "blocks" ? "matmulBlocks" : "matmulTiles";
  assertEquals(new Set(checks.map(({ kernel }) => kernel)), new Set([...names, product]));
  assert(checks.every(({ error, on }) => error >= 0 && on.length > 0));
  const long = await selfTest(device, true);
  assertEquals(long.filter(({ ok }) => !ok), []);
  assert(long.length > checks.length);
});

Deno.test("selfTest() passes where grids are folded, as those of millions of elements are", async () => {
  using device = await Device.request({ smallDispatches: true, gridWidth: 2 });
  assertEquals((await selfTest(device, true)).filter(({ ok }) => !ok), []);
  const flat = edited(kernels.scale, "id.x + id.y * groups.x * 64u", "id.x");
  const sound = await selfTestWith(
    device,
    (kernel, dispatch, run) => run(kernel === kernels.scale ? flat : kernel, dispatch),
  );
  assertEquals([...sound].filter(([_, ok]) => !ok).map(([name]) => name), ["scale"]);
});

gpuTest("selfTest() notices each kernel that gives one wrong element", async (device) => {
  // Packing is chosen beneath run(): it has a test of its own.
  const asked = Object.values(kernels).filter(({ access }) => !(access as readonly string[]).includes("write_texture"));
  const cases = shortCases(device);
  for (const { name, access } of asked) {
    const change = (kernel: Kernel, dispatch: Dispatch, run: Device["run"]) => {
      run(kernel, dispatch);
      if (kernel.name !== name) return;
      run(nudge, { buffers: [dispatch.buffers[(access as readonly string[]).indexOf("read_write")]], invocations: 1 });
    };
    const own = cases.filter(({ kernel }) => kernel.name === name);
    const sound = await selfTestWith(device, change, (device) => runCases(device, own));
    assertEquals([name, sound.get(name)], [name, false]);
  }
});

Deno.test("selfTest() notices a matrix that is packed wrong", async () => {
  const kernel: { code: string } = kernels.pack;
  const { code } = kernel;
  using device = await Device.request();
  if (!device.info.isFallbackAdapter) return; // other adapters multiply without packing
  try {
    kernel.code = code.replace("i / 8192u), texel)", "i / 8192u), 1.001 * texel)");
    assert(kernel.code !== code);
    const wrong = (await selfTest(device)).filter(({ ok }) => !ok);
    assertEquals(new Set(wrong.map(({ kernel }) => kernel)), new Set(["matmulBlocks", "pack"]));
  } finally {
    kernel.code = code;
  }
});

gpuTest("selfTest() notices a ReLU that turns NaN into 0, and NaN among right elements", async (device) => {
  const lossy = edited(kernels.relu, "activate(x[i]);", "select(0.0, x[i], x[i] > 0.0);");
  const spoil = edited(nudge, "x[0] = 1.0001 * x[0] + 0.001;", "var nan = 0x7fc00000u; x[0] = bitcast<f32>(nan);");
  const sound = await selfTestWith(device, (kernel, dispatch, run) => {
    run(kernel === kernels.relu ? lossy : kernel, dispatch);
    if (kernel === kernels.addBias) run(spoil, { buffers: [dispatch.buffers[2]], invocations: 1 });
  });
  assertEquals([...sound].filter(([_, ok]) => !ok).map(([name]) => name).toSorted(), ["addBias", "relu"]);
});

gpuTest("selfTest() notices kernels that do nothing", async (device) => {
  const idle = ["matmul", "sgd", "adamPowers", "append"];
  const sound = await selfTestWith(device, (kernel, dispatch, run) => {
    if (!idle.includes(kernel.name)) run(kernel, dispatch);
  });
  assertEquals(idle.filter((name) => sound.get(name) !== false), []);
});

gpuTest("selfTest() has a line of its own for a kernel that no case covers", async (device) => {
  const all = kernels as Record<string, Kernel>;
  all.forgotten = { name: "forgotten", code: "", access: [] };
  try {
    const checks = await selfTest(device);
    assertEquals(checks.filter(({ ok }) => !ok), [{ kernel: "forgotten", on: "no case", error: NaN, ok: false }]);
  } finally {
    delete all.forgotten;
  }
});

Deno.test("selfTest() reports a device that was lost", async () => {
  const device = await Device.request({ smallDispatches: true });
  device.dispose();
  await assertRejects(() => selfTest(device), DeviceError, "The GPU reported: ");
});
