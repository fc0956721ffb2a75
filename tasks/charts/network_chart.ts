/// <reference lib="dom" />
/** A drawing of the network: columns of units, lines for weights, and the shapes of both. */

import { colorOf, describe, type Draw, element } from "./frame.ts";

export interface DrawnLayer {
  readonly kind: string;
  /** Values of a row that go in, and come out. */
  readonly inputs: number;
  readonly outputs: number;
  readonly parameters: Readonly<Record<string, readonly number[]>>;
}

/** A column of units: the output of a layer with weights, and the layers without weights after it. */
interface Column {
  readonly units: number;
  readonly kinds: string[];
  /** Of the weights that lead to it. */
  readonly weight?: { readonly name: string; readonly shape: readonly number[] };
  /** How many columns it replaces. */
  readonly skipped?: number;
}

/** The most units of a column, and the most columns. */
const MAX_UNITS = 7;
const MAX_COLUMNS = 8;

/** Pixels: above the units, and the height of all units. */
const TOP = 44;
const TALL = 190;

export function networkChart(inputs: number, layers: readonly DrawnLayer[], draw: Draw = {}): SVGSVGElement {
  const { document = globalThis.document, width = 640, height = TOP + TALL + 66 } = draw;
  const svg = element(document, "svg", { class: "chart network", width, height, viewBox: `0 0 ${width} ${height}` });
  const columns = shorten(columnsOf(inputs, layers));
  const step = width / columns.length;
  const [lines, circles, names] = ["weights", "units", "shapes"].map((name) => element(document, "g", { class: name }));
  lines.setAttribute("stroke", "var(--soft)");
  lines.setAttribute("stroke-opacity", "0.35");
  names.setAttribute("text-anchor", "middle");
  const write = (x: number, y: number, text: string, soft = false) => {
    const made = element(document, "text", { x: x.toFixed(1), y, fill: soft ? "var(--soft)" : "var(--ink)" });
    made.textContent = text;
    names.append(made);
  };
  columns.forEach((column, i) => {
    const x = (i + 0.5) * step;
    const places = placesOf(column);
    const before = columns[i - 1];
    if (column.skipped !== undefined) return write(x, TOP + TALL / 2, `… ${column.skipped} more …`, true);
    const fill = colorOf(i === 0 ? 2 : i === columns.length - 1 ? 1 : 0);
    for (const y of places) {
      circles.append(element(document, "circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 7, fill }));
      if (!before || before.skipped !== undefined) continue;
      for (const from of placesOf(before)) {
        const [x1, y1, x2, y2] = [x - step, from, x, y].map((value) => value.toFixed(1));
        lines.append(element(document, "line", { x1, y1, x2, y2 }));
      }
    }
    if (column.units > MAX_UNITS) write(x, TOP + TALL / 2 + 4, "⋮");
    if (column.weight) {
      const middle = x - (before?.skipped === undefined ? step / 2 : 0);
      write(middle, 14, column.weight.name, true);
      write(middle, 30, column.weight.shape.join(" × "), true);
    }
    write(x, TOP + TALL + 24, i === 0 ? "input" : column.kinds[0]);
    if (column.kinds.length > 1) write(x, TOP + TALL + 40, column.kinds.slice(1).join(", "), true);
    const units = `${column.units} ${column.units === 1 ? "unit" : "units"}`;
    write(x, TOP + TALL + (column.kinds.length > 1 ? 56 : 40), units, true);
  });
  svg.append(lines, circles, names);
  const said = layers.map(({ kind, inputs, outputs }) =>
    inputs === outputs && kind !== "Linear" ? kind : `${kind} ${inputs} to ${outputs}`
  );
  describe(svg as SVGSVGElement, { title: "The network", description: `${inputs} inputs; ${said.join(", ")}.` });
  return svg as SVGSVGElement;
}

function columnsOf(inputs: number, layers: readonly DrawnLayer[]): Column[] {
  const columns: Column[] = [{ units: inputs, kinds: ["input"] }];
  for (const { kind, outputs, parameters } of layers) {
    const weight = Object.entries(parameters).find(([_, shape]) => shape.length === 2);
    if (!weight) columns.at(-1)!.kinds.push(kind);
    else columns.push({ units: outputs, kinds: [kind], weight: { name: weight[0], shape: weight[1] } });
  }
  return columns;
}

/** Replaces the middle of a long network by one column. */
function shorten(columns: Column[]): Column[] {
  if (columns.length <= MAX_COLUMNS) return columns;
  const head = 4;
  const tail = MAX_COLUMNS - head - 1;
  const skipped = columns.length - head - tail;
  return [...columns.slice(0, head), { units: 0, kinds: [], skipped }, ...columns.slice(-tail)];
}

/** The heights of the units of a column; of many only the outer ones. */
function placesOf({ units }: Column): number[] {
  const drawn = Math.min(units, MAX_UNITS);
  const gap = TALL / MAX_UNITS;
  const places = Array.from({ length: drawn }, (_, i) => TOP + TALL / 2 + (i - (drawn - 1) / 2) * gap);
  return units > MAX_UNITS ? places.filter((_, i) => i !== (MAX_UNITS - 1) / 2) : places;
}
