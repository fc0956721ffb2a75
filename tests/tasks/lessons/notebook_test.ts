/** The notebook of the lessons, run cell by cell, and what a notebook would show of each cell's last line. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { permitted } from "../../support/permitted.ts";
import { pathInProject, Workplace } from "../../support/run_task_process.ts";

interface Cell {
  readonly cell_type: "code" | "markdown";
  readonly source: readonly string[];
}

/** A cell whose last line, if it is a value, goes to `show`. */
function toCode({ source }: Cell): string {
  return source.join("").trimEnd().replace(/^(\w+);?$(?![^])/m, "await show($1);");
}

permitted("the notebook runs from its first cell to its last, and shows tensors and losses", async () => {
  const path = pathInProject("tasks/lessons/notebook.ipynb");
  const { cells }: { cells: Cell[] } = JSON.parse(await Deno.readTextFile(path));
  const show = `const show = async (value) =>
    console.log(JSON.stringify(await value[Symbol.for("Jupyter.display")]()));`;
  const code = cells.filter(({ cell_type }) => cell_type === "code").map(toCode).join("\n");
  const script = `${show}\n${code}`.replace("../../mod.ts", `file://${encodeURI(pathInProject("mod.ts"))}`);
  await using place = await Workplace.create({ "cells.ts": script });
  const args = ["run", "--config", pathInProject("deno.json"), "--allow-read", "--allow-env", "--no-check"];
  const { code: exitCode, stdout, stderr } = await place.runDeno([...args, place.at("cells.ts")]);
  assertEquals(exitCode, 0, stderr);
  const shown: Record<string, string>[] = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(shown.length, 3);
  for (const tensor of shown.slice(0, 2)) assertStringIncludes(tensor["text/html"], "<table");
  assertStringIncludes(shown[2]["image/svg+xml"], "<polyline");
  const [_, first, last] = shown[2]["text/plain"].match(/^200 losses, from (\S+) to (\S+)$/)!;
  assert(Number(last) < Number(first) / 10, shown[2]["text/plain"]);
});
