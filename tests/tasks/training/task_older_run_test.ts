/** `--resume` of runs that an older version began: config.json lacks the settings that have come since. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { loadCheckpoint, saveCheckpoint } from "../../../lib/model_file/checkpoint.ts";
import { totalsOf } from "../../support/kill_runs.ts";
import { permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";

const run = "data/runs/r";
const NAME = ["--run-name", "r"];

permitted(
  "a run of an older version continues as that version would, or one sentence says that it cannot",
  async () => {
    await using place = await Workplace.inSeries("train");
    await place.write("t.csv", "x,y\n" + Array.from({ length: 40 }, (_, i) => `${i},${i * i % 7}`).join("\n") + "\n");
    const later = { FOLDS: "0", MEMBERS: "1", NUMERIC_EMBEDDING: "none", COLUMN_DROPOUT: "0", CLIP_TARGETS: "false" };
    const flags = Object.entries(later).map(([key, text]) => `--${key.toLowerCase().replaceAll("_", "-")}=${text}`);
    const train = (...more: string[]) =>
      place.succeed("train", ["--data=t.csv", "--target=y", ...flags, ...NAME, ...more]);
    await train("--num-epochs=6", "--schedule=constant");
    const expected = await totalsOf(place, run);
    await train("--num-epochs=3", "--schedule=constant");
    const forget = async (change: object = {}) => {
      const origin = JSON.parse(await place.read(`${run}/origin.json`));
      for (const key of Object.keys(later)) delete origin.settings[key];
      await place.write(`${run}/config.json`, JSON.stringify(origin.settings));
      await place.write(`${run}/origin.json`, JSON.stringify({ ...origin, ...change }));
    };
    await forget();
    await place.succeed("train", ["--resume=r", "--num-epochs=6"]);
    assertEquals(await totalsOf(place, run), expected);

    const refuse = async (says: string) => {
      for (const force of [[], ["--force"]]) {
        const { code, stderr } = await place.run("train", ["--resume=r", "--num-epochs=9", "--quiet", ...force]);
        assertEquals(code, 2, stderr);
        assertStringIncludes(
          stderr,
          `error: --resume is "r": an older version of Backhand began this run, and ${says}`,
        );
        assertEquals(stderr.includes("--force"), false);
      }
    };
    const checkpoints = await Array.fromAsync(Deno.readDir(place.at(`${run}/checkpoints`)), ({ name }) => name);
    for (const name of checkpoints) {
      const path = place.at(`${run}/checkpoints/${name}`);
      const { state: { tensors, ...state }, notes } = await loadCheckpoint(path);
      const { judge: _later, ...others } = tensors;
      await saveCheckpoint(path, { ...state, tensors: others }, notes);
    }
    await refuse("its checkpoints have another form");
    await Deno.remove(place.at(`${run}/checkpoints`), { recursive: true });
    await forget({ data: "0".repeat(64) });
    await refuse("gave its rows another form: train it again");
  },
);
