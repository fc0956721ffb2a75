/** THRESHOLD: chosen on validation rows, kept in the model's file, used by predict and evaluate, or replaced there. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Random } from "../../../lib/base/random.ts";
import { readSafetensors } from "../../../lib/safetensors/reader.ts";
import { permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";

const TRAIN = [
  "--data=own.csv",
  "--hidden-size=4",
  "--num-epochs=10",
  "--report=false",
  "--members=1",
  "--numeric-embedding=none",
];

/** 200 rows: one of five is a "yes", and they overlap; three kinds, and the number itself. */
function table(): string {
  const random = new Random(1, "threshold");
  const rows = Array.from({ length: 200 }, (_, i) => {
    const a = random.uniform() + (i % 5 === 0 ? 0.4 : 0);
    return `${a.toFixed(3)},${i % 5 === 0 ? "yes" : "no"},${["up", "down", "level"][i % 3]},${(2 * a).toFixed(3)}\n`;
  });
  return `a,is,kind,y\n${rows.join("")}`;
}

permitted("a threshold is chosen in training, kept, used, and replaced when somebody predicts", async (t) => {
  await using place = await Workplace.inSeries("predict", { "own.csv": table() });
  const train = (name: string, ...flags: string[]) =>
    place.run("train", [...TRAIN, `--run-name=${name}`, "--features=a", ...flags]);
  const found: Record<string, number> = {};

  await t.step("train chooses it on the validation rows, and shows its confusion matrix", async () => {
    for (const [name, rule, loss] of [["cost", "cost:100", "bce"], ["f1", "best-f1", "softmax"]]) {
      const { stdout } = await train(name, "--target=is", `--threshold=${rule}`, `--loss=${loss}`);
      const { validation, test } = JSON.parse(await place.read(`data/runs/${name}/summary.json`));
      const { metadata } = await readSafetensors(place.at(`data/runs/${name}/model.safetensors`));
      found[name] = validation.threshold;
      assertEquals([JSON.parse(metadata.output).threshold, test.threshold], [found[name], found[name]]);
      assertStringIncludes(stdout, `, chosen by ${rule} on the validation rows`);
      assertStringIncludes(stdout, "on, a row counts as yes");
      if (name === "cost") assertEquals(validation.confusion[1], [0, 4], "no yes is missed where that costs 100");
    }
    assert(found.f1 < 0.5, JSON.stringify(found));
  });
  await t.step("predict and evaluate use it, unless another is given", async () => {
    const answers = async (...flags: string[]) => {
      const { stdout } = await place.succeed("predict", ["--run-name=f1", "--input=own.csv", ...flags]);
      return stdout.trim().split("\n").slice(1).map((line) => line.split(",")).map((cells) =>
        [cells[1], +cells[3]] as const
      );
    };
    const cases: [string[], number][] = [
      [[], found.f1],
      [["--threshold=0.3"], 0.3],
      [["--threshold=best-f1"], found.f1],
    ];
    for (const [flags, threshold] of cases) {
      const rows = await answers(...flags);
      assertEquals(rows.map(([name]) => name), rows.map(([_, share]) => share >= threshold ? "yes" : "no"));
      const evaluated = await place.succeed("evaluate", ["--run-name=f1", "--data=own.csv", "--json", ...flags]);
      const yes = rows.filter(([name]) => name === "yes").length;
      const { confusion, threshold: told } = JSON.parse(evaluated.stdout);
      assertEquals([confusion[0][1] + confusion[1][1], told], [yes, threshold]);
    }
  });
  await t.step("a number in the environment or .env counts as well; a rule has chosen at the training", async () => {
    const evaluate = async (env: Record<string, string>) => {
      const flags = ["--run-name=f1", "--data=own.csv", "--json"];
      const { stdout, stderr } = await place.succeed("evaluate", flags, env);
      return [JSON.parse(stdout).threshold, stderr.trim()];
    };
    const kept = await evaluate({});
    assertEquals(await evaluate({ THRESHOLD: "0.2" }), [0.2, "note: the threshold is 0.2, from the environment"]);
    assertEquals(await evaluate({ THRESHOLD: "best-f1" }), kept);
    await place.write(".env", "THRESHOLD=0.25\n");
    assertEquals(await evaluate({}), [0.25, "note: the threshold is 0.25, from .env, line 1"]);
    await Deno.remove(place.at(".env"));
    await place.refuse(2, ['THRESHOLD is "2" (from the environment): allowed is'], "evaluate", ["--data=own.csv"], {
      THRESHOLD: "2",
    });
  });
  await t.step("what cannot have one is told so, with what to do", async () => {
    const says: [string[], string][] = [
      [["--target=kind"], '"0.3": a threshold decides between two classes, and "kind" has 3: leave it out'],
      [["--target=y"], '"0.3": a threshold decides between two classes, and "y" is predicted as numbers: leave it out'],
      [["--target=is", "--threshold=best-f1", "--split=0.8,0,0.2"], "there are none: give SPLIT or VALIDATION some"],
      [["--target=is", "--threshold=1"], "allowed is a number above 0 and below 1, best-f1, or cost:R"],
    ];
    for (const [flags, words] of says) {
      const { code, stderr } = await train("none", "--threshold=0.3", ...flags);
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, words);
    }
    assertEquals((await train("kinds", "--target=kind")).code, 0);
    const inEnv = await place.succeed("predict", ["--run-name=kinds", "0.5"], { THRESHOLD: "0.3" });
    assertEquals(inEnv.stderr.includes("threshold"), false);
    await place.refuse(2, ['and "kind" has 3'], "predict", ["--run-name=kinds", "--threshold=0.3", "0.5"]);
    const rule = ["--run-name=f1", "--threshold=cost:2", "0.5"];
    await place.refuse(2, ["chosen on the run's validation rows. The scaled rows have changed"], "predict", rule);
  });
});
