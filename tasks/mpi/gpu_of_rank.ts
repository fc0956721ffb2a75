/**
 * Which of a machine's GPUs a rank trains on. WebGPU gives every process the first one. A Vulkan layer of Mesa, which works
 * for the drivers of others, too, shows programs only the one that the environment names.
 */

import { type DeviceKind, listVulkanDevices, type VulkanDevice } from "./vulkan_devices.ts";

/** What a rank knows of its GPU before it asks WebGPU for one. */
export interface GpuOfRank {
  /** What WebGPU can take. */
  readonly visible: readonly VulkanDevice[];
  /** The GPU that was chosen for this rank; undefined if there was no choice, or none was possible. */
  readonly chosen?: VulkanDevice;
  /** Why this rank has no GPU of its own, and what to do. */
  readonly fault?: string;
}

export type Environment = Pick<Deno.Env, "get" | "set" | "delete">;

/** What the layer reads: which device comes first, and whether the others are hidden. */
const FIRST = "DRI_PRIME";
const ALONE = "MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE";

/** Variables by which users and launchers choose a device. Devices that other variables hide are not in the list. */
const OWN_CHOICES = [FIRST, "MESA_VK_DEVICE_SELECT", "VK_LOADER_DEVICE_SELECT"];

/** Hardware, the fastest first: a rank on a slower kind would delay all others. */
const HARDWARE: readonly DeviceKind[] = ["discrete", "virtual", "integrated", "other"];

/** Picks the GPU of a rank, of the fastest kind. */
export function pickGpu(devices: readonly VulkanDevice[], localRank: number): VulkanDevice | undefined {
  const gpus = gpusOf(devices);
  const hardware = devices.filter(({ kind, address }) => kind !== "cpu" && address !== undefined);
  // A single fast GPU next to a slower one has to be chosen, too: WebGPU gives the first one.
  return new Set(hardware.map(({ address }) => address)).size > 1 ? gpus[localRank % gpus.length] : undefined;
}

/** Gives a rank a GPU of its own, by this process' environment. Call it before the first adapter is requested. */
export function chooseGpu(
  localRank: number,
  environment: Environment = Deno.env,
  list: () => VulkanDevice[] = listVulkanDevices,
): GpuOfRank {
  const visible = list();
  const chosen = pickGpu(visible, localRank);
  if (!chosen || OWN_CHOICES.some((name) => environment.get(name))) return { visible };
  const before = [FIRST, ALONE].map((name) => [name, environment.get(name)] as const);
  // Mesa 22.3 takes another device than the one with the address; but it knows its default device, and a second one.
  for (const first of [`pci-${chosen.address!.replaceAll(/[:.]/g, "_")}`, undefined, "1"]) {
    change(environment, FIRST, first);
    change(environment, ALONE, "1");
    const left = list();
    if (left.length > 0 && left.every(({ address }) => address === chosen.address)) return { visible: left, chosen };
  }
  for (const [name, value] of before) change(environment, name, value);
  return { visible, fault: faultOf(gpusOf(visible).length) };
}

/** The GPUs of the fastest kind, by address: so all ranks have the same order. */
function gpusOf(devices: readonly VulkanDevice[]): VulkanDevice[] {
  const kind = HARDWARE.find((kind) => devices.some((device) => device.kind === kind));
  const byAddress = new Map(
    devices.filter((device) => device.kind === kind && device.address !== undefined)
      .map((device) => [device.address!, device]),
  );
  return [...byAddress.keys()].sort().map((address) => byAddress.get(address)!);
}

function faultOf(gpus: number): string {
  const what = gpus > 1
    ? `${gpus} GPUs, and its ranks do not get one each`
    : "slower GPUs, too, and its ranks may get them";
  const driver = gpus > 2 ? "mesa-vulkan-drivers of Mesa 23.3 or later" : "mesa-vulkan-drivers";
  return `${what}: install ${driver}, whose layer of Vulkan chooses, or have the ` +
    "launcher show each rank its own (srun --gpus-per-task=1)";
}

function change(environment: Environment, name: string, value: string | undefined): void {
  if (value === undefined) environment.delete(name);
  else environment.set(name, value);
}
