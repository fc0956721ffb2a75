/** The READMEs of lib/core and lib/arithmetic say of every backward, loss and optimizer why it is so, and the code leads there. */
import { assertEquals } from "@std/assert";
import { ACTIVATIONS } from "../../lib/core/activations.ts";
import * as face from "../../mod.ts";
import { readSources } from "../../tasks/gate/sources.ts";
import { parseLines, readLines } from "../support/backward_lines.ts";
import { permitted } from "../support/permitted.ts";

const LINK = "Why each backward is as it is: [README.md](README.md#every-backward-in-a-line).";

/** What must have its line: operations with a backward, losses, optimizers, and layers, whose names may differ in case. */
function needed(): string[] {
  const all = Object.entries<unknown>(face);
  const operations = all.flatMap(([name]) => name.match(/^(?!check)(\w+)Backward$/)?.[1] ?? []);
  const isLoss = (value: unknown) => value instanceof Object && "forwardBackward" in value;
  const losses = all.filter(([_, value]) => isLoss(value)).map(([name]) => name);
  const isOptimizer = (value: unknown) => typeof value === "function" && value.prototype instanceof face.FlatOptimizer;
  const optimizers = all.filter(([_, value]) => isOptimizer(value)).map(([name]) => name);
  const layers = Object.values(ACTIVATIONS).map((make) => make().kind);
  return [...operations, ...losses, ...optimizers, ...layers, "Dropout", "Linear"];
}

permitted(
  "the READMEs have a rule and a reason for every backward, loss and optimizer, and of nothing else",
  async () => {
    const lower = (names: Iterable<string>) => new Set([...names].map((name) => name.toLowerCase()));
    const lines = lower((await readLines()).keys());
    const names = lower(needed());
    assertEquals(names.size, 38, "as many as there are");
    assertEquals([...names].filter((name) => !lines.has(name)), [], "without a line");
    const without = ["equal", "greater", "onehot"]; // the line says why there is no backward
    assertEquals([...lines].filter((name) => !names.has(name)).sort(), without);
  },
);

permitted("a file with backwards, losses or layers leads to the reasons", async () => {
  const sources = [...await readSources("lib/core"), ...await readSources("lib/arithmetic")];
  const missing = sources.filter(([_, text]) => {
    const has = /^export function \w+Backward\(|^export const \w+: Loss\b| implements Layer\b/m.test(text);
    return has !== text.includes(LINK);
  });
  assertEquals(missing.map(([path]) => path), []);
});

Deno.test("parseLines() takes names, rule and reason, over several lines, and of its section alone", () => {
  const readme = [
    "# Core",
    "- `no`: **a**. Not here.",
    "## Every backward in a line",
    "- `a`, `b`: a · b; `x`. **dA = `b`, dB",
    "  = a**. Each is the",
    "  slope.",
    "- `c`: without a rule.",
    "- `d`: **rule** without a reason",
    "## More",
    "- `e`: **a**. Not here.",
  ];
  const line = { rule: "dA = b, dB = a", why: "Each is the slope." };
  assertEquals([...parseLines(readme.join("\n"))], [["a", line], ["b", line]]);
});
