/** deno task report, as its users run it: what it writes of runs of every kind, and what it refuses. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseHTML } from "linkedom";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const SCRIPT = '<script>alert("1")</script>';

/** A table with columns that a page must not obey, three classes, and two numbers to predict. */
function table(rows = 240): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const a = Math.sin(i * 1.7);
    const b = Math.cos(i * 0.9);
    const kind = a > 0.4 ? "<b>up</b>" : a < -0.4 ? "down" : "level";
    return [a, b, kind, kind === "level" ? "no" : "yes", a * b, a - 2 * b, "same"].join(",");
  });
  const header = ["a", `"${SCRIPT.replaceAll('"', '""')}"`, "kind", "is", "y1", "y & 2", "b\u200b"];
  return `${header.join(",")}\n${lines.join("\n")}\n`;
}

async function read(place: Workplace, path: string): Promise<Document> {
  return (parseHTML(await place.read(path)) as unknown as { document: Document }).document;
}

function marks(page: Document, group: string): number {
  return [...page.querySelectorAll(`g.${group}`)].reduce((sum, one) => sum + one.children.length, 0);
}

/** What every report must be. */
async function check(
  place: Workplace,
  run: string,
  figures: string[],
  { isTable = true, hasRows = true }: { isTable?: boolean; hasRows?: boolean } = {},
): Promise<Document> {
  const path = `data/runs/${run}/report.html`;
  const text = await place.read(path);
  const page = await read(place, path);
  assert(text.length < 400_000, `${text.length} bytes`);
  assertEquals(page.querySelectorAll("script, iframe, img, object, embed, b").length, 0, "only the report's own parts");
  assertEquals(text.match(/\bon\w+="|(src|href)="(?!#|data:,)|url\(|@import/g), null, "nothing from elsewhere");
  const textsOf = (selector: string) => [...page.querySelectorAll(selector)].map((one) => one.textContent);
  assertEquals(textsOf("figcaption strong"), figures);
  const columns = isTable ? " Columns," : "";
  const [first = ""] = textsOf("h2[id=explained-title]").map((title) => ` ${title},`);
  const card = hasRows ? " Model card," : "";
  const sections = `Learning, Layers over time, Network,${columns} Data, Gradient check,${card} Settings`;
  assertEquals(textsOf("h1, h2").join(", "), `${run}, Results,${first} ${sections}`);
  if (hasRows) {
    const plain = (text: string) => text.replaceAll(/\\|^#+ |^- /g, "").trim();
    const lines = (await place.read(`data/runs/${run}/model_card.md`)).split("\n").slice(4).filter(Boolean);
    assertEquals(lines.map(plain), textsOf("#card h3, #card li").map(plain));
  }
  for (const link of page.querySelectorAll("a")) assert(page.querySelector(link.getAttribute("href")!), link.outerHTML);
  for (const svg of page.querySelectorAll("svg")) assertMatch(svg.getAttribute("aria-label")!, /^\S.{8}/);
  for (const one of page.querySelectorAll("table")) {
    assert(one.querySelector("caption") && one.querySelector("th[scope]"));
  }
  assertEquals(/\bNaN\b|undefined|\[object/.test(page.body.textContent), false, `${run} holds what is no number`);
  assertEquals(page.querySelectorAll("#gradients tbody tr").length >= 5, true);
  assertEquals(new Set(textsOf("#gradients td:last-child")), new Set(["ok"]));
  return page;
}

/** Charts of layers.jsonl. */
const LAYERS = ["Norms of gradients", "Norms of weights", "Dead units"];

const SMALL = ["--num-epochs=6", "--hidden-size=8", "--report=false"];

permitted("deno task report shows a recipe's run: curve, predictions, residuals, norms, dead units", async () => {
  await using place = await Workplace.inSeries("report");
  await place.succeed("train", [...SMALL, "--num-dataset=20000", "--split=0.1,0.1,0.8", "--run-name=r"]);
  await Deno.remove(place.at("data/runs/r/layers.jsonl")); // as of a run that was not looked at
  const bare = await place.succeed("report", ["r"]);
  assertEquals(bare.stdout, "wrote data/runs/r/report.html\n");
  const curves = ["y by x", "y: predicted against actual", "y: residuals", "Loss by epoch", "Learning rate by epoch"];
  const page = await check(place, "r", [...curves, "The network", "x", "y"], { isTable: false });
  assertStringIncludes(page.querySelector("#layers")!.textContent, "This run has no layers.jsonl");
  assertEquals(marks(page, "rows"), 3 * 2_000, "of 16,000 test rows");
  const spread = "2\u202f000 of 16\u202f000 test rows, evenly spread";
  assertStringIncludes(page.querySelector("#results")!.textContent, spread);
  assertEquals([marks(page, "bins"), marks(page, "curve-points"), marks(page, "units")], [60, 6 * 3, 8]);
  const counted = page.querySelector("#data p")!.textContent;
  assertStringIncludes(counted, "2\u202f000 training, 2\u202f000 validation, 16\u202f000 test rows");

  const norms = { "0.weight": 2, "0.bias": 1 };
  const look = { weights: norms, gradients: norms, dead: { a1: 0.5 } };
  const lines = [1, 2, 4].map((epoch) => JSON.stringify({ epoch, step: epoch, ...look }));
  await place.write("data/runs/r/layers.jsonl", [...lines, '{"epoch":8,"st'].join("\n"));
  await place.succeed("report", ["--run-name=r", "--svg=out/figures", "--output=out.html"]);
  await place.runDeno(["eval", `Deno.renameSync("out.html", "data/runs/r/report.html")`]);
  const full = await check(place, "r", [...curves, ...LAYERS, "The network", "x", "y"], { isTable: false });
  assertEquals([...full.querySelectorAll("#layers tbody tr")].length, 9, "a line that was cut short is left out");
  const names = "dead-units fit gradient-norms histogram-1 histogram-2 learning-rate loss network predicted residuals";
  const files = `${names} weight-norms`.split(" ").map((name) => `${name}.svg`);
  assertEquals(Object.keys(await place.digests("out/figures")).sort(), files);
  const alone = await place.read("out/figures/loss.svg");
  assertMatch(alone, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^>]*><title>Loss by epoch<\/title>\s*<desc>/);
  assertEquals(/var\(|inherit"/.test(alone), false, "colours and fonts are the file's own");
});

permitted("deno task report shows classes: confusion, calibration, and names that no page obeys", async () => {
  await using place = await Workplace.inSeries("report", { "own.csv": table() });
  const flags = ["--data=own.csv", ...SMALL];
  const features = 'a,"' + SCRIPT.replaceAll('"', '""') + '"';
  await place.succeed("train", [...flags, "--target=kind", "--features", features, "--run-name=tri"]);
  await place.succeed("report", ["tri"]);
  const common = ["Loss by epoch", "Learning rate by epoch", ...LAYERS, "The network", "a"];
  const explained = ["Importance of columns", "Prediction by a", `Prediction by ${SCRIPT}`];
  const page = await check(place, "tri", [
    "Confusion matrix",
    "Calibration",
    ...explained,
    ...common,
    SCRIPT,
    "Classes",
  ]);
  assertEquals([marks(page, "cells"), marks(page, "bars"), marks(page, "bins")], [9, 3, 60]);
  assertStringIncludes(page.querySelector("#results")!.textContent, "<b>up</b>");
  const taken = [...page.querySelectorAll("#columns tbody tr")].map((row) =>
    [...row.children].map((cell) => cell.textContent.trim())
  );
  assertEquals([taken.length, taken[2], taken[6]], [
    7,
    ["kind", "classes", "<b>up</b>, down, level", "0"],
    ["b\\u200b", "left out", "not among FEATURES", "0"],
  ]);
  const { notes } = JSON.parse(await place.read("data/runs/tri/summary.json"));
  assertEquals(notes.columns.map(({ as }: { as: string }) => as), taken.map(([_, as]) => as));
  const counts = [...page.querySelectorAll("#results figure:first-child td")].map((one) => Number(one.textContent));
  assertEquals([counts.length, counts.reduce((a, b) => a + b)], [9, 24], "a cell per pair of classes, all test rows");
  const cells = [...page.querySelectorAll("#results figure:nth-child(2) td:last-child")];
  const points = cells.map((one) => Number(one.textContent));
  assertEquals([points.length, points.reduce((a, b) => a + b)], [marks(page, "reliability"), 24]);

  await place.succeed("train", [...flags, "--target=is", "--features=a", "--loss=bce", "--run-name=two"]);
  await place.succeed("report", ["two"]);
  const results = ["Confusion matrix", "ROC curve", "Precision and recall", "probability by a", "Calibration"];
  const two = await check(place, "two", [...results, ...common, "Classes"]);
  assertEquals([marks(two, "cells"), marks(two, "bars"), marks(two, "rows")], [4, 2, 24]);
});

permitted("deno task report shows each of several targets, and what there is without the rows", async () => {
  await using place = await Workplace.inSeries("report", { "own.csv": table() });
  const flags = [
    "--data=own.csv",
    "--target=y1,y & 2",
    "--ignore=is",
    "--split=0.8,0.2,0",
    "--folds=0",
    "--run-name=several",
  ];
  await place.succeed("train", [...SMALL, ...flags, "--hidden-size=8,8,8,8,8,8,8"]);
  await place.succeed("report", ["several"]);
  const explained = ["Importance of columns", ...[SCRIPT, "a", "kind"].map((name) => `Prediction by ${name}`)];
  const rest = ["Loss by epoch", "Learning rate by epoch", ...LAYERS, "The network"];
  const columns = ["a", SCRIPT, "kind", "y1", "y & 2"];
  const charts = ["y1", "y & 2"].flatMap((name) => [`${name}: predicted against actual`, `${name}: residuals`]);
  const path = "data/runs/several/report.html";
  const page = await read(place, path);
  const titles = [...page.querySelectorAll("figcaption strong")].map((one) => one.textContent);
  assertEquals(titles.slice(0, 14), [...charts, ...explained, ...rest]);
  assertEquals(new Set(titles.slice(14)), new Set(columns.filter((name) => titles.includes(name))));
  await check(place, "several", titles);
  assertEquals(marks(page, "rows"), 4 * 48, "all validation rows, two charts for each of two targets");
  assertStringIncludes(page.querySelector("#results")!.textContent, "validation rows");

  await place.succeed("scale", ["--data=own.csv", "--target=y1,y & 2", "--ignore=is,kind"]);
  const kept = await place.read(path);
  const poorer = async (says: string) => {
    await place.refuse(1, [`${path}: it stays as it is. The scaled rows`, says, "--output other.html"], "report", [
      "several",
    ]);
    await place.succeed("report", ["several", "--output=other.html"]);
    await place.write(path, await place.read("other.html"));
    await check(place, "several", rest, { hasRows: false });
    assertStringIncludes((await read(place, path)).body.textContent, says);
    await place.write(path, kept);
  };
  await poorer("have changed since this run");
  const scaled = "data/own.scaled.safetensors";
  await place.write("b/own.csv", table(120));
  await place.succeed("scale", ["--data=b/own.csv", "--target=y1,y & 2", "--ignore=is,kind"]);
  await poorer(`are of something else: ${scaled} now holds those of b/own.csv, not of own.csv.`);
  const bytes = await Deno.readFile(place.at(scaled));
  await Deno.writeFile(place.at(scaled), bytes.with(bytes.length - 2, bytes.at(-2)! ^ 1));
  await poorer(`cannot be read: ${scaled}: it was damaged`);
  await Deno.remove(place.at(scaled));
  await poorer("no longer exist. `deno task train --resume several` makes its rows again.");

  // As the report says.
  await place.succeed("train", ["--resume=several"]);
  await place.succeed("report", ["several"]);
  await check(place, "several", titles);
});

permitted("deno task report refuses what is no run, more than one, and places that cannot be written", async () => {
  await using place = await Workplace.inSeries("report", { "file": "" });
  await place.refuse(2, ["report takes one run"], "report", ["a", "b"]);
  await place.refuse(2, ['the run is "../a"'], "report", ["../a"]);
  await place.refuse(2, ['--run-name is "a", and the run is "b"'], "report", ["b", "--run-name=a"]);
  await place.refuse(1, ["data/runs/none/model.safetensors", "deno task train --run-name none"], "report", ["none"]);
  await place.succeed("train", [...SMALL, "--recipe=xor"]);
  await place.refuse(1, ["there is no folder"], "report", ["--output=nowhere/a.html"]);
  await place.refuse(1, ["file"], "report", ["--svg=file/figures"]);
});
