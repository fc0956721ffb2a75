/// <reference lib="dom" />
/** Starts the playground with a device, or shows why there is none. */

import "./buffer.ts"; // first: the modules below need it when they load
import { Device } from "../../lib/gpu/device.ts";
import { App } from "./app.ts";

async function start(): Promise<void> {
  const why = document.querySelector("#why")!;
  if (!navigator.gpu) {
    why.textContent = isSecureContext
      ? "This browser has no WebGPU (navigator.gpu is missing)."
      : "A page at this address gets no WebGPU: open it at 127.0.0.1, localhost or https.";
    return;
  }
  why.textContent = "Asking for an adapter …";
  let device: Device;
  try {
    // Networks here are small, and a software adapter would need seconds to compile the kernels of large products.
    device = await Device.request({ products: "plain" });
  } catch (error) {
    const { message } = error as Error;
    why.textContent = message.includes("no adapter")
      ? "The browser has WebGPU, but found no adapter: there is no GPU, its driver is blocked, or graphics acceleration is off."
      : message;
    return;
  }
  document.querySelector<HTMLElement>("#unsupported")!.hidden = true;
  document.querySelector<HTMLElement>("#app")!.hidden = false;
  await new App(device).start();
}

start();
