import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { withPage } from "../../support/browser.ts";
import { permitted } from "../../support/permitted.ts";

/** Serves an empty page on loopback, and counts who asks for what. */
function serve(): { url: string; asked: string[] } & AsyncDisposable {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "0.0.0.0", port: 0, onListen: () => {} }, (request) => {
    asked.push(request.url);
    const headers = { "content-type": "text/html" };
    return new Response("<!doctype html><link rel=icon href=data:,><p>here", { headers });
  });
  return { url: `http://127.0.0.1:${server.addr.port}/`, asked, [Symbol.asyncDispose]: () => server.shutdown() };
}

const hasAdapter = async () => "gpu" in navigator && await navigator.gpu.requestAdapter() !== null;

const LOOKS = "[innerWidth, innerHeight, matchMedia('(prefers-color-scheme: dark)').matches]";

permitted("withPage() lists requests, lets none beyond loopback, has WebGPU, and collects all errors", async () => {
  await using server = serve();
  const elsewhere = server.url.replace("127.0.0.1", "127.0.0.2");
  await withPage(async (page, seen) => {
    await page.evaluate(() => {
      console.log("said");
      console.error("wrong");
      setTimeout(() => {
        throw new RangeError("thrown");
      });
    });
    await page.waitForTimeout(100);
    assertEquals(seen.errors.splice(0), ["wrong", "RangeError: thrown"]);
    assertEquals(seen.requests, []);
    await page.goto(server.url);
    assertEquals(await page.evaluate(hasAdapter), true);
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

permitted("withPage() shows a light page as large as asked, without WebGPU where told", async () => {
  await using server = serve();
  await withPage(async (page) => {
    assertEquals(await page.evaluate(LOOKS), [640, 360, false]);
    await page.goto(server.url);
    assertEquals(await page.evaluate(hasAdapter), false);
  }, { width: 640, height: 360, webgpu: false });
});

permitted("withPage() shows a dark page, and closes its browser, also where the body throws", async () => {
  let isConnected = () => true;
  const failing = withPage(async (page) => {
    const browser = page.context().browser()!;
    isConnected = () => browser.isConnected();
    assertEquals(await page.evaluate(LOOKS), [640, 360, true]);
    throw new RangeError("of the body");
  }, { width: 640, height: 360, dark: true });
  await assertRejects(() => failing, RangeError, "of the body");
  assertEquals(isConnected(), false);
});
