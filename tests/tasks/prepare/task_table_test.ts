/** A table of the user's own: how it is split, encoded and scaled. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Random } from "../../../lib/base/random.ts";
import { openScaledDataset } from "../../../tasks/prepare/scaled_dataset.ts";
import { PARTS } from "../../../tasks/prepare/split.ts";
import { assertClose } from "../../support/assert_close.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const SCALED = "data/houses.scaled.safetensors";

/** Houses: the price follows from the rest. Every number cell of `area` names its row. */
function houses(rows: number, missing = false, random = new Random(1, "houses")): string {
  const lines = ["id,area,color,sold,price,when"];
  for (let row = 0; row < rows; row++) {
    const color = ["red", "blue", "green"][Math.floor(random.uniform(0, 3))];
    const known = missing && row % 5 === 0 ? ["NA", ""] : [50 + row, color];
    const rest = [row % 4 === 0 ? "yes" : "no", 2 * (50 + row) + color.length, `20${10 + (row * 7) % 20}-01-01`];
    lines.push([row, ...known, ...rest].join(","));
  }
  return lines.join("\n") + "\n";
}

/** A network that is quick to train, with validation rows of its own. */
const SMALL = "--hidden-size 32 --numeric-embedding none --members 1 --learning-rate 0.01".split(" ");

/** Scales a table, its parts apart, and reads all of it back in raw units. */
async function scaled(place: Workplace, flags: string) {
  const { stdout } = await place.succeed("scale", ["--data", "houses.csv", "--folds", "0", ...flags.split(" ")]);
  using dataset = await openScaledDataset(place.at(SCALED));
  const { features, targets, scalers, table, loss } = dataset;
  const parts: Record<string, { x: number[][]; y: number[][] }> = {};
  for (const part of PARTS) {
    const { x, y } = await dataset.parts[part].read(0, dataset.parts[part].rows);
    const rows = (values: Float64Array, width: number) =>
      Array.from({ length: values.length / width }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);
    parts[part] = {
      x: rows(scalers.inputs.inverse(x), features.length),
      y: rows(scalers.targets.inverse(y), targets.length),
    };
  }
  return { stdout, features, targets, scalers, table, loss, parts };
}

const column = (rows: readonly number[][], place: number) => rows.map((row) => row[place]);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

permitted("scale --data encodes, splits and tells what each column is, and scales no category number", async () => {
  await using place = await Workplace.inSeries("train", { "houses.csv": houses(100) });
  const { stdout, features, targets, table, loss, parts } = await scaled(place, "--target price");
  const expected = ["area", "color", "sold"];
  assertEquals(features.slice(0, 3), expected);
  assertEquals([targets, loss, table.target], [["price"], "mse", { kind: "numeric", names: ["price"] }]);
  assertEquals(PARTS.map((part) => parts[part].x.length), [80, 10, 10]);
  const all = PARTS.flatMap((part) => parts[part].x.map((x, i) => [x, parts[part].y[i]] as const));
  assertEquals(all.map(([x]) => Math.round(x[0])).sort((a, b) => a - b), Array.from({ length: 100 }, (_, i) => 50 + i));
  for (const [x, [price]] of all) {
    const [area, color, sold] = x;
    assertClose([price], [2 * area + [4, 5, 3][color]], { rtol: 1e-5 });
    assertEquals(sold, Number((Math.round(area) - 50) % 4 === 0));
  }
  const says = [
    "id      left out     whole numbers that only go up: an identifier",
    "area    numeric      50 to 149",
    "color   categorical  blue, green, red",
    "price   target       ",
    `${SCALED}: 80 training, 10 validation and 10 test rows`,
  ];
  for (const words of says) assertStringIncludes(stdout, words);
  const digests = [];
  const methods = ["standardize", "minmax", "none"].map((method) => `--scaling-method ${method}`);
  for (const flags of ["--seed 1", "--seed 1", "--seed 2", ...methods]) {
    await scaled(place, `--target price --ignore when ${flags}`);
    using dataset = await openScaledDataset(place.at(SCALED));
    const { x } = await dataset.parts.train.read(0, 80);
    const columns = dataset.features.length;
    assertEquals([...new Set(x.filter((_, i) => i % columns === 1))].sort(), [0, 1, 2]);
    const isDefault = flags.startsWith("--seed");
    assertEquals(dataset.scalers.inputs.method, isDefault ? "robust" : flags.split(" ")[1]);
    assertEquals(dataset.scalers.targets.method, isDefault ? "standardize" : flags.split(" ")[1]);
    digests.push((await place.digests("data"))["houses.scaled.safetensors"]);
  }
  const [first, again, other] = digests;
  assertEquals([again === first, other === first], [true, false]);
});

permitted("scale --data fits scalers, categories and fills on the training rows alone", async () => {
  const table = houses(60, true).split("\n");
  // A category that only one row has: where it does not train it is unseen.
  table.splice(-1, 0, "60,500,violet,no,1,2010-01-01");
  await using place = await Workplace.inSeries("train", { "houses.csv": table.join("\n") });
  const seen: boolean[] = [];
  for (const seed of ["1", "2", "3", "4", "5", "6"]) {
    const flags = `--target price --features area,color --missing mean --seed ${seed} --split 0.5,0.25,0.25`;
    const { parts, scalers, table, stdout } = await scaled(place, flags);
    const train = column(parts.train.x, 0);
    const mean = sum(train) / train.length;
    const deviation = Math.sqrt(sum(train.map((v) => (v - mean) ** 2)) / train.length);
    const [area] = scalers.inputs.columns;
    const expected = [mean, deviation, Math.min(...train), Math.max(...train)];
    assertClose([area.mean, area.deviation, area.min, area.max], expected, { rtol: 1e-5 });
    const prices = column(parts.train.y, 0);
    assertClose([scalers.targets.columns[0].mean], [sum(prices) / prices.length], { rtol: 1e-5 });
    const isTrained = train.some((v) => Math.round(v) === 500);
    const [{ fill }, color] = table.inputs;
    seen.push(isTrained);
    assertEquals(color.kind === "categorical" && color.categories.includes("violet"), isTrained);
    // The mean of the cells that are there is that of the filled column.
    assertClose([Number(fill)], [mean], { rtol: 1e-5 });
    assert(color.kind === "categorical");
    const { categories, shares } = color;
    // An unseen name has the number after the last.
    const unseen = PARTS.flatMap((part) => column(parts[part].x, 1)).filter((code) => code === categories.length);
    assertEquals(unseen.length, isTrained ? 0 : 1);
    const rowsOf = (code: number) => column(parts.train.x, 1).filter((other) => other === code).length;
    assertClose(shares!, categories.map((_, code) => rowsOf(code) / train.length), { rtol: 1e-12 });
    assertEquals(scalers.inputs.columns[1].names, categories.length);
    const told = "color: 1 validation or test row has a name that no training row has: violet";
    assertEquals(stdout.includes(told), !isTrained);
  }
  assertEquals(new Set(seen).size, 2, "the rare row trains under some seeds alone");
});

permitted("scale --data fills missing cells as asked, or drops their rows", async () => {
  const text = "n,c,y\n1,a,1\n2,a,2\n,b,3\n9,,4\n5,b,5\n6,b,6\n";
  await using place = await Workplace.inSeries("train", { "houses.csv": text });
  const run = (missing: string) => scaled(place, `--target y --missing ${missing} --split 1,0,0`);
  const mean = await run("mean");
  assertClose(column(mean.parts.train.x, 0), [1, 2, 4.6, 9, 5, 6], { rtol: 1e-6 });
  assertEquals(column(mean.parts.train.x, 1), [0, 0, 1, 1, 1, 1]);
  assertEquals(mean.table.inputs, [
    { kind: "numeric", name: "n", fill: 4.6 },
    { kind: "categorical", name: "c", categories: ["a", "b"], shares: [1 / 3, 2 / 3], fill: "b" },
  ]);
  assertClose(column((await run("median")).parts.train.x, 0), [1, 2, 5, 9, 5, 6], { rtol: 1e-6 });
  const category = await run("category");
  assertEquals(category.features, ["n", "c"]);
  assertEquals(column(category.parts.train.x, 1), [1, 1, 2, 0, 2, 2]);
  const drop = await run("drop");
  assertClose(column(drop.parts.train.y, 0), [1, 2, 5, 6], { rtol: 1e-6 });
  assertStringIncludes(drop.stdout, "2 rows with missing cells are left out");
});

permitted("scale --data splits classes so that each part has its share of them", async () => {
  await using place = await Workplace.inSeries("train", { "houses.csv": houses(200) });
  const { parts, targets, loss, scalers, table } = await scaled(place, "--target sold --features area,color");
  assertEquals([targets, loss, scalers.targets.method], [["no", "yes"], "softmax", "none"]);
  assertEquals(table.target, { kind: "classes", name: "sold", classes: ["no", "yes"] });
  const counts = PARTS.map((part) => [0, 1].map((of) => sum(column(parts[part].y, of))));
  assertEquals(counts, [[120, 40], [15, 5], [15, 5]]);
  for (const part of PARTS) {
    parts[part].x.forEach(([area], i) => {
      assertEquals(parts[part].y[i], (Math.round(area) - 50) % 4 === 0 ? [0, 1] : [1, 0]);
    });
  }
  const bce = await scaled(place, "--target sold --features area,color --loss bce");
  assertEquals([bce.targets, bce.loss, sum(column(bce.parts.train.y, 0))], [["sold"], "bce", 40]);
});

permitted("scale --data takes numbers as classes when asked, numeric targets, and classes of one row", async () => {
  await using place = await Workplace.inSeries("train", {
    "houses.csv": "x,k,z\n1,10,5\n2,9,6\n3,10,9\n4,9,1\n5,9,2\n",
  });
  const classes = await scaled(place, "--target k --task classification --split 1,0,0");
  assertEquals(classes.targets, ["9", "10"]);
  assertEquals(classes.parts.train.y, [[0, 1], [1, 0], [0, 1], [1, 0], [1, 0]]);
  const both = await scaled(place, "--target z,k --split 1,0,0");
  assertEquals([both.targets, both.features], [["z", "k"], ["x"]]);
  assertClose(both.parts.train.y.flat(), [5, 10, 6, 9, 9, 10, 1, 9, 2, 9], { rtol: 1e-6 });
  const categorical = await scaled(place, "--target z --categorical k --split 1,0,0");
  assertEquals(column(categorical.parts.train.x, categorical.features.indexOf("k")), [1, 0, 1, 0, 0]);
  const rows = Array.from({ length: 40 }, (_, i) => `${i},${i % 2 ? "a" : "b"}`);
  await place.write("houses.csv", ["x,k", ...rows, "77,rare", ""].join("\n"));
  const rare = await scaled(place, "--target k");
  assertEquals(rare.targets, ["a", "b", "rare"]);
  assertEquals(sum(column(rare.parts.train.y, 2)), 1);
  assertStringIncludes(rare.stdout, "classes with a single training row: rare");
});

permitted("scale --data splits by time, rows of one time together", async () => {
  await using place = await Workplace.inSeries("train", { "houses.csv": houses(200) });
  const { parts, features } = await scaled(place, "--target price --time-column when");
  const year = (area: number) => ((Math.round(area) - 50) * 7) % 20;
  const years = PARTS.map((part) => column(parts[part].x, 0).map(year));
  const found = years.map((of) => [Math.min(...of), Math.max(...of), of.length]);
  assertEquals(found, [[0, 15, 160], [16, 17, 20], [18, 19, 20]]);
  assert(!features.some((name) => name.startsWith("when")));
  const when = (text: string) => `x,t,y\n1,${text},1\n2,2020-01-02T10:00,2\n`;
  await place.write("houses.csv", when("yesterday"));
  const args = ["--data", "houses.csv", "--target", "y", "--time-column", "t"];
  const says = ['houses.csv:2, column "t": "yesterday" is no time: a number is, or a date such as'];
  await place.refuse(1, says, "scale", args);
  await place.write("houses.csv", when(""));
  await place.refuse(1, ['houses.csv:2, column "t": the time is missing'], "scale", args);
});

permitted("scale --data takes validation and test rows from files, columns in any order", async () => {
  await using place = await Workplace.inSeries("train", {
    "houses.csv": "x,c,y\n1,a,1\n2,b,2\n3,a,3\n",
    "later.csv": "y,more,c,x\n9,?,z,4\n",
    "bad.csv": "y,c,x\n9,a,4\n8,a,four\n",
  });
  const files = "--target y --validation later.csv";
  const { parts } = await scaled(place, `${files} --test later.csv`);
  assertEquals(PARTS.map((part) => parts[part].x.length), [3, 1, 1]);
  assertEquals(column(parts.validation.x, 1), [2]);
  assertClose([...column(parts.test.x, 0), ...column(parts.test.y, 0)], [4, 9], { rtol: 1e-6 });
  const all = ["--data", "houses.csv", ...files.split(" ")];
  await place.refuse(1, ['bad.csv:3, column "x": "four" is not a number'], "scale", [...all, "--test", "bad.csv"]);
  await place.refuse(1, ["Cannot read none.csv: there is no such file"], "scale", [...all, "--test", "none.csv"]);
  await place.refuse(2, ["--split and VALIDATION both say"], "scale", [...all, "--split", "1,0,0"]);
  await Deno.symlink(place.at("houses.csv"), place.at("again.csv"));
  const told = (name: string, key: string, does: string) =>
    `${name} has a file of ${key}: it measures rows that the run ${does}, not new ones`;
  const same: [validation: string, test: string, ...notes: string[]][] = [
    ["later.csv", ""],
    ["./houses.csv", "", told("VALIDATION", 'DATA, "./houses.csv"', "trains on")],
    ["again.csv", "", told("VALIDATION", 'DATA, "again.csv"', "trains on")],
    ["later.csv", "houses.csv", told("TEST", 'DATA, "houses.csv"', "trains on")],
    ["later.csv", "later.csv", told("TEST", 'VALIDATION, "later.csv"', "stops by")],
  ];
  for (const [validation, test, ...notes] of same) {
    const args = ["--validation", validation, ...(test === "" ? [] : ["--test", test])];
    const { stdout } = await place.succeed("scale", ["--data", "houses.csv", "--target", "y", ...args]);
    assertEquals(stdout.split("\n").filter((line) => line.includes(" has a file of ")), notes, args.join(" "));
  }
});

permitted("scale --data splits classes of more rows than a block, and drops incomplete rows of any file", async () => {
  await using place = await Workplace.inSeries("train", { "houses.csv": houses(9500), "more.csv": houses(40, true) });
  const { stdout, parts } = await scaled(place, "--target sold --features area,color");
  const counts = PARTS.map((part) => [0, 1].map((of) => sum(column(parts[part].y, of))));
  assertEquals(counts, [[5700, 1900], [713, 238], [712, 237]]);
  assertStringIncludes(stdout, "7600 training, 951 validation and 949 test rows");
  const files = "--validation more.csv --test more.csv --missing drop";
  const { stdout: dropped } = await scaled(place, `--target price --features area,color ${files}`);
  assertStringIncludes(dropped, "9500 training, 32 validation and 32 test rows");
  await place.write("houses.csv", houses(300, true));
  const { stdout: both } = await scaled(place, `--target price --features area,color ${files}`);
  assertStringIncludes(
    both,
    "60 rows with missing cells are left out\n8 validation rows with missing cells are left out\n8 test rows with",
  );
});

permitted("scale --data finds the file from the folder that the user stood in", async () => {
  await using place = await Workplace.inSeries("train", { "mine/houses.csv": houses(50) });
  await place.succeed("scale", ["--data", "houses.csv", "--target", "price"], { INIT_CWD: place.at("mine") });
  assertEquals(Object.keys(await place.digests("data")), ["houses.scaled.safetensors"]);
});

permitted("train --data learns a table, prepares it anew only where something differs, and keeps the run", async () => {
  await using place = await Workplace.inSeries("train", { "houses.csv": houses(300) });
  const args = [..."--data houses.csv --target price --features area,color --num-epochs 2".split(" "), ...SMALL];
  const first = await place.succeed("train", [...args, "--num-epochs", "60"]);
  assertStringIncludes(first.stdout, `scale: wrote ${SCALED} (it was missing)`);
  assertStringIncludes(first.stdout, "network: 2-4-32-1,");
  const summary = JSON.parse(await place.read("data/runs/default_run/summary.json"));
  assertEquals([summary.data, summary.target], ["houses.csv", ["price"]]);
  assert(summary.test.r2 > 0.95, `r2 ${summary.test.r2}`);
  const settings = JSON.parse(await place.read("data/runs/default_run/config.json"));
  assertEquals([settings.DATA, settings.OPTIMIZER, settings.RECIPE], ["houses.csv", "adam", undefined]);
  assertStringIncludes((await place.succeed("train", args)).stdout, "scale: skipped");
  args.push("--missing", "mean");
  assertStringIncludes((await place.succeed("train", args)).stdout, "another MISSING");
  await place.write("houses.csv", houses(20));
  const small = await place.succeed("train", args);
  assertStringIncludes(small.stdout, "another dataset");
  assertStringIncludes(small.stdout, "16 rows in batches of 16");
  await place.refuse(2, ['--batch-size is "17": allowed is 1 to the 16'], "train", [...args, "--batch-size", "17"]);
});

permitted("train --data learns classes, under softmax and bce, and keeps their shares as baseline", async () => {
  const rows = Array.from({ length: 200 }, (_, i) => `${i},${i % 10},${i % 10 < 4 ? "low" : "high"}`);
  await using place = await Workplace.inSeries("train", { "houses.csv": ["id,x,k", ...rows, ""].join("\n") });
  for (const loss of ["softmax", "bce"]) {
    const args = ["--data", "houses.csv", "--target", "k", "--num-epochs", "60", ...SMALL];
    await place.succeed("train", [...args, "--loss", loss]);
    const { train: { baseline }, test } = JSON.parse(await place.read("data/runs/default_run/summary.json"));
    assertEquals([loss, test.accuracy], [loss, 1]);
    assertEquals([baseline.accuracy, baseline.confusion], [0.6, [[96, 0], [64, 0]]]);
  }
});
