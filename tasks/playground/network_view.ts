/// <reference lib="dom" />
/** A drawing of the network: a tile for each unit shows its output over the inputs, a line shows a weight. */

import type { PlayData } from "./datasets.ts";
import { made } from "./elements.ts";
import { css, heatOf, imageOf, mixed, type Palette, penOf, sizeOfLargest } from "./heat.ts";
import type { Grid } from "./grid.ts";
import type { Op } from "./ops_walk.ts";
import type { Session } from "./session.ts";

const MOST_UNITS = 8;

/** A column of tiles: the inputs, or a layer's output. */
interface Column {
  readonly name: string;
  readonly units: number;
  readonly values: ArrayLike<number>;
  /** The weights [units before, units], if it has any. */
  readonly weights?: ArrayLike<number>;
}

interface Centre {
  readonly x: number;
  readonly y: number;
}

export function drawNetwork(
  canvas: HTMLCanvasElement,
  session: Session,
  grid: Grid,
  outputs: readonly ArrayLike<number>[],
  weights: Readonly<Record<string, Float32Array>>,
  palette: Palette,
): void {
  const { pen, width, height } = penOf(canvas);
  const columns = columnsOf(session, grid, outputs, weights);
  const most = Math.min(MOST_UNITS, Math.max(...columns.map(({ units }) => units)));
  const step = width / columns.length;
  const size = Math.min(46, (height - 44) / most - 7, step * 0.62);
  const places = columns.map(({ units }, i) => {
    const shown = Math.min(units, MOST_UNITS);
    const gap = (height - 44) / shown;
    return Array.from({ length: shown }, (_, unit): Centre => ({ x: step * (i + 0.5), y: 24 + gap * (unit + 0.5) }));
  });
  columns.forEach((column, i) => i > 0 && drawLinks(pen, column, places[i - 1], places[i], size, palette));
  columns.forEach((column, i) => drawTiles(pen, column, grid, places[i], size, palette));
  pen.font = "12px system-ui, sans-serif";
  pen.textAlign = "center";
  columns.forEach(({ name, units }, i) => {
    pen.fillStyle = css(palette.ink);
    pen.fillText(name, step * (i + 0.5), 14);
    pen.fillStyle = css(palette.soft);
    if (units > MOST_UNITS) pen.fillText(`+ ${units - MOST_UNITS} more`, step * (i + 0.5), height - 4);
  });
  const layers = columns.map(({ name, units }) => `${name} of ${units}`).join(", ");
  canvas.setAttribute("aria-label", `The network: ${layers}`);
}

/** A Linear and the activation after it are one column, which shows the activation. */
function columnsOf(
  { model, names, data }: Session,
  grid: Grid,
  outputs: readonly ArrayLike<number>[],
  values: Readonly<Record<string, Float32Array>>,
): Column[] {
  const columns: Column[] = [inputColumn(data, grid)];
  let weights: Float32Array | undefined;
  model.layers.forEach(({ kind, parameters }, i) => {
    if (parameters.length > 0) weights = values[`${i}.weight`];
    const next = model.layers[i + 1];
    if (next && next.parameters.length === 0) return;
    const units = outputs[i].length / grid.rows;
    const name = next ? `${names[i]} ${kind}` : "output";
    columns.push({ name, units, values: outputs[i], weights });
    weights = undefined;
  });
  return columns;
}

function inputColumn({ features }: PlayData, { scaled }: Grid): Column {
  const name = features.length <= 2 ? `input ${features.join(", ")}` : "input";
  return { name, units: features.length, values: scaled };
}

function drawLinks(
  pen: CanvasRenderingContext2D,
  { weights, units }: Column,
  from: readonly Centre[],
  to: readonly Centre[],
  size: number,
  palette: Palette,
): void {
  if (!weights) return;
  const largest = sizeOfLargest(weights) || 1;
  from.forEach((a, i) =>
    to.forEach((b, j) => {
      const weight = weights[i * units + j];
      const share = Math.abs(weight) / largest;
      pen.strokeStyle = css(weight < 0 ? palette.negative : palette.positive, 0.12 + 0.75 * share);
      pen.lineWidth = 0.5 + 3 * share;
      const x = a.x + size / 2;
      const end = b.x - size / 2;
      const middle = (x + end) / 2;
      pen.beginPath();
      pen.moveTo(x, a.y);
      pen.bezierCurveTo(middle, a.y, middle, b.y, end, b.y);
      pen.stroke();
    })
  );
}

function drawTiles(
  pen: CanvasRenderingContext2D,
  { values, units }: Column,
  { across, down }: Grid,
  places: readonly Centre[],
  size: number,
  palette: Palette,
): void {
  const scale = sizeOfLargest(values);
  pen.imageSmoothingEnabled = true;
  places.forEach(({ x, y }, unit) => {
    const image = imageOf(
      down,
      across,
      (row, column) => heatOf(values[(row * across + column) * units + unit], scale, palette),
    );
    pen.drawImage(image, x - size / 2, y - size / 2, size, size);
    pen.strokeStyle = css(mixed(palette.grid, palette.ink, 0.25));
    pen.lineWidth = 1;
    pen.strokeRect(x - size / 2, y - size / 2, size, size);
  });
}

/** Pixels of a number in a heat map, and the most pixels of a side. */
const CELL = 5;
const MOST_PIXELS = 150;

/** Draws each layer's output and its gradients as matrices. */
export function drawHeat(frame: HTMLElement, ops: readonly Op[], palette: Palette): void {
  const shown = ops.filter(({ name, phase, shape }) =>
    phase !== "loss" && shape.length === 2 && shape[1] > 0 && !name.startsWith("p")
  );
  const layers = Map.groupBy(shown, ({ name }) => name.replace(/^\D*?(?=[₀-₉]+$)/, ""));
  const key = [...layers].map(([layer, ops]) => layer + ops.map(({ name, shape }) => name + shape)).join();
  if (frame.dataset.key !== key) {
    frame.dataset.key = key;
    frame.replaceChildren(...[...layers].map(([layer, { length }]) => emptyRow(layer, length)));
  }
  const figures = frame.querySelectorAll("figure");
  [...layers.values()].flat().forEach((op, i) => drawMatrix(figures[i], op, palette));
}

function emptyRow(layer: string, figures: number): HTMLElement {
  const row = made("div");
  row.append(made("span", `layer ${layer.normalize("NFKC")}`)); // subscripts become digits
  for (let i = 0; i < figures; i++) {
    const figure = made("figure");
    const canvas = made("canvas");
    canvas.setAttribute("role", "img");
    figure.append(canvas, made("figcaption"));
    row.append(figure);
  }
  return row;
}

/** Units run down and rows run across. */
function drawMatrix(figure: HTMLElement, { name, shape: [rows, columns], values }: Op, palette: Palette): void {
  const canvas = figure.firstElementChild as HTMLCanvasElement;
  const caption = figure.lastElementChild!;
  const scale = sizeOfLargest(values);
  const image = imageOf(columns, rows, (unit, row) => heatOf(values[row * columns + unit], scale, palette));
  canvas.width = rows;
  canvas.height = columns;
  canvas.style.width = `${Math.min(MOST_PIXELS, Math.max(rows * CELL, 12))}px`;
  canvas.style.height = `${Math.min(MOST_PIXELS, Math.max(columns * CELL, 12))}px`;
  canvas.getContext("2d")!.drawImage(image, 0, 0);
  caption.replaceChildren(made("b", name), ` [${rows}, ${columns}]`, made("br"), `± ${scale.toPrecision(3)}`);
  canvas.setAttribute("aria-label", `${name}, ${rows} by ${columns}, largest ${scale.toPrecision(3)}`);
}
