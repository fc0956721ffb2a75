/// <reference lib="dom" />
/**
 * The loss curve of the playground. Observable Plot, which draws those of report and live page, would take 258 KB of the
 * page's 400, and the library 166 KB: here are two lines and an axis.
 */

import { short } from "./heat.ts";
import type { EpochPoint } from "./session.ts";

const WIDTH = 340, HEIGHT = 170, LEFT = 46, RIGHT = 8, TOP = 18, BOTTOM = 20;

/** Most points of a line: a pixel each. */
const MOST_POINTS = WIDTH - LEFT - RIGHT;

/**
 * Draws training and validation loss over the epochs, on a logarithmic scale.
 *
 * @param points A line of metrics each.
 * @returns An SVG element.
 */
export function lossCurve(points: readonly EpochPoint[]): SVGSVGElement {
  const svg = element("svg", { class: "loss-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const last = points.at(-1), shown = thin(points);
  svg.setAttribute(
    "aria-label",
    last
      ? `Loss over ${last.epoch} epochs: training ${short(last.trainLoss)}, validation ${short(last.valLoss ?? NaN)}`
      : "No epoch is done yet",
  );
  const losses = shown.flatMap(({ trainLoss, valLoss }) => [trainLoss, valLoss ?? trainLoss]).filter((loss) =>
    loss > 0
  );
  const low = Math.floor(Math.log10(Math.min(...losses, 1))), high = Math.ceil(Math.log10(Math.max(...losses, 0.1)));
  const range = Math.max(1, high - low), end = last?.epoch ?? 1;
  const x = (epoch: number) => LEFT + (WIDTH - LEFT - RIGHT) * (end > 1 ? (epoch - 1) / (end - 1) : 1);
  const y = (loss: number) =>
    TOP + (HEIGHT - TOP - BOTTOM) * (high - Math.max(low, Math.log10(Math.max(loss, 1e-30)))) / range;
  for (let power = high; power >= high - range; power -= Math.ceil(range / 5)) {
    const at = y(10 ** power);
    svg.append(element("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: at, y2: at }));
    svg.append(text(short(10 ** power), { x: LEFT - 5, y: at + 4, "text-anchor": "end" }));
  }
  svg.append(
    text("1", { x: LEFT, y: HEIGHT - 5 }),
    text(`epoch ${end}`, { x: WIDTH - RIGHT, y: HEIGHT - 5, "text-anchor": "end" }),
  );
  svg.append(
    text("training", { x: LEFT, y: 11, class: "train" }),
    text("validation", { x: LEFT + 60, y: 11, class: "validation" }),
  );
  const line = (name: string, loss: (point: EpochPoint) => number | null) => {
    const places = shown.filter((point) => loss(point) !== null).map((point) => `${x(point.epoch)} ${y(loss(point)!)}`);
    if (places.length > 0) svg.append(element("path", { class: name, d: `M${places.join("L")}` }));
  };
  line("train", ({ trainLoss }) => trainLoss);
  line("validation", ({ valLoss }) => valLoss);
  return svg;
}

/** As many points as there are pixels; the last is always there. */
function thin(points: readonly EpochPoint[]): readonly EpochPoint[] {
  const every = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, i) => (points.length - 1 - i) % every === 0);
}

function element<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string | number>>,
): SVGElementTagNameMap[K] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, `${value}`);
  return made;
}

function text(words: string, attributes: Readonly<Record<string, string | number>>): SVGTextElement {
  const made = element("text", attributes);
  made.textContent = words;
  return made;
}
