/** A run whose table was named by a relative path, resumed and reported from another folder. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const rows = Array.from({ length: 40 }, (_, i) => `${i},${3 * i + 1}`);
const TABLE = ["x,y", ...rows].join("\n") + "\n";
const ARGS = ["--data", "t.csv", "--target", "y", "--run-name", "r", "--num-epochs", "1", "--hidden-size", "4"];

permitted("a run that began in another folder names it, and resumes by the whole path or from there", async () => {
  await using place = await Workplace.inSeries("report");
  await using began = await Workplace.create({ "t.csv": TABLE });
  await using other = await Workplace.create();
  const there = { INIT_CWD: began.path };
  const elsewhere = { INIT_CWD: other.path };
  await place.succeed("train", ARGS, { ...there, REPORT: "true" });
  const more = ["--resume", "r", "--num-epochs"];
  const says = [
    `DATA is "t.csv": the run began in the folder ${began.path}, and`,
    `add --data ${began.path}/t.csv, or`,
  ];
  await place.refuse(2, says, "train", [...more, "2"], elsewhere);
  await other.write("t.csv", TABLE.replace("1,4", "1,5"));
  const changed = [`its rows have changed (it began in the folder ${began.path}, which its paths were relative to)`];
  const { code, stderr } = await place.run("train", [...more, "2"], elsewhere);
  assertEquals(code, 2);
  assertStringIncludes(stderr, changed[0]);

  await Deno.remove(place.at("data/t.scaled.safetensors"));
  await place.refuse(
    1,
    ["it stays as it is", `The run began in the folder ${began.path}.`],
    "report",
    ["r"],
    elsewhere,
  );
  await place.succeed("train", [...more, "2"], there);
  await Deno.remove(other.at("t.csv"));
  await place.succeed("train", [...more, "3", "--data", `${began.path}/t.csv`], elsewhere);
  // Now its paths are whole.
  await place.succeed("train", [...more, "4"], elsewhere);
  await place.succeed("report", ["r"], elsewhere);
});
