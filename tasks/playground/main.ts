/// <reference lib="dom" />
/** Starts the playground: with a device, or with the reason why there is none. */

import "./buffer.ts"; // first: what follows needs it when it is loaded
import { Device } from "../../lib/gpu/device.ts";
import { App } from "./app.ts";

async function start(): Promise<void> {
  const why = document.querySelector("#why")!;
  if (!navigator.gpu) {
    why.textContent = isSecureContext
      ? "This browser has no WebGPU (navigator.gpu is missing)."
      : "This address is not trusted with WebGPU: open the page at 127.0.0.1, localhost or https.";
    return;
  }
  why.textContent = "Asking for an adapter …";
  let device: Device;
  try {
    // Networks here are small: kernels of large products would only take seconds to compile on a software adapter.
    device = await Device.request({ products: "plain" });
  } catch (error) {
    const { message } = error as Error;
    why.textContent = message.includes("no adapter")
      ? "The browser has WebGPU, but found no adapter: no GPU, a driver on its block list, or graphics acceleration turned off."
      : message;
    return;
  }
  document.querySelector<HTMLElement>("#unsupported")!.hidden = true;
  document.querySelector<HTMLElement>("#app")!.hidden = false;
  await new App(device).start();
}

start();
