/**
 * Which form of matrix products is fastest on an adapter, as the first training there measured it: data/adapters.json. No task
 * needs the file. Without it, or if it is broken, the kind of the adapter decides.
 */

import { VERSION } from "../../lib/base/version.ts";
import { type DeviceOptions, type ProductMethod, requestAdapter } from "../../lib/gpu/adapter.ts";
import { Device } from "../../lib/gpu/device.ts";
import { DATA_FOLDER } from "./data_folder.ts";
import { writeAside } from "./users_files.ts";

export const ADAPTERS_FILE = `${DATA_FOLDER}/adapters.json`;

/** Forms by adapter. */
type Choices = Record<string, unknown>;

/** What a measurement holds for: the adapter, as it describes itself and its driver, the processor, and this version. */
export function adapterKey({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  const processor = `${Deno.build.arch}, ${navigator.hardwareConcurrency} cores`;
  return [vendor, architecture, device, description, processor, VERSION].join(" | ");
}

/** The form that was measured to be fastest on an adapter, if the file says so. */
export function keptProducts(info: GPUAdapterInfo, file = ADAPTERS_FILE): ProductMethod | undefined {
  const choice = readChoices(file)[adapterKey(info)];
  return choice === "blocks" || choice === "tiles" ? choice : undefined;
}

/** Writes down the form for an adapter. A file that is broken is written anew. Throws if it cannot be written. */
export async function keepProducts(info: GPUAdapterInfo, products: ProductMethod, file = ADAPTERS_FILE): Promise<void> {
  const choices = { ...readChoices(file), [adapterKey(info)]: products };
  await writeAside(file, (sink) => sink(JSON.stringify(choices, null, 2) + "\n"));
}

/** Asks for a device whose products run in the form that the file has for it. */
export async function requestMeasured(options: DeviceOptions = {}): Promise<Device> {
  const { info } = await requestAdapter(options);
  return await Device.request({ ...options, products: keptProducts(info) });
}

function readChoices(file: string): Choices {
  try {
    const found = JSON.parse(Deno.readTextFileSync(file));
    return typeof found === "object" && found !== null && !Array.isArray(found) ? found : {};
  } catch {
    return {}; // missing, broken or not to be read: all the same, as the file only saves a measurement
  }
}
