/** Tables in a folder of CSV files, as their users name them: trained on, measured on and predicted from. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readSafetensorsHeader } from "../../../lib/safetensors/reader.ts";
import { parsePredictions, stagesOf, Workplace } from "../../support/run_task_process.ts";

/** Rows of a plane. */
function rows(from: number, count = 40): string {
  const row = (i: number) => `${i % 7},${i % 5},${2 * (i % 7) - (i % 5)}`;
  return `a,b,y\n${Array.from({ length: count }, (_, i) => row(from + i)).join("\n")}\n`;
}

const TABLE = ["--data", "plane", "--target", "y"];
const SHORT = ["--num-epochs", "2"];

Deno.test("train, evaluate and predict take a folder of CSV files", async () => {
  const files = {
    "plane/2024.csv": rows(0),
    "plane/2025.csv": rows(40),
    "more/a.csv": rows(3, 9),
    "more/b.csv": rows(5, 2),
  };
  await using place = await Workplace.create(files);
  const first = await place.succeed("train", [...TABLE, ...SHORT, "--validation", "more"]);
  assertEquals(stagesOf(first), { scale: "wrote" });
  assertStringIncludes(first.stdout, "plane.scaled.safetensors: 80 training, 11 validation and 0 test rows");
  const { metadata } = await readSafetensorsHeader(place.at("data/runs/default_run/model.safetensors"));
  assertMatch(metadata.source, /^\{"name":"plane","sha256":"[0-9a-f]{64}"\}$/);
  assertEquals(stagesOf(await place.succeed("train", [...TABLE, ...SHORT, "--validation", "more"])), {
    scale: "skipped",
  });

  const { stdout } = await place.succeed("evaluate", ["--data", "more", "--json"]);
  assertEquals(JSON.parse(stdout).rows, 11);
  const predicted = await place.succeed("predict", ["--input", "more"]);
  assertEquals(parsePredictions(predicted).rows.map(([a, b]) => [a, b]).slice(8), [[4, 1], [5, 0], [6, 1]]);
  const same = "--output more/b.csv is the same file as --input more/b.csv: give it another name";
  await place.refuse(2, [same], "predict", ["--input", "more", "--output", "more/b.csv"]);
  const within = "--output more/new.csv would be a file of the table in --input more: put it elsewhere";
  await place.refuse(2, [within], "predict", ["--input", "more", "--output", "more/new.csv"]);
});

Deno.test("scale and train refuse a folder that is no table", async () => {
  await using place = await Workplace.create({ "plane/a.csv": rows(0), "empty/plane.txt": rows(0) });
  const none = ["Cannot read empty: it is a folder without *.csv files"];
  await place.refuse(1, none, "train", ["--data", "empty", "--target", "y"]);
  await place.write("plane/b.csv", rows(0).replace("a,b,y", "a,c,y"));
  const differs = [
    'plane/b.csv: its header is "a,c,y", and that of plane/a.csv is "a,b,y": all files of a folder need',
  ];
  await place.refuse(1, differs, "scale", TABLE);
});
