import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { withPage } from "../../support/browser.ts";
import { permitted } from "../../support/permitted.ts";

/** Serves an empty page on loopback, and counts who asks for what. */
function serve(): { url: string; asked: string[] } & AsyncDisposable {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "0.0.0.0", port: 0, onListen: () => {} }, (request) => {
    asked.push(request.url);
    return new Response("<!doctype html><link rel=icon href=data:,><p>here", {
      headers: { "content-type": "text/html" },
    });
  });
  return { url: `http://127.0.0.1:${server.addr.port}/`, asked, [Symbol.asyncDispose]: () => server.shutdown() };
}

permitted("withPage() collects errors of the console and those that nothing caught", async () => {
  await withPage(async (page, seen) => {
    await page.evaluate(() => {
      console.log("said");
      console.error("wrong");
      setTimeout(() => {
        throw new RangeError("thrown");
      });
    });
    await page.waitForTimeout(100);
    assertEquals(seen.errors, ["wrong", "RangeError: thrown"]);
    assertEquals(seen.requests, []);
  });
});

permitted("withPage() lists every request, and lets none beyond this machine's loopback address", async () => {
  await using server = serve();
  const elsewhere = server.url.replace("127.0.0.1", "127.0.0.2");
  await withPage(async (page, seen) => {
    await page.goto(server.url);
    const urls = [`${server.url}near`, elsewhere, "https://outside.example/"];
    const ask = (url: string) => fetch(url, { mode: "no-cors" }).then(() => true, () => false);
    const answered: boolean[] = [];
    for (const url of urls) answered.push(await page.evaluate(ask, url));
    assertEquals(answered, [true, false, false]);
    assertEquals(seen.requests, [server.url, ...urls]);
    assertEquals(seen.errors.length, 2);
    for (const error of seen.errors) assertMatch(error, /ERR_NAME_NOT_RESOLVED/);
  });
  assertEquals(server.asked, [server.url, `${server.url}near`]);
});

permitted("withPage() shows a page as large as asked, light or dark", async () => {
  for (const dark of [false, true]) {
    const shown = await withPage(
      (page) => page.evaluate("[innerWidth, innerHeight, matchMedia('(prefers-color-scheme: dark)').matches]"),
      { width: 640, height: 360, dark },
    );
    assertEquals(shown, [640, 360, dark]);
  }
});

permitted("withPage() gives the page a WebGPU adapter, and none where told", async () => {
  await using server = serve();
  for (const webgpu of [true, false]) {
    const found = await withPage(async (page) => {
      await page.goto(server.url);
      return await page.evaluate(async () => "gpu" in navigator && await navigator.gpu.requestAdapter() !== null);
    }, { webgpu });
    assertEquals(found, webgpu);
  }
});

permitted("withPage() closes its browser, also where the body throws", async () => {
  let isConnected = () => true;
  const failing = withPage((page) => {
    const browser = page.context().browser()!;
    isConnected = () => browser.isConnected();
    throw new RangeError("of the body");
  });
  await assertRejects(() => failing, RangeError, "of the body");
  assertEquals(isConnected(), false);
});
