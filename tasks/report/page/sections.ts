/// <reference lib="dom" />
/** The sections of a report beside its results, each from the facts: headings, figures, tables, and sentences where something is missing. */

import { deadChart, type Draw, type EpochPoint, lossChart, normChart, rateChart } from "../../charts/charts.ts";
import { classChart, type Histogram, histogramChart } from "../../charts/data_charts.ts";
import { networkChart } from "../../charts/network_chart.ts";
import type { ReportFacts } from "./facts.ts";
import type { Figure } from "./figures.ts";
import { type Html, html, number, table } from "../../charts/html.ts";
import { MOST_ROWS, type Section, shownOf } from "./section.ts";

/** How the losses went. */
export function learning({ points, bestEpoch, loss }: ReportFacts, draw: Draw): Section {
  const thinned = points.length > 1_200 ? " Long curves are thinned to their highest and lowest points." : "";
  const line = ({ epoch, step, trainLoss, valLoss, learningRate }: EpochPoint) =>
    [epoch, step, trainLoss, valLoss, learningRate].map(number);
  const numbers = table({
    caption: "Losses by epoch",
    header: ["epoch", "step", "training loss", "validation loss", "learning rate"],
    rows: shownOf(points).map(line),
    total: points.length,
    most: MOST_ROWS,
    rest: "metrics.jsonl has them all",
  });
  const best = bestEpoch === undefined ? "" : ` The circle marks the best epoch, ${bestEpoch}.`;
  return {
    id: "learning",
    title: "Learning",
    lead: `The loss is ${loss}, in the units of training.`,
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
    rows: counts.map((count, i) => [low + width * i, low + width * (i + 1), count].map(number)),
    words: 0,
  });
}

/** What the columns hold. */
export function data({ data: facts }: ReportFacts, { document }: Draw): Section {
  if (typeof facts === "string") return { id: "data", title: "Data", lead: facts, figures: [] };
  const { parts, counted, columns, classes, scaling } = facts;
  const all = parts.find(({ part }) => part === "training")?.rows ?? 0;
  const figures: Figure[] = columns.filter(({ histogram }) => histogram).map(({ name, role, histogram }, i) => ({
    slug: `histogram-${i + 1}`,
    title: name,
    svg: histogramChart(histogram!, { document }),
    caption: role,
    table: binTable(histogram!),
  }));
  if (classes) {
    figures.push({
      slug: "classes",
      title: "Classes",
      svg: classChart(classes.slice(0, 40), { document, width: 620 }),
      table: table({
        caption: "Rows of each class",
        header: ["class", "rows"],
        rows: classes.map(({ name, rows }) => [name, number(rows)]),
      }),
      isWide: true,
    });
  }
  const numbers = table({
    caption: "Columns, over the training rows",
    header: ["column", "role", "min", "mean", "max", "deviation"],
    rows: columns.map((
      { name, role, min, mean, max, deviation },
    ) => [name, role, ...[min, mean, max, deviation].map(number)]),
    words: 2,
    most: MOST_ROWS * 2,
    rest: "the model's file has them all",
  });
  const without = columns.length - columns.filter(({ histogram }) => histogram).length;
  return {
    id: "data",
    title: "Data",
    figures,
    layout: "small",
    tables: [numbers],
    lead: `${parts.map(({ part, rows }) => `${number(rows)} ${part}`).join(", ")} rows. Inputs are scaled by ` +
      `${scaling.inputs}, targets by ${scaling.targets}. Histograms count ${
        counted === all ? "all training rows" : `${number(counted)} of the training rows, taken evenly`
      }, in raw units${without > 0 && !classes ? `; ${without} columns have none here` : ""}.`,
  };
}

/** The layers. */
export function network({ features, layers, loss }: ReportFacts, draw: Draw): Section {
  const shape = (width: number) => `[n, ${width}]`;
  const count = (shapes: readonly (readonly number[])[]) =>
    shapes.reduce((sum, sizes) => sum + sizes.reduce((product, size) => product * size, 1), 0);
  const rows = layers.map(({ kind, inputs, outputs, parameters }, i) => [
    `${i}`,
    kind,
    shape(inputs),
    shape(outputs),
    Object.entries(parameters).map(([name, sizes]) => `${name} [${sizes.join(", ")}]`).join(", ") || "–",
    number(count(Object.values(parameters))),
  ]);
  const total = count(layers.flatMap(({ parameters }) => Object.values(parameters)));
  const numbers = table({
    caption: "Layers",
    header: ["layer", "kind", "takes", "gives", "parameters", "values"],
    rows,
    words: 5,
    most: MOST_ROWS * 2,
    rest: "the model's file has them all",
  });
  const svg = networkChart(features.length, layers, draw);
  return {
    id: "network",
    title: "Network",
    lead: `${number(total)} parameters, trained with the loss ${loss}.`,
    figures: [{ slug: "network", title: "The network", svg, caption: "Weights stand above the lines that they are." }],
    tables: [numbers],
  };
}

/** Norms and dead units. */
export function layersOverTime({ looks }: ReportFacts, draw: Draw): Section {
  const base = { id: "layers", title: "Layers over time" };
  if (looks.length === 0) {
    return {
      ...base,
      lead: "This run has no layers.jsonl: nobody looked at its layers while it trained.",
      figures: [],
    };
  }
  const numbers = (what: "weights" | "gradients" | "dead", caption: string) => {
    const names = Object.keys(looks.at(-1)![what] ?? {}).slice(0, 12);
    const rows = looks.map((look) => [`${look.epoch}`, ...names.map((name) => number(look[what]?.[name]))]);
    return table({ caption, header: ["epoch", ...names], rows, most: MOST_ROWS, rest: "layers.jsonl has them all" });
  };
  const titles = ["Norms of gradients", "Norms of weights", "Dead units"];
  const figures: Figure[] = [
    {
      slug: "gradient-norms",
      title: titles[0],
      svg: normChart(looks, "gradients", draw),
      table: numbers("gradients", titles[0]),
    },
    {
      slug: "weight-norms",
      title: titles[1],
      svg: normChart(looks, "weights", draw),
      table: numbers("weights", titles[1]),
    },
  ];
  const dead = looks.some((look) => Object.keys(look.dead ?? {}).length > 0) && {
    slug: "dead-units",
    title: titles[2],
    svg: deadChart(looks, draw),
    table: numbers("dead", titles[2]),
    caption: "The share of units that give 0 for every row that was looked at: they learn nothing.",
  };
  const lead = "A gradient that fades from the last layer to the first, or grows, tells why a network does not learn.";
  return { ...base, lead, figures: dead ? [...figures, dead] : figures };
}

/** Whether the backward passes are right. */
export function gradients({ gradients: facts }: ReportFacts): Section {
  const base = { id: "gradients", title: "Gradient check", figures: [] };
  if (typeof facts === "string") return { ...base, lead: facts };
  const rows = facts.lines.map(({ name, entries, finiteDifference, gpu, ok }) => [
    name,
    number(entries),
    finiteDifference.toExponential(1),
    gpu.toExponential(1),
    ok ? "ok" : html`<strong class="bad">wrong</strong>`,
  ]);
  const header = ["gradient of", "entries tried", "against finite differences", "GPU against float64", "verdict"];
  return {
    ...base,
    lead:
      `A network with these layers, made small (${facts.network}): each gradient, worked out by the backward passes ` +
      "that training used, beside central finite differences in float64.",
    tables: [table({ caption: "Largest differences", header, rows })],
  };
}

/** What was asked for. */
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
  const lead = "Each is a flag of train, a variable of the environment, or a line of .env.";
  return { id: "settings", title: "Settings", figures: [], lead, tables: [list] };
}
