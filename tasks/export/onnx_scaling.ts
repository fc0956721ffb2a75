/** Scaling of columns in a graph, in float64: of large numbers nothing is lost. */

import type { Scaling } from "./exported_model.ts";
import type { OnnxGraph } from "./onnx_format.ts";
import { row } from "./onnx_layers.ts";

/** `(x - shift) / factor`, and `x / sqrt(1 + (x / clip)^2)` of that where a column has a clip. */
export function scaleInputs(graph: OnnxGraph, x: string, scalings: readonly Scaling[]): string {
  if (isUnscaled(scalings)) return x;
  const { shift, factor } = shiftAndFactor(graph, scalings);
  const scaled = graph.add("Div", [graph.add("Sub", [x, shift]), factor]);
  if (scalings.every(({ clip }) => clip === undefined)) return scaled;
  const clip = row(graph, Float64Array.from(scalings, ({ clip = 0 }) => clip));
  // Written so that no square of a large number is infinite.
  const inverse = graph.add("Div", [clip, scaled]);
  const squares = graph.add("Add", [graph.add("Mul", [inverse, inverse]), row(graph, Float64Array.of(1))]);
  const ends = graph.add("Mul", [clip, graph.add("Sign", [scaled])]);
  const bent = graph.add("Div", [ends, graph.add("Sqrt", [squares])]);
  return graph.add("Where", [graph.add("Greater", [clip, row(graph, Float64Array.of(0))]), bent, scaled]);
}

/** `x * factor + shift` */
export function unscale(graph: OnnxGraph, x: string, scalings: readonly Scaling[]): string {
  if (isUnscaled(scalings)) return x;
  const { shift, factor } = shiftAndFactor(graph, scalings);
  return graph.add("Add", [graph.add("Mul", [x, factor]), shift]);
}

function shiftAndFactor(graph: OnnxGraph, scalings: readonly Scaling[]) {
  const shift = row(graph, Float64Array.from(scalings, ({ shift }) => shift));
  const factor = row(graph, Float64Array.from(scalings, ({ factor }) => factor));
  return { shift, factor };
}

function isUnscaled(scalings: readonly Scaling[]): boolean {
  return scalings.every(({ shift, factor }) => shift === 0 && factor === 1);
}
