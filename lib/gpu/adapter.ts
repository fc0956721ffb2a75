/**
 * The machine's WebGPU adapter, and what its driver has to be told before it loads.
 *
 * @module
 */
import { DeviceError } from "../base/errors.ts";

/** How to ask for a device. */
export interface DeviceOptions {
  /**
   * Say that every dispatch is small (a step of under about 3 million weights times rows). The software adapter then works in the
   * calling thread: 5 us a dispatch instead of 38, but one core for large ones. Read when the first device is made.
   */
  readonly smallDispatches?: boolean;
  /** Cores that the software adapter takes at most; by default all. Read when the first device is made. */
  readonly threads?: number;
  /**
   * How larger matrix products run: `blocks` of outputs kept by one invocation, for software adapters; `tiles` in workgroup
   * memory, for hardware; `plain`, one output per invocation, to compare. By default the adapter decides.
   */
  readonly products?: ProductMethod;
  /**
   * Workgroups in a row of a grid at most, 65,535 by default. Fewer fold a grid sooner, so that small shapes go through the
   * arithmetic that otherwise only millions of elements meet.
   */
  readonly gridWidth?: number;
}

/** How larger matrix products run. */
export type ProductMethod = "blocks" | "tiles" | "plain";

/** What suits an adapter. Blocks need storage textures that can be read, which a browser may lack. */
export function productsFor({ isFallbackAdapter }: GPUAdapterInfo): ProductMethod {
  if (!isFallbackAdapter) return "tiles";
  const { wgslLanguageFeatures } = navigator.gpu as GPU & { readonly wgslLanguageFeatures?: ReadonlySet<string> };
  return wgslLanguageFeatures?.has("readonly_and_readwrite_storage_textures") ? "blocks" : "plain";
}

/** An adapter's name, marked where it is a software adapter. */
export function nameOf({ description, vendor, device, isFallbackAdapter }: GPUAdapterInfo): string {
  const name = description || `${vendor} ${device}`.trim() || "unnamed adapter";
  return isFallbackAdapter ? `${name}, software` : name;
}

/** Rows times weights below which the software adapter is faster without worker threads, measured on two cores. */
const SMALL_STEP = 3_000_000;

/** Whether steps are so small that {@linkcode DeviceOptions.smallDispatches} makes them faster. */
export function isSmallStep(rows: number, weights: number): boolean {
  return rows * weights < SMALL_STEP;
}

/** Asks for the machine's adapter. */
export async function requestAdapter(options: DeviceOptions): Promise<GPUAdapter> {
  setDriverEnvironment(options);
  const adapter = await navigator.gpu?.requestAdapter();
  if (adapter) return adapter;
  throw new DeviceError("Cannot use WebGPU: this machine has no adapter. `deno task setup` gives it a software one");
}

/** Asks an adapter for a device with its largest buffers. */
export async function requestGpu(adapter: GPUAdapter): Promise<GPUDevice> {
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  try {
    return await adapter.requestDevice({
      label: "backhand",
      requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
    });
  } catch (error) {
    const found = `adapter ${nameOf(adapter.info)} gives no device (${(error as Error).message})`;
    const help = "end other programs that use it, or update its driver";
    throw new DeviceError(`Cannot use WebGPU: ${found}; ${help}`, { cause: error });
  }
}

/** Sets what only drivers read, and read only once: before the first adapter is asked for. */
function setDriverEnvironment({ smallDispatches = false, threads }: DeviceOptions): void {
  const set = (variable: string, value: string) => {
    const allowed = globalThis.Deno?.permissions.querySync({ name: "env", variable }).state === "granted";
    if (allowed && !Deno.env.has(variable)) Deno.env.set(variable, value);
  };
  set("XDG_RUNTIME_DIR", "/tmp"); // or a Vulkan layer complains on stderr
  // Mesa's llvmpipe: no worker threads, or so many.
  if (smallDispatches || threads === 1) set("LP_NUM_THREADS", "0");
  else if (threads !== undefined) set("LP_NUM_THREADS", `${threads}`);
}
