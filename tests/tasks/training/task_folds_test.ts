/** FOLDS: each member holds out another part of the rows, and out-of-fold rows stand for validation rows. */

import { assert, assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Random } from "../../../lib/base/random.ts";
import { readSafetensors } from "../../../lib/safetensors/reader.ts";
import { permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";

const NETWORK = ["--hidden-size=4", "--numeric-embedding=none", "--num-epochs=4"];
const KINDS = ["up", "down", "level"];

/** 60 rows of three kinds, a number and its double; the first kind of each ten rows is a "yes". */
function table(rows = 60, seed = 1): string {
  const random = new Random(seed, "folds");
  const lines = Array.from({ length: rows }, (_, i) => {
    const a = random.uniform() + i % 3;
    return `${a.toFixed(3)},2024-01-${`${1 + i % 28}`.padStart(2, "0")},${KINDS[i % 3]},${i % 10 ? "no" : "yes"},${
      2 * a
    }\n`;
  });
  return `a,day,kind,is,y\n${lines.join("")}`;
}

permitted("members hold out folds in turn, and what they say of them stands for the validation rows", async (t) => {
  const rare = table(40).replace("level", "odd");
  await using place = await Workplace.inSeries("predict", {
    "own.csv": table(),
    "v.csv": table(9, 2),
    "rare.csv": rare,
    "few.csv": table(30),
  });
  const train = (run: string, ...flags: string[]) =>
    place.run("train", ["--data=own.csv", ...NETWORK, "--features=a", `--run-name=${run}`, ...flags]);
  const ofRun = async (run: string) => {
    const text = await place.read(`data/runs/${run}/out_of_fold.csv`);
    return {
      summary: JSON.parse(await place.read(`data/runs/${run}/summary.json`)),
      rows: text.trim().split(/\r?\n/).map((line) => line.split(",")),
    };
  };

  await t.step("by default as many as members; a file has what was said of each row", async () => {
    const { stdout, stderr } = await train("kinds", "--target=kind", "--members=3");
    assertStringIncludes(stdout, ": 54 training and validation and 6 test rows");
    assertStringIncludes(stdout, "folds: 3; each member holds out another one, of 18 of the 54 rows");
    assertStringIncludes(stdout, "36 rows of each member in batches of 32");
    assertMatch(stdout, /\nout of fold +54 /);
    assertMatch(stdout, /\nover 3 folds +mean +deviation/);
    assertEquals(stderr, "");
    const { summary, rows: [header, ...rows] } = await ofRun("kinds");
    const classes = ["down", "level", "up"];
    assertEquals(header, ["row", "kind", "predicted_kind", ...classes.map((name) => `probability_${name}`)]);
    assertEquals(rows.map(([row, kind]) => [KINDS[(+row - 1) % 3], kind]).filter(([a, b]) => a !== b), []);
    assertEquals([rows.length, new Set(rows.map(([row]) => row)).size], [54, 54]);
    const right = rows.filter(([_, kind, predicted]) => kind === predicted).length;
    assertAlmostEquals(summary.validation.accuracy, right / 54, 1e-9);
    // Of each row the probability of its class, so the loss, too.
    const loss = rows.reduce((sum, cells) => sum - Math.log(+cells[3 + classes.indexOf(cells[1])]) / 54, 0);
    assertAlmostEquals(summary.validation.loss, loss, 1e-5);
    const { folds, rows: sizes, measures } = summary.folds;
    assertEquals([folds, sizes, measures.loss.each.length], [3, [18, 18, 18], 3]);
    assertAlmostEquals(measures.loss.mean, loss, 1e-5); // folds of one size
    await place.succeed("report", ["--run-name=kinds"]);
    const told = />out-of-fold<.*> +mean over 3 folds<.*> +deviation over folds</s;
    assertMatch(await place.read("data/runs/kinds/report.html"), told);
    const [a, b, c] = measures.loss.each;
    assertAlmostEquals(measures.loss.deviation ** 2, ((a - b) ** 2 + (b - c) ** 2 + (a - c) ** 2) / 6, 1e-12);
  });
  await t.step("members become a multiple of folds; rows of VALIDATION are pooled, and said to be", async () => {
    const { stdout } = await train("y", "--target=y", "--folds=2", "--members=3", "--validation=v.csv");
    assertStringIncludes(stdout, "the rows of VALIDATION are pooled with those of DATA and cut into folds; --folds 0");
    assertStringIncludes(stdout, "members: 4 instead of 3, a whole multiple of 2 folds");
    assertStringIncludes(stdout, "of 34 or 35 of the 69 rows");
    const { rows: [header, ...rows], summary } = await ofRun("y");
    assertEquals(header, ["table", "row", "y", "predicted_y"]);
    assertEquals(rows.map(([name, row]) => `${name} ${row}`).slice(58, 61), ["DATA 59", "DATA 60", "VALIDATION 1"]);
    // 2 * a, with the digits that float32 holds.
    const truth = `${table()}${table(9, 2)}`.split("\n").filter((line) => /^\d/.test(line)).map((line) =>
      +line.split(",")[4]
    );
    rows.forEach(([_, _row, y], i) => assertAlmostEquals(+y, truth[i], 1e-6));
    assertEquals(rows.filter(([_, _row, y]) => +y !== Number((+y).toPrecision(7))), []);
    const squares = rows.map(([_, _row, y, predicted]) => (+y - +predicted) ** 2);
    assertAlmostEquals(summary.validation.mse, squares.reduce((sum, square) => sum + square, 0) / 69, 1e-4);
    const { metadata } = await readSafetensors(place.at("data/runs/y/model.safetensors"));
    assertEquals([metadata.members, JSON.parse(metadata.output).conformal[0].rows], ["4", 69]);
    const one = await train("one", "--target=y", "--folds=5");
    assertStringIncludes(one.stdout, "members: 5 instead of 4, a whole multiple of 5 folds");
    await place.succeed("report", ["--run-name=one"]);
    assertMatch(await place.read("data/runs/one/model_card.md"), /: .*FOLDS=5, .*MEMBERS=5/);
  });
  await t.step("a threshold is chosen on the same rows whenever it is chosen", async () => {
    const { stdout } = await train("is", "--target=is", "--folds=2", "--members=2", "--threshold=best-f1");
    const { summary } = await ofRun("is");
    assertStringIncludes(stdout, "chosen by best-f1");
    const flags = ["--run-name=is", "--data=own.csv", "--json", "--threshold=best-f1"];
    const evaluated = await place.succeed("evaluate", flags);
    assertAlmostEquals(JSON.parse(evaluated.stdout).threshold, summary.validation.threshold, 1e-6);
    assertStringIncludes(evaluated.stderr, "on 55 out-of-fold rows");
  });
  await t.step("a run that continues is the same as one that never stopped", async () => {
    const flags = ["--target=y", "--folds=2", "--members=2"];
    await train("long", ...flags);
    await train("short", ...flags, "--num-epochs=2");
    const { code } = await place.run("train", ["--resume=short", "--num-epochs=4"]);
    const read = async (run: string) => (await readSafetensors(place.at(`data/runs/${run}/model.safetensors`))).tensors;
    assertEquals([code, await read("short")], [0, await read("long")]);
    assertEquals(await ofRun("short").then(({ rows }) => rows), await ofRun("long").then(({ rows }) => rows));
  });
  await t.step(
    "a class with fewer rows than folds: none by default; who asks has them, and a measure over fewer",
    async () => {
      const flags = ["--target=is", "--data=few.csv", "--split=1,0,0", "--num-epochs=1", "--patience=0"];
      for (const members of ["4", "3", "4"]) {
        const none = await train("few", ...flags, "--schedule=constant", `--members=${members}`);
        const why = 'folds: none, because each of 4 folds needs a row of every class, and "yes" has 3';
        assertEquals([none.code, none.stdout.includes(why)], [0, members === "4"], none.stdout + none.stderr);
      }
      const { stdout, stderr } = await train("few", ...flags, "--folds=4");
      assertStringIncludes(stderr, 'warning: 4 folds, and "yes" has 3 rows: measures that need a row of each class');
      assertMatch(stdout, /\n(?=.*over 4 folds)[^]*\nROC-AUC, over 3 +\d/);
      const { measures } = await ofRun("few").then(({ summary }) => summary.folds);
      assertEquals(Object.keys(measures), ["loss", "accuracy", "macroF1", "rocAuc", "averagePrecision", "brier"]);
      const had = measures.averagePrecision.each.filter((value: number | null) => value !== null);
      assertEquals(had.length, 3);
      assertAlmostEquals(measures.averagePrecision.mean, (had[0] + had[1] + had[2]) / 3, 1e-12);
      await place.succeed("report", ["--run-name=few"]);
      assertMatch(await place.read("data/runs/few/report.html"), /mean over 4 folds, [^<]*ROC-AUC over 3/);
    },
  );
  await t.step("where there can be none there are none, or a sentence for who asks", async () => {
    const first = place.at("data/runs/kinds/model.safetensors");
    const none: [string[], string?][] = [
      [["--target=y", "--folds=0"]],
      [["--target=y", "--members=1"]],
      [["--target=y", "--members=2"]],
      [["--target=y", "--members=3", "--validation=v.csv"]], // a user's own validation rows do not train
      [["--target=y", "--time-column=day"]],
      // Weights that were trained on all rows would know those that a member holds out.
      [["--target=kind", "--members=3", `--init-from=${first}`], "folds: none with INIT_FROM; if its weights were"],
      [["--target=y", "--folds=0", "--split=0.9,0,0.1"], "\nvalidation rows: none, so all epochs run at the rate"],
      [
        ["--target=kind", "--data=rare.csv", "--split=1,0,0", "--patience=0", "--schedule=constant"],
        'folds: none, because each of 4 folds needs a row of every class, and "odd" has one',
      ],
    ];
    for (const [flags, words] of none) {
      const { code, stdout, stderr } = await train("none", "--num-epochs=1", ...flags);
      assertEquals([code, stdout.includes("hold out")], [0, false], stderr);
      assert(words === undefined || stdout.includes(words), stdout);
      assertEquals((await place.read("data/runs/none/summary.json")).includes('"folds"'), false);
    }
    const faults: [string[], string][] = [
      [["--target=y", "--folds=1"], '--folds is "1": allowed is auto, 0 for none, or a whole number from 2 to 64'],
      [["--target=y", "--folds=5", "--time-column=day"], "allowed is auto or 0 with TIME_COLUMN"],
      [["--target=kind", "--folds=3", `--init-from=${first}`], "allowed is auto or 0 with INIT_FROM, for its weights"],
      [["--target=y", "--folds=64"], "64 folds need 128 rows or more, and there are 54: say --folds 0"],
      [["--target=kind", "--data=rare.csv", "--split=1,0,0", "--folds=2"], 'and "odd" has one: say --folds 0'],
    ];
    for (const [flags, words] of faults) {
      const { code, stderr } = await train("none", ...flags);
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, words);
    }
  });
});
