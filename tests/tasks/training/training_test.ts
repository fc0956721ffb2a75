/** The parts of a training, and its report, which is loaded late and fails alone. */

import type { Device } from "../../../lib/gpu/device.ts";
import { Linear, ReLU } from "../../../lib/core/layers.ts";
import { Model } from "../../../lib/core/model.ts";
import { SafetensorsRows } from "../../../lib/safetensors/rows.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { mse } from "../../../lib/core/losses.ts";
import { openParts } from "../../../tasks/training/training.ts";
import { permitted } from "../../support/permitted.ts";
import { permittedGpuTest, ramp } from "../../support/gpu_test_case.ts";
import { reportRun } from "../../../tasks/training/finish.ts";
import { temporaryFile } from "../../support/temp_files.ts";
import { writeSafetensors } from "../../../lib/safetensors/reader.ts";

permittedGpuTest("openParts() measures the same on parts in the file as on parts on the GPU", async (device) => {
  await using file = await temporaryFile("parts.safetensors");
  const { path } = file;
  const tensor = (...shape: number[]) => ({ shape, data: ramp(shape) });
  const column = { name: "y", min: -1, max: 1, mean: 0.25, deviation: 2 };
  const scaler = new Scaler("standardize", [column]);
  await writeSafetensors(path, { x: tensor(90, 3), y: tensor(90, 1), "no x": tensor(0, 3), "no y": tensor(0, 1) });
  using stack = new DisposableStack();
  const rows = stack.use(await SafetensorsRows.open(path, "x", "y"));
  const parts = { train: rows, validation: stack.use(await SafetensorsRows.open(path, "no x", "no y")), test: rows };
  const model = stack.use(new Model(device, [new Linear(3, 8), new ReLU(), new Linear(8, 1)]));
  const bytes = 2 * 90 * 4 * 4;
  const resident = await openParts(stack, model, { parts, loss: "mse" }, bytes);
  const streamed = await openParts(stack, model, { parts, loss: "mse" }, bytes - 1);
  for (const parts of [resident, streamed]) assertEquals(parts.map(({ name }) => name), ["train", "test"]);
  assertEquals(["x" in resident[0].rows, "source" in streamed[0].rows], [true, true]);
  for (const [i, part] of streamed.entries()) {
    assertEquals(await part.evaluate(mse, scaler), await resident[i].evaluate(mse, scaler));
  }
});

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
