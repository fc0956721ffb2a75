/** deno task predict and evaluate on models of tables with texts, run as a user runs them. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Device } from "../../../lib/gpu/device.ts";
import { Linear } from "../../../lib/core/layers.ts";
import { type ClassPrediction, loadModel } from "../../../lib/model_file/load_model.ts";
import { bceWithLogits, type Loss, mse, softmaxCrossEntropy } from "../../../lib/core/losses.ts";
import { Model } from "../../../lib/core/model.ts";
import { dataSource, outputNames } from "../../../lib/model_file/metadata.ts";
import { readSafetensorsHeader } from "../../../lib/safetensors/reader.ts";
import { saveModel } from "../../../lib/model_file/saved_model.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import { encodedNames, type MissingPolicy, type Table } from "../../../lib/data/table.ts";
import { TableEmbedding } from "../../../lib/tabular/table_embedding.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const INPUTS: Table["inputs"] = [
  { kind: "numeric", name: "age" },
  { kind: "categorical", name: "color", categories: ["red", "blue"] },
  { kind: "numeric", name: "size", fill: 100 },
];

const PETS: Table["target"] = { kind: "classes", name: "pet", classes: ["10", "9", "dog"] };
const ANSWER: Table["target"] = { kind: "classes", name: "answer", classes: ["no", "yes"] };
const PRICE: Table["target"] = { kind: "numeric", names: ["price"] };

/** Puts a run there whose weights are given: of age, red, blue, unseen and size. */
async function putRun(
  place: Workplace,
  name: string,
  [target, loss, weights, baseline, missing]: [Table["target"], Loss, number[][], number[]?, MissingPolicy?],
): Promise<void> {
  using device = await Device.request();
  const number = { kind: "number" } as const;
  const columns = [number, { kind: "names", names: 3 } as const, number];
  using model = new Model(device, [new TableEmbedding({ columns }), new Linear(5, weights[0].length)]);
  model.load({ "1.weight": weights, "1.bias": new Float32Array(weights[0].length) });
  const features = encodedNames(INPUTS);
  const targets = outputNames(target, loss.kind);
  const none = (names: string[]) =>
    new Scaler(
      "none",
      names.map((name) => {
        const statistics = { name, min: 0, max: 1, mean: 0, deviation: 1 };
        return name === "color" ? { ...statistics, names: 3 } : statistics;
      }),
    );
  const scalers = { inputs: none(features), targets: none(targets) };
  const inputs = missing === "drop" ? INPUTS.map(({ fill: _, ...column }) => column as typeof INPUTS[number]) : INPUTS;
  const table: Table = { inputs, target, missing: missing ?? "mean" };
  await place.write(`data/runs/${name}/config.json`, "{}\n");
  const path = place.at(`data/runs/${name}/model.safetensors`);
  await saveModel(path, model, { table, features, targets, scalers, loss, settings: {}, baseline });
}

/** Runs that predict a price (age, 10 for red, 20 for blue, 30 else, half of size), a pet by color, and an answer. */
async function withRuns(): Promise<Workplace> {
  const place = await Workplace.inSeries("train");
  const none = [0, 0, 0];
  const two = Math.log(2);
  await putRun(place, "price", [PRICE, mse, [[1], [10], [20], [30], [0.5]], [15]]);
  await putRun(place, "dropping", [PRICE, mse, [[1], [10], [20], [30], [0.5]], [15], "drop"]);
  const byColor = [none, [two, 0, 0], [0, two, 0], [0, 0, two], none];
  await putRun(place, "pets", [PETS, softmaxCrossEntropy, byColor, [0.5, 0.25, 0.25]]);
  await putRun(place, "answer", [ANSWER, bceWithLogits, [[0], [two], [-two], [two], [0]], [0.75]]);
  return place;
}

const lines = (text: string) => text.trim().split(/\r?\n/);

permitted("predict and evaluate take rows of tables with texts, and name what they refuse", async (t) => {
  await using place = await withRuns();
  const predict = async (...args: string[]) => lines((await place.succeed("predict", args)).stdout);

  await t.step("column=cell words, in any order", async () => {
    const answer = await predict("--run-name", "price", "size=4", "color=red", "age=-2.5");
    assertEquals(answer, ["age,color,size,predicted_price", "-2.5,red,4,9.5"]);
    const filled = await predict("--run-name", "price", "size=", "color=a=b", "age=1");
    assertEquals(filled, ["age,color,size,predicted_price", "1,a=b,,81"]);
  });
  await t.step("--row in JSON, answered in JSON", async () => {
    const row = '{"color":"blue","age":1,"size":null}';
    assertEquals(await predict("--run-name", "price", "--row", row), ['{"price":71}']);
    const [pet] = await predict("--run-name", "pets", `--row=${row}`);
    const { class: name, probabilities } = JSON.parse(pet);
    assertEquals(name, "9");
    assertEquals(probabilities, { "10": 0.25, "9": 0.5, dog: 0.25 });
  });
  await t.step("a file, columns in another order, classes with probabilities in theirs", async () => {
    await place.write("new.csv", 'note;size;color;age\n"a;b";1;"red";2\n;NA;pink;3\n');
    assertEquals(await predict("--run-name", "pets", "--input", "new.csv"), [
      "age,color,size,predicted_pet,probability_10,probability_9,probability_dog",
      "2,red,1,10,0.5,0.25,0.25",
      "3,pink,NA,dog,0.25,0.25,0.5",
    ]);
    const [header, first] = await predict("--run-name", "answer", "--input", "new.csv");
    assertEquals(header, "age,color,size,predicted_answer,probability_no,probability_yes");
    assertEquals(first, "2,red,1,yes,0.3333333,0.6666667");
    // What is of no use is named, but for the target, which files of one's own often hold.
    const { stderr } = await place.succeed("predict", ["--run-name", "pets", "--input", "new.csv"]);
    assertEquals(lines(stderr), [
      "note: new.csv has columns that the model does not take: note",
      'warning: new.csv, column "color": 1 cell holds a name that training did not see, the first "pink"; ' +
      "these predictions are less sure",
    ]);
    await place.write("new.csv", "pet,age,size,color\ndog,1,2,red\n");
    assertEquals((await place.succeed("predict", ["--run-name", "pets", "--input", "new.csv"])).stderr, "");
  });
  await t.step("JSON lines on stdin, each answered while the next is not yet there", async () => {
    const { code, stderr, stdout } = await place.feed("predict", ["--run-name", "price"], async (write, read) => {
      await write('{"age":1,"color":"red","size":0}\n');
      assertEquals(await read(), '{"price":11}\n');
      await write('\n{"age":2,"color":"red","size":0}\r\n{"age":3,"co');
      assertEquals(await read(), '{"price":12}\n');
      await write('lor":"red","size":0}');
    });
    assertEquals([code, stderr, lines(stdout).at(-1)], [0, "", '{"price":13}']);
  });
  const run = ["--run-name", "price"];

  await t.step("predict refuses unknown and missing columns, and cells", async () => {
    const says = ['it lacks "age", and there is no column "agee"; the columns are "age", "color", "size"'];
    await place.refuse(2, says, "predict", [...run, "agee=1", "color=red", "size=1"]);
    await place.refuse(2, says, "predict", [...run, "--row", '{"agee":1,"color":"red","size":1}']);
    const cases: Record<string, string> = {
      "age=old color=red size=1": 'column "age": "old" is not a number',
      "age=1 age=2": 'column "age" is there twice',
      "age=1 7": '"7" is no cell: write column=cell',
      "1 2 3": "not all numbers: write age=... color=... size=...",
      "--row {age": "--row is {age: allowed is JSON",
      "age=1 --row {}": "there are cells (age=1) and --row: give one",
    };
    for (const [args, fault] of Object.entries(cases)) {
      await place.refuse(2, [fault], "predict", [...run, ...args.split(" ")]);
    }
  });
  await t.step("predict refuses a file", async () => {
    await place.write("new.csv", "age,color\n1,red\n");
    const args = [...run, "--input", "new.csv"];
    await place.refuse(1, ['new.csv:1: there is no column "size"; there are age, color'], "predict", args);
    await place.write("new.csv", "age:color:size\n1:red:2\n");
    const none = ['new.csv:1: there is no column "age", "color", "size"; there are age:color'];
    await place.refuse(1, none, "predict", args);
    await place.write("new.csv", 'age,color,size\n1,"two\nlines",1\n1,,1\n');
    await place.refuse(1, ['new.csv:4, column "color": the cell is empty'], "predict", args);
  });
  await t.step("predict refuses a line of stdin, with the lines before it answered", async () => {
    const good = '{"age":1,"color":"red","size":0}\n';
    const cases: [bad: string, ...says: string[]][] = [
      ["{oops}\n", "stdin:3: this is no JSON: {oops}"],
      ["[1]\n", "stdin:3: it is no object with cells by column"],
      [
        '{"age":1,"colour":"red","size":0}\n',
        'stdin:3 has no "color"',
        "does not take: colour",
        'stdin:3: column "color": the cell is empty',
      ],
      ['{"age":"x","color":"red","size":0}\n', 'stdin:3: column "age": "x" is not a number'],
    ];
    for (const [bad, ...says] of cases) {
      const outcome = await place.feed("predict", [...run, "--input", "-"], (write) => write(`${good}\n${bad}${good}`));
      assertEquals([outcome.code, outcome.stdout], [1, '{"price":11}\n']);
      for (const words of says) assertStringIncludes(outcome.stderr, words);
    }
    const nothing = await place.feed("predict", run, (write) => write(""));
    assertEquals([nothing.code, nothing.stdout], [2, ""]);
    assertStringIncludes(nothing.stderr, "nothing to predict from");
  });
  const evaluate = async (...args: string[]) => (await place.succeed("evaluate", args)).stdout;

  await t.step("evaluate: regression, next to the baseline", async () => {
    await place.write("new.csv", "price,size,age,color\n12,2,1,red\n13,2,1,red\n20,,-50,blue\n");
    const found = lines(await evaluate("--run-name", "price", "--data", "new.csv"));
    assertEquals(found.map((line) => line.trim().split(/ {2,}/)), [
      ["in raw units", "rows", "loss", "mse", "rmse", "mae", "r2"],
      ["price", "3", "0.333333", "0.333333", "0.57735", "0.333333", "0.973684"],
      ["mean", "3", "12.6667", "12.6667", "3.55903", "3.33333", "0"],
    ]);
  });
  await t.step("evaluate: classes, with the confusion matrix", async () => {
    const rows = ["red,10", "red,9", "blue,9", "pink,dog"].map((row) => `1,1,${row}\n`);
    await place.write("new.csv", `size,age,color,pet\n${rows.join("")}`);
    const [header, run, baseline, ...classes] = lines(await evaluate("--run-name=pets", "--data=new.csv"));
    assertEquals(header.split(/ {2,}/), ["classified", "rows", "loss", "accuracy", "macro F1"]);
    assertEquals(run.split(/ +/).filter((_, i) => i !== 2), ["pets", "4", "0.75", "0.777778"]);
    assertEquals(baseline.trim().split(/ {2,}/), ["majority class", "4", "1.21301", "0.25", "0.133333"]);
    assertEquals(classes.map((line) => line.split(/ {2,}/)), [
      ["class", "rows", "precision", "recall", "F1", "as 10", "as 9", "as dog"],
      ["10", "1", "0.5", "1", "0.666667", "1", "0", "0"],
      ["9", "2", "1", "0.5", "0.666667", "1", "1", "0"],
      ["dog", "1", "1", "1", "1", "0", "0", "1"],
    ]);
  });
  await t.step("as JSON, two classes under bce", async () => {
    await place.write("new.csv", "size,age,color,answer\n1,1,red,yes\n1,1,blue,yes\n");
    const found = JSON.parse(await evaluate("--run-name", "answer", "--data", "new.csv", "--json"));
    assertEquals([found.run, found.data, found.rows, found.dropped], ["answer", "new.csv", 2, 0]);
    assertEquals([found.accuracy, found.confusion], [0.5, [[0, 0], [1, 1]]]);
    assertEquals([found.baseline.accuracy, found.baseline.confusion], [1, [[0, 0], [0, 2]]]);
    assertEquals(found.perClass[1], { class: "yes", precision: 1, recall: 0.5, f1: 2 / 3, rows: 2 });
  });
  await t.step("rows with missing cells are left out where training left them out", async () => {
    await place.write("new.csv", "price,size,age,color\n12,2,1,red\n13,,1,red\n14,2,1,red\n");
    const [first, _, run] = lines(await evaluate("--run-name", "dropping", "--data", "new.csv"));
    assertEquals(first, "rows with missing cells, left out as in training: 1");
    assertEquals(run.split(/ +/).slice(0, 3), ["dropping", "2", "2"]);
  });
  await t.step("evaluate refuses what it cannot use", async () => {
    await place.refuse(2, ["nothing to measure on: --data file.csv"], "evaluate", ["--run-name", "price"]);
    await place.refuse(2, ['--json is "yes": allowed is true or false'], "evaluate", ["--data", "a.csv", "--json=yes"]);
    await place.write("new.csv", "size,age,color\n1,1,red\n");
    const args = ["--run-name", "pets", "--data", "new.csv"];
    await place.refuse(1, ['new.csv:1: there is no column "pet"'], "evaluate", args);
    await place.write("new.csv", "size,age,color,pet\n1,1,red,10\n1,1,red,cow\n");
    const says = ['new.csv:3, column "pet": the class "cow" is in no training row; there are 10, 9, dog'];
    await place.refuse(1, says, "evaluate", args);
    await place.write("new.csv", "price,size,age,color\n13,,1,red\n");
    const dropping = ["--run-name", "dropping", "--data", "new.csv"];
    await place.refuse(1, ["new.csv: every row has missing cells"], "evaluate", dropping);
    const none = ["--data", "new.csv", "--run-name=none"];
    await place.refuse(1, ["`deno task train --run-name none` makes it"], "evaluate", none);
  });
});

permitted("a table goes from train to predict and evaluate, with its baseline and the hash of its file", async () => {
  const kinds = [["cat", 4, "miaow"], ["dog", 20, "woof"], ["cat", 5, "miaow"], ["emu", 40, ""]] as const;
  const rows = Array.from({ length: 200 }, (_, i) => {
    const [pet, weight, sound] = kinds[i % 4];
    return `${i % 9 === 0 ? "" : weight + i % 3},${sound},${pet}\n`;
  });
  await using place = await Workplace.inSeries("train", { "pets.csv": `weight,sound,pet\n${rows.join("")}` });
  const train = ["--data", "pets.csv", "--target", "pet", "--missing", "category", "--num-epochs", "20"];
  const { stdout } = await place.succeed("train", train);
  assertStringIncludes(stdout, "  majority class");
  const { metadata } = await readSafetensorsHeader(place.at("data/runs/default_run/model.safetensors"));
  assertEquals(JSON.parse(metadata.source), await dataSource(place.at("pets.csv")));
  assertEquals(JSON.parse(metadata.baseline), [0.5, 0.25, 0.25], "the split keeps the shares of classes");
  const { test: { baseline, perClass } } = JSON.parse(await place.read("data/runs/default_run/summary.json"));
  assertEquals([baseline.accuracy, perClass.length], [0.5, 3]);
  const found = JSON.parse((await place.succeed("evaluate", ["--data", "pets.csv", "--json"])).stdout);
  assertEquals([found.rows, found.baseline.accuracy, found.accuracy], [200, 0.5, 1]);
  const answer = (await place.succeed("predict", ["sound=", "weight=41"])).stdout;
  assertEquals(lines(answer)[1].split(",").slice(0, 3), ["41", "", "emu"]);
  using model = await loadModel(place.at("data/runs/default_run/model.safetensors"));
  const [dog] = await model.predict([{ weight: 21, sound: "woof" }]) as ClassPrediction[];
  assertEquals(dog.class, "dog");
});
