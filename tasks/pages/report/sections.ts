/// <reference lib="dom" />
/** The sections of a report, each from the facts: headings, figures, tables, and sentences where something is missing. */

import { deadChart, type Draw, type EpochPoint, lossChart, normChart, rateChart } from "../charts.ts";
import { confusionChart, reliabilityChart } from "../class_charts.ts";
import { classChart, fitChart, type Histogram, histogramChart, predictedChart, residualChart } from "../data_charts.ts";
import { networkChart } from "../network_chart.ts";
import type { ReportFacts } from "./facts.ts";
import type { Figure } from "./figures.ts";
import { type Html, html, number, table } from "./html.ts";

/** A part of the page with a heading. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly lead?: Html | string;
  readonly figures: readonly Figure[];
  readonly tables?: readonly Html[];
  /** Figures that are small stand side by side. */
  readonly layout?: "small" | "pairs";
}

/** Rows of a table at most; targets that have charts of their own. */
const MOST_ROWS = 24, MOST_TARGETS = 4;

/** Measures as people write them. */
export const MEASURE_NAMES: Readonly<Record<string, string>> = {
  ...{ mse: "MSE", rmse: "RMSE", mae: "MAE", r2: "R²", accuracy: "accuracy", macroF1: "macro F1" },
};

/** The first and the last of a long list: what a table shows of it. */
function shownOf<T>(list: readonly T[]): readonly T[] {
  const half = MOST_ROWS / 2;
  return list.length > MOST_ROWS ? [...list.slice(0, half), ...list.slice(-half)] : list;
}

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

/** How good the network is. */
export function results(facts: ReportFacts, draw: Draw): Section {
  const { predictions, confusion, classes = [], parts } = facts, figures: Figure[] = [], tables = [measures(facts)];
  if (typeof predictions !== "string") {
    const { fit, pairs = [], reliability, of, part } = predictions;
    const drawn = pairs[0]?.pairs.length ?? predictions.rows;
    const which = drawn === of
      ? `all ${number(of)} ${part} rows.`
      : `${number(drawn)} of ${number(of)} ${part} rows, drawn evenly.`;
    if (fit) {
      const svg = fitChart({ x: fit.x, y: fit.y }, fit.curves, fit.rows, draw);
      figures.push({
        slug: "fit",
        title: `${fit.y} by ${fit.x}`,
        svg,
        caption: fit.rows.length > 0 ? `Line: the network. Dots: ${which}` : "Lines: the network.",
      });
    }
    pairs.slice(0, MOST_TARGETS).forEach(({ name, pairs: some }, i) => {
      const slug = pairs.length > 1 ? `-${i + 1}` : "", size = { ...draw, width: 440, height: 400 };
      const [predicted, residual] = [predictedChart(name, some, size), residualChart(name, some, size)];
      figures.push(
        {
          slug: `predicted${slug}`,
          title: `${name}: predicted against actual`,
          svg: predicted,
          caption: `Of ${which}`,
          table: table({
            caption: `${name}: predictions`,
            header: ["actual", "predicted", "residual"],
            rows: shownOf(some).map(({ actual, predicted }) => [actual, predicted, predicted - actual].map(number)),
            total: some.length,
            most: MOST_ROWS,
            words: 0,
          }),
        },
        { slug: `residuals${slug}`, title: `${name}: residuals`, svg: residual, caption: "Around 0 is good." },
      );
    });
    if (reliability) figures.push(reliable(reliability, which, draw));
  }
  if (confusion && classes.length > 0 && classes.length <= 60) {
    const names = classes.map(({ name }) => name), part = parts.at(-1)?.part ?? "";
    const svg = confusionChart(names, confusion, { document: draw.document });
    const caption = `Rows of the ${part} part: actual classes downwards, predicted ones across. The diagonal is right.`;
    figures.unshift({ slug: "confusion", title: "Confusion matrix", svg, caption, table: confused(names, confusion) });
  }
  if (classes.length > 0) tables.push(classTable(classes));
  const more = typeof predictions === "string" || (predictions.pairs?.length ?? 0) <= MOST_TARGETS
    ? ""
    : `Charts show the first ${MOST_TARGETS} of ${predictions.pairs!.length} targets.`;
  const lead = typeof predictions === "string" ? predictions : more;
  return { id: "results", title: "Results", lead, figures, tables, layout: "pairs" };
}

function reliable(
  { bins, what }: { bins: Parameters<typeof reliabilityChart>[0]; what: string },
  which: string,
  draw: Draw,
): Figure {
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
  const error = bins.reduce((sum, bin) => sum + bin.rows / rows * Math.abs(bin.predicted - bin.actual), 0);
  const caption =
    `On the diagonal, probabilities mean what they say; each point with its number of rows. Mean distance, ` +
    `weighted by rows: ${number(error)}. Of ${which}`;
  const numbers = table({
    caption: "Reliability",
    header: [what, "share that was so", "rows"],
    rows: bins.map((bin) => [bin.predicted, bin.actual, bin.rows].map(number)),
    words: 0,
  });
  const svg = reliabilityChart(bins, what, { ...draw, width: 440, height: 400 });
  return { slug: "reliability", title: "Calibration", svg, caption, table: numbers };
}

function measures({ parts }: ReportFacts): Html {
  const names = [...new Set(parts.flatMap((part) => Object.keys(part.measures)))];
  const rows = parts.flatMap(({ part, rows, loss, measures, baseline }) => [
    [part, number(rows), number(loss), ...names.map((name) => number(measures[name]))],
    ...baseline
      ? [["  trivial prediction", number(rows), number(baseline.loss), ...names.map((name) => number(baseline[name]))]]
      : [],
  ]);
  const header = ["part", "rows", "loss", ...names.map((name) => MEASURE_NAMES[name] ?? name)];
  return table({ caption: "Measures by part; beside the loss, in raw units", header, rows });
}

function confused(classes: readonly string[], confusion: readonly (readonly number[])[]): Html | undefined {
  if (classes.length > 14) return undefined;
  return table({
    caption: "Confusion matrix",
    header: ["actual", ...classes.map((name) => `as ${name}`)],
    rows: confusion.map((row, i) => [classes[i], ...row.map(number)]),
  });
}

function classTable(classes: NonNullable<ReportFacts["classes"]>): Html {
  return table({
    caption: "Measures by class",
    header: ["class", "rows", "precision", "recall", "F1"],
    rows: classes.map(({ name, rows, precision, recall, f1 }) => [name, ...[rows, precision, recall, f1].map(number)]),
    most: MOST_ROWS,
  });
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
    ...{ slug: `histogram-${i + 1}`, title: name, svg: histogramChart(histogram!, { document }), caption: role },
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
    ...{ id: "data", title: "Data", figures, layout: "small", tables: [numbers] },
    lead: `${parts.map(({ part, rows }) => `${number(rows)} ${part}`).join(", ")} rows. Inputs are scaled by ` +
      `${scaling.inputs}, targets by ${scaling.targets}. Histograms count ${
        counted === all ? "all training rows" : `${number(counted)} of the training rows, taken evenly`
      }, in raw units${without > 0 && !classes ? `; ${without} columns have none here` : ""}.`,
  };
}

/** The layers. */
export function network({ features, layers, loss }: ReportFacts, draw: Draw): Section {
  const shape = (width: number) => `[n, ${width}]`,
    count = (shapes: readonly (readonly number[])[]) =>
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
    ...{ caption: "Layers", header: ["layer", "kind", "takes", "gives", "parameters", "values"], rows, words: 5 },
    ...{ most: MOST_ROWS * 2, rest: "the model's file has them all" },
  });
  const svg = networkChart(features.length, layers, draw);
  return {
    ...{ id: "network", title: "Network", lead: `${number(total)} parameters, trained with the loss ${loss}.` },
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
    ...{ slug: "dead-units", title: titles[2], svg: deadChart(looks, draw), table: numbers("dead", titles[2]) },
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
