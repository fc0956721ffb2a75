/**
 * How a tensor is shown: as a line of text, and in a notebook as a heat map.
 *
 * @module
 */
import { formatShape, type Shape } from "../base/shape.ts";

/** Rows and columns of a heat map at most. */
const MAX_CELLS = 12;

/** Colours of the largest number below 0, of 0, and of the largest above, as red, green and blue. */
const BELOW = [49, 104, 180];
const ZERO = [255, 255, 255];
const ABOVE = [222, 115, 30];

/** A number with as many digits as float32 is good for, none in vain; whole numbers in full: `0.1`, `1.5`, `-3.2e-7`. */
export function numberText(value: number, digits: number = 6): string {
  const isWhole = Number.isInteger(value) && Math.abs(value) < 1e10;
  return `${isWhole ? value : Number(value.toPrecision(digits))}`;
}

/** `Tensor [2, 3] f32: 1, 2, 3, 4, 5, 6`; without numbers it says how to see them. */
export function tensorLine(shape: Shape, dtype: string, size: number, numbers: readonly number[] | undefined): string {
  const what = `Tensor ${formatShape(shape)} ${dtype}`;
  if (size === 0) return `${what}, empty`;
  if (!numbers) return `${what}, on the GPU: read() or print() shows its numbers`;
  const shown = numbers.slice(0, size).map((value) => numberText(value));
  return `${what}: ${shown.join(", ")}${shown.length < size ? ", ..." : ""}`;
}

/**
 * A table in HTML whose cells are coloured by their numbers: blue below 0, orange above. A vector is one row. Of a large
 * tensor it has the first twelve rows and columns, and says so.
 */
export function heatMap(title: string, columns: number, numbers: ArrayLike<number>): string {
  const rows = columns === 0 ? 0 : numbers.length / columns;
  const shownRows = Math.min(rows, MAX_CELLS);
  const shownColumns = Math.min(columns, MAX_CELLS);
  let largest = 0;
  for (let i = 0; i < numbers.length; i++) {
    const size = Math.abs(numbers[i]);
    if (size > largest && size < Infinity) largest = size;
  }
  const lines = Array.from({ length: shownRows }, (_, row) => {
    const cells = Array.from({ length: shownColumns }, (_, column) => cell(numbers[row * columns + column], largest));
    return `<tr>${cells.join("")}</tr>`;
  });
  const isCut = shownRows < rows || shownColumns < columns;
  const note = isCut ? `, the first ${shownRows} rows and ${shownColumns} columns` : "";
  const caption = `<caption style="text-align:left;caption-side:top">${title}${note}</caption>`;
  return `<table style="border-collapse:collapse;font:12px monospace">${caption}${lines.join("")}</table>`;
}

function cell(value: number, largest: number): string {
  const colour = Number.isFinite(value) ? shade(largest > 0 ? value / largest : 0) : "background:#000;color:#fff";
  return `<td style="padding:2px 6px;text-align:right;${colour}">${numberText(value, 3)}</td>`;
}

/** The colours of a cell for a number from -1 to 1: white at 0, and white letters on what is dark. */
function shade(part: number): string {
  const end = part < 0 ? BELOW : ABOVE;
  const mixed = ZERO.map((zero, i) => Math.round(zero + Math.abs(part) * (end[i] - zero)));
  return `background:rgb(${mixed.join(",")});color:${part < -0.5 ? "#fff" : "#000"}`;
}
