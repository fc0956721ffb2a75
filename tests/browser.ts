/** Pages in headless Chromium. */

// deno-lint-ignore no-import-prefix -- in deno.json every task would download it
import { chromium, type Page } from "npm:playwright-core@1.65.1";

export type { Page };

/** What a page did that its body does not see. */
export interface Seen {
  /** Errors on the console, and those that nothing caught. */
  errors: string[];
  /** Every URL asked for, in this order. */
  requests: string[];
}

/** How a page is shown. */
export interface PageOptions {
  width?: number;
  height?: number;
  dark?: boolean;
  /** False for a browser without WebGPU. */
  webgpu?: boolean;
}

/** Opens an empty page in a browser of its own, which is closed at the end. */
export async function withPage<T>(
  body: (page: Page, seen: Seen) => Promise<T>,
  { width = 1280, height = 800, dark = false, webgpu = true }: PageOptions = {},
): Promise<T> {
  const gpu = webgpu
    ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]
    : ["--disable-blink-features=WebGPU"];
  const quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"];
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [...quiet, "--disable-sync", ...gpu],
  });
  try {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? "dark" : "light",
      acceptDownloads: true,
    });
    const page = await context.newPage(), seen: Seen = { errors: [], requests: [] };
    page.setDefaultTimeout(20_000);
    context.on("request", (request) => seen.requests.push(request.url()));
    page.on("pageerror", (error) => seen.errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
    return await body(page, seen);
  } finally {
    await browser.close();
  }
}
