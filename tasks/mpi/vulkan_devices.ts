/**
 * The devices that Vulkan offers to this process, by FFI. Deno's WebGPU takes one of them, and can neither list them nor tell
 * equal ones apart. /sys is no help: Deno needs all permissions to read it, and a container or a batch system may hide some
 * GPUs from this process.
 *
 * C structures have the layout of Vulkan 1.1 on 64-bit systems. If one points to another, both lie in one buffer, so that
 * neither is collected as garbage while C reads it.
 */

export type DeviceKind = "discrete" | "integrated" | "virtual" | "cpu" | "other";

export interface VulkanDevice {
  /** Its name, which WebGPU gives as well. */
  readonly name: string;
  /** Its kind; drivers in software are `cpu`. */
  readonly kind: DeviceKind;
  /** Where it is plugged in, such as 0000:41:00.0; undefined if the driver does not say. */
  readonly address: string | undefined;
}

const SYMBOLS = {
  vkCreateInstance: { parameters: ["buffer", "pointer", "buffer"], result: "i32" },
  vkDestroyInstance: { parameters: ["pointer", "pointer"], result: "void" },
  vkEnumeratePhysicalDevices: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },
  vkEnumerateDeviceExtensionProperties: { parameters: ["pointer", "pointer", "buffer", "buffer"], result: "i32" },
  vkGetPhysicalDeviceProperties2: { parameters: ["pointer", "buffer"], result: "void" },
} as const satisfies Deno.ForeignLibraryInterface;

type Vulkan = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
type Handle = Deno.PointerObject;

/** Constants of Vulkan's header. */
const SUCCESS = 0;
const API_1_1 = (1 << 22) | (1 << 12);
const CREATE_INSTANCE = 1;
const PROPERTIES_2 = 1_000_059_001;
const PCI_BUS_INFO = 1_000_212_000;
const PCI_EXTENSION = "VK_EXT_pci_bus_info";

/** VkPhysicalDeviceType, in its order. */
const KINDS: readonly DeviceKind[] = ["other", "integrated", "discrete", "virtual", "cpu"];

/** Bytes of VkInstanceCreateInfo, VkApplicationInfo, VkExtensionProperties, and VkPhysicalDeviceProperties2. */
const INSTANCE_BYTES = 64;
const APPLICATION_BYTES = 48;
const EXTENSION_BYTES = 260;
const PROPERTIES_BYTES = 840;
/** Bytes of VkPhysicalDevicePCIBusInfoPropertiesEXT, and of a name. */
const PCI_BYTES = 32;
const NAME_BYTES = 256;

/** Lists the devices. They depend on the environment of this moment, which names drivers and layers. */
export function listVulkanDevices(library = "libvulkan.so.1"): VulkanDevice[] {
  const vulkan = load(library);
  const instance = vulkan && createInstance(vulkan);
  if (!instance) return [];
  try {
    return handlesOf(vulkan, instance).map((device) => describe(vulkan, device));
  } finally {
    vulkan.vkDestroyInstance(instance, null);
  }
}

/** Never closed: WebGPU needs the library, too, and some drivers crash when they are unloaded. */
function load(library: string): Vulkan | undefined {
  try {
    return Deno.dlopen(library, SYMBOLS).symbols;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}

function createInstance(vulkan: Vulkan): Handle | null {
  const create = new DataView(new ArrayBuffer(INSTANCE_BYTES + APPLICATION_BYTES));
  create.setUint32(0, CREATE_INSTANCE, true);
  create.setBigUint64(24, addressOf(create.buffer, INSTANCE_BYTES), true);
  // Mesa's layer knows addresses only for programs that ask for version 1.1, as WebGPU does.
  create.setUint32(INSTANCE_BYTES + 44, API_1_1, true);
  const made = new BigUint64Array(1);
  return vulkan.vkCreateInstance(create.buffer, null, made) === SUCCESS ? Deno.UnsafePointer.create(made[0]) : null;
}

function handlesOf(vulkan: Vulkan, instance: Handle): Handle[] {
  const count = new Uint32Array(1);
  if (vulkan.vkEnumeratePhysicalDevices(instance, count, null) !== SUCCESS) return [];
  const handles = new BigUint64Array(count[0]);
  if (vulkan.vkEnumeratePhysicalDevices(instance, count, handles) !== SUCCESS) return [];
  return Array.from(handles.subarray(0, count[0]), (handle) => Deno.UnsafePointer.create(handle)!);
}

function describe(vulkan: Vulkan, device: Handle): VulkanDevice {
  const hasPci = hasExtension(vulkan, device, PCI_EXTENSION);
  const view = new DataView(new ArrayBuffer(PROPERTIES_BYTES + PCI_BYTES));
  view.setUint32(0, PROPERTIES_2, true);
  if (hasPci) view.setBigUint64(8, addressOf(view.buffer, PROPERTIES_BYTES), true);
  view.setUint32(PROPERTIES_BYTES, PCI_BUS_INFO, true);
  vulkan.vkGetPhysicalDeviceProperties2(device, view.buffer);
  return readProperties(view.buffer, hasPci);
}

export function readProperties(buffer: ArrayBuffer, hasPci: boolean): VulkanDevice {
  const view = new DataView(buffer);
  const hex = (at: number, digits: number) =>
    view.getUint32(PROPERTIES_BYTES + at, true).toString(16).padStart(digits, "0");
  return {
    name: textAt(buffer, 36),
    kind: KINDS[view.getUint32(32, true)] ?? "other",
    address: hasPci ? `${hex(16, 4)}:${hex(20, 2)}:${hex(24, 2)}.${hex(28, 1)}` : undefined,
  };
}

function hasExtension(vulkan: Vulkan, device: Handle, name: string): boolean {
  const count = new Uint32Array(1);
  if (vulkan.vkEnumerateDeviceExtensionProperties(device, null, count, null) !== SUCCESS) return false;
  const bytes = new ArrayBuffer(EXTENSION_BYTES * count[0]);
  if (vulkan.vkEnumerateDeviceExtensionProperties(device, null, count, bytes) !== SUCCESS) return false;
  return Array.from({ length: count[0] }, (_, i) => textAt(bytes, EXTENSION_BYTES * i)).includes(name);
}

function textAt(buffer: ArrayBuffer, at: number): string {
  const bytes = new Uint8Array(buffer, at, NAME_BYTES);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function addressOf(buffer: ArrayBuffer, at: number): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer)) + BigInt(at);
}
