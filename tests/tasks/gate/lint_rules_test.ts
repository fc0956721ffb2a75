import { assertEquals } from "@std/assert";
import plugin from "../../../tasks/gate/lint_rules.ts";

function idsOf(code: string): string[] {
  return Deno.lint.runPlugin(plugin, "a.ts", code).map(({ id }) => id.replace("backhand/", ""));
}

Deno.test("one-declaration refuses several names in a statement, but not in the head of a loop", () => {
  assertEquals(idsOf("const a = 1, b = 2;"), ["one-declaration"]);
  assertEquals(idsOf("let a, b;"), ["one-declaration"]);
  assertEquals(idsOf("const a = 1;\nconst b = 2;\nfor (let i = 0, n = 3; i < n; i++) a;"), []);
});

Deno.test("nothing-packed refuses spread literals, holes and tuples that are assigned", () => {
  const packed = [
    "const a = { ...{ b, c }, d };",
    "const a = [...[b, c], d];",
    "const [, b] = c;",
    "for (const [, b] of c) b;",
    "[a.b, a.c] = [1, 2];",
  ];
  for (const code of packed) assertEquals(idsOf(code), ["nothing-packed"], code);
  assertEquals(idsOf("const a = { ...b, ...(c ? { d } : {}) };\nconst [e, f] = g;\n[h, i] = j;"), []);
});
