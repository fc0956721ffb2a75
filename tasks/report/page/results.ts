/// <reference lib="dom" />
/** The section of a report that shows how good the network is. */

import type { Draw } from "../../charts/charts.ts";
import {
  confusionChart,
  MAX_NUMBERED,
  precisionRecallChart,
  reliabilityChart,
  rocChart,
} from "../../charts/class_charts.ts";
import { fitChart, type Pair, predictedChart, residualChart } from "../../charts/data_charts.ts";
import type { Fit, ReportFacts } from "./facts.ts";
import type { Figure, Section } from "./figures.ts";
import type { CurvePoint } from "../../../lib/evaluate/two_classes.ts";
import { MEASURE_NAMES } from "../../show/measure_names.ts";
import type { NamedConfusion } from "../../show/short_evaluation.ts";
import { type Html, MOST_ROWS, number, table } from "../../charts/html.ts";

/** The most targets with charts, classes of a drawn matrix, and curves in a table. */
const MOST_TARGETS = 4;
const MOST_DRAWN = 60;
const MOST_CURVES = 12;

export function results(facts: ReportFacts, draw: Draw): Section {
  const { predictions, confusion, classes = [], many, parts, answers = [], threshold, curve } = facts;
  const figures: Figure[] = [];
  const tables = [measures(facts)];
  if (typeof predictions !== "string") {
    const { fit, pairs = [], reliability, of, part } = predictions;
    const drawn = pairs[0]?.pairs.length ?? predictions.rows;
    const which = drawn === of
      ? `all ${number(of)} ${part} rows.`
      : `${number(drawn)} of ${number(of)} ${part} rows, evenly spread.`;
    if (fit) {
      const svg = fitChart({ x: fit.x, y: fit.y }, fit.curves, fit.rows, draw);
      figures.push({
        slug: "fit",
        title: `${fit.y} by ${fit.x}`,
        svg,
        caption: fit.rows.length > 0 ? `Line: the network. Dots: ${which}` : "Lines: the network.",
        table: fitTable(fit),
      });
    }
    pairs.slice(0, MOST_TARGETS).forEach(({ name, pairs: some }, i) => {
      const slug = pairs.length > 1 ? `-${i + 1}` : "";
      const size = { ...draw, width: 440, height: 400 };
      figures.push(
        {
          slug: `predicted${slug}`,
          title: `${name}: predicted against actual`,
          svg: predictedChart(name, some, size),
          caption: `Shows ${which}`,
          table: table({
            caption: `${name}: predictions`,
            header: ["actual", "predicted", "residual"],
            list: some,
            row: ({ actual, predicted }) => [actual, predicted, predicted - actual].map(number),
            most: MOST_ROWS,
            words: 0,
          }),
        },
        {
          slug: `residuals${slug}`,
          title: `${name}: residuals`,
          svg: residualChart(name, some, size),
          caption: "Around 0 is good.",
          table: residualTable(name, some),
        },
      );
    });
    if (reliability) figures.push(reliable(reliability, which, draw));
  }
  if (confusion && classes.length > 0 && classes.length <= MOST_DRAWN) {
    const names = classes.map(({ name }) => name);
    const part = parts.at(-1)?.part ?? "";
    const svg = confusionChart(names, confusion, { document: draw.document });
    const line = threshold === undefined
      ? ""
      : ` From a probability of ${number(threshold)} on, a row counts as ${names[1]}.`;
    const caption =
      `Rows of the ${part} part: actual classes down, predicted ones across. The diagonal is right.${line}`;
    if (curve && curve.length > 0) figures.unshift(...curves(curve, names[1], part, threshold, draw));
    figures.unshift({ slug: "confusion", title: "Confusion matrix", svg, caption, table: confused(names, confusion) });
  }
  if (confusion && classes.length > MOST_DRAWN) tables.push(confused(classes.map(({ name }) => name), confusion));
  if (many) tables.push(wrongTable(many.confusions, many.pairs));
  if (classes.length > 0) tables.push(classTable(classes, many?.classes));
  const more = typeof predictions === "string" || (predictions.pairs?.length ?? 0) <= MOST_TARGETS
    ? ""
    : `Charts show the first ${MOST_TARGETS} of ${predictions.pairs!.length} targets.`;
  const first = typeof predictions === "string" ? predictions : more;
  const lead = [first, ...answers].filter((sentence) => sentence !== "").join(" ");
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
    `Probabilities on the diagonal are true. Each point has its number of rows. Mean distance, weighted by ` +
    `rows: ${number(error)}. Shows ${which}`;
  const numbers = table({
    caption: "Reliability",
    header: [what, "share that was true", "rows"],
    list: bins,
    row: (bin) => [bin.predicted, bin.actual, bin.rows].map(number),
    words: 0,
  });
  const svg = reliabilityChart(bins, what, { ...draw, width: 440, height: 400 });
  return { slug: "reliability", title: "Calibration", svg, caption, table: numbers };
}

/** How well the probabilities of the second class tell two classes apart. */
function curves(
  points: readonly CurvePoint[],
  name: string,
  part: string,
  threshold: number | undefined,
  draw: Draw,
): Figure[] {
  const size = { ...draw, width: 440, height: 400, threshold };
  const numbers = table({
    caption: `Thresholds of the probability of ${name}`,
    header: ["threshold", "false positive rate", "recall", "precision"],
    list: points,
    row: (point) => [point.threshold, point.falsePositiveRate, point.recall, point.precision].map(number),
    most: MOST_ROWS,
    rest: "all are in summary.json",
    words: 0,
  });
  const which = `${part} rows; the dot is the threshold ${number(threshold ?? 0.5)}.`;
  return [
    {
      slug: "roc",
      title: "ROC curve",
      svg: rocChart(points, name, size),
      caption: `The ${which} Chance is the diagonal.`,
      table: numbers,
    },
    {
      slug: "precision-recall",
      title: "Precision and recall",
      svg: precisionRecallChart(points, name, size),
      caption: `The ${which}`,
    },
  ];
}

function measures({ parts }: ReportFacts): Html {
  const names = [...new Set(parts.flatMap((part) => Object.keys(part.measures)))];
  const line = (
    part: string,
    rows: number,
    loss: number,
    measures: Readonly<Record<string, number>>,
  ) => [part, ...[rows, loss, ...names.map((name) => measures[name])].map(number)];
  return table({
    caption: "Measures by part, in raw units except for the loss",
    header: ["part", "rows", "loss", ...names.map((name) => MEASURE_NAMES[name] ?? name)],
    list: parts.flatMap(({ part, rows, loss, measures, baseline, folds }) => [
      line(part, rows, loss, measures),
      ...folds
        ? [
          line([`  mean over ${folds.count} folds`, ...folds.fewer].join(", "), rows, folds.mean.loss, folds.mean),
          line("  deviation over folds", rows, folds.deviation.loss, folds.deviation),
        ]
        : [],
      ...baseline ? [line("  baseline", rows, baseline.loss, baseline)] : [],
    ]),
    row: (cells) => cells,
  });
}

/** The curve at evenly spread places. */
function fitTable({ x, y, curves }: Fit): Html {
  const shown = curves.slice(0, MOST_CURVES);
  const last = shown[0].places.length - 1;
  const count = Math.min(MOST_ROWS, last + 1);
  const list = Array.from({ length: count }, (_, i) => Math.round(i * last / Math.max(1, count - 1)));
  const row = (place: number) => [shown[0].places[place].x, ...shown.map(({ places }) => places[place].y)].map(number);
  const more = curves.length > MOST_CURVES ? `; the first ${MOST_CURVES} of ${curves.length} curves` : "";
  const header = [x, ...curves.length === 1 ? [`predicted ${y}`] : shown.map(({ name }) => name)];
  return table({ caption: `${y} by ${x}, as predicted${more}`, header, list, row, words: 0 });
}

/** The rows with the largest errors, on either side. */
function residualTable(name: string, pairs: readonly Pair[]): Html {
  const residual = ({ actual, predicted }: Pair) => predicted - actual;
  const sorted = pairs.filter((pair) => Number.isFinite(residual(pair))).sort((a, b) => residual(a) - residual(b));
  return table({
    caption: `${name}: residuals, from the lowest to the highest`,
    header: ["residual", "actual", "predicted"],
    list: sorted,
    row: (pair) => [residual(pair), pair.actual, pair.predicted].map(number),
    most: MOST_ROWS,
    words: 0,
  });
}

/** Every pair of classes; of many classes the pairs that are confused most. */
function confused(classes: readonly string[], confusion: readonly (readonly number[])[]): Html {
  if (classes.length <= MAX_NUMBERED) {
    return table({
      caption: "Confusion matrix",
      header: ["actual", ...classes.map((name) => `as ${name}`)],
      list: [...confusion.entries()],
      row: ([i, counts]) => [classes[i], ...counts.map(number)],
    });
  }
  const wrong = confusion.flatMap((row, i) => {
    const sum = row.reduce((sum, rows) => sum + rows, 0);
    return row.flatMap((rows, j) =>
      i === j || rows === 0 ? [] : [{ actual: classes[i], predicted: classes[j], rows, share: rows / sum }]
    );
  }).sort((a, b) => b.rows - a.rows);
  return wrongTable(wrong, wrong.length);
}

function wrongTable(wrong: readonly NamedConfusion[], pairs: number): Html {
  const some = pairs > MOST_ROWS ? `, the first ${MOST_ROWS} of ${number(pairs)}` : "";
  return table({
    caption: wrong.length === 0
      ? "No row is predicted as another class"
      : `Wrong predictions, the most rows first${some}`,
    header: ["actual", "predicted as", "rows", "share of the class"],
    list: wrong.slice(0, MOST_ROWS),
    row: ({ actual, predicted, rows, share }) => [actual, predicted, number(rows), number(share)],
    words: 2,
  });
}

function classTable(classes: NonNullable<ReportFacts["classes"]>, of = classes.length): Html {
  const isSome = of > classes.length;
  return table({
    caption: isSome
      ? `Measures by class: of ${number(of)} classes those with the lowest F1, and those with the most rows`
      : "Measures by class",
    header: ["class", "rows", "precision", "recall", "F1"],
    list: classes,
    row: ({ name, rows, precision, recall, f1 }) => [name, ...[rows, precision, recall, f1].map(number)],
    most: isSome ? classes.length : MOST_ROWS,
  });
}
