/// <reference lib="dom" />
/** The sections of a report besides its results; a sentence says what is missing. */

import { deadChart, type Draw, lossChart, normChart, rateChart } from "../../charts/charts.ts";
import { classChart, type Histogram, histogramChart } from "../../charts/data_charts.ts";
import { networkChart } from "../../charts/network_chart.ts";
import type { ColumnNote } from "../../../lib/data/table_notes.ts";
import type { ReportFacts } from "./facts.ts";
import type { Figure, Section } from "./figures.ts";
import { type Html, html, MOST_ROWS, number, table } from "../../charts/html.ts";

/** Most bars of a column's categories, the most frequent ones. */
const MOST_CATEGORIES = 8;

/** Most columns and notes of a table that are listed. */
const MOST_COLUMNS = 200;
const MOST_NOTES = 100;

/** The losses and learning rates of all epochs. */
export function learning({ points, bestEpoch, members, loss }: ReportFacts, draw: Draw): Section {
  const thinned = points.length > 1_200 ? " Long curves show their highest and lowest points only." : "";
  const numbers = table({
    caption: "Losses by epoch",
    header: ["epoch", "step", "training loss", "validation loss", "learning rate"],
    list: points,
    row: ({ epoch, step, trainLoss, valLoss, learningRate }) =>
      [epoch, step, trainLoss, valLoss, learningRate].map(number),
    most: MOST_ROWS,
    rest: "all are in metrics.jsonl",
  });
  const each = members > 1
    ? `the epoch with the lowest mean of the ${members} members, ${bestEpoch}; each keeps the weights of its own best epoch.`
    : `the best epoch, ${bestEpoch}.`;
  const best = bestEpoch === undefined ? "" : ` The circle marks ${each}`;
  return {
    id: "learning",
    title: "Learning",
    lead: `The loss is ${loss}, in scaled units.`,
    figures: [
      {
        slug: "loss",
        title: "Loss by epoch",
        svg: lossChart(points, { ...draw, bestEpoch, height: 340 }),
        caption: `The scale is logarithmic.${best}${thinned}`,
        table: numbers,
      },
      { slug: "learning-rate", title: "Learning rate by epoch", svg: rateChart(points, draw) },
    ],
  };
}

function binTable({ name, low, high, counts }: Histogram): Html {
  const width = (high - low) / counts.length;
  return table({
    caption: `Values of ${name}`,
    header: ["from", "to", "rows"],
    list: [...counts.entries()],
    row: ([i, count]) => [low + width * i, low + width * (i + 1), count].map(number),
    words: 0,
  });
}

function rowsTable(
  caption: string,
  what: string,
  list: readonly { name: string; rows: number }[],
  most = Infinity,
): Html {
  return table({
    caption,
    header: [what, "rows"],
    list,
    row: ({ name, rows }) => [name, number(rows)],
    most,
    rest: "all names are in the model's file",
  });
}

/** What each column of the table was taken as; nothing of a recipe. */
export function columns({ notes: facts }: ReportFacts): Section[] {
  if (!facts) return [];
  const { columns, notes } = facts;
  const kinds = Map.groupBy(columns, ({ as }) => as);
  const counts = [...kinds].map(([as, { length }]) => `${as} ${number(length)}`).join(", ");
  const isCut = columns.length > MOST_COLUMNS;
  const order = ({ as, missing }: ColumnNote) => as === "left out" ? 0 : missing > 0 ? 1 : 2;
  const shown = isCut ? columns.toSorted((a, b) => order(a) - order(b)).slice(0, MOST_COLUMNS) : columns;
  const cut = ` The table shows ${MOST_COLUMNS} of them: first those left out, then those with missing cells. ` +
    "All are in summary.json.";
  const numbers = table({
    caption: "What each column was taken as",
    header: ["column", "taken as", "holds", "missing"],
    list: shown,
    row: ({ name, as, holds, missing }) => [name, as, holds, number(missing)],
    words: 3,
  });
  const others = notes.length - MOST_NOTES;
  const list = html`
    <ul class="notes">${notes.slice(0, MOST_NOTES).map((note) => html`<li>${note}</li>`)}${others > 0 &&
      html`<li>${number(others)} more notes are in summary.json</li>`}</ul>
  `;
  return [{
    id: "columns",
    title: "Columns",
    lead: `The table has ${number(columns.length)} columns: ${counts}.${isCut ? cut : ""}`,
    figures: [],
    tables: notes.length > 0 ? [numbers, list] : [numbers],
  }];
}

export function data({ data: facts }: ReportFacts, { document }: Draw): Section {
  if (typeof facts === "string") return { id: "data", title: "Data", lead: facts, figures: [] };
  const { parts, counted, columns, classes, scaling } = facts;
  const all = parts.find(({ part }) => part === "training")?.rows ?? 0;
  const drawn = columns.filter(({ histogram, categories }) => histogram ?? categories);
  const figures = drawn.map(({ name, role, histogram, categories = [] }, i): Figure => ({
    slug: `histogram-${i + 1}`,
    title: name,
    svg: histogram
      ? histogramChart(histogram, { document })
      : classChart(categories.slice(0, MOST_CATEGORIES), { document, width: 300 }, `Rows of each ${name}`),
    caption: role,
    table: histogram ? binTable(histogram) : rowsTable(`Values of ${name}`, "category", categories, MOST_ROWS),
  }));
  if (classes) {
    figures.push({
      slug: "classes",
      title: "Classes",
      svg: classChart(classes.slice(0, 40), { document, width: 620 }),
      table: rowsTable("Rows of each class", "class", classes),
      isWide: true,
    });
  }
  const numbers = table({
    caption: "Columns, over the training rows",
    header: ["column", "role", "min", "mean", "max", "deviation"],
    list: columns,
    row: ({ name, role, min, mean, max, deviation, names }) => [
      name,
      role,
      ...(names === undefined ? [min, mean, max, deviation].map(number) : ["", "", "", ""]),
    ],
    words: 2,
    most: MOST_ROWS * 2,
    rest: "all are in the model's file",
  });
  const without = columns.length - drawn.length;
  return {
    id: "data",
    title: "Data",
    figures,
    layout: "small",
    tables: [numbers],
    lead: `${parts.map(({ part, rows }) => `${number(rows)} ${part}`).join(", ")} rows. Inputs are scaled by ` +
      `${scaling.inputs}, targets by ${scaling.targets}. Histograms count ${
        counted === all ? "all training rows" : `${number(counted)} of the training rows, evenly spread`
      }, in raw units${without > 0 && !classes ? `; ${without} columns have none` : ""}.`,
  };
}

export function network({ features, layers, loss }: ReportFacts, draw: Draw): Section {
  const count = (shapes: readonly (readonly number[])[]) =>
    shapes.reduce((sum, sizes) => sum + sizes.reduce((product, size) => product * size, 1), 0);
  const total = count(layers.flatMap(({ parameters }) => Object.values(parameters)));
  const numbers = table({
    caption: "Layers",
    header: ["layer", "kind", "input", "output", "parameters", "values"],
    list: [...layers.entries()],
    row: ([i, { kind, inputs, outputs, parameters }]) => [
      `${i}`,
      kind,
      `[n, ${inputs}]`,
      `[n, ${outputs}]`,
      Object.entries(parameters).map(([name, sizes]) => `${name} [${sizes.join(", ")}]`).join(", ") || "–",
      number(count(Object.values(parameters))),
    ],
    words: 5,
    most: MOST_ROWS * 2,
    rest: "all are in the model's file",
  });
  const svg = networkChart(features.length, layers, draw);
  return {
    id: "network",
    title: "Network",
    lead: `${number(total)} parameters, trained with the loss ${loss}.`,
    figures: [{
      slug: "network",
      title: "The network",
      svg,
      caption: "The lines are weights, with their names and shapes above them.",
    }],
    tables: [numbers],
  };
}

export function layersOverTime({ layerRecords }: ReportFacts, draw: Draw): Section {
  const base = { id: "layers", title: "Layers over time" };
  if (layerRecords.length === 0) {
    return { ...base, lead: "This run has no layers.jsonl: its layers were not recorded.", figures: [] };
  }
  const figureOf = (what: "weights" | "gradients" | "dead", slug: string, title: string): Figure => {
    const names = Object.keys(layerRecords.at(-1)![what] ?? {}).slice(0, 12);
    return {
      slug,
      title,
      svg: what === "dead" ? deadChart(layerRecords, draw) : normChart(layerRecords, what, draw),
      table: table({
        caption: title,
        header: ["epoch", ...names],
        list: layerRecords,
        row: (record) => [`${record.epoch}`, ...names.map((name) => number(record[what]?.[name]))],
        most: MOST_ROWS,
        rest: "all are in layers.jsonl",
      }),
    };
  };
  const figures = [
    figureOf("gradients", "gradient-norms", "Norms of gradients"),
    figureOf("weights", "weight-norms", "Norms of weights"),
  ];
  if (layerRecords.some((record) => Object.keys(record.dead ?? {}).length > 0)) {
    const caption = "The share of units that give 0 for every sampled row: they learn nothing.";
    figures.push({ ...figureOf("dead", "dead-units", "Dead units"), caption });
  }
  const lead = "If gradients fade or grow from the last layer to the first, the network learns badly.";
  return { ...base, lead, figures };
}

/** Whether the backward passes are right. */
export function gradients({ gradients: facts }: ReportFacts): Section {
  const base = { id: "gradients", title: "Gradient check", figures: [] };
  if (typeof facts === "string") return { ...base, lead: facts };
  const numbers = table({
    caption: "Largest differences",
    header: ["gradient of", "checked entries", "to finite differences", "GPU to float64", "verdict"],
    list: facts.lines,
    row: ({ name, entries, finiteDifference, gpu, ok }) => [
      name,
      number(entries),
      finiteDifference.toExponential(1),
      gpu.toExponential(1),
      ok ? "ok" : html`<strong class="bad">wrong</strong>`,
    ],
  });
  return {
    ...base,
    lead: `A small network with these layers (${facts.network}): each gradient of its backward pass, compared with ` +
      "central finite differences in float64.",
    tables: [numbers],
  };
}

export function settings({ settings: texts }: ReportFacts): Section {
  const list = html`
    <dl class="settings">
      ${Object.entries(texts).map(([key, text]) =>
        html`
          <div>
            <dt>${key}</dt>
            <dd>${text === "" ? "–" : text}</dd>
          </div>
        `
      )}
    </dl>
  `;
  const lead = "Each one is a flag of train, an environment variable, or a line of .env.";
  return { id: "settings", title: "Settings", figures: [], lead, tables: [list] };
}
