/// <reference lib="dom" />
/** The sections of a report about the columns that matter, and the model card. */

import type { Draw } from "../../charts/charts.ts";
import { dependenceChart, importanceChart } from "../../charts/explain_charts.ts";
import { html, number, table } from "../../charts/html.ts";
import type { Dependence } from "../../explain/dependence.ts";
import type { ReportFacts } from "./facts.ts";
import type { Figure, Section } from "./figures.ts";
import { MEASURE_NAMES } from "../../show/measure_names.ts";

/** Most columns with a bar. */
const MOST_BARS = 20;

/** Which columns matter, and what is predicted by the most important ones. */
export function explained({ explanation, loss }: ReportFacts, { document }: Draw): Section[] {
  if (explanation === undefined) return [];
  const base = { id: "explained", title: "Which columns matter" };
  if (typeof explanation === "string") return [{ ...base, lead: explanation, figures: [] }];
  const { columns, dependence, measure, part, rows, of, repeats, leak } = explanation;
  const name = MEASURE_NAMES[measure.name];
  const bars = columns.slice(0, MOST_BARS).map(({ column, loss }) => ({ name: column, ...loss }));
  const isCut = columns.length > bars.length;
  const importance: Figure = {
    slug: "importance",
    title: "Importance of columns",
    svg: importanceChart(bars, "what the loss rises by", { document, width: 880 }),
    caption: `What the loss rises by if the values of a column are shuffled among ${number(rows)}${
      rows === of ? "" : ` of ${number(of)}`
    } ${part} rows, ${repeats === 1 ? "once" : `as the mean of ${repeats} times; the line is its deviation`}.${
      isCut ? ` The first ${MOST_BARS} of ${columns.length} columns.` : ""
    }`,
    table: table({
      caption: "Importance of columns",
      header: ["column", "loss rises by", "deviation", `${name} gets worse by`, "deviation"],
      list: columns,
      row: ({ column, loss, measure }) => [
        column,
        ...[loss.mean, loss.deviation, measure.mean, measure.deviation].map(number),
      ],
      most: 2 * MOST_BARS,
      rest: "deno task explain --json lists all",
    }),
    isWide: true,
  };
  const warning = leak &&
    `${leak.column} is likely to give the target away: the score is nearly perfect, and ${
      Math.floor(100 * leak.share)
    }% of the importance is that column's. If it is not known when you predict, leave it out. `;
  return [{
    ...base,
    lead:
      `${warning ?? ""}The other charts show the average prediction if all rows had one value of a column; grey bars ` +
      "show how many training rows have it. Where they are low, the network has seen little.",
    figures: [importance, ...dependence.map((one, i) => dependenceFigure(one, i, loss, document))],
    layout: "pairs",
  }];
}

function dependenceFigure(one: Dependence, i: number, loss: string, document: Document | undefined): Figure {
  const { column, outputs, points, kind } = one;
  const isNamed = kind === "categorical";
  const isShare = loss === "softmax" || loss === "bce";
  const [only] = outputs;
  const what = outputs.length > 1
    ? `average ${isShare ? "probability" : "prediction"}`
    : isShare
    ? `probability of ${only}`
    : only;
  return {
    slug: `dependence-${i + 1}`,
    title: `Prediction by ${column}`,
    svg: dependenceChart({ column, outputs, points, isNamed }, what, { document }),
    table: table({
      caption: `Average prediction by ${column}`,
      header: [column, "share of the training rows", ...outputs],
      list: points,
      row: ({ label, share, predicted }) => [label, ...[share, ...predicted].map(number)],
      words: isNamed || kind === "date" ? 1 : 0,
    }),
  };
}

/** The model card, as model_card.md has it. */
export function card({ card: facts }: ReportFacts): Section[] {
  if (!facts) return [];
  const lists = facts.sections.map(({ title, lines }) =>
    html`
      <h3>${title}</h3>
      <ul class="notes">${lines.map((line) => html`<li>${line}</li>`)}</ul>
    `
  );
  return [{
    id: "card",
    title: "Model card",
    lead: `${facts.lead} model_card.md says the same.`,
    figures: [],
    tables: lists,
  }];
}
