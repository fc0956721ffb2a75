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

permitted("README.md: the table of keys has each setting with its default", async () => {
  const { KEYS, SETTINGS } = await import("../../tasks/settings/keys.ts");
  const rows = (await Deno.readTextFile(new URL("README.md", root))).matchAll(
    /^\| `([A-Z_]+)`\s*\| (?:`([^`]+)`)?\s*\|/gm,
  );
  const found = Object.fromEntries([...rows].map(([_, key, preset = ""]) => [key, preset]));
  assertEquals(found, Object.fromEntries(KEYS.map((key) => [key, SETTINGS[key].default])));
});

permitted("README.md: the table of keys has each recipe's own defaults, and those of tables", async () => {
  const { RECIPES } = await import("../../tasks/settings/recipes.ts");
  const { SETTINGS, TABLE_DEFAULTS } = await import("../../tasks/settings/keys.ts");
  const rows = (await Deno.readTextFile(new URL("README.md", root))).matchAll(
    /^\| `([A-Z_]+)`\s*\| (?:`[^`]+`)?\s*\| ([^|]*)\|/gm,
  );
  const found = new Map([...rows].map(([_, key, cell]) => [key, cell]));
  const presets = { ...RECIPES, tables: { defaults: TABLE_DEFAULTS } };
  for (const [recipe, { defaults }] of Object.entries(presets)) {
    for (const [key, preset] of Object.entries(defaults)) {
      if (preset === SETTINGS[key as keyof typeof SETTINGS].default) continue;
      const named = new RegExp(`\\b${recipe}\\b[a-z, ]*\`${preset}\``).test(found.get(key) ?? "");
      assertEquals([recipe, key, named], [recipe, key, true]);
    }
  }
});
