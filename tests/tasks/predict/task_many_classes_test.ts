/** More classes than a matrix can be shown of: files stay small, and the whole matrix is written where it is asked for. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "@std/csv";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

/** Rows of so many classes, some of them alike. */
function table(classes: number): string {
  const rows = Array.from({ length: classes * 4 }, (_, i) => `${(i % classes) / 10},${i % 3},"kind ${i % classes}"`);
  return ["x,z,y", ...rows].join("\n") + "\n";
}

const TRAIN = ["--target", "y", "--num-epochs", "1", "--split", "0.5,0.25,0.25", "--hidden-size", "4", "--data"];

permitted("summary.json, JSON and report of many classes are short; evaluate --confusion writes all", async () => {
  await using place = await Workplace.inSeries("export", { "many.csv": table(200), "few.csv": table(3) });
  await place.succeed("train", [...TRAIN, "many.csv", "--report"]);
  const text = await place.read("data/runs/default_run/summary.json");
  assert(text.length < 80_000, `${text.length} characters`);
  const { test } = JSON.parse(text);
  assertEquals([test.classes, test.confusion, test.baseline.perClass], [200, undefined, undefined]);
  assert(test.confusions.length <= 100 && test.confusions.length <= test.confusedPairs);
  assert(test.perClass.length <= 50);
  const page = await place.read("data/runs/default_run/report.html");
  for (const words of ["Measures by class: of 200 classes", "Wrong predictions", test.confusions[0].actual]) {
    assertStringIncludes(page, words);
  }

  const evaluate = ["--data", "many.csv", "--confusion", "matrix.csv"];
  const { stdout } = await place.succeed("evaluate", [...evaluate, "--json"]);
  const found = JSON.parse(stdout);
  const [header, ...lines] = parse(await place.read("matrix.csv"));
  assertEquals([header[0], header.length, lines.length], ["actual", 201, 200]);
  assertEquals(lines.map(([name]) => name), header.slice(1));
  const rows = lines.flatMap((line) => line.slice(1).map(Number)).reduce((sum, count) => sum + count, 0);
  assertEquals([found.rows, rows], [800, 800]);
  const { actual, predicted, rows: most } = found.confusions[0];
  assertEquals(lines[header.indexOf(actual) - 1][header.indexOf(predicted)], `${most}`);
  assertStringIncludes((await place.succeed("evaluate", evaluate.slice(0, 2))).stdout, " of 200 classes: ");
  await place.refuse(2, ["--confusion many.csv is the same file"], "evaluate", [...evaluate.slice(0, 3), "many.csv"]);

  await place.succeed("train", [...TRAIN, "few.csv", "--run-name", "few"]);
  const few = JSON.parse(await place.read("data/runs/few/summary.json"));
  assertEquals([few.test.confusion.length, few.test.perClass.length], [3, 3]);
  await place.succeed("train", ["--num-dataset", "100", "--num-epochs", "1", "--run-name", "numbers"]);
  await place.write("numbers.csv", await place.read("data/cubic.csv"));
  const numbers = ["--data", "numbers.csv", "--run-name", "numbers", "--confusion", "m.csv"];
  await place.refuse(2, ["--confusion: the run predicts no classes"], "evaluate", numbers);
});
