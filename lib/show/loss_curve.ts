/**
 * The losses of a training, which a notebook shows as a curve.
 *
 * @module
 */
import { numberText } from "./tensor_text.ts";

/** Size of the picture, and room for the numbers at its left, in pixels. */
const WIDTH = 360;
const HEIGHT = 140;
const LEFT = 70;
const EDGE = 10;

/**
 * Losses in the order in which they were made: an array that draws itself in a notebook. Its axis is logarithmic where all
 * are above 0. What is not finite is left out of the curve, and counted.
 *
 * @example
 * ```ts
 * import { LossCurve } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const losses = LossCurve.from([4, 2, 1]); // in a notebook, as the last line of a cell, the curve
 * assertEquals([losses.length, losses.at(-1)], [3, 1]);
 * assertEquals(`${losses}`, "4,2,1");
 * ```
 */
export class LossCurve extends Array<number> {
  /** An array of losses as a curve. */
  static override from(losses: ArrayLike<number>): LossCurve {
    const curve = new LossCurve();
    for (let i = 0; i < losses.length; i++) curve.push(losses[i]);
    return curve;
  }

  /** What a notebook shows. */
  [Symbol.for("Jupyter.display")](): { "text/plain": string; "image/svg+xml": string } {
    const finite = this.map((loss, i) => [i, loss]).filter(([_, loss]) => Number.isFinite(loss));
    const missing = this.length - finite.length;
    const note = missing > 0 ? `, ${missing} not finite` : "";
    const ends = finite.length > 0 ? `, from ${numberText(finite[0][1])} to ${numberText(finite.at(-1)![1])}` : "";
    return { "text/plain": `${this.length} losses${ends}${note}`, "image/svg+xml": picture(finite, this.length, note) };
  }
}

/** The curve through points of place and loss, with the largest and the smallest loss at the left. */
function picture(points: readonly number[][], length: number, note: string): string {
  const losses = points.map(([_, loss]) => loss);
  const largest = losses.reduce((a, b) => Math.max(a, b), -Infinity);
  const smallest = losses.reduce((a, b) => Math.min(a, b), Infinity);
  const onAxis = (loss: number) => smallest > 0 ? Math.log(loss) : loss;
  const span = onAxis(largest) - onAxis(smallest) || 1;
  const coordinates = points.map(([place, loss]) => {
    const x = LEFT + (WIDTH - LEFT - EDGE) * place / Math.max(1, length - 1);
    const y = EDGE + (HEIGHT - 3 * EDGE) * (onAxis(largest) - onAxis(loss)) / span;
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const text = (x: number, y: number, words: string) => `<text x="${x}" y="${y}">${words}</text>`;
  const numbers = points.length === 0 ? [] : [
    text(2, EDGE + 4, numberText(largest, 3)),
    text(2, HEIGHT - 2 * EDGE + 4, numberText(smallest, 3)),
  ];
  const title = text(LEFT, HEIGHT - 2, `loss, 1 to ${length}${note}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="monospace" font-size="12">` +
    `<polyline fill="none" stroke="#3168b4" stroke-width="1.5" points="${coordinates.join(" ")}"/>` +
    `${numbers.join("")}${title}</svg>`;
}
