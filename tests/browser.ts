/** Pages in headless Chromium. A test that imports this needs all permissions. */

// deno-lint-ignore no-import-prefix -- in deno.json or deno.lock every task would download it
import { chromium, type Page } from "npm:playwright-core@1.65.1";

export type { Page };

const FLAGS = "--headless --no-sandbox --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader --disable-quic " +
  "--no-first-run --disable-background-networking --disable-component-update --disable-sync";

/** Opens an empty page in a browser of its own, and tells its errors and what it asked for. */
export async function withPage<T>(
  body: (page: Page, seen: { errors: string[]; requests: string[] }) => Promise<T>,
  { width = 1280, height = 800, dark = false }: { width?: number; height?: number; dark?: boolean } = {},
): Promise<T> {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS.split(" ") });
  try {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: dark ? "dark" : "light" });
    const seen = { errors: [] as string[], requests: [] as string[] };
    page.on("request", (request) => seen.requests.push(request.url()));
    page.on("pageerror", (error) => seen.errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
    return await body(page, seen);
  } finally {
    await browser.close();
  }
}
