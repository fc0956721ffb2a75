import { assertEquals } from "@std/assert";
import * as face from "../../mod.ts";
import { readSources } from "../../tasks/gate/sources.ts";
import { permitted } from "../support/permitted.ts";

const root = new URL("../../", import.meta.url);

async function examples(): Promise<string> {
  const texts = [await Deno.readTextFile(new URL("README.md", root))];
  texts.push(...(await readSources("lib")).values());
  return texts.flatMap((text) => [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1])).join("\n");
}

permitted("mod.ts: every public function, class and constant stands in an example that runs", async () => {
  const text = (await examples()).replaceAll(/^.*import .*$/gm, "");
  const missing = Object.keys(face).filter((name) => {
    const use = /^[a-z]/.test(name) && typeof face[name as keyof typeof face] === "function"
      ? `${name}\\(`
      : `${name}\\b`;
    return !new RegExp(`(?<!\\w)${use}`).test(text);
  });
  assertEquals(missing, []);
});
