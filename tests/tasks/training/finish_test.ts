/** A report at a run's end takes nothing from the run: it is loaded late, and fails alone. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Device } from "../../../lib/gpu/device.ts";
import { reportRun } from "../../../tasks/training/finish.ts";
import { permitted } from "../../support/permitted.ts";

const root = new URL("../../../", import.meta.url);

/** The files that a file imports before it runs, and the packages. */
async function loadedBy(path: string, seen = new Set<string>()): Promise<Set<string>> {
  if (seen.has(path)) return seen;
  seen.add(path);
  if (!path.endsWith(".ts")) return seen;
  const text = await Deno.readTextFile(new URL(path, root));
  for (const [_, type, name] of text.matchAll(/^(?:import|export) (type )?[^;"']*?"([^"]+)"/gm)) {
    if (type) continue;
    await loadedBy(name.startsWith(".") ? new URL(name, `file:///${path}`).pathname.slice(1) : name, seen);
  }
  return seen;
}

permitted("training loads the libraries of charts only where a report is made", async () => {
  const early = await loadedBy("tasks/train.ts");
  const late = await loadedBy("tasks/report/writer.ts");
  const ofCharts = (loaded: Set<string>) =>
    [...loaded].filter((name) => /plot|linkedom|pages\/|report_writer/.test(name));
  assertEquals(ofCharts(early), []);
  assertEquals(ofCharts(await loadedBy("tasks/training/finish.ts")), []);
  assert(early.has("tasks/training/epochs.ts") && early.has("lib/gpu/device.ts"), "imports are followed");
  for (const name of ["@observablehq/plot", "linkedom"]) assert(ofCharts(late).includes(name), name);
});

Deno.test("reportRun() warns where there can be no report, and throws nothing", async () => {
  const notes: string[] = [];
  const warnings: string[] = [];
  const say = { note: (line: string) => void notes.push(line), warning: (line: string) => void warnings.push(line) };
  await reportRun({ runName: "no-such-run-anywhere", device: {} as Device }, say);
  assertEquals([notes, warnings.length], [[], 1]);
  assertMatch(
    warnings[0],
    /^warning: the run is complete, but has no report: .*no-such-run-anywhere\/model\.safetensors/,
  );
});
