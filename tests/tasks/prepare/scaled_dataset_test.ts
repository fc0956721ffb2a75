/** Names of scaled datasets, and what is said where two files share one. */

import { assertEquals } from "@std/assert";
import { datasetName } from "../../../tasks/prepare/scaled_dataset.ts";
import { permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";

Deno.test("a dataset has the name of its file, without the endings of tables", () => {
  const cases: [data: string, name: string][] = [
    ["", "cubic"],
    ["houses.csv", "houses"],
    ["a/houses.csv.gz", "houses"],
    ["houses.JSONL", "houses"],
    ["houses.ndjson.gz", "houses"],
    ["houses.parquet", "houses"],
    ["houses.gz", "houses"],
    ["houses.2024.csv", "houses.2024"],
    ["houses.v2", "houses.v2"],
    ["b/houses/", "houses"],
    ["a:b?.csv", "a_b_"],
    [".csv", ".csv"],
  ];
  for (const [data, name] of cases) assertEquals([data, datasetName({ data, recipe: "cubic" })], [data, name]);
});

permitted("scale says that it replaces the rows of another file of the same name", async () => {
  const table = `x,y\n${Array.from({ length: 20 }, (_, i) => `${i},${i * i}\n`).join("")}`;
  await using place = await Workplace.inSeries("scale", { "t.csv": table, "a/t.csv": table, "xor.csv": table });
  const said = async (...flags: string[]) => (await place.succeed("scale", flags)).stderr;
  const note = (name: string) =>
    `note: data/${name}.scaled.safetensors holds the rows of another file or recipe: they are replaced\n`;
  assertEquals(await said("--data", "t.csv", "--target", "y"), "");
  assertEquals(await said("--data", "t.csv", "--target", "x"), "");
  assertEquals(await said("--data", "a/t.csv", "--target", "x"), note("t"));
  await place.succeed("gen-data", ["--recipe", "xor"]);
  assertEquals(await said("--recipe", "xor"), "");
  assertEquals(await said("--data", "xor.csv", "--target", "y"), note("xor"));
  assertEquals(await said("--recipe", "xor"), note("xor"));
});
