/** model_card.md, as a training leaves it. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Random } from "../../../lib/base/random.ts";
import { dataSource } from "../../../lib/model_file/metadata.ts";
import { permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";

/** 150 rows: a number, a date, a town of which one is rare, a constant, two classes, a price. */
function table(): string {
  const random = new Random(1, "card");
  const rows = Array.from({ length: 150 }, (_, i) => {
    const a = i / 10;
    const day = new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10);
    const town = i % 30 === 7 ? "<b>Rare*" : i % 2 === 0 ? "Aa" : "Bb";
    return `${a},${day},${town},same,${random.uniform() + a / 30 > 0.8 ? "yes" : "no"},${
      (a + random.uniform()).toFixed(2)
    }\n`;
  });
  return `a,day,town,c,is,price\n${rows.join("")}`;
}

permitted(
  "a training leaves a model card: data, what was left out, how good, what matters, what was not tested",
  async (t) => {
    await using place = await Workplace.inSeries("train", { "own.csv": table() });
    const common = ["--data=own.csv", "--num-epochs=8", "--hidden-size=8", "--members=1", "--numeric-embedding=none"];
    const cardOf = async (name: string, ...flags: string[]) => {
      const outcome = await place.succeed("train", [...common, "--report", `--run-name=${name}`, ...flags]);
      assertEquals(outcome.stderr, "");
      const text = await place.read(`data/runs/${name}/model_card.md`);
      return { text, summary: JSON.parse(await place.read(`data/runs/${name}/summary.json`)) };
    };
    /** The number after a word, and its interval. */
    const measured = (text: string, name: string) => {
      const [_, ...numbers] = text.match(
        new RegExp(`${name} (\\S+) on .* 95% interval (\\S+) to ([^;.\\s]+(?:\\.\\d+)?)`),
      )!;
      return numbers.map(Number);
    };

    await t.step("classes", async () => {
      const { text, summary } = await cardOf("two", "--target=is", "--ignore=price", "--threshold=0.4");
      const { sha256 } = await dataSource(place.at("own.csv"));
      const says = [
        "# Model card: two\n\nPredicts is (no, yes) from 3 columns.\n",
        `- Trained on own.csv, SHA-256 ${sha256}.\n- Rows: 120 training, 15 validation, 15 test; they are split at random`,
        "- c is left out: ",
        "- Numbers outside of the training rows: a 0 to 14.9.\n",
        "- Dates of day before 2024-01-01 or after 2024-05-29.\n",
        "- Names that no training row has count as the mix of all names: of town.\n",
        "- Names of town with fewer than 10 training rows: \\<b\\>Rare\\*",
        "Classes with fewer than 10 of the measured rows: ",
        "- From a probability of 0.4 on, a row counts as the second class.\n",
        "- Logits are divided by a temperature of ",
        "HIDDEN_SIZE=8",
      ];
      for (const words of says) assertStringIncludes(text, words);
      for (const [name, key] of [["accuracy", "accuracy"], ["ROC-AUC", "rocAuc"]]) {
        const [value, low, high] = measured(text, name);
        assert(Math.abs(value - summary.test[key]) < 1e-3, `${name}: ${value}, but ${summary.test[key]}`);
        assert(low <= value && value <= high && high - low > 0.1, `${name}: ${low} to ${high}`);
      }
      assertEquals(/undefined|NaN|\[object/.test(text), false, text);
    });
    await t.step("numbers, without test rows", async () => {
      const flags = ["--target=price", "--features=a,town", "--split=0.8,0.2,0"];
      const { text, summary } = await cardOf("numbers", ...flags);
      const [value, low, high] = measured(text, "RMSE");
      assert(Math.abs(value / summary.validation.rmse - 1) < 1e-3 && low < value && value < high, text);
      assertStringIncludes(text, "R² ");
      assertStringIncludes(text, "There are no test rows. Validation rows decided when training ended");
      assertStringIncludes(text, "- a: the loss rises by ");
    });
    await t.step("folds, without test rows", async () => {
      const flags = ["--target=price", "--features=a", "--split=0.8,0.2,0", "--members=3", "--num-epochs=2"];
      const { text, summary } = await cardOf("folds", ...flags);
      const [value] = measured(text, "RMSE");
      assert(Math.abs(value / summary.validation.rmse - 1) < 1e-3, text);
      const says = [
        "- Rows: 150 training and validation, 0 test; they are split at random",
        "cut into 3 folds. Each of the 3 members holds out one of them, and trains on the others.",
        " on 150 out-of-fold rows, 95% interval ",
        "There are no test rows. Each row is predicted by the members that held it out.",
      ];
      for (const words of says) assertStringIncludes(text, words);
      const page = await place.read("data/runs/folds/report.html");
      assertStringIncludes(page, "all 150 out-of-fold rows.");
      assertStringIncludes(page, "each keeps the weights of its own best epoch.");
    });
    await t.step("none without a report", async () => {
      await place.succeed("train", [...common, "--target=price", "--run-name=none", "--report=false"]);
      assertEquals(Object.keys(await place.digests("data/runs/none")).includes("model_card.md"), false);
    });
  },
);
