/** A page in headless Chromium, for the tests of pages and for the pictures of the README. */

// deno-lint-ignore no-import-prefix -- in deno.json or deno.lock every task would download it
import type { Page } from "npm:playwright-core@1.65.1";

import { describeMissing, findChromium } from "./chromium.ts";

export type { Page };

/** What a page did that its body does not see. */
interface Seen {
  /** Errors on the console, and those that nothing caught. */
  errors: string[];
  /** Every URL asked for, in this order. */
  requests: string[];
}

/** The browser, looked for once: asking a program what it is takes a while. */
let found: ReturnType<typeof findChromium> | undefined;

/** How a page is shown. */
interface PageOptions {
  /** Of the viewport, in CSS pixels: 1280 by 800 unless told. */
  width?: number;
  height?: number;
  /** Whether the page is asked for its dark colours. */
  dark?: boolean;
  /** False for a browser without WebGPU. */
  webgpu?: boolean;
}

const FLAGS = [
  "--no-first-run",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Nothing but this machine can be reached, whatever a page or the browser itself asks for.
  "--no-proxy-server",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/** WebGPU in software, wherever it runs. It compiles for seconds, which must not pass for a GPU that hangs. */
const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--disable-gpu-watchdog"];

/**
 * Opens an empty page in a browser of its own, which is closed at the end.
 *
 * @throws {Deno.errors.NotFound} If there is no Chromium.
 */
export async function withPage<T>(
  body: (page: Page, seen: Seen) => Promise<T>,
  { width = 1280, height = 800, dark = false, webgpu = true }: PageOptions = {},
): Promise<T> {
  const executablePath = await (found ??= findChromium());
  if (executablePath === undefined) throw new Deno.errors.NotFound(describeMissing());
  // Not before it is needed: it reads in /proc as soon as it is loaded, which Deno allows with all permissions alone.
  // deno-lint-ignore no-import-prefix -- see above
  const { chromium } = await import("npm:playwright-core@1.65.1");
  const args = [...FLAGS, ...(webgpu ? WEBGPU : ["--disable-blink-features=WebGPU"])];
  const browser = await chromium.launch({ executablePath, args });
  try {
    const colorScheme = dark ? "dark" : "light";
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, acceptDownloads: true });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const seen: Seen = { errors: [], requests: [] };
    context.on("request", (request) => seen.requests.push(request.url()));
    page.on("websocket", (socket) => seen.requests.push(socket.url()));
    page.on("pageerror", (error) => seen.errors.push(String(error)));
    page.on("crash", () => seen.errors.push("the page crashed"));
    page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
    return await body(page, seen);
  } finally {
    await browser.close();
  }
}
