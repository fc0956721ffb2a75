/** Vulkan's own list of devices, asked for by a process that may call libraries and nothing else. */

import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { Device } from "../../../lib/gpu/device.ts";
import { readProperties, type VulkanDevice } from "../../../tasks/mpi/vulkan_devices.ts";
import { HAS_VULKAN, jobIn, rankScript, runJob } from "../../support/mpi_job.ts";
import { Workplace } from "../../support/run_task_process.ts";

const options = { ignore: !HAS_VULKAN };

/** Mesa's software driver, which is part of mesa-vulkan-drivers. */
const ICD = { library_path: "libvulkan_lvp.so", api_version: "1.3.0" };
const SOFTWARE = JSON.stringify({ file_format_version: "1.0.0", ICD });

async function list(place: Workplace, env: Record<string, string> = {}, library?: string): Promise<VulkanDevice[]> {
  const words = rankScript("tasks/mpi/vulkan_devices.ts", ...library ? [library] : []);
  const { code, stdout, stderr } = await place.runDeno(words, env);
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

Deno.test("listVulkanDevices() has the device that WebGPU takes, by the same name", options, async () => {
  await using place = await Workplace.create();
  using device = await Device.request();
  const { description, isFallbackAdapter } = device.info;
  const taken = (await list(place)).find(({ name }) => name === description);
  assertNotEquals(taken, undefined, description);
  assertEquals(taken!.kind === "cpu", isFallbackAdapter);
});

Deno.test("listVulkanDevices() has the devices of all drivers, as Vulkan's environment has it", options, async () => {
  await using place = await Workplace.create({ "one.json": SOFTWARE, "other.json": SOFTWARE });
  const one = await list(place, { VK_DRIVER_FILES: place.at("one.json"), VK_ICD_FILENAMES: place.at("one.json") });
  assertEquals(one.map(({ kind, address }) => [kind, address]), [["cpu", undefined]]);
  assertStringIncludes(one[0].name, "llvmpipe");
  const both = `${place.at("one.json")}:${place.at("other.json")}`;
  const env = { VK_DRIVER_FILES: both, VK_ICD_FILENAMES: both };
  assertEquals(await list(place, env), [one[0], one[0]]);
  // What ranks rely on: the layer reads the environment, and hides all but one.
  assertEquals(await list(place, { ...env, MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE: "1" }), one);
});

Deno.test("listVulkanDevices() has none without drivers or Vulkan, and fails without permission", options, async () => {
  await using place = await Workplace.create();
  const nowhere = place.at("nowhere.json");
  assertEquals(await list(place, { VK_DRIVER_FILES: nowhere, VK_ICD_FILENAMES: nowhere }), []);
  assertEquals(await list(place, {}, "libvulkan.so.0"), []);
  assertEquals(await list(place, {}, "libc.so.6"), []);
  const words = rankScript("tasks/mpi/vulkan_devices.ts").filter((word) => word !== "--allow-ffi");
  const { code, stderr } = await place.runDeno(words);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "NotCapable");
});

Deno.test("readProperties() finds name, kind and address where C has them", () => {
  // Sizes and offsets as gcc gives them for vulkan_core.h.
  const buffer = new ArrayBuffer(840 + 32);
  const view = new DataView(buffer);
  new TextEncoder().encodeInto("Größte GPU\0older text", new Uint8Array(buffer, 36, 256));
  for (const [at, value] of [[16, 0x10000], [20, 0xc1], [24, 0x1f], [28, 7]]) view.setUint32(840 + at, value, true);
  const kinds = ["other", "integrated", "discrete", "virtual", "cpu", "other"];
  for (const [type, kind] of kinds.entries()) {
    view.setUint32(32, type, true);
    assertEquals<unknown>(readProperties(buffer, true), { name: "Größte GPU", kind, address: "10000:c1:1f.7" });
  }
  assertEquals(readProperties(buffer, false).address, undefined);
  for (const at of [16, 20, 24, 28]) view.setUint32(840 + at, 0, true);
  assertEquals(readProperties(buffer, true).address, "0000:00:00.0");
  new Uint8Array(buffer, 36, 256).fill(65);
  assertEquals(readProperties(buffer, true).name, "A".repeat(256));
});

Deno.test("train-mpi and tune-mpi look for each rank's GPU, and one by itself does not", options, async () => {
  const lost = "/nowhere/driver.so";
  const broken = SOFTWARE.replace("libvulkan_lvp.so", lost);
  await using place = await Workplace.create({ "one.json": SOFTWARE, "broken.json": broken });
  const drivers = `${place.at("one.json")}:${place.at("broken.json")}`;
  // Vulkan's loader complains of a driver each time that it is asked for devices.
  const env = { VK_DRIVER_FILES: drivers, VK_ICD_FILENAMES: drivers, VK_LOADER_DEBUG: "error" };
  const looks = async (task: string, ranks: number, args: readonly string[]) => {
    const small = ["--num-dataset=100", "--num-epochs=1", `--run-name=${task}-${ranks}`, ...args];
    const outcome = await runJob({ ...await jobIn(place, task, ranks, small), env });
    assertEquals(outcome.code, 0, JSON.stringify(outcome));
    return outcome.ranks.map(({ stderr }) => stderr.split(lost).length - 1);
  };
  const [alone] = await looks("train-mpi", 1, []);
  assert(alone > 0, "WebGPU asks for devices");
  for (const times of await looks("train-mpi", 2, [])) assert(times > alone, `${times} complaints, ${alone} of one`);
  // Here only trials have WebGPU, and nobody hears what they complain of.
  for (const times of await looks("tune-mpi", 2, ["--trials=1", "--seed=1|2"])) assert(times > 0);
});
