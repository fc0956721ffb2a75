/** `deno task explain`, and the warning about a leak at the end of a training. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Random } from "../../../lib/base/random.ts";
import { permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";

/** 150 rows of two classes that overlap; `told` is written down once the class is known. */
function table(): string {
  const random = new Random(1, "leak");
  const rows = Array.from({ length: 150 }, (_, i) => {
    const isYes = i % 3 === 0;
    const a = random.uniform() + (isYes ? 0.5 : 0);
    const b = random.uniform();
    return `${a.toFixed(3)},${b.toFixed(3)},${isYes ? "paid" : "open"},${isYes ? "yes" : "no"}\n`;
  });
  return `a,b,told,is\n${rows.join("")}`;
}

permitted("explain says which columns matter, and warns of one that gives the target away", async (t) => {
  await using place = await Workplace.inSeries("train", { "own.csv": table() });
  const small = ["--members=1", "--numeric-embedding=none", "--hidden-size=16", "--dropout=0"];
  const steps = ["--num-epochs=40", "--learning-rate=0.02"];
  const train = ["--data=own.csv", "--target=is", "--report=false", ...small, ...steps];
  await t.step("a clean table", async () => {
    const { stdout, stderr } = await place.succeed("train", [...train, "--ignore=told"]);
    assertEquals((stdout + stderr).includes("give the target away"), false);
    const { stdout: text } = await place.succeed("explain", []);
    assertEquals(text.split("\n")[0].slice(0, 26), "15 validation rows: loss 0".slice(0, 26));
    assertEquals(text.match(/^[ab](?= .* .* )/gm)!.slice(0, 2), ["a", "b"]);
    assertStringIncludes(text, "a: the average prediction if all rows had this value");
    assertEquals(text.includes("warning"), false);
    const json = JSON.parse((await place.succeed("explain", ["default_run", "--json", "--repeats=2"])).stdout);
    assertEquals([json.run, json.part, json.repeats, json.leak], ["default_run", "validation", 2, undefined]);
    const [first] = json.dependence;
    assert(first.column === "a" && first.points.at(-1).predicted[0] > first.points[0].predicted[0] + 0.2, text);
  });
  await t.step("a leak", async () => {
    const { stdout, stderr } = await place.succeed("train", [...train, "--run-name=leak"]);
    const warning = 'warning: "told" is likely to give the target away';
    assertStringIncludes(stdout + stderr, warning);
    const { stdout: text } = await place.succeed("explain", ["leak"]);
    assertStringIncludes(text, warning);
    assertStringIncludes(text, "train with --ignore told");
    assertEquals(text.match(/^(open|paid) .*$/gm)!.length, 2);
    await place.succeed("report", ["leak"]);
    const card = await place.read("data/runs/leak/model_card.md");
    assertStringIncludes(card, '- Warning: "told" is likely to give the target away');
    // None of 15 rows is wrong: 0.025 ** (1 / 15).
    assertStringIncludes(card, "- accuracy 1 on 15 test rows, 95% interval 0.782 to 1; the baseline reaches 0.6667.");
    assertStringIncludes(card, "- ROC-AUC 1 on 15 test rows; the baseline reaches 0.5.");
  });
  await t.step("what cannot be explained", async () => {
    const gone = "it cannot be explained. The scaled rows have changed since this run. `deno task train --resume";
    await place.refuse(1, [gone], "explain", []);
    await place.refuse(1, ["`deno task train --run-name none` makes it"], "explain", ["none"]);
    await place.refuse(2, ['"b": explain takes one run'], "explain", ["a", "b"]);
    await place.refuse(2, ['--repeats is "0": allowed is a whole number from 1 to 1000'], "explain", ["--repeats=0"]);
  });
});
