/** How products run is chosen by their speed. */

import { assertEquals, assertRejects } from "@std/assert";
import { DeviceError } from "../../lib/base/errors.ts";
import { chooseProducts, timeProduct } from "../../lib/check/product_speed.ts";
import { type ProductMethod, productsFor, requestAdapter } from "../../lib/gpu/adapter.ts";

const SOFTWARE = { isFallbackAdapter: true } as GPUAdapterInfo;
const HARDWARE = { isFallbackAdapter: false } as GPUAdapterInfo;

Deno.test("the form that suits an adapter's kind is kept unless another is clearly faster, or it fails", async () => {
  const rows: [info: GPUAdapterInfo, blocks: number, tiles: number, chosen?: string][] = [
    [SOFTWARE, 1, 24, "blocks, 24 times as fast as in tiles"],
    [SOFTWARE, 1.49, 1, "blocks, 0.67 times as fast as in tiles"],
    [SOFTWARE, 1.5, 1, "tiles, 1.5 times as fast as in blocks"],
    [HARDWARE, 1, 1.49, "tiles, 0.67 times as fast as in blocks"],
    [HARDWARE, 1, 1.5, "blocks, 1.5 times as fast as in tiles"],
    [SOFTWARE, NaN, 9, "tiles, because those in blocks fail: no blocks"],
    [HARDWARE, NaN, 9, "tiles, because those in blocks fail: no blocks"],
    [HARDWARE, 9, NaN, "blocks, because those in tiles fail: no tiles"],
    [SOFTWARE, NaN, NaN, undefined],
  ];
  for (const [info, blocks, tiles, expected] of rows) {
    const time = (products: ProductMethod) => {
      const milliseconds = products === "blocks" ? blocks : tiles;
      return isNaN(milliseconds) ? Promise.reject(new DeviceError(`no ${products}`)) : Promise.resolve(milliseconds);
    };
    const choice = await chooseProducts(info, time);
    assertEquals(choice && `${choice.products}, ${choice.why}`, expected);
  }
  const broken = () => Promise.reject(new TypeError("a mistake of this project"));
  await assertRejects(() => chooseProducts(SOFTWARE, broken), TypeError, "a mistake");
});

Deno.test("a product is timed in milliseconds", async () => {
  const start = performance.now();
  const milliseconds = await timeProduct(productsFor((await requestAdapter({})).info));
  const all = performance.now() - start;
  assertEquals([milliseconds > 0, milliseconds < all], [true, true]);
});
