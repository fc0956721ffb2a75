/** The end of a run: its model is replaced only by one that can be read back. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Linear } from "../../../lib/core/layers.ts";
import { mse } from "../../../lib/core/losses.ts";
import { Model } from "../../../lib/core/model.ts";
import { numericTable } from "../../../lib/data/table.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import type { ModelDescription } from "../../../lib/model_file/saved_model.ts";
import { restoreBest, writeModel } from "../../../tasks/training/finish.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";
import { Workplace } from "../../support/run_task_process.ts";

Deno.test("restoreBest() says which weights the model has, unless they are those of the last step", () => {
  const verdict = { losses: [1, 2], best: [1, 2], waited: 0, drops: 0, rateFactor: 1, isOver: false };
  const cases: [step: number, ages: number[], said: string[]][] = [
    [30, [0, 0], []],
    [30, [0, 1], [
      "weights: for each member those of epochs 2 to 3, with the lowest validation loss, 1.0000 to 2.0000",
    ]],
    // Ended by the live page within the epoch after the best one.
    [34, [0, 0], ["weights: for each member those of epoch 3, with the lowest validation loss, 1.0000 to 2.0000"]],
  ];
  for (const [step, ages, said] of cases) {
    const notes: string[] = [];
    let isRestored = false;
    const judge = { hasBest: true, restore: () => void (isRestored = true), verdict: { ...verdict, ages } };
    const trainer = { step, epoch: 3, stepsPerEpoch: 10 };
    assertEquals(restoreBest({ trainer, judge }, { note: (text) => void notes.push(text) }), said.length > 0);
    assertEquals(notes, said);
    assert(isRestored);
  }
});

permittedGpuTest("writeModel() leaves the model that is there, where the new one could not be read", async (device) => {
  await using place = await Workplace.create();
  using model = new Model(device, [new Linear(1, 1)]);
  const scaler = (name: string) => new Scaler("none", [{ name, min: 0, max: 1, mean: 0, deviation: 1 }]);
  const description: ModelDescription = {
    table: numericTable(["x"], ["y"]),
    features: ["x"],
    targets: ["y"],
    scalers: { inputs: scaler("x"), targets: scaler("y") },
    loss: mse,
    settings: { NUM_EPOCHS: "6" },
  };
  const path = place.at("model.safetensors");
  await writeModel(path, model, description);
  const before = await place.digests(".");
  const odd = { ...description, settings: { NUM_EPOCHS: 6 } } as unknown as ModelDescription;
  await assertRejects(() => writeModel(path, model, odd), Error, "NUM_EPOCHS");
  assertEquals(await place.digests("."), before);
});
