/** What the settings of training do, as users of `train` see it: in metrics.jsonl, in summary.json and in the model. */

import { assert, assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Random } from "../../../lib/base/random.ts";
import { readSafetensors } from "../../../lib/safetensors/reader.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

/** A line of metrics.jsonl. */
type EpochLine = Record<"epoch" | "step" | "trainLoss" | "valLoss" | "learningRate", number>;

/** A network without what tables have by default, so that a setting shows what it does by itself. */
const BARE = "--learning-rate 0.01 --members 1 --numeric-embedding none --dropout 0 --schedule constant --folds 0"
  .split(" ");
const NUMBERS = ["--data", "numbers.csv", "--target", "y", "--hidden-size", "16", ...BARE];
const CLASSES = ["--data", "classes.csv", "--target", "rare", "--hidden-size", "8", ...BARE];

/** 200 rows of numbers, y = a b + a; and 400 of two classes that overlap, one of ten rows the rare one. */
async function createPlace(): Promise<Workplace> {
  const random = new Random(3, "settings");
  const uniform = () => random.uniform(-1, 1).toFixed(4);
  const numbers = Array.from({ length: 200 }, () => {
    const a = uniform();
    const b = uniform();
    return `${a},${b},${(+a * +b + +a).toFixed(4)}\n`;
  });
  const classes = Array.from({ length: 400 }, (_, i) => {
    const isRare = i % 10 === 0;
    return `${(+uniform() + (isRare ? 0.7 : 0)).toFixed(4)},${uniform()},${isRare ? "yes" : "no"}\n`;
  });
  return await Workplace.inSeries("train", {
    "numbers.csv": `a,b,y\n${numbers.join("")}`,
    "classes.csv": `a,b,rare\n${classes.join("")}`,
  });
}

/** Trains a run, and reads what it keeps. */
async function train(place: Workplace, name: string, args: readonly string[]) {
  const folder = `data/runs/${name}`;
  const outcome = await place.succeed("train", [...args, "--run-name", name]);
  const lines = await place.readLines<EpochLine>(`${folder}/metrics.jsonl`);
  const summary = JSON.parse(await place.read(`${folder}/summary.json`));
  const config = JSON.parse(await place.read(`${folder}/config.json`));
  const { metadata } = await readSafetensors(place.at(`${folder}/model.safetensors`));
  // A layer is its kind, or an object with its settings.
  const layers: string[] = JSON.parse(metadata.layers).map((layer: string | { kind: string }) =>
    typeof layer === "string" ? layer : layer.kind
  );
  const { "model.safetensors": model } = await place.digests(folder);
  const rates = lines.map(({ learningRate }) => learningRate);
  return { ...outcome, config, layers, lines, metadata, summary, model, rates };
}

/** 160 training rows in batches of 32: 5 steps an epoch, 150 in all. */
const EPOCHS = 30;
const STEPS = 150;

/** Each value of ACTIVATION, OPTIMIZER, SCHEDULE and LOSS, with the learning rate that suits the optimizer. */
const VALUES: [activation: string, optimizer: string, schedule: string, loss: string, learningRate: number][] = [
  ["relu", "sgd", "constant", "mse", 0.05],
  ["leaky-relu", "momentum", "step", "mae", 0.02],
  ["tanh", "nesterov", "exponential", "huber", 0.05],
  ["sigmoid", "rmsprop", "cosine", "mse", 0.02],
  ["gelu", "adam", "one-cycle", "mae", 0.02],
  ["gelu", "adamw", "plateau", "huber", 0.02],
];

/** What each schedule makes of a learning rate of 1 at a step; one-cycle is told apart by its ends and its top. */
const RATES: Record<string, (step: number) => number> = {
  constant: () => 1,
  step: (step) => 0.1 ** Math.floor(step / (STEPS / 3)),
  exponential: (step) => 0.1 ** (step / (STEPS / 3)),
  cosine: (step) => (1 + Math.cos(Math.PI * step / STEPS)) / 2,
};

permitted("train learns with each activation, optimizer, schedule and loss, and keeps each epoch's rate", async () => {
  await using place = await createPlace();
  for (const [activation, optimizer, schedule, loss, learningRate] of VALUES) {
    const settings = {
      activation,
      optimizer,
      schedule,
      loss,
      "learning-rate": learningRate,
      "num-epochs": EPOCHS,
      patience: 0,
    };
    const flags = Object.entries(settings).map(([key, value]) => `--${key}=${value}`);
    const { config, layers, lines, metadata, rates, summary } = await train(place, optimizer, [...NUMBERS, ...flags]);
    assertEquals(lines.length, EPOCHS);
    const first = lines[0];
    const last = lines.at(-1)!;
    assert(last.trainLoss < 0.6 * first.trainLoss, `${flags}: from ${first.trainLoss} to ${last.trainLoss}`);
    const { loss: test, baseline } = summary.test;
    assert(test < 0.4 * baseline.loss, `${flags}: ${test}, the mean ${baseline.loss}`);
    const kept = [config.ACTIVATION, config.OPTIMIZER, config.SCHEDULE, config.LOSS];
    assertEquals(kept, [activation, optimizer, schedule, loss]);
    assertEquals([metadata.loss, layers[1].toLowerCase()], [loss, activation.replace("-", "")]);

    const shares = rates.map((rate) => rate / learningRate);
    const lastStep = (epoch: number) => 5 * epoch + 4;
    if (RATES[schedule]) {
      shares.forEach((share, epoch) => assertAlmostEquals(share, RATES[schedule](lastStep(epoch)), 1e-9, schedule));
    } else if (schedule === "one-cycle") {
      assertEquals(shares.indexOf(Math.max(...shares)), 8); // step 44, with 30 % of the steps done
      assert(shares[0] > 1 / 25 && shares[0] < 0.1 && shares.at(-1)! < 1 / 25 / 1000, `${shares}`);
    }
  }
});

permitted("train keeps to the seed with dropout, and minds seed, dropout, decay, clipping and rates", async () => {
  await using place = await createPlace();
  const dropout = ["--dropout=0.3", "--dropout=0.3", "--dropout=0.3 --seed=7", "--dropout=0.6"];
  const others = ["--plain=false", "--weight-decay=0.1", "--clip-norm=0.01", "--schedule=cosine", "--warmup=10"];
  const runs = [];
  for (const flags of [...dropout, ...others, "--optimizer=sgd"]) {
    runs.push(await train(place, "run", [...NUMBERS, "--num-epochs", "5", ...flags.split(" ")]));
  }
  const [again, ...different] = runs;
  assertEquals(again.model, different[0].model);
  const losses = different.map(({ lines }) => lines.at(-1)!.trainLoss);
  assertEquals(losses.length, new Set(losses).size, `${losses}`);
});

permitted("PLAIN trains with the operations one by one, to nearly the same loss, and defines a run", async () => {
  const args = ["--recipe", "xor", "--hidden-size", "4"];
  await using place = await Workplace.inSeries("train");
  const fused = await train(place, "fused", args);
  const plain = await train(place, "plain", [...args, "--plain"]);
  assertEquals([fused.config.PLAIN, plain.config.PLAIN], ["false", "true"]);
  plain.lines.forEach(({ trainLoss }, i) => assertAlmostEquals(trainLoss, fused.lines[i].trainLoss, 1e-3));
  const says = ['--plain is "false", the run began with "true": this cannot be changed on resume'];
  await place.refuse(2, says, "train", ["--resume", "plain", "--plain", "false"]);
});

/** Trains too long on noise with a network that learns it by heart. */
const OVERFIT = [..."--data noise.csv --target y --split 0.5,0.5,0 --num-epochs 100".split(" "), ...BARE];

permitted("PATIENCE ends a run and keeps the weights of its best epoch", async (t) => {
  await using place = await createPlace();
  const random = new Random(5, "noise");
  const rows = Array.from({ length: 60 }, () => `${random.uniform(-1, 1)},${random.uniform(-1, 1)}\n`);
  await place.write("noise.csv", `a,y\n${rows.join("")}`);
  const cases = { alone: ["--learning-rate=0.03"], debug: ["--learning-rate=0.03", "--debug-tensors"] };
  for (const [name, flags] of Object.entries(cases)) {
    await t.step(name, async () => {
      const { lines, summary, stdout, stderr } = await train(place, name, [...OVERFIT, ...flags, "--patience", "6"]);
      const losses = lines.map(({ valLoss }) => valLoss);
      const best = Math.min(...losses);
      const at = losses.indexOf(best);
      assertEquals(lines.length, at + 1 + 6, "epochs: those up to the best, and patience");
      assert(lines.length < 100 && losses.at(-1)! > best, `${losses}`);
      assertAlmostEquals(summary.validation.loss, best, 1e-6); // of float64, and of the GPU
      assertStringIncludes(stdout, `weights: those of epoch ${at + 1}, with the lowest validation loss`);
      assertStringIncludes(stdout, `epoch ${`${lines.length}`.padStart(3)}/100`);
      assertEquals(stderr, "");
    });
  }
  const flags = ["--learning-rate=0.03", "--schedule", "plateau"];
  await t.step(
    "plateau with PATIENCE: back to the best weights, a fifth of the rate, twice, then the end",
    async () => {
      const { lines, rates, stdout, summary } = await train(place, "plateau", [
        ...OVERFIT,
        ...flags,
        "--patience",
        "6",
      ]);
      const drops = rates.flatMap((rate, i) => i > 0 && rate !== rates[i - 1] ? [i] : []);
      assertEquals([...new Set(rates)].map((rate) => rate / 0.03), [1, 0.2, 0.2 ** 2]);
      const losses = lines.map(({ valLoss }) => valLoss);
      const bestBefore = (epoch: number) => losses.indexOf(Math.min(...losses.slice(0, epoch)));
      for (const end of [...drops, lines.length]) {
        assert(end - 1 - bestBefore(end) >= 6 && losses[end - 1] > losses[bestBefore(end)], `${end} of ${losses}`);
      }
      // From the best weights with a small rate the loss is near the best one again.
      assert(losses[drops[1]] - Math.min(...losses) < losses[drops[1] - 1] - Math.min(...losses), `${losses}`);
      assertStringIncludes(stdout, `weights: those of epoch ${bestBefore(lines.length) + 1}, with the lowest`);
      assertAlmostEquals(summary.validation.loss, Math.min(...losses), 1e-6);
    },
  );
  await t.step("without PATIENCE the run goes to its last epoch, and keeps the best weights all the same", async () => {
    const args = [...OVERFIT, "--learning-rate=0.03", "--num-epochs=30", "--patience=0"];
    const { lines, summary, stdout } = await train(place, "all", args);
    const losses = lines.map(({ valLoss }) => valLoss);
    assertEquals(lines.length, 30);
    assertAlmostEquals(summary.validation.loss, Math.min(...losses), 1e-6);
    assertStringIncludes(stdout, `weights: those of epoch ${losses.indexOf(Math.min(...losses)) + 1}, with the lowest`);
  });
  await t.step("each member keeps its own best epoch", async () => {
    const args = [...OVERFIT, "--learning-rate=0.1", "--num-epochs=30", "--members=3", "--hidden-size=4"];
    const { stdout, metadata } = await train(place, "members", args);
    assertMatch(stdout, /^weights: for each member those of epochs \d+ to \d+, with the lowest validation loss, /m);
    assertEquals(metadata.members, "3");
  });
});

permitted("SCHEDULE plateau halves the rate after five epochs with no better loss, WARMUP raises it", async () => {
  await using place = await createPlace();
  const args = [...NUMBERS, "--num-epochs", "12", "--schedule", "plateau", "--patience", "0"];
  const top = 0.01;
  const { rates, summary } = await train(place, "warm", [...args, "--warmup", "19"]);
  rates.forEach((rate, epoch) => assertAlmostEquals(rate, Math.min(1, (5 * epoch + 5) / 20) * top, 1e-9));
  assert(summary.validation.loss < 0.5);
  // No weight moves: no loss is better than the first.
  const still = await train(place, "still", [...args, "--learning-rate", "1e-30"]);
  assertEquals(still.rates.map((rate) => rate / 1e-30), [1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25]);
});

permitted("CLASS_WEIGHTS balanced finds more of a rare class", async () => {
  await using place = await createPlace();
  for (const loss of ["softmax", "bce"]) {
    const args = [...CLASSES, "--loss", loss, "--num-epochs", "15"];
    const recall = async (weights: string) => {
      const { summary } = await train(place, `${loss}_${weights}`, [...args, "--class-weights", weights]);
      return summary.train.perClass.find((of: { class: string }) => of.class === "yes").recall;
    };
    const plain = await recall("none");
    const balanced = await recall("balanced");
    assert(balanced > plain + 0.3, `${loss}: recall ${plain}, balanced ${balanced}`);
  }
});

permitted("INIT_FROM goes on from another run, and lists what does not fit", async () => {
  await using place = await createPlace();
  const args = [...NUMBERS, "--num-epochs", "20"];
  const path = "data/runs/base/model.safetensors";
  const base = await train(place, "base", args);
  const [{ trainLoss: fresh }] = base.lines;
  const { lines: [{ trainLoss }] } = await train(place, "more", [...args, "--init-from", path]);
  assert(trainLoss < 0.2 * fresh, `${trainLoss} after ${fresh}`);
  const still = await train(place, "still", [...args, "--init-from", path, "--learning-rate", "1e-30"]);
  assertEquals(still.summary.test.loss, base.summary.test.loss);
  const says = [
    `error: ${path}: the weights do not fit this network: `,
    "0.weight is [2, 16], its layer takes [2, 8]; 0.bias is [16], its layer takes [8]; ",
    "2.weight is [16, 1], its layer takes [8, 4]; 2.bias is [1], its layer takes [4]; ",
    "4.weight [4, 1] is missing; 4.bias [1] is missing",
  ];
  const { stderr } = await place.refuse(1, says, "train", [...args, "--hidden-size", "8,4", "--init-from", path]);
  assertEquals(stderr.trim().split("\n").length, 1);
  const none = [...args, "--init-from", "none.safetensors"];
  await place.refuse(1, ["none.safetensors: there is no such file"], "train", none);
  await place.refuse(1, ["numbers.csv: "], "train", [...args, "--init-from", "numbers.csv"]);
});

permitted("train refuses settings of training that do not go with the rows, a line each", async () => {
  await using place = await createPlace();
  await place.succeed("scale", [...NUMBERS.slice(0, 4), "--folds", "0", "--split", "1,0,0"]);
  const none = "it needs the validation loss, and there are no validation rows";
  const wrong = {
    "--patience=3": `--patience is "3": ${none}`,
    "--schedule=plateau": `--schedule is "plateau": ${none}`,
    "--warmup=50": '--warmup is "50": allowed is 0 to 49, of 50 steps',
    "--class-weights=balanced":
      '--class-weights is "balanced": under loss mse, which knows no classes, allowed is none',
  };
  const args = [...NUMBERS, "--num-epochs=10", "--batch-size=40", "--split=1,0,0", ...Object.keys(wrong)];
  const says = Object.values(wrong).map((fault) => `error: ${fault}`);
  const { stderr } = await place.refuse(2, says, "train", args);
  assertEquals(stderr.trim().split("\n").length, says.length + 1, stderr); // and how to list what is allowed
  // Nor is a recipe's dataset made that cannot train like that.
  await place.refuse(2, [says[0]], "train", ["--recipe", "xor", "--patience", "3"]);
});
