/** What was made of a user's table, told wherever a run is looked at: in its output for programs, its summary and its model. */

import { assertEquals } from "@std/assert";
import { readSafetensors } from "../../../lib/safetensors/reader.ts";
import { permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";

permitted(
  "train tells what it took columns as, also where the rows were scaled before; of a recipe nothing",
  async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i},${i % 7 === 0 ? "" : i % 5},${i}`);
    await using place = await Workplace.inSeries("train", { "own.csv": `id,x,y\n${rows.join("\n")}\n` });
    const flags = ["--num-epochs=1", "--report=false", "--json"];
    const table = ["--data=own.csv", "--target=y", "--missing=mean"];
    const endOf = (stdout: string) => JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
    for (const when of ["scaled", "skipped"]) {
      const { notes } = endOf((await place.succeed("train", [...flags, ...table])).stdout);
      const taken = notes.columns.map(({ name, as, missing }: Record<string, unknown>) => [name, as, missing]);
      assertEquals(taken, [["id", "left out", 0], ["x", "numeric", 6], ["y", "target", 0]], when);
      assertEquals(JSON.parse(await place.read("data/runs/default_run/summary.json")).notes, notes, when);
      const { metadata } = await readSafetensors(place.at("data/runs/default_run/model.safetensors"));
      assertEquals(JSON.parse(metadata.notes), notes, when);
    }
    assertEquals("notes" in endOf((await place.succeed("train", [...flags, "--recipe=xor"])).stdout), false);
    const { metadata } = await readSafetensors(place.at("data/runs/default_run/model.safetensors"));
    assertEquals("notes" in metadata, false);
  },
);
