/** Outputs of tasks must not lie over what the tasks read, nor in the folders of runs. */

import { assertStringIncludes } from "@std/assert";
import type { InputColumn } from "../../../lib/data/table.ts";
import { checkOutput } from "../../../tasks/runs/outputs.ts";
import { ConfigError } from "../../../tasks/settings/config.ts";
import { permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { putHandRun } from "../predict/hand_run.ts";

const X: InputColumn = { kind: "numeric", name: "x" };
const RUN = "data/runs/F";

/** A folder with the run F, trained on train.csv and on the tables of the folder parts. */
async function placeWithRun(): Promise<Workplace> {
  const place = await Workplace.inSeries("predict", {
    "train.csv": "x,y\n1,2\n",
    "parts/a.csv": "x,y\n1,2\n",
    "new.csv": "x,y\n1,2\n3,4\n",
    "old/test.csv": "x,y\n1,2\n",
  });
  await putHandRun(place, "F", { inputs: [X], weights: [1] });
  const config = { DATA: "train.csv", VALIDATION: "parts", TEST: "test.csv" };
  await place.write(`${RUN}/config.json`, JSON.stringify(config));
  await place.write(`${RUN}/origin.json`, JSON.stringify({ folder: place.at("old") }));
  await Deno.symlink(place.at("train.csv"), place.at("link.csv"));
  return place;
}

permitted("no task writes over the tables of a run, or into the folder of a run", async () => {
  await using place = await placeWithRun();
  const args = ["--run-name", "F"];
  const predict = ["predict", ...args, "--input", "new.csv", "--output"];
  const onnx = ["export", ...args, "--format", "onnx", "--output"];
  const cases: [says: string, output: string, ...call: string[]][] = [
    ["is the same file as --input new.csv", "new.csv", ...predict],
    ["is the same file as the run's DATA train.csv", "train.csv", ...predict],
    ["is the same file as the run's DATA train.csv", "link.csv", ...predict],
    ["is the same file as the run's VALIDATION parts/a.csv", "parts/a.csv", ...predict],
    ["would be a file of the table in the run's VALIDATION parts", "parts/b.csv", ...predict],
    ["is the same file as the run's TEST", "old/test.csv", ...predict],
    ["is in the folder of a run, which holds the run's own files: put it", `${RUN}/model.safetensors`, ...predict],
    ["is in the folder of a run", `${RUN}/summary.json`, "predict", ...args, "1", "--output"],
    ["is in the folder of a run", "data/../data/runs/F/out.csv", ...predict],
    ["is the same file as the run's DATA", "train.csv", "evaluate", ...args, "--data", "new.csv", "--confusion"],
    ["is in the folder of a run", `${RUN}/m.csv`, "evaluate", ...args, "--data", "new.csv", "--confusion"],
    ["run's own files and files that end in .html", `${RUN}/model.safetensors`, "report", "F", "--output"],
    ["is the same file as the run's DATA", "train.csv", "report", "F", "--output"],
    ["it must end in .onnx", `${RUN}/model.safetensors`, ...onnx],
  ];
  for (const [says, output, task, ...words] of cases) {
    await place.refuse(2, [`${output} `, says], task, [...words, output]);
  }
  await place.succeed("predict", [...args, "1", "--output", "data/runs/new.csv"]);
  await place.succeed("export", [...args, "--format", "onnx", "--output", `${RUN}/mine.onnx`]);
  await place.succeed("predict", ["--input", "new.csv", ...args, "--output", "other.csv"]);
});

permitted("the table of a recipe is not written over, and damaged files of a run are no obstacle", async () => {
  const home = Deno.cwd();
  await using place = await Workplace.create({
    "data/xor.csv": "x,y\n",
    "data/runs/R/config.json": '{"RECIPE":"xor","DATA":""}',
    "data/runs/D/config.json": '{"DATA":"gone","TEST":[',
    "data/runs/D/origin.json": "{",
  });
  await Deno.symlink(place.at("data/runs/D"), place.at("way"));
  Deno.chdir(place.path);
  try {
    const check = (run: string, path: string, ending?: string) =>
      checkOutput(run, ["--output", path], { ending }).then(() => "written", (error) => {
        if (!(error instanceof ConfigError)) throw error;
        return error.message;
      });
    const cases: [run: string, path: string, ending: string | undefined, says: string][] = [
      ["R", "data/xor.csv", undefined, "is the same file as the run's table data/xor.csv"],
      ["R", "data/other.csv", undefined, "written"],
      ["D", "gone", undefined, "written"],
      ["D", "no/such/folder.csv", undefined, "written"],
      ["none", "way/config.json", undefined, "is in the folder of a run"],
      ["none", "data/runs/D/a.onnx", ".onnx", "written"],
      ["none", "data/runs/D/a.onnx", undefined, "is in the folder of a run"],
    ];
    for (const [run, path, ending, says] of cases) assertStringIncludes(await check(run, path, ending), says, path);
  } finally {
    Deno.chdir(home);
  }
});
