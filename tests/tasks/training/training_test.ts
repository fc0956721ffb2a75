import { assertEquals } from "@std/assert";
import { Linear, ReLU } from "../../../lib/core/layers.ts";
import { mse } from "../../../lib/core/losses.ts";
import { Model } from "../../../lib/core/model.ts";
import { writeSafetensors } from "../../../lib/safetensors/reader.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import { SafetensorsRows } from "../../../lib/safetensors/rows.ts";
import { openParts } from "../../../tasks/training/training.ts";
import { permittedGpuTest, ramp } from "../../support/gpu_test_case.ts";

permittedGpuTest("openParts() measures the same on parts in the file as on parts on the GPU", async (device) => {
  const folder = await Deno.makeTempDir({ prefix: "backhand_parts_" });
  const path = `${folder}/parts.safetensors`;
  const tensor = (...shape: number[]) => ({ shape, data: ramp(shape) });
  const column = { name: "y", min: -1, max: 1, mean: 0.25, deviation: 2 };
  const scaler = new Scaler("standardize", [column]);
  try {
    await writeSafetensors(path, { x: tensor(90, 3), y: tensor(90, 1), "no x": tensor(0, 3), "no y": tensor(0, 1) });
    using stack = new DisposableStack();
    const rows = stack.use(await SafetensorsRows.open(path, "x", "y"));
    const parts = { train: rows, validation: stack.use(await SafetensorsRows.open(path, "no x", "no y")), test: rows };
    const model = stack.use(new Model(device, [new Linear(3, 8), new ReLU(), new Linear(8, 1)]));
    const bytes = 2 * 90 * 4 * 4;
    const resident = await openParts(stack, model, { parts }, bytes);
    const streamed = await openParts(stack, model, { parts }, bytes - 1);
    assertEquals([resident, streamed].map((parts) => parts.map(({ name }) => name)), [["train", "test"], [
      "train",
      "test",
    ]]);
    assertEquals(["x" in resident[0].rows, "source" in streamed[0].rows], [true, true]);
    for (const [i, part] of streamed.entries()) {
      assertEquals(await part.evaluate(mse, scaler), await resident[i].evaluate(mse, scaler));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
