/** Writes a run's report. It is loaded only when a report is made: charts need two libraries that training does not. */

import { parseHTML } from "linkedom";
import { DataError } from "../../lib/base/errors.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { printable, shorten, visible } from "../../lib/base/printable.ts";
import type { Table } from "../../lib/data/table.ts";
import type { TableNotes } from "../../lib/data/table_notes.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import { VERSION } from "../../lib/base/version.ts";
import type { DataFacts, ReportFacts } from "./page/facts.ts";
import { makeReport } from "./page/page.ts";
import { answersIn, bestEpochOf, measuresIn, readRunFiles } from "./files.ts";
import { checkSmallCopy, named, predictSample } from "./predictions.ts";
import { countValues } from "./rows.ts";
import { BUDGETS, explainModel, type Explanation } from "../explain/explain_model.ts";
import { cardMarkdown, type ModelCard, modelCard } from "../explain/model_card.ts";
import { RunFolder } from "../runs/folder.ts";
import { firstRows, openRunRows, type RunRows } from "../runs/run_rows.ts";
import { loadRun } from "../runs/saved_run.ts";
import type { ScaledDataset } from "../prepare/scaled_dataset.ts";
import { stampOf } from "../prepare/dataset_files.ts";
import { PART_NAMES, PARTS } from "../prepare/split.ts";
import { writeAside } from "../settings/users_files.ts";

const MAX_HISTOGRAMS = 16;

/** Most characters of what a column holds, and of a note. */
const MAX_TEXT = 600;

export interface ReportRequest {
  readonly runName: string;
  readonly device: Device;
  /** What explains the model, if that is known already. */
  readonly explanation?: Explanation;
  /** The run's rows, if they are open already. */
  readonly dataset?: RunRows;
  /** Path of the page; report.html in the run's folder by default. */
  readonly output?: string;
  /** A folder for the charts as separate files; made if it is missing. */
  readonly svgFolder?: string;
}

/**
 * Writes the report of a finished run, and returns the paths of the page and of the charts.
 *
 * @throws {DataError} If a file of the run does not fit, or is a link.
 * @throws {Deno.errors.NotFound} If there is no such run.
 */
export async function writeReport(request: ReportRequest): Promise<{ page: string; charts: string[] }> {
  const { runName, device, svgFolder } = request;
  const folder = new RunFolder(runName);
  const page = request.output ?? `${folder.path}/report.html`;
  const charts: string[] = [];
  using model = await loadRun(device, runName);
  const facts = await gather(request, folder, model);
  if (typeof facts.data === "string") await keepBetter(page, facts.data, request, folder);
  const { document } = parseHTML("<!DOCTYPE html><html><body></body></html>") as unknown as { document: Document };
  const report = makeReport(facts, { document });
  if (svgFolder !== undefined) await Deno.mkdir(svgFolder, { recursive: true }); // before anything is written
  await writeAside(page, (write) => write(report.page));
  if (facts.card && request.output === undefined) {
    await writeAside(`${folder.path}/model_card.md`, (write) => write(cardMarkdown(facts.card!)));
  }
  if (svgFolder !== undefined) {
    for (const [name, textOf] of report.charts) {
      await writeAside(`${svgFolder}/${name}`, (write) => write(textOf()));
      charts.push(`${svgFolder}/${name}`);
    }
  }
  return { page, charts };
}

/**
 * Refuses to replace a run's own report by one without its rows.
 *
 * @throws {DataError} If there is a report, and nobody has asked for another.
 */
async function keepBetter(
  page: string,
  why: string,
  { runName, output }: ReportRequest,
  run: RunFolder,
): Promise<void> {
  if (output !== undefined || await stampOf(page) === undefined) return;
  const origin = await run.readRecord();
  const began = origin?.folder === undefined ? "" : ` The run began in the folder ${origin.folder}.`;
  const way =
    `\`deno task report --run-name ${runName} --output other.html\` writes one without its charts of the data`;
  throw new DataError(`it stays as it is. ${why}${began} ${way}`, { file: page });
}

async function gather(
  { device, runName, dataset, explanation: given }: ReportRequest,
  folder: RunFolder,
  saved: SavedModel,
): Promise<ReportFacts> {
  const { settings, summary, points, layerRecords } = await readRunFiles(folder);
  const { description, model } = saved;
  const data = dataset ?? await openRunRows(runName, saved);
  using _opened = dataset || typeof data === "string" ? undefined : data;
  const explanation = typeof data === "string"
    ? `${data} Without them it is not known which columns matter.`
    : given ?? await explainModel(saved, data, { budget: BUDGETS.training });
  const printableDevice = printable(`${summary.device ?? device.name}`);
  return {
    run: runName,
    explanation: description.table.inputs.length === 1 ? undefined : shownExplanation(explanation),
    card: typeof data === "string" || typeof explanation === "string" ? undefined : shownCard(
      await modelCard({
        run: runName,
        saved,
        dataset: data,
        explanation,
        answers: answersIn(summary),
        written: (await Deno.stat(folder.model)).mtime ?? new Date(),
        device: printableDevice,
      }),
    ),
    settings,
    points,
    layerRecords,
    bestEpoch: bestEpochOf(points),
    members: model.members,
    ...measuresIn(summary),
    answers: answersIn(summary),
    device: printableDevice,
    steps: Number(summary.steps),
    seconds: Number(summary.seconds),
    stepsPerSecond: Number(summary.stepsPerSecond),
    version: VERSION,
    loss: description.loss.kind,
    source: description.source && named(description.source.name),
    features: description.features.map(named),
    targets: description.targets.map(named),
    layers: layersOf(model, description.features.length),
    notes: description.notes && shownNotes(description.notes),
    data: typeof data === "string" ? data : await dataFacts(data, saved),
    predictions: typeof data === "string"
      ? `${data} Without them there are no charts of predictions.`
      : await predictSample(saved, firstRows(data, ["test", "validation", "train"])!),
    gradients: await checkSmallCopy(device, saved),
  };
}

/** An explanation with names that a page may show. */
function shownExplanation(explanation: Explanation | string): Explanation | string {
  if (typeof explanation === "string") return explanation;
  return {
    ...explanation,
    columns: explanation.columns.map((one) => ({ ...one, column: named(one.column) })),
    dependence: explanation.dependence.map((one) => ({
      ...one,
      column: named(one.column),
      outputs: one.outputs.map(named),
      points: one.points.map((point) => ({ ...point, label: named(point.label) })),
    })),
    leak: explanation.leak && { ...explanation.leak, column: named(explanation.leak.column) },
  };
}

/** A card as a page may show it. */
function shownCard({ run, lead, sections }: ModelCard): ModelCard {
  const shown = (text: string) => shorten(visible(text), MAX_TEXT);
  return { run, lead: shown(lead), sections: sections.map(({ title, lines }) => ({ title, lines: lines.map(shown) })) };
}

/** Notes as a page may show them. */
function shownNotes({ columns, notes }: TableNotes): TableNotes {
  const shown = (text: string) => shorten(visible(text), MAX_TEXT);
  return {
    columns: columns.map(({ name, as, holds, missing }) => ({
      name: named(name),
      as: shown(as),
      holds: shown(holds),
      missing,
    })),
    notes: notes.map(shown),
  };
}

async function dataFacts({ parts, scalers }: ScaledDataset, { description }: SavedModel): Promise<DataFacts> {
  const { loss, table } = description;
  const { target } = table;
  const isClasses = loss.kind === "softmax" || target.kind === "classes";
  const counted = await countValues(parts.train, scalers, MAX_HISTOGRAMS);
  const columns = (["inputs", "targets"] as const).flatMap((side) =>
    isClasses && side === "targets" ? [] : scalers[side].columns.map((column, i) => {
      const histogram = counted[side][i] && { ...counted[side][i], name: named(column.name) };
      const common = { ...column, name: named(column.name), role: side === "inputs" ? "input" : "target" } as const;
      if (column.names === undefined || !histogram) return { ...common, histogram };
      return { ...common, categories: categoriesOf(table, column.name, histogram.counts) };
    })
  );
  // The mean of a column of 0 and 1 is the share of rows with 1.
  const rowsOf = (share: number) => Math.round(share * parts.train.rows);
  const means = scalers.targets.columns;
  const names = target.kind === "classes" ? target.classes : means.map(({ name }) => name);
  const shares = loss.kind === "bce" && means.length === 1
    ? [1 - means[0].mean, means[0].mean]
    : means.map(({ mean }) => mean);
  return {
    parts: PARTS.map((name) => ({ part: PART_NAMES[name], rows: parts[name].rows })),
    counted: counted.rows,
    scaling: { inputs: scalers.inputs.method, targets: scalers.targets.method },
    columns,
    classes: isClasses ? names.map((name, i) => ({ name: named(name), rows: rowsOf(shares[i]) })) : undefined,
  };
}

/** The categories of a column with their rows, the most frequent first. */
function categoriesOf({ inputs }: Table, column: string, rows: readonly number[]) {
  const found = inputs.find(({ name, kind }) => name === column && kind === "categorical");
  const names = found?.kind === "categorical" ? found.categories : [];
  // The last one of all may be that of the rare names.
  const categories = rows.map((count, i) => ({ name: named(names[i] ?? "(other)"), rows: count }));
  return categories.filter(({ rows }) => rows > 0).sort((a, b) => b.rows - a.rows);
}

function layersOf({ layers }: SavedModel["model"], inputs: number): ReportFacts["layers"] {
  let width = inputs;
  return layers.map(({ kind, parameters, outputSize }, i) => {
    const before = width;
    width = outputSize.call(layers[i], before);
    const shapes = parameters.map(({ name, shape }) => [`${i}.${name}`, shape] as const);
    return { kind, inputs: before, outputs: width, parameters: Object.fromEntries(shapes) };
  });
}
