/** Under which key the choice for an adapter is kept. */

import { assertEquals } from "@std/assert";
import { VERSION } from "../../../lib/base/version.ts";
import { adapterKey } from "../../../tasks/settings/adapters.ts";

Deno.test("the key names the adapter, its driver, the processor and the version", () => {
  const said = { vendor: "v", architecture: "a", device: "d", description: "LLVM 15" } as GPUAdapterInfo;
  const processor = `${Deno.build.arch}, ${navigator.hardwareConcurrency} cores`;
  assertEquals(adapterKey(said), `v | a | d | LLVM 15 | ${processor} | ${VERSION}`);
});
