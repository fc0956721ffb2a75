/// <reference lib="dom" />
/** What the network gives over its inputs, with the rows: a curve for one input, a surface for more. */

import { toRaw } from "../../lib/evaluate/evaluation.ts";
import { LOSSES } from "../../lib/core/losses.ts";
import type { PlayData } from "./datasets.ts";
import { fittedCurve, MOST_ROWS } from "./fit_view.ts";
import { type Extent, extentOf, type Grid } from "./grid.ts";
import { type Color, css, imageOf, mixed, type Palette, penOf, short } from "./heat.ts";

/** Room for the numbers at the axes. */
const LEFT = 46;
const BOTTOM = 20;
const TOP = 6;
const RIGHT = 6;

/** From a raw value to a pixel. */
interface Axes {
  readonly pen: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

/** Where it is drawn: a surface as pixels, a curve as a chart. */
export interface OutputPlaces {
  readonly surface: HTMLCanvasElement;
  readonly fit: HTMLElement;
}

/** Draws what the network gives. */
export function drawOutput(
  { surface, fit }: OutputPlaces,
  data: PlayData,
  grid: Grid,
  output: ArrayLike<number>,
  palette: Palette,
): string {
  const predicted = toRaw(output, LOSSES[data.rows.loss], data.scalers.targets);
  const isCurve = data.features.length === 1;
  const { target } = data.rows.table;
  const what = target.kind === "classes" ? `classes of ${target.name}` : target.names.join(", ");
  const words = isCurve
    ? `The fitted curve of ${what} over ${data.features[0]}`
    : `${what} over ${data.features[0]} and ${data.features[1]}`;
  surface.hidden = isCurve;
  fit.hidden = !isCurve;
  if (isCurve) fit.replaceChildren(fittedCurve(data, predicted));
  else {
    const extent = extentOf(data);
    const axes = axesOf(surface, extent);
    drawSurface(axes, data, grid, predicted, palette);
    drawFrame(axes, extent, data, palette);
    drawRows(axes, data, palette);
    const rows = `${data.training.length} training and ${data.validation.length} validation rows`;
    surface.setAttribute("aria-label", `${words}, with ${rows}`);
  }
  const others = data.features.length > 2 ? `; the other ${data.features.length - 2} inputs at their means` : "";
  const isThinned = isCurve && data.training.length + data.validation.length > MOST_ROWS;
  const thinned = isThinned ? " Of many rows some are drawn, taken evenly." : "";
  return `${words}${others}. Full points train, hollow ones only measure.${thinned}`;
}

function axesOf(canvas: HTMLCanvasElement, { x: [left, right], y: [low, high] }: Extent): Axes {
  const { pen, width, height } = penOf(canvas);
  const w = width - LEFT - RIGHT;
  const h = height - TOP - BOTTOM;
  return {
    pen,
    width,
    height,
    x: (value) => LEFT + w * (value - left) / (right - left),
    y: (value) => TOP + h * (high - value) / (high - low),
  };
}

function drawFrame({ pen, width, height }: Axes, { x, y }: Extent, data: PlayData, palette: Palette): void {
  pen.strokeStyle = css(palette.grid);
  pen.lineWidth = 1;
  pen.strokeRect(LEFT, TOP, width - LEFT - RIGHT, height - TOP - BOTTOM);
  pen.fillStyle = css(palette.soft);
  pen.font = "11px system-ui, sans-serif";
  pen.textAlign = "left";
  pen.fillText(short(x[0]), LEFT, height - 5);
  pen.textAlign = "right";
  pen.fillText(short(x[1]), width - RIGHT, height - 5);
  pen.fillText(short(y[0]), LEFT - 4, height - BOTTOM);
  pen.fillText(short(y[1]), LEFT - 4, TOP + 9);
  pen.textAlign = "center";
  pen.fillText(data.features[0], (LEFT + width) / 2, height - 5);
  pen.fillText(data.features[1].slice(0, 8), LEFT / 2 - 2, height / 2);
}

/** Colours of classes: two are orange and blue, more have one each. */
function classColor(place: number, classes: number, { negative, positive, series }: Palette): Color {
  return classes === 2 ? [negative, positive][place] : series[place % series.length];
}

function drawSurface(
  { pen, width, height }: Axes,
  data: PlayData,
  grid: Grid,
  predicted: Float64Array,
  palette: Palette,
): void {
  const outputs = data.targets.length;
  const { target } = data.rows.table;
  const [{ min, max }] = data.scalers.targets.columns;
  const colorAt = (row: number): Color => {
    const values = predicted.subarray(row * outputs, (row + 1) * outputs);
    if (target.kind === "numeric") {
      const place = 2 * (values[0] - min) / (max - min || 1) - 1;
      return mixed(palette.paper, place < 0 ? palette.negative : palette.positive, 0.85 * Math.abs(place));
    }
    if (outputs === 1) {
      const place = 2 * values[0] - 1;
      return mixed(palette.paper, classColor(place < 0 ? 0 : 1, 2, palette), 0.75 * Math.abs(place));
    }
    const best = values.indexOf(Math.max(...values));
    return mixed(palette.paper, classColor(best, outputs, palette), 0.75 * values[best] ** 2);
  };
  const image = imageOf(grid.down, grid.across, (row, column) => colorAt(row * grid.across + column));
  pen.imageSmoothingEnabled = true;
  pen.drawImage(image, LEFT, TOP, width - LEFT - RIGHT, height - TOP - BOTTOM);
}

function drawRows({ pen, x, y }: Axes, data: PlayData, palette: Palette): void {
  const { rows, features, targets, training, validation } = data;
  const width = features.length;
  const outputs = targets.length;
  const colorOf = (row: number): Color => {
    if (rows.table.target.kind === "numeric") return valueColor(data, rows.y[row * outputs], palette);
    if (outputs === 1) return classColor(rows.y[row], 2, palette);
    return classColor(rows.y.subarray(row * outputs, (row + 1) * outputs).indexOf(1), outputs, palette);
  };
  const draw = (row: number, isFull: boolean) => {
    const color = colorOf(row);
    pen.beginPath();
    pen.arc(x(rows.x[row * width]), y(rows.x[row * width + 1]), 3.2, 0, 2 * Math.PI);
    pen.fillStyle = css(isFull ? color : palette.paper);
    pen.strokeStyle = css(isFull ? palette.paper : color);
    pen.lineWidth = isFull ? 0.8 : 1.6;
    pen.fill();
    pen.stroke();
  };
  for (const row of training) draw(row, true);
  for (const row of validation) draw(row, false);
}

function valueColor({ scalers }: PlayData, value: number, palette: Palette): Color {
  const [{ min, max }] = scalers.targets.columns;
  const place = 2 * (value - min) / (max - min || 1) - 1;
  return mixed(palette.paper, place < 0 ? palette.negative : palette.positive, 0.3 + 0.7 * Math.abs(place));
}
