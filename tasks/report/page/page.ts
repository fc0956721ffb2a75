/// <reference lib="dom" />
/** The report of a run as one HTML file, without scripts and without other files. */

import type { Draw } from "../../charts/charts.ts";
import pageStyle from "../../charts/style.css" with { type: "text" };
import type { ReportFacts } from "./facts.ts";
import { type Figure, figure, type Section, svgFile } from "./figures.ts";
import { Html, html, number } from "../../charts/html.ts";
import reportStyle from "./report.css" with { type: "text" };
import { card, explained } from "./explained.ts";
import { results } from "./results.ts";
import { MEASURE_NAMES } from "../../show/measure_names.ts";
import { columns, data, gradients, layersOverTime, learning, network, settings } from "./sections.ts";

/** A measure with four digits, or with more if it would read as 1 and is not 1. */
function shortMeasure(value: number): string {
  const digits = [4, 5, 6, 7].find((count) => value === 1 || Number(value.toPrecision(count)) !== 1) ?? 8;
  return `${Number(value.toPrecision(digits))}`;
}

/** A report: the page, and its charts as separate files, each made when it is asked for. */
interface Report {
  readonly page: string;
  readonly charts: ReadonlyMap<string, () => string>;
}

export function makeReport(facts: ReportFacts, draw: Draw): Report {
  const wide = { ...draw, width: 880 };
  const sections = [
    results(facts, wide),
    ...explained(facts, draw),
    learning(facts, wide),
    layersOverTime(facts, wide),
    network(facts, wide),
    ...columns(facts),
    data(facts, draw),
    gradients(facts),
    ...card(facts),
    settings(facts),
  ];
  const figures: Figure[] = sections.flatMap((section) => section.figures);
  return {
    page: pageOf(facts, sections).text,
    charts: new Map(figures.map((one) => [`${one.slug}.svg`, () => svgFile(one, pageStyle)])),
  };
}

function pageOf(facts: ReportFacts, sections: readonly Section[]): Html {
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
        <meta name="generator" content="Backhand ${facts.version}">
        <link rel="icon" href="data:,">
        <title>${facts.run} – Backhand</title>
        <style>
    ${new Html(pageStyle + reportStyle)}</style>
      </head>
      <body>
        <a class="skip" href="#results">Skip to the results</a>
        <header>
          <p class="kind">Report of a run</p>
          <h1>${facts.run}</h1>
          <p class="lead">${leadOf(facts)}</p>
          <dl class="cards">
    ${cardsOf(facts).map(([name, value]) =>
      html`
        <div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>
      `
    )}</dl>
          <nav aria-label="Sections">
            <ul>
    ${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul>
          </nav>
        </header>
        <main>
    ${sections.map(sectionOf)}</main>
        <footer>
          <p>Made by Backhand ${facts.version} on ${facts.device}.</p>
        </footer>
      </body>
    </html>
  `;
}

function sectionOf({ id, title, lead, figures, tables = [], layout }: Section): Html {
  return html`
    <section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${lead && html`<p>${lead}</p>`}${figures.length > 0 &&
      html`<div class="figures ${layout ?? "wide"}">${figures.map(figure)}</div>`}${tables}</section>
  `;
}

function leadOf({ features, targets, loss, source }: ReportFacts): string {
  const names = (all: readonly string[]) =>
    all.length > 4 ? `${all.slice(0, 3).join(", ")} and ${all.length - 3} more` : all.join(", ");
  const what = loss === "softmax" ? `the classes ${names(targets)}` : names(targets);
  return `Predicts ${what} from ${names(features)}${source ? `, trained on ${source}` : ""}.`;
}

/** The most important numbers. */
function cardsOf(
  { parts, steps, seconds, stepsPerSecond, points, device, bestEpoch, members }: ReportFacts,
): [string, string][] {
  const last = parts.at(-1);
  const cards: [string, string][] = [];
  const isClassifier = last?.measures.accuracy !== undefined;
  const second = last?.measures.rocAuc === undefined ? "macroF1" : "rocAuc";
  for (const name of isClassifier ? ["accuracy", second] : ["r2", "rmse"]) {
    const value = last?.measures[name];
    if (value !== undefined) {
      cards.push([`${MEASURE_NAMES[name]}, ${last!.part}`, shortMeasure(value)]);
    }
  }
  cards.push(["epochs", number(points.at(-1)?.epoch)], ["steps", number(steps)]);
  if (bestEpoch !== undefined) cards.push([members > 1 ? "best epoch on average" : "best epoch", number(bestEpoch)]);
  cards.push(["training time", `${number(Number(seconds.toPrecision(3)))} s`]);
  cards.push(["steps per second", number(Math.round(stepsPerSecond))], ["device", device]);
  return cards;
}
