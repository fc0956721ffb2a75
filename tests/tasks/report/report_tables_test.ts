/// <reference lib="dom" />
/** The numbers next to the charts of a report's results. */

import { assertEquals } from "@std/assert";
import { parseHTML } from "linkedom";
import type { ReportFacts } from "../../../tasks/report/page/facts.ts";
import { results } from "../../../tasks/report/page/results.ts";

const { document } = parseHTML("<!DOCTYPE html><html><body></body></html>") as unknown as { document: Document };

/** What stands in the tables of the results, by caption; a row as its cells. */
function tablesOf(facts: Partial<ReportFacts>): Map<string, string[]> {
  const section = results({ parts: [], predictions: "there are none", ...facts } as ReportFacts, { document });
  const all = [...section.figures.flatMap(({ table }) => table ?? []), ...section.tables!].map(({ text }) => text);
  const page = parseHTML(`<body>${all.join("")}</body>`) as unknown as { document: Document };
  return new Map([...page.document.querySelectorAll("table")].map((table) => [
    table.querySelector("caption")!.textContent!,
    [...table.querySelectorAll("thead tr, tbody tr")].map((row) =>
      [...row.querySelectorAll("th, td")].map((cell) => cell.textContent!.trim()).join(" | ")
    ),
  ]));
}

/** Facts of rows in so many classes: of class i, i rows are taken for the next one, and 100 are right. */
function classified(count: number): Partial<ReportFacts> {
  const numbers = Array.from({ length: count }, (_, i) => i);
  return {
    classes: numbers.map((i) => ({ name: `c${i}`, rows: 100 + i, precision: 1, recall: 1, f1: 1 })),
    confusion: numbers.map((i) => numbers.map((j) => i === j ? 100 : j === (i + 1) % count ? i : 0)),
  };
}

Deno.test("results() gives the fitted curve as numbers, at places that lie evenly", () => {
  const places = Array.from({ length: 231 }, (_, x) => ({ x, y: 2 * x }));
  const predictions = { part: "test", rows: 2, of: 2 };
  const fit = { x: "a", y: "b", rows: [], curves: [{ name: "network", places }] };
  const lines = tablesOf({ predictions: { ...predictions, fit } }).get("b by a, as predicted")!;
  assertEquals([lines.length, lines[0], lines[1], lines[2]], [25, "a | predicted b", "0 | 0", "10 | 20"]);
  assertEquals(lines.at(-1), "230 | 460");

  const curves = Array.from({ length: 20 }, (_, i) => ({ name: `c${i}`, places: [{ x: 1, y: i }] }));
  const many = tablesOf({ predictions: { ...predictions, fit: { ...fit, curves } } });
  const [header, first] = many.get("b by a, as predicted; the first 12 of 20 curves")!;
  assertEquals([header.split(" | ").length, header.slice(0, 11), first.slice(0, 9)], [13, "a | c0 | c1", "1 | 0 | 1"]);
});

Deno.test("results() gives residuals as numbers, the rows that are missed by most at both ends", () => {
  const pairs = Array.from({ length: 101 }, (_, i) => ({ actual: i, predicted: i + (i * 37) % 101 - 50 }));
  const all = [{ name: "y", pairs: [...pairs, { actual: 1, predicted: NaN }] }];
  const predictions = { part: "test", rows: 102, of: 102, pairs: all };
  const lines = tablesOf({ predictions }).get("y: residuals, from the lowest to the highest")!;
  assertEquals([lines.length, lines[0], lines[1]], [26, "residual | actual | predicted", "−50 | 0 | −50"]);
  assertEquals([lines[13], lines.at(-1)!.split(" | ")[0]], ["… 77 more rows …", "50"]);
});

Deno.test("results() gives the confusion matrix as numbers, of many classes what is confused most", () => {
  assertEquals(tablesOf(classified(14)).get("Confusion matrix")!.length, 15);
  for (const count of [15, 60, 61]) {
    const tables = tablesOf(classified(count));
    const some = count > 24 ? `, the first 24 of ${count - 1}` : "";
    const lines = tables.get(`Wrong predictions, the most rows first${some}`)!;
    assertEquals(lines.length, 1 + Math.min(24, count - 1), `${count} classes`);
    assertEquals(lines[0], "actual | predicted as | rows | share of the class");
    const most = count - 1;
    assertEquals(lines[1], `c${most} | c0 | ${most} | ${Number((most / (100 + most)).toPrecision(5))}`);
  }
  const confusion = classified(20).confusion!.map((row, i) => row.map((n, j) => i === j ? n : 0));
  assertEquals(tablesOf({ ...classified(20), confusion }).get("No row is predicted as another class")!.length, 1);
});

Deno.test("results() shows of many classes the confusions and the classes that summary.json has", () => {
  const { classes } = classified(50);
  const confusions = Array.from(
    { length: 100 },
    (_, i) => ({ actual: "a", predicted: `b${i}`, rows: 100 - i, share: 0.5 }),
  );
  const tables = tablesOf({ classes, many: { classes: 900, pairs: 500, confusions } });
  const wrong = tables.get("Wrong predictions, the most rows first, the first 24 of 500")!;
  assertEquals([wrong.length, wrong[1], wrong[24]], [25, "a | b0 | 100 | 0.5", "a | b23 | 77 | 0.5"]);
  const caption = "Measures by class: of 900 classes those with the lowest F1, and those with the most rows";
  assertEquals(tables.get(caption)!.length, 51);
});
