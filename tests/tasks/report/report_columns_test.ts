/// <reference lib="dom" />
/** What a report says of the columns of a table. */

import { assert, assertEquals } from "@std/assert";
import { parseHTML } from "linkedom";
import type { TableNotes } from "../../../lib/data/table_notes.ts";
import type { ReportFacts } from "../../../tasks/report/page/facts.ts";
import { columns } from "../../../tasks/report/page/sections.ts";

/** The section of these notes: its lead, rows of the table as their cells, and items of the list. */
function sectionOf(notes?: TableNotes): { lead: string; rows: string[]; items: string[]; text: string } | undefined {
  const [section] = columns({ notes } as ReportFacts);
  if (!section) return undefined;
  const text = section.tables!.map((one) => one.text).join("");
  const { document } = parseHTML(`<body>${text}</body>`) as unknown as { document: Document };
  const rows = [...document.querySelectorAll("tbody tr")].map((row) =>
    [...row.children].map((cell) => cell.textContent!.trim()).join(" | ")
  );
  const items = [...document.querySelectorAll("li")].map((item) => item.textContent!);
  return { lead: `${section.lead}`, rows, items, text };
}

Deno.test("columns() shows what each column was taken as, and the notes; a recipe has no such section", () => {
  assertEquals(sectionOf(), undefined);
  const notes = {
    columns: [
      { name: "<b>age</b>", as: "numeric", holds: "1 to 90", missing: 1234 },
      { name: "id", as: "left out", holds: 'an "identifier" & more', missing: 0 },
      { name: "cost", as: "target", holds: "1 to 5", missing: 0 },
    ],
    notes: ["<i>2</i> rows are left out"],
  };
  const { lead, rows, items, text } = sectionOf(notes)!;
  assertEquals(lead, "The table has 3 columns: numeric 1, left out 1, target 1.");
  assertEquals(rows, [
    "<b>age</b> | numeric | 1 to 90 | 1\u202f234",
    'id | left out | an "identifier" & more | 0',
    "cost | target | 1 to 5 | 0",
  ]);
  assertEquals([items, /<[bi]>/.test(text)], [["<i>2</i> rows are left out"], false]);
  assertEquals(sectionOf({ ...notes, notes: [] })!.items, []);
});

Deno.test("columns() of very many columns and notes shows first what was left out, then what has missing cells", () => {
  const all = Array.from({ length: 1000 }, (_, i) => ({
    name: `c${i}`,
    as: i === 900 ? "left out" : "numeric",
    holds: "0 to 1",
    missing: i === 800 ? 7 : 0,
  }));
  const { lead, rows, items, text } = sectionOf({ columns: all, notes: all.map(({ name }) => name) })!;
  assertEquals(lead.includes("1\u202f000 columns: numeric 999, left out 1. The table shows 200 of them"), true, lead);
  assertEquals([rows.length, ...rows.slice(0, 3).map((row) => row.split(" ")[0])], [200, "c900", "c800", "c0"]);
  assertEquals([items.length, items.at(-1)], [101, "900 more notes are in summary.json"]);
  assert(text.length < 60_000, `${text.length} bytes`);
});
