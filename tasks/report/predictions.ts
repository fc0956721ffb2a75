/** A report's sample of predictions, and its gradient check. */

import type { Device } from "../../lib/gpu/device.ts";
import { toRaw } from "../../lib/evaluate/evaluation.ts";
import { checkGradients } from "../../lib/check/gradcheck.ts";
import { shorten, visible } from "../../lib/base/printable.ts";
import type { RowBlock } from "../../lib/data/row_source.ts";
import type { Layer } from "../../lib/core/layers.ts";
import { LOSSES } from "../../lib/core/losses.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import { buildLayers, parseLayers } from "../../lib/model_file/stored_layers.ts";
import { ColumnDropout } from "../../lib/tabular/column_dropout.ts";
import { TableEmbedding } from "../../lib/tabular/table_embedding.ts";
import type { ReliabilityBin } from "../charts/class_charts.ts";
import type { Fit, Predictions, ReportFacts } from "./page/facts.ts";
import type { JudgedRows } from "../runs/run_rows.ts";
import { outputsOf } from "../explain/variants.ts";
import { sampleRows } from "../runs/sample_rows.ts";

/** The most rows of a chart, the places of a curve, the ranges of probabilities. */
const SAMPLE_ROWS = 2_000;
const CURVE_PLACES = 240;
const BINS = 10;

/** The largest width, and the most layers with weights, of the small copy of a network. */
const SMALL_WIDTH = 6;
const SMALL_LAYERS = 6;

/** The most classes with a curve each. */
const MAX_CURVES = 8;

export async function predictSample(saved: SavedModel, { name, source, folds }: JudgedRows): Promise<Predictions> {
  const { loss, scalers, targets, table: { target } } = saved.description;
  const block = await sampleRows(source, SAMPLE_ROWS);
  const rows = block.places.length;
  const predicted = toRaw(await outputsOf(saved, block, folds), loss, scalers.targets);
  const actual = scalers.targets.inverse(block.y);
  const common = { part: name, rows, of: source.rows, fit: await fitOf(saved, block, actual) };
  if (loss.kind === "softmax") return { ...common, reliability: topClass(predicted, actual, targets.length) };
  if (loss.kind === "bce") {
    const what = target.kind === "classes" ? `probability of ${named(target.classes[1])}` : "predicted probability";
    return { ...common, reliability: { what, bins: binned([...predicted], [...actual]) } };
  }
  const width = targets.length;
  const pairs = targets.map((name, i) => ({
    name: named(name),
    pairs: fewer(rows, width).map((row) => ({
      actual: actual[row * width + i],
      predicted: predicted[row * width + i],
    })),
  }));
  return { ...common, pairs };
}

/** For each row the most probable class. */
function topClass(predicted: Float64Array, actual: Float64Array, classes: number): Predictions["reliability"] {
  const probabilities: number[] = [];
  const right: number[] = [];
  for (let start = 0; start < predicted.length; start += classes) {
    const row = predicted.subarray(start, start + classes);
    const top = row.indexOf(row.reduce((a, b) => Math.max(a, b)));
    probabilities.push(row[top]);
    right.push(actual[start + top] > 0.5 ? 1 : 0);
  }
  return { what: "probability of the predicted class", bins: binned(probabilities, right) };
}

function binned(probabilities: readonly number[], actual: readonly number[]): ReliabilityBin[] {
  const sums = Array.from({ length: BINS }, () => ({ predicted: 0, actual: 0, rows: 0 }));
  probabilities.forEach((probability, i) => {
    if (!Number.isFinite(probability)) return;
    const bin = sums[Math.min(BINS - 1, Math.floor(probability * BINS))];
    bin.predicted += probability;
    bin.actual += actual[i];
    bin.rows++;
  });
  return sums.filter(({ rows }) => rows > 0)
    .map(({ predicted, actual, rows }) => ({ predicted: predicted / rows, actual: actual / rows, rows }));
}

/** The predictions of a network with one input, over the range of the data. */
async function fitOf(saved: SavedModel, { x }: RowBlock, actual: Float64Array): Promise<Fit | undefined> {
  const { features, targets, scalers, loss, table: { target } } = saved.description;
  if (features.length !== 1 || targets.length > MAX_CURVES) return undefined;
  const { min, max, names: categories } = scalers.inputs.columns[0];
  if (categories !== undefined) return undefined; // between categories there is nothing
  const grid = Float64Array.from({ length: CURVE_PLACES }, (_, i) => min + (max - min) * i / (CURVE_PLACES - 1));
  const curve = await saved.predict(grid);
  const inputs = scalers.inputs.inverse(x);
  const isProbable = loss.kind === "softmax";
  const classes = target.kind === "classes" && !isProbable ? [target.classes[1]] : targets;
  const names = classes.map(named);
  return {
    x: named(features[0]),
    y: isProbable || loss.kind === "bce" ? "probability" : names.length === 1 ? names[0] : "prediction",
    curves: names.map((name, j) => ({
      name: names.length === 1 ? "network" : name,
      places: [...grid].map((x, i) => ({ x, y: curve[i * names.length + j] })),
    })),
    rows: isProbable
      ? []
      : names.map((_, j) =>
        fewer(inputs.length, names.length).map((row) => ({ x: inputs[row], y: actual[row * names.length + j] }))
      ),
  };
}

/** The rows to draw for each of several targets: together not more than for one. */
function fewer(rows: number, targets: number): number[] {
  const step = Math.ceil(rows * targets / SAMPLE_ROWS);
  return Array.from({ length: Math.ceil(rows / step) }, (_, i) => i * step);
}

/** Checks the gradients of a small copy of a network: the same kinds of layers, few units, one member, numbers as inputs. */
export async function checkSmallCopy(
  device: Device,
  { model, description }: SavedModel,
): Promise<ReportFacts["gradients"]> {
  const { seed = 42, features, loss } = description;
  // The layers of a table's columns go by their number and widths: the network after them takes numbers.
  const ofColumns = (layer: Layer) => layer instanceof TableEmbedding || layer instanceof ColumnDropout;
  const layers = cut(model.layers.filter((layer) => !ofColumns(layer)));
  const widths: number[] = [Math.min(features.length, SMALL_WIDTH)];
  const shapes = new Map<string, readonly number[]>();
  layers.forEach((layer, i) => {
    if (layer.kind !== "Linear") return;
    const wide = layer.parameters.find(({ shape }) => shape.length === 2)!.shape[1];
    const out = Math.min(wide, SMALL_WIDTH);
    shapes.set(`${i}.weight`, [widths.at(-1)!, out]);
    widths.push(out);
  });
  const described = layers.map(({ kind, settings }) => settings ? { kind, ...settings } : kind);
  const small = buildLayers(parseLayers({ layers: JSON.stringify(described) }), shapes);
  const given = {
    name: "a small copy",
    layers: small,
    loss: LOSSES[loss.kind as keyof typeof LOSSES],
    inputs: widths[0],
  };
  try {
    return { network: widths.join("-"), lines: await checkGradients(device, given, seed) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `The gradients cannot be checked: ${error.message}.`;
  }
}

/** The first layers with weights and the last one, each with the layers after it. */
function cut(layers: SavedModel["model"]["layers"]): SavedModel["model"]["layers"] {
  const places = layers.flatMap(({ kind }, i) => kind === "Linear" ? [i] : []);
  if (places.length <= SMALL_LAYERS) return layers;
  return [...layers.slice(0, places[SMALL_LAYERS - 1]), ...layers.slice(places.at(-1))];
}

/** A name from a file, printable and short enough for a chart. */
export function named(name: string): string {
  return shorten(visible(name), 40);
}
