/** The form of products is measured at the first large training on an adapter, and kept. */

import { assertEquals, assertMatch } from "@std/assert";
import { nameOf, type ProductMethod, requestAdapter } from "../../../lib/gpu/adapter.ts";
import type { Origin } from "../../../tasks/runs/origin.ts";
import { adapterKey, ADAPTERS_FILE, keepProducts, keptProducts } from "../../../tasks/settings/adapters.ts";
import { productsOf } from "../../../tasks/training/products.ts";
import { permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { inFolder } from "../../support/temp_files.ts";

const { info } = await requestAdapter({});

/** Asks for the form as a training does; blocks take one millisecond and tiles so many. */
async function ask(
  file: string,
  tiles = 3,
  origin?: Origin,
): Promise<{ products?: string; timed: number; told: string }> {
  let told = "";
  let timed = 0;
  const time = (products: ProductMethod) => Promise.resolve(products === "blocks" ? (timed++, 1) : (timed++, tiles));
  const { products, keep } = await productsOf({ view: { warning: (text) => told += text }, origin, time, file });
  await keep?.();
  return { products, timed, told };
}

permitted(
  "the form is measured once, kept under the adapter's key, and measured again where the file is broken",
  async () => {
    await inFolder(async (folder) => {
      const file = `${folder}/adapters.json`;
      const told = `adapter: products in blocks, 3 times as fast as in tiles; kept in ${file}`;
      const measured = { products: "blocks", timed: 2, told };
      const kept = { products: "blocks", timed: 0, told: "" };
      assertEquals(await ask(file), measured);
      assertEquals(JSON.parse(await Deno.readTextFile(file)), { [adapterKey(info)]: "blocks" });
      assertEquals(await ask(file, 0.1), kept);
      for (const broken of ["{", "[]", "null", "", `{"${adapterKey(info)}":"plain"}`]) {
        await Deno.writeTextFile(file, broken);
        assertEquals(await ask(file), measured, broken);
        assertEquals(await ask(file, 0.1), kept, broken);
      }
      const { vendor, architecture, device } = info;
      const other = { vendor, architecture, device, description: "another driver" } as GPUAdapterInfo;
      await keepProducts(other, "tiles", file);
      assertEquals([keptProducts(other, file), keptProducts(info, file)], ["tiles", "blocks"]);
      assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["adapters.json"]);
    });
  },
);

permitted("a file that can be neither read nor written stops no training", async () => {
  await inFolder(async (folder) => {
    for (const file of [folder, `${folder}/missing/adapters.json`]) {
      const { products, told } = await ask(file);
      assertEquals(products, "blocks");
      assertMatch(
        told,
        /^adapter: products in blocks, .*; not kept, so the next training measures again: Cannot write /,
      );
    }
  });
});

permitted("a run that is resumed keeps its form on the device that it began on", async () => {
  await inFolder(async (folder) => {
    const origin: Origin = { version: "1", device: nameOf(info), data: "", products: "tiles" };
    const of = async (origin: Origin) => (await ask(`${folder}/adapters.json`, 3, origin)).products;
    assertEquals(await of(origin), "tiles");
    assertEquals(await of({ ...origin, device: "another" }), undefined);
    assertEquals(await of({ ...origin, products: undefined }), undefined);
  });
});

permitted("train measures for large steps alone, says so once, and resumes in the form that the run has", async () => {
  await using place = await Workplace.inSeries("train");
  const train = (args: string) => place.succeed("train", args.split(" "));
  const products = async () => JSON.parse(await place.read("data/runs/default_run/origin.json")).products;
  assertEquals((await train("--num-dataset 100 --num-epochs 1")).stderr, "");
  assertEquals(Object.keys(await place.digests("data")).includes("adapters.json"), false);
  const large =
    "--generate-dataset --num-dataset 1500 --split 1,0,0 --batch-size full --hidden-size 48,48 --num-epochs 1";
  const line = /^adapter: products in (blocks|tiles), .*; kept in data\/adapters\.json$/m;
  assertMatch((await train(large)).stderr, line);
  const key = Object.keys(JSON.parse(await place.read(ADAPTERS_FILE)))[0];
  await place.write(ADAPTERS_FILE, JSON.stringify({ [key]: "tiles" }));
  assertEquals((await train(large)).stderr.match(line), null);
  assertEquals(await products(), "tiles");
  await place.write(ADAPTERS_FILE, JSON.stringify({ [key]: "blocks" }));
  await train("--resume default_run --num-epochs 2");
  assertEquals(await products(), "tiles");
});
