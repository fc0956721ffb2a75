/// <reference lib="dom" />
/** Charts under linkedom: as many marks as data, texts for screen readers, and data that is odd. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseHTML } from "linkedom";
import { deadChart, type EpochPoint, type LayerRecord } from "../../../tasks/charts/charts.ts";
import { lossChart, normChart, rateChart } from "../../../tasks/charts/charts.ts";
import {
  confusionChart,
  precisionRecallChart,
  reliabilityChart,
  rocChart,
} from "../../../tasks/charts/class_charts.ts";
import { dependenceChart, importanceChart } from "../../../tasks/charts/explain_charts.ts";
import { classChart, fitChart, histogramChart } from "../../../tasks/charts/data_charts.ts";
import { predictedChart, residualChart } from "../../../tasks/charts/data_charts.ts";
import { networkChart } from "../../../tasks/charts/network_chart.ts";
import { svgText } from "../../../tasks/report/page/figures.ts";
import { thin } from "../../../tasks/charts/thin.ts";

const { document } = parseHTML("<!DOCTYPE html><html><body></body></html>") as unknown as { document: Document };
const draw = { document };

function epochs(count: number, lossOf = (epoch: number): number | null => 1 / epoch): EpochPoint[] {
  return Array.from({ length: count }, (_, i) => {
    const epoch = i + 1;
    const trainLoss = lossOf(epoch);
    return { epoch, step: epoch * 10, trainLoss, valLoss: trainLoss && trainLoss * 2, learningRate: 0.1 / epoch };
  });
}

function records(layers: number): LayerRecord[] {
  const names = Array.from({ length: layers }, (_, i) => `${2 * i}.weight`);
  return [1, 2, 4].map((epoch) => {
    const norms = Object.fromEntries(names.map((name, i) => [name, (i + 1) / epoch]));
    return { epoch, step: epoch, weights: norms, gradients: norms, dead: { a1: 0.25 * epoch, a3: 0 } };
  });
}

function count(svg: SVGSVGElement, group: string): number {
  return [...svg.querySelectorAll(`g.${group}`)].reduce((sum, one) => sum + one.children.length, 0);
}

function texts(svg: SVGSVGElement, group = ""): string[] {
  return [...svg.querySelectorAll(`${group} text`)].map(({ textContent }) => textContent);
}

function placesOf(svg: SVGSVGElement, curve = 0): [number, number][] {
  const path = svg.querySelectorAll("g.curve path")[curve].getAttribute("d")!;
  return [...path.matchAll(/[ML](-?[\d.]+),(-?[\d.]+)/g)].map(([_, x, y]) => [Number(x), Number(y)]);
}

Deno.test("lossChart() draws a point for each epoch and loss, names both curves and marks the best epoch", () => {
  const svg = lossChart(epochs(12), { ...draw, bestEpoch: 7 });
  assertEquals([count(svg, "curve"), count(svg, "curve-points"), count(svg, "best")], [2, 24, 1]);
  assertEquals(texts(svg, "g.curve-names"), ["validation", "training"], "from the upper end to the lower");
  assertEquals(texts(svg, "g.best-name"), ["best: epoch 7"]);
  assertEquals(placesOf(svg).length, 12);
  const circle = svg.querySelector("g.best circle")!;
  const place = ["cx", "cy"].map((name) => Math.round(Number(circle.getAttribute(name))));
  assertEquals(place, placesOf(svg, 1)[6].map(Math.round));
});

Deno.test("lossChart() is logarithmic unless told otherwise: halving is as far from 1 as from 0.1", () => {
  const halved = epochs(8, (epoch) => 2 ** -epoch);
  const steps = (log?: boolean) => {
    const ys = placesOf(lossChart(halved, { ...draw, log })).map(([_, y]) => y);
    return ys.slice(1).map((y, i) => Math.round(y - ys[i]));
  };
  assertEquals(new Set(steps()).size <= 2, true, `${steps()}`); // but for rounding
  assert(steps(false)[0] > 10 * steps(false)[5]);
});

const thresholds = [
  { threshold: 0.9, falsePositiveRate: 0, recall: 0.5, precision: 1 },
  { threshold: 0.4, falsePositiveRate: 0.25, recall: 1, precision: 0.8 },
  { threshold: 0.2, falsePositiveRate: 1, recall: 1, precision: 0.5 },
];

const importances = [{ name: "a", mean: 2, deviation: 0.5 }, { name: "a", mean: -0.1, deviation: 0.2 }];
const values = [0, 1, 5].map((at) => ({ label: `at ${at}`, at, share: 1 / 3, predicted: [at / 10, 1 - at / 10] }));

Deno.test("charts that explain have a mark for each column and value, and the density of the rows", () => {
  const bars = importanceChart(importances, "loss", draw);
  assertEquals(
    [count(bars, "importance"), count(bars, "deviations")],
    [2, 2],
    "columns whose names look the same stay apart",
  );
  const numbers = dependenceChart({ column: "size", outputs: ["a", "b"], points: values, isNamed: false }, "y", draw);
  assertEquals([count(numbers, "curve"), count(numbers, "values"), count(numbers, "density")], [2, 6, 3]);
  assertStringIncludes(numbers.getAttribute("aria-label")!, "a: 0 at at 0, 0.5 at at 5; b: 1 at at 0, 0.5 at at 5.");
  const heights = [...numbers.querySelectorAll("g.density rect")].map((bar) => Number(bar.getAttribute("height")));
  assert(heights[0] > 1.5 * heights[1] && heights[1] > heights[2], `rows that lie apart are less dense: ${heights}`);
  const names = dependenceChart({ column: "kind", outputs: ["y"], points: values, isNamed: true }, "y", draw);
  assertEquals([count(names, "curve"), count(names, "values"), texts(names).includes("at 5")], [0, 3, true]);
  const one = dependenceChart({ column: "x", outputs: ["y"], points: values.slice(1, 2), isNamed: false }, "y", draw);
  assertEquals([count(one, "values"), /NaN|Infinity/.test(one.outerHTML)], [1, false]);
});

Deno.test("charts of thresholds mark the one that counts, and tell what it does", () => {
  for (const [chart, atStart] of [[rocChart, 1], [precisionRecallChart, 0]] as const) {
    const marked = chart(thresholds, "yes", { ...draw, threshold: 0.3 });
    assertEquals([count(marked, "curve"), count(marked, "threshold")], [1, 1]);
    const said = "From a probability of 0.3 on, 100% of the rows of yes are found, 80% of the rows found are right";
    assertStringIncludes(marked.getAttribute("aria-label")!, said);
    assertEquals(count(chart(thresholds, "yes", { ...draw, threshold: 0.95 }), "threshold"), atStart);
  }
});

Deno.test("charts say what they are to a screen reader, and take their colours from the page", () => {
  const all = [
    lossChart(epochs(3), draw),
    rateChart(epochs(3), draw),
    normChart(records(2), "weights", draw),
    normChart(records(2), "gradients", draw),
    deadChart(records(2), draw),
    histogramChart({ name: "x", low: 0, high: 3, counts: [1, 0, 2] }, draw),
    classChart([{ name: "a", rows: 20_000 }], draw),
    fitChart({ x: "x", y: "y" }, [{ name: "y", places: [{ x: 0, y: 0 }, { x: 1, y: 1 }] }], [[{ x: 0, y: 1 }]], draw),
    predictedChart("y", [{ actual: 1, predicted: 2 }], draw),
    residualChart("y", [{ actual: 1, predicted: 2 }], draw),
    confusionChart(["a", "b"], [[1, 0], [2, 3]], draw),
    reliabilityChart([{ predicted: 0.2, actual: 0.3, rows: 4 }], "probability", draw),
    importanceChart(importances, "loss", draw),
    dependenceChart({ column: "size", outputs: ["a", "b"], points: values, isNamed: false }, "y", draw),
    dependenceChart({ column: "kind", outputs: ["y"], points: values, isNamed: true }, "y", draw),
    rocChart(thresholds, "yes", draw),
    precisionRecallChart(thresholds, "yes", draw),
    networkChart(2, [{ kind: "Linear", inputs: 2, outputs: 1, parameters: { "0.weight": [2, 1] } }], draw),
  ];
  const labels = all.map((svg) => svg.getAttribute("aria-label")!);
  for (const [i, svg] of all.entries()) {
    assertEquals(svg.getAttribute("role"), "img");
    assertMatch(labels[i], /^[^.]{6,}\. .{8,}/);
    assertEquals(svg.getAttribute("font-family"), "inherit");
    const colors = [...svg.outerHTML.matchAll(/(?:fill|stroke)="([^"]*)"/g)].map(([_, color]) => color);
    const odd = colors.filter((color) => !/^(none|currentColor|var\(--[\w-]+\))$/.test(color));
    assertEquals(odd, [], `colours of ${labels[i]}`);
    assertEquals(/NaN|undefined|Infinity/.test(svg.outerHTML), false, labels[i]);
  }
  assertEquals(new Set(labels.map((label) => label.split(".")[0])).size, all.length);
});

Deno.test("charts of nothing, of one point, and of a flat curve are no error", () => {
  for (const svg of [lossChart([], draw), rateChart([], draw), normChart([], "weights", draw), deadChart([], draw)]) {
    assertEquals(texts(svg), ["There is nothing to draw."]);
  }
  assertEquals(texts(histogramChart({ name: "x", low: 0, high: 1, counts: [] }, draw)), ["There are no values."]);
  assertEquals(texts(predictedChart("y", [{ actual: NaN, predicted: 1 }], draw)), ["There are no rows."]);
  assertEquals(texts(confusionChart([], [], draw)), ["There are no rows."]);
  const one = lossChart(epochs(1), { ...draw, bestEpoch: 1 });
  assertEquals([count(one, "curve-points"), count(one, "best")], [2, 1]);
  const flat = lossChart(epochs(5, () => 0.5), draw);
  assertEquals(new Set(placesOf(flat).map(([_, y]) => y)).size, 1);
  for (const svg of [one, flat]) assertEquals(/NaN|Infinity/.test(svg.outerHTML), false);
});

Deno.test("losses that are missing, not finite or 0 leave gaps, and a chart of nothing else says so", () => {
  const odd = [NaN, null, Infinity, 0];
  const svg = lossChart(epochs(20, (epoch) => odd[epoch - 5] === undefined ? epoch : odd[epoch - 5]), draw);
  assertEquals([count(svg, "curve-points"), placesOf(svg).length], [32, 16]);
  assertEquals(svg.querySelector("g.curve path")!.getAttribute("d")!.match(/M/g)!.length, 2, "pieces of the curve");
  assertEquals(texts(lossChart(epochs(3, () => NaN), draw)), ["There is nothing to draw."]);
  assertEquals(placesOf(lossChart(epochs(3, () => 0), draw)).length, 3, "if all are 0, the scale is not logarithmic");
});

Deno.test("100,000 epochs are thinned to what pixels show, with the highest and the lowest among it", () => {
  const lossOf = (epoch: number) => epoch === 51_234 ? 900 : epoch === 77_777 ? 1e-6 : 1 + Math.sin(epoch) / 2;
  const svg = lossChart(epochs(100_000, lossOf), draw);
  const sorted = placesOf(svg).map(([_, y]) => y).sort((a, b) => a - b);
  assert(sorted.length > 500 && sorted.length < 2_000, `${sorted.length} points`);
  assert(svg.outerHTML.length < 120_000, `${svg.outerHTML.length} bytes`);
  assert(sorted[1] - sorted[0] > 40 && sorted.at(-1)! - sorted.at(-2)! > 40, "both outliers stand alone");
});

Deno.test("thin() leaves short curves alone, and keeps ends, extremes and gaps of long ones", () => {
  const short = Array.from({ length: 40 }, (_, x) => ({ x, y: x }));
  assertEquals(thin(short, 10), short);
  const long = Array.from({ length: 10_000 }, (_, x) => ({ x, y: x === 5_005 ? null : x === 333 ? -7 : x % 100 }));
  const kept = thin(long, 100);
  assert(kept.length <= 500 && kept.length >= 200);
  assertEquals([kept[0], kept.at(-1)], [long[0], long.at(-1)!]);
  assert(kept.includes(long[333]) && kept.includes(long[5_005]));
  assertEquals(kept.toSorted((a, b) => a.x - b.x), kept);
});

Deno.test("normChart() and deadChart() draw a curve for each parameter and layer, and name as many as there is room for", () => {
  assertEquals([count(normChart(records(3), "gradients", draw), "curve")], [3]);
  const svg = normChart(records(40), "weights", draw);
  const names = texts(svg, "g.curve-names");
  assertEquals(count(svg, "curve"), 40);
  assert(names.length >= 10 && names.length < 20 && names.includes("0.weight") && names.includes("78.weight"));
  const ys = [...svg.querySelectorAll("g.curve-names text")].map((text) => Number(text.getAttribute("y")));
  assert(ys.every((y, i) => i === 0 || y - ys[i - 1] >= 13.9), `names lie over each other: ${ys}`);
  assert(ys[0] >= 0 && ys.at(-1)! <= 280);
  const dead = deadChart(records(1), draw);
  assertEquals([count(dead, "curve"), texts(dead).filter((text) => text.endsWith("%")).at(-1)], [2, "100%"]);
});

Deno.test("charts of data have a mark for each bin, class, row, pair of classes and range", () => {
  const pairs = Array.from({ length: 50 }, (_, i) => ({ actual: i, predicted: i + (i === 3 ? NaN : 1) }));
  const marks = [
    count(histogramChart({ name: "x", low: -1, high: 1, counts: [3, 0, 4, 1] }, draw), "bins"),
    count(classChart([{ name: "a", rows: 3 }, { name: "b", rows: 0 }], draw), "bars"),
    count(predictedChart("y", pairs, draw), "rows"),
    count(residualChart("y", pairs, draw), "rows"),
    count(confusionChart(["a", "b", "c"], [[1, 2, 3], [0, 0, 0], [0, 0, 9]], draw), "cells"),
    count(reliabilityChart([0.1, 0.5].map((p) => ({ predicted: p, actual: p, rows: 3 })), "p", draw), "reliability"),
  ];
  assertEquals(marks, [4, 2, 49, 49, 9, 2]);
  const confusion = confusionChart(["a", "a", "c"], [[1, 2, 3], [0, 0, 0], [0, 0, 9]], draw);
  assertEquals(count(confusion, "cells"), 9, "classes whose names look the same stay apart");
  assertStringIncludes(confusion.getAttribute("aria-label")!, "10 of 15 rows");
  assertStringIncludes(residualChart("y", pairs, draw).getAttribute("aria-label")!, "mean 1, from 1 to 1");
});

Deno.test("networkChart() draws units and weights up to a few, and leaves out the middle of a deep network", () => {
  const linear = (i: number, inputs: number, outputs: number) => ({
    kind: "Linear",
    inputs,
    outputs,
    parameters: { [`${i}.weight`]: [inputs, outputs], [`${i}.bias`]: [outputs] },
  });
  const relu = { kind: "ReLU", inputs: 64, outputs: 64, parameters: {} };
  const svg = networkChart(2, [linear(0, 2, 64), relu, linear(2, 64, 1)], draw);
  assertEquals([count(svg, "units"), count(svg, "weights")], [2 + 6 + 1, 2 * 6 + 6]);
  for (const text of ["0.weight", "2 × 64", "ReLU", "64 units", "1 unit"]) assert(texts(svg).includes(text), text);
  const deep = networkChart(4, Array.from({ length: 30 }, (_, i) => linear(i, 4, 4)), draw);
  assert(texts(deep).includes("… 24 more …"), `${texts(deep)}`);
  assertEquals(count(deep, "units"), 7 * 4);
});

Deno.test("fitChart() draws rows that only measure as rings", () => {
  const rows = [[{ x: 0, y: 1 }, { x: 1, y: 2, isHollow: true }, { x: 2, y: 1 }, { x: 3, y: NaN }]];
  const svg = fitChart({ x: "x", y: "y" }, [{ name: "y", places: [{ x: 0, y: 0 }, { x: 2, y: 1 }] }], rows, draw);
  const groups = [...svg.querySelectorAll("g.rows")].map((
    group,
  ) => [group.getAttribute("fill"), group.children.length]);
  assertEquals(groups, [["var(--series-8)", 2], ["var(--paper)", 1]]);
});

Deno.test("charts escape the names of columns and classes", () => {
  const name = '<script>alert("1")</script>';
  const all = [
    histogramChart({ name, low: 0, high: 1, counts: [1] }, draw),
    classChart([{ name, rows: 1 }], draw),
    predictedChart(name, [{ actual: 1, predicted: 1 }], draw),
    confusionChart([name, "b"], [[1, 0], [0, 1]], draw),
    normChart([{ ...records(1)[0], weights: { [name]: 1 } }], "weights", draw),
  ];
  for (const svg of all) {
    const text = svgText(svg);
    assertEquals(/<script|"1"/.test(text), false, text);
    assertStringIncludes(text, "&lt;script&gt;");
  }
});

Deno.test("charts of values with no float between them, or with all floats, end", () => {
  const extremes = [[1, 1 + 2 ** -52], [1e300, 1e300 * (1 + 2 ** -52)], [5e-324, 1e308], [-5e-324, 5e-324]];
  for (const [low, high] of extremes) {
    for (const log of [true, false]) {
      const svg = lossChart(epochs(4, (epoch) => epoch % 2 === 0 ? low : high), { ...draw, log });
      assertEquals(svg.querySelectorAll("svg, g").length > 0, true, `${low} to ${high}`);
    }
  }
});
