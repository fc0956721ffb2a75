/// <reference lib="dom" />
/** The report in headless Chromium, opened from disk: nothing asked for, nothing wrong, usable by keyboard and ear. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseHTML } from "linkedom";
import type { Explanation } from "../../../tasks/explain/explain_model.ts";
import type { ReportFacts } from "../../../tasks/report/page/facts.ts";
import { makeReport } from "../../../tasks/report/page/page.ts";
import { type Page, withPage } from "../../support/browser.ts";
import { permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";

const { document: maker } = parseHTML("<!DOCTYPE html><html><body></body></html>") as unknown as { document: Document };

const HOSTILE = '"><img src=x onerror="document.title=1"><script>document.title=2</script>';

/** A run that has everything a report can show. */
function facts(): ReportFacts {
  const points = Array.from({ length: 300 }, (_, i) => {
    const epoch = i + 1;
    return { epoch, step: epoch * 10, trainLoss: 1 / epoch, valLoss: 1.5 / epoch, learningRate: 0.01 };
  });
  const baseline = { loss: 1, mse: 9, r2: 0 };
  const norms = { "0.weight": 2, "2.weight": 0.5 };
  const look = { weights: norms, gradients: norms, dead: { a1: 0.1 } };
  const layerRecords = [1, 2, 4].map((epoch) => ({ epoch, step: epoch, ...look }));
  const pairs = Array.from({ length: 200 }, (_, i) => ({ actual: i, predicted: i + 3 * Math.sin(i) }));
  const histogram = { name: HOSTILE, low: 0, high: 1, counts: [4, 9, 1] };
  const column = { name: HOSTILE, role: "input", min: 0, max: 1, mean: 0.4, deviation: 0.2, histogram } as const;
  const { histogram: _, ...plain } = column;
  const categories = [{ name: HOSTILE, rows: 9 }, { name: "(other)", rows: 5 }];
  const reliability = { what: "probability", bins: [0.1, 0.9].map((p) => ({ predicted: p, actual: p, rows: 9 })) };
  const curves = [{ name: "network", places: [{ x: 0, y: 0 }, { x: 9, y: 9 }] }];
  const fit = { x: HOSTILE, y: "y", curves, rows: [[{ x: 1, y: 2 }]] };
  const gradient = { name: "0.weight", entries: 6, finiteDifference: 1e-9, gpu: 1e-7, ok: true };
  return {
    run: "a_run",
    settings: { DATA: HOSTILE, SEED: "42" },
    device: "a device",
    steps: 3000,
    seconds: 2,
    version: "1",
    stepsPerSecond: 1500,
    source: HOSTILE,
    loss: "mse",
    features: [HOSTILE],
    targets: ["y"],
    points,
    layerRecords,
    layers: [
      { kind: "Linear", inputs: 1, outputs: 9, parameters: { "0.weight": [1, 9], "0.bias": [9] } },
      { kind: "ReLU", inputs: 9, outputs: 9, parameters: {} },
      { kind: "Linear", inputs: 9, outputs: 1, parameters: { "2.weight": [9, 1], "2.bias": [1] } },
    ],
    bestEpoch: 300,
    members: 1,
    parts: [{ part: "test", rows: 200, loss: 0.1, measures: { mse: 1, r2: 0.9 }, baseline }],
    confusion: [[5, 1], [0, 7]],
    classes: [HOSTILE, "b"].map((name) => ({ name, rows: 6, precision: 0.9, recall: 0.8, f1: 0.85 })),
    notes: { columns: [{ name: HOSTILE, as: "left out", holds: HOSTILE, missing: 2 }], notes: [HOSTILE] },
    data: {
      parts: [{ part: "training", rows: 14 }],
      counted: 14,
      scaling: { inputs: "standardize", targets: "none" },
      columns: [column, { ...plain, names: 2, categories }],
      classes: [{ name: HOSTILE, rows: 6 }, { name: "b", rows: 8 }],
    },
    predictions: { part: "test", rows: 200, of: 200, pairs: [{ name: "y", pairs }], reliability, fit },
    gradients: { network: "1-6-1", lines: [gradient] },
    explanation: explanation(),
    card: { run: "a_run", lead: HOSTILE, sections: [{ title: "Data", lines: [HOSTILE] }] },
  };
}

function explanation(): Explanation {
  const worse = { mean: 1, deviation: 0.1 };
  const points = [0, 1].map((at) => ({ label: HOSTILE, at, share: 0.5, predicted: [at] }));
  const measure = { name: "rmse" as const, value: 1 };
  return {
    part: "validation",
    rows: 9,
    of: 9,
    repeats: 5,
    seed: 1,
    loss: 1,
    measure,
    columns: [{ column: HOSTILE, loss: worse, measure: worse }],
    dependence: [{ column: HOSTILE, kind: "numeric", outputs: ["y"], points }],
    leak: { column: HOSTILE, share: 0.95, score: 1 },
  };
}

/** What the page computes from an expression. */
async function ask<T>(page: Page, expression: string): Promise<T> {
  return await page.evaluate(expression) as T;
}

permitted("report.html opens from disk, asks for nothing else, and is there for eye, hand and ear", async (t) => {
  await using place = await Workplace.create({ "report.html": makeReport(facts(), { document: maker }).page });
  const url = `file://${place.at("report.html")}`;
  await withPage(async (page, { errors, requests }) => {
    await page.goto(url);
    await t.step("it has its charts, and obeys no name", () => hasCharts(page));
    await t.step("skip link, sections, details and tables that scroll are used by keyboard", () => obeysKeys(page));
    await t.step("each chart, table and section has a name in the accessibility tree", () => speaks(page));
    await t.step("colours can be read in light, in dark and on paper, and it fits a telephone", () => canBeRead(page));
    assertEquals(errors, []);
    assertEquals(requests.filter((asked) => asked !== url && asked !== "data:,"), []);
  });
});

async function hasCharts(page: Page): Promise<void> {
  assertEquals(await page.title(), "a_run – Backhand");
  const count = (group: string) => page.locator(`g.${group} > *`).count();
  const groups = ["importance", "values", "curve", "best", "rows", "cells", "reliability", "bins", "bars", "units"];
  const counts = await Promise.all(groups.map(count));
  assertEquals(counts, [1, 2, 2 + 1 + 2 + 2 + 1 + 1 + 1, 1, 401, 4, 2, 3, 2 + 2, 1 + 6 + 1]);
  const points = await ask<number>(page, `document.querySelector("g.curve path").getTotalLength()`);
  assert(points > 0, "curves have a length");
  assertEquals(await page.locator("img, script").count(), 0);
  const sizes = `[...document.querySelectorAll("svg")].map((svg) => svg.getBoundingClientRect().toJSON())`;
  for (const { width, height } of await ask<DOMRect[]>(page, sizes)) assert(width >= 100 && height >= 40);
}

async function obeysKeys(page: Page): Promise<void> {
  const focused = () => ask<string>(page, `document.activeElement.textContent.trim().slice(0, 24)`);
  await page.keyboard.press("Tab");
  assertEquals(await focused(), "Skip to the results");
  const box = await page.locator(".skip").boundingBox();
  assert(box && box.x >= 0, "the skip link is seen once it has the focus");
  const sections: string[] = [];
  for (let i = 0; i < 10; i++) {
    await page.keyboard.press("Tab");
    sections.push(await focused());
  }
  const names = "Results, Which columns matter, Learning, Layers over time, Network, Columns, Data, Gradient check, " +
    "Model card, Settings";
  assertEquals(sections.join(", "), names);
  await page.keyboard.press("Tab");
  assertEquals(await ask(page, "document.activeElement.tagName"), "SUMMARY");
  await page.keyboard.press("Enter");
  assertEquals(await page.locator("details[open]").count(), 1);
  await page.keyboard.press("Tab");
  assertEquals(await ask(page, "document.activeElement.getAttribute('role')"), "region");
  await page.locator('nav a[href="#settings"]').press("Enter");
  assertMatch(page.url(), /#settings$/);
}

async function speaks(page: Page): Promise<void> {
  const tree = await page.locator("body").ariaSnapshot();
  const charts = ["Loss by epoch", "Norms of gradients by epoch", "Confusion matrix", "The network", "y: residuals"];
  for (const name of charts) {
    assert(tree.includes(`img "${name}. `), `no chart ${name} in:\n${tree.slice(0, 3_000)}`);
  }
  for (const name of ["Results", "Data", "Settings"]) assert(tree.includes(`region "${name}"`), name);
  assertMatch(tree, /table "Measures by part[^"]*"/);
  assertMatch(tree, /rowheader "test"/);
  assertMatch(tree, /columnheader "loss"/);
}

async function canBeRead(page: Page): Promise<void> {
  const colors = `(() => {
    const of = (name) => getComputedStyle(document.querySelector(name)), channels = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
      .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const paper = light(channels(of("body").backgroundColor));
    const ratio = (color) => { const l = light(channels(color)); return (Math.max(l, paper) + 0.05) / (Math.min(l, paper) + 0.05); };
    const series = [...document.querySelectorAll("g.curve-names text")].map((text) => getComputedStyle(text).fill);
    return { paper, ratios: [of("body").color, of("figcaption").color, of("summary").color, ...series].map(ratio) };
  })()`;
  const check = async (isLight: boolean) => {
    const { paper, ratios } = await ask<{ paper: number; ratios: number[] }>(page, colors);
    assertEquals(paper > 0.5, isLight);
    assert(ratios.length > 8 && Math.min(...ratios) >= 4.5, `contrasts are ${ratios}`);
  };
  // Loaded at each size and in each colour, as it is opened there.
  await page.setViewportSize({ width: 390, height: 800 });
  await page.reload();
  await check(true);
  const wide = await ask<number>(page, "document.documentElement.scrollWidth");
  assertEquals(wide, 390, "nothing but tables is wider than the screen");
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.reload();
  await check(false);
  await page.emulateMedia({ media: "print" });
  await check(true);
  assertEquals(await page.locator("nav").isVisible(), false);
  assertEquals((await page.pdf()).subarray(0, 5).toString(), "%PDF-");
}
